"""Makes further namespaces."""

# /// attack
# uses = ["tries"]
# machine = "x86_64"
# problems = []
# works = []
# refused = 33
# ///

# %% before
kinds = dict(user=1 << 28, mount=1 << 17, pid=1 << 29, net=1 << 30, ipc=1 << 27, uts=1 << 26,
             cgroup=1 << 25, time=1 << 7)
for name, flag in kinds.items():
    call("unshare_" + name, 272, flag | (kinds["user"] if name != "user" else 0))
    call("alone_" + name, 272, flag)
    child = call("clone_" + name, 56, flag | kinds["user"] | 17, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    arguments = struct.pack("11Q", flag | kinds["user"], 0, 0, 0, 17, 0, 0, 0, 0, 0, 0)
    if call("clone3_" + name, 435, arguments, 88) == 0:
        os._exit(0)
process = libc.syscall(434, 1, 0)
call("join_first", 308, process, kinds["mount"] | kinds["user"])
