"""Connects to the loopback of IPv6."""

# /// attack
# checked_in = "test_system.py"
# uses = ["tries"]
# problems = []
# works = []
# refused = ["tcp6"]
# ///

# %% before
for address in ("::1", "::ffff:127.0.0.1", "fe80::1"):
    attempt("tcp6", socket.create_connection, (address, PORT), 0.5)
