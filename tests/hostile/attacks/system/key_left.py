"""Leaves a key for the next student."""

# /// attack
# checked_in = "test_system.py"
# uses = ["tries"]
# ///

# %% before
call("leave", 248, b"user", b"left", b"for the next", 12, -3)
