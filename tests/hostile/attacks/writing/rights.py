"""Changes rights, owners and masks."""

# /// attack
# uses = ["tries"]
# problems = []
# works = []
# counts = {"runs as uid=1000" = [3, 3]}
# never_prints = ["uid=0"]
# ///

# %% before
import subprocess
for folder in ("/tmp", "/home/student", "/dev/shm"):
    path = shutil.copy("/usr/bin/id", folder + "/id")
    attempt("chown", os.chown, path, 0, 0)
    attempt("chgrp", os.chown, path, -1, 0)
    attempt("capability", os.setxattr, path, "security.capability", b"\1\0\0\2" + bytes(16))
    attempt("trusted", os.setxattr, path, "trusted.mine", b"1")
    os.chmod(path, 0o6777)
    print("runs as", subprocess.run(path, capture_output=True, text=True).stdout[:9])
for path in ("/", "/home", "/opt", "/run", "/dev", "/usr"):
    attempt("open_up", os.chmod, path, 0o777)
os.umask(0o777)
open("/tmp/closed", "w")
os.umask(0)
os.chmod("/home/student", 0)
os.chmod("/tmp", 0)
