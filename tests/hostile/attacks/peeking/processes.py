"""Looks for other processes."""

# /// attack
# checked_in = "test_peeking.py"
# limits = {cpu_seconds_per_cell = 20.0}
# ///

# %% before
import os
seen = []
for pid in [*range(1, 70_000), os.getppid()]:
    for look in (lambda pid: os.kill(pid, 0), os.sched_getaffinity, os.getsid):
        try:
            look(pid)
            seen.append(pid)
        except ProcessLookupError:
            pass
        except PermissionError:
            seen.append(pid)
me = os.getpid()
print("seen", sorted(set(seen)), "me", me, "parent", os.getppid())
