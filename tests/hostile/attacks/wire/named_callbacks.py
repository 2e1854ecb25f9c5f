"""Calls back with invalid names, or with too many."""

# /// attack
# checked_in = "test_wire_attacks.py"
# uses = ["server", "callbacks", "again"]
# limits = {wall_seconds_per_cell = 12.0, iopub_timeout = 1}
# prints = ["taken over"]
# problems_among = ["protocol", "kernel"]
# variants = [
#     "[2, 1, 2]", "[2, 'self', 1, 'g', 2]", "[2, *[w for n in range(99) for w in (str(n), n)]]",
# ]
# ///

# %% before
def attack():
    frame([0, "callback", 0, [0], VARIANT])
    ask()
    frame(value(0.0))
call_back(attack)
