"""Makes something where the kernel's sockets were.

This was a folder on the machine's disk, in which the grader would follow links.
"""

# /// attack
# problems = []
# prints = ["there []", "refused True"]
# variants = [
#     "open(path, 'w')", "os.symlink('/tmp', path)", "os.rename('/home/student/own', path)",
#     "socket.socket(socket.AF_UNIX).bind(path)",
# ]
# ///

# %% before
import os, socket
open("/home/student/own", "w").close()
path = "/run/kernel/new"
os.chmod("/run/kernel", 0o7777)
print("there", os.listdir("/run/kernel"))
try:
    VARIANT
except OSError as error:
    print("refused", error.errno in (2, 18), error)  # no such folder; another file system
