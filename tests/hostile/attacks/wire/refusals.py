"""Refuses every question, with reasons of a megabyte."""

# /// attack
# checked_in = "test_wire_attacks.py"
# uses = ["server"]
# limits = {wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems = []
# ///

# %% before
def server():
    serve(lambda _: frame([0, "values", [0], [0, "refused", "x" * 1_000_000]]))
take_over(server)

# %% total
total = 10
