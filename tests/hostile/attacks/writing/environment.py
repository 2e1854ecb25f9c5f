"""Overwrites the environment and the homework."""

# /// attack
# checked_in = "test_writing.py"
# uses = ["tries"]
# problems = []
# works = []
# refused = 13
# ///

# %% before
import mmap, sys, numpy
places = [os.__file__, numpy.__file__, os.path.realpath(sys.executable), "/usr/bin/env",
          "/etc/ld.so.cache", "/opt/homework/hw_support/checks.py", "/opt/homework/hw_support",
          "/opt/homework/answering/serve.py", "/opt/homework/answering", "/opt/env", "/usr/lib"]
def overwrite(path):
    with open(path, "r+b") as file:
        file.write(b"raise SystemExit")
def through_memory(path):
    with open(path, "rb") as file:
        mmap.mmap(file.fileno(), 100, prot=mmap.PROT_READ | mmap.PROT_WRITE)
for path in places:
    assert os.path.exists(path), path
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    attempt("overwrite", overwrite, path)
    attempt("empty", os.truncate, path, 0)
    attempt("through_memory", through_memory, path)
    attempt("chmod", os.chmod, path, 0o777)
    attempt("chown", os.chown, path, 1000, 1000)
    attempt("touch", os.utime, path, (0, 0))
    attempt("delete", os.rmdir if folder == path else os.unlink, path)
    attempt("rename", os.rename, path, path + ".old")
    attempt("move_over", os.rename, shutil.copy("/usr/bin/env", "/tmp/copy"), path)
    attempt("hard_link", os.link, path, "/tmp/link")
    attempt("attribute", os.setxattr, path, "user.mine", b"1")
    attempt("file_within", open, folder + "/a.py", "w")
    attempt("cache", os.makedirs, folder + "/__pycache__")
