"""Sends an error with a very long name."""

# /// attack
# checked_in = "test_how_cells_are_run.py"
# uses = ["link"]
# ///

# %% double
def double(x):
    return 0 * x


before = answering.serve.Server._send
def other(self, message):
    if type(message) is list and message[0] == "value":
        message = ["error", "E" * 900_000, "text", "w" * 100_000, 0]
    before(self, message)
answering.serve.Server._send = other

# %% test_double
assert double(3) == 6

# %% after
print('d' + 'one')
