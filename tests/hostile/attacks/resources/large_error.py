"""Raises an error too large for a message: the kernel's reply does not come, nor any after it."""

# /// attack
# checked_in = "test_resources.py"
# limits = "short"
# ///

# %% before
print("begun", flush=True)
raise ValueError('x' * 15_000_000)

# %% total
total = 10
