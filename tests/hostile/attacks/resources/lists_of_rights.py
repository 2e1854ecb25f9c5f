"""Gives folders long lists of rights, which no limit counts: 130 kB for each folder."""

# /// attack
# uses = ["tries"]
# problems = []
# works = []
# prints = ["returncode=0, stdout='', stderr=''", "None copied"]
# refused = ["rights", "rights_of_new_files", "by_descriptor", "text"]
# ///

# %% before
import subprocess

anybody, user = (1 << 32) - 1, os.getuid()
entries = [(1, anybody), *[(2, user)] * 8000, (4, anybody), (16, anybody), (32, anybody)]
rights = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", who, 7, one) for who, one in entries)
for folder in ("/tmp/long", "/dev/shm/long", "long"):
    os.mkdir(folder)
    opened = os.open(folder, os.O_RDONLY)
    attempt("rights", os.setxattr, folder, "system.posix_acl_access", rights)
    attempt("rights_of_new_files", os.setxattr, folder, "system.posix_acl_default", rights)
    attempt("by_descriptor", os.setxattr, opened, "system.posix_acl_access", rights)
    attempt("text", lambda f=folder: os.setxattr(f, "user.a", bytes(60_000), follow_symlinks=False))
print(subprocess.run("cp -a /tmp/long copy", shell=True, capture_output=True, text=True))
print(shutil.copystat("long", "copy"), "copied")
