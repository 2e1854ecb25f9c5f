"""Asks for larger queues of sockets and pipes."""

# /// attack
# uses = ["tries"]
# machine = "x86_64"
# problems = []
# works = []
# refused = ["queue", "pipe"]
# ///

# %% before
libc.syscall.argtypes = [ctypes.c_long] * 6
most = ctypes.create_string_buffer((1 << 20).to_bytes(4, "little"))
ours, pipe = socket.socket(socket.AF_UNIX), os.pipe()[1]
for high in (0, 1 << 32, -1 << 32):
    for option in (7, 32):  # SO_SNDBUF, SO_SNDBUFFORCE
        for level, name in ((1 | high, option), (1, option | high)):
            call("queue", 54, ours.fileno(), level, name, ctypes.addressof(most), 4)
    call("pipe", 72, pipe, 1031 | high, 1 << 20, 0, 0)
