"""Ends the test with another message than the expected one."""

# /// attack
# uses = ["link"]
# variants = [
#     "['error', 'ValueError', 'no', 'nowhere', 0, '']",
#     "['interrupted']",
#     "['refused', 'no']",
#     "['value', 1, [], []]",
#     "['callback', 0, [], {}]",
#     "['ended', 1]",
#     "7",
# ]
# ///

# %% before
before = answering.serve.Server._send
def other(self, message):
    before(self, VARIANT if message == ["ended"] else message)
answering.serve.Server._send = other
