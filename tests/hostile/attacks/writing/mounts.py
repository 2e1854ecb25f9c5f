"""Moves and removes mounts."""

# /// attack
# uses = ["tries"]
# problems = []
# works = []
# refused = 6
# ///

# %% before
import ctypes
mounts = ("/tmp", "/home/student", "/home", "/dev/shm", "/dev", "/run/kernel", "/run", "/usr",
          "/opt", "/opt/fonts", "/opt/env", "/")
for path in mounts:
    attempt("move", os.rename, path, "/tmp/moved")
    attempt("move_here", os.rename, path, "moved")
    attempt("remove", os.rmdir, path)
    os.makedirs("/tmp/new", exist_ok=True)
    attempt("replace", os.rename, "/tmp/new", path)
    attempt("link", os.symlink, "/tmp", path)
libc = ctypes.CDLL(None, use_errno=True)
for one, other in ((b"/tmp", b"/home/student"), (b"/run/kernel", b"/tmp")):
    def exchange():
        if libc.renameat2(-100, one, -100, other, 2) != 0:
            raise OSError(ctypes.get_errno(), "no")
    attempt("exchange", exchange)
