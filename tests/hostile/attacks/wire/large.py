"""Sends as much as it may, or more."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 12.0, iopub_timeout = 1, cpu_seconds_per_cell = 8.0}
# prints = ["taken over"]
# problems_among = ["protocol", "kernel", "time-limit"]
# bounded = true
# ///

# %% before
body = bytes(32 << 20)
def call_back(*arguments):
    "Ask the test's function, as soon as there is one."
    frame([0, "callback", 0, [0, *arguments], [2]], body if arguments[0] is not FUNCTION else b"")
    return ask()
def answer(question):
    if question[1] != "call":
        frame(value())
        return
    VARIANT
def server():
    serve(answer)
take_over(server)

# %% variant a million tiny frames
one = msgpack.packb(value(0.0))
one = struct.pack(">II", len(one), 0) + one
for _ in range(1_000):
    link.sendall(one * 1_000)

# %% variant open files
data = msgpack.packb(value("x" * 100))
for byte in struct.pack(">II", len(data), 0) + data:
    files = [os.open("/dev/null", os.O_RDONLY) for _ in range(10)]
    while True:
        try:
            socket.send_fds(link, [bytes([byte])], files)
            break
        except OSError:  # as many as may be on their way
            time.sleep(0.01)
    for file in files:
        os.close(file)

# %% variant large questions without end
while True:
    call_back([3, "<f8", [0, 4 << 20]])
