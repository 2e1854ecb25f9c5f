"""Returns too much."""

# /// attack
# limits = {iopub_timeout = 1}
# scores = {test_total = 1.0}
# problems_among = ["time-limit"]
# bounded = true
# [variants]
# "1 GB" = "np.ones(1 << 27)"
# "32 MB of truth" = "np.ones(32 << 20, dtype=bool)"
# "a million lists" = "[[0.0]] * 1_000_000"
# "a list of lists without end" = "loop()"
# "a view that is larger than memory" = "np.broadcast_to(1.0, (1 << 40,))"
# "a number of a million digits" = "10**1_000_000"
# "numbers without end" = "iter(int, 1)"
# "a text of 1 GB" = "'x' * (1 << 30)"
# "an array with one entry, said to be more" = "Liar()"
# ///

# %% double
import numpy as np
def loop():
    x = []
    x.append(x)
    return x
class Liar:
    shape = (1 << 40,)
    def __len__(self): return 1 << 40
    def __getitem__(self, key): return 1.0
    def __iter__(self):
        while True: yield 1.0
def double(x):
    return VARIANT

# %% total
total = 10
