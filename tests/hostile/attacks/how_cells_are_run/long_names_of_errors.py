"""Sends an error with a very long name."""

# /// attack
# checked_in = "test_how_cells_are_run.py"
# uses = ["link"]
# ///

# %% double
def double(x):
    return 0 * x


def other(self, function, calls, whole):
    error = ["error", "E" * 900_000, "text", "w" * 100_000, 0]
    return self._packed(["values", [], error])
answering.serve.Server._call = other

# %% after
print('d' + 'one')
