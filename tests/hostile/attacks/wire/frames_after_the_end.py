"""Sends frames after the end.

They answer the first questions of the next test, before it has asked.
"""

# /// attack
# smoke = true
# uses = ["server"]
# limits = {wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems_among = ["protocol", "kernel"]
# ///

# %% before
def server():
    while ask()[1] != "end":
        frame(value())
    frame([0, "ended"])
    for number in (6, 10, 4242, 8485):
        frame(value(number))
take_over(server)

# %% total
total = 10
