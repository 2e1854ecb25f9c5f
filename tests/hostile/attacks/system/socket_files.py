"""Connects to sockets in the machine's files."""

# /// attack
# checked_in = "test_system.py"
# uses = ["tries"]
# problems = []
# works = []
# refused = ["file"]
# ///

# %% before
for path in (PATH, "../../../../../.." + PATH, "/run/docker.sock",
             "/run/dbus/system_bus_socket", "/run/systemd/private", "/tmp/.X11-unix/X0"):
    attempt("file", socket.socket(socket.AF_UNIX).connect, path)
