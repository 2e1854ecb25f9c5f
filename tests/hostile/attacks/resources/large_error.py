"""Raises an error too large for a message: this reply and all later ones do not arrive."""

# /// attack
# checked_in = "test_resources.py"
# limits = "short"
# ///

# %% before
print("begun", flush=True)
raise ValueError('x' * 15_000_000)

# %% total
total = 10
