"""Connects to sockets of the machine: by TCP, by abstract names, and by files."""

# /// attack
# checked_in = "test_system.py"
# uses = ["tries"]
# problems = []
# works = []
# refused = ["tcp", "abstract", "file"]
# ///

# %% before
for address in ADDRESSES + ["0.0.0.0", "127.1.2.3", "10.0.2.2", "169.254.169.254"]:
    attempt("tcp", socket.create_connection, (address, PORT), 0.5)
for name in (NAME, "\0/tmp/.X11-unix/X0"):
    attempt("abstract", socket.socket(socket.AF_UNIX).connect, name)
for path in (PATH, "../../../../../.." + PATH, "/run/docker.sock", "/run/systemd/private"):
    attempt("file", socket.socket(socket.AF_UNIX).connect, path)
