"""Raises an error too large for a message: this reply and all later ones do not arrive."""

# /// attack
# limits = "short"
# scores = [{}, {test_total = 1.0}]
# problems_among = ["kernel", "time-limit", "output-limit"]
# ///

# %% before
print("begun", flush=True)
raise ValueError('x' * 15_000_000)

# %% total
total = 10
