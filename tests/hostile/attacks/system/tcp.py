"""Connects to the machine's own addresses by TCP."""

# /// attack
# checked_in = "test_system.py"
# uses = ["tries"]
# problems = []
# works = []
# refused = ["tcp"]
# ///

# %% before
for address in ADDRESSES + ["0.0.0.0", "127.1.2.3", "10.0.2.2", "169.254.169.254"]:
    attempt("tcp", socket.create_connection, (address, PORT), 0.5)
