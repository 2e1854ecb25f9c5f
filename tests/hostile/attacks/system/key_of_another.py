"""Looks for a key that another student left."""

# /// attack
# checked_in = "test_system.py"
# uses = ["tries"]
# works = []
# ///

# %% before
call("found", 250, 10, -3, b"user", b"left", 0)
