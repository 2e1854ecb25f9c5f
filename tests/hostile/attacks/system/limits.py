"""Raises its limits."""

# /// attack
# uses = ["tries"]
# problems = []
# works = []
# refused = ["hard", "soft", "none"]
# ///

# %% before
import resource
for name in ("AS", "NPROC", "FSIZE", "NOFILE", "CORE", "MSGQUEUE", "NICE", "RTPRIO"):
    kind = getattr(resource, "RLIMIT_" + name)
    soft, hard = resource.getrlimit(kind)
    attempt("hard", resource.setrlimit, kind, (soft, hard + 1))
    attempt("soft", resource.setrlimit, kind, (hard + 1, hard))
    attempt("none", resource.setrlimit, kind, (resource.RLIM_INFINITY,) * 2)
