"""Ends the test with another message than the expected one."""

# /// attack
# uses = ["link"]
# variants = [
#     "['values', [], ['error', 'ValueError', 'no', 'nowhere', 0]]",
#     "['values', [], ['late']]",
#     "['values', [[1]], None]",
#     "['callback', 0, [], {}]",
#     "['ended', 1]",
#     "7",
# ]
# ///

# %% before
before = answering.serve.Server._packed
def other(self, message):
    return before(self, VARIANT if message == ["ended"] else message)
answering.serve.Server._packed = other
