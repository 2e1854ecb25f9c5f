"""Sends descriptors: a socket can carry open files too. The examiner must not keep them."""

# /// attack
# uses = ["server"]
# limits = {wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems = []
# ///

# %% before
def server():
    ask()
    data = msgpack.packb(value("x" * 1000))
    data = struct.pack(">II", len(data), 0) + data
    for byte in data:
        files = [os.open("/dev/null", os.O_RDONLY) for _ in range(10)]
        while True:
            try:
                socket.send_fds(link, [bytes([byte])], files)
                break
            except OSError:  # as many as may be on their way
                time.sleep(0.01)
        for file in files:
            os.close(file)
    serve(lambda question: frame(value()))
take_over(server)

# %% total
total = 10
