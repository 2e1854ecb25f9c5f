"""Connects to abstract sockets of the machine."""

# /// attack
# checked_in = "test_system.py"
# uses = ["tries"]
# problems = []
# works = []
# refused = ["abstract"]
# ///

# %% before
stream = socket.socket(socket.AF_UNIX)
attempt("abstract", stream.connect, NAME)
for name in ("\0/tmp/.X11-unix/X0", "\0/org/freedesktop/systemd1/notify"):
    attempt("abstract", socket.socket(socket.AF_UNIX).connect, name)
