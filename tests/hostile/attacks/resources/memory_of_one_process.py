"""Takes memory until there is no more."""

# /// attack
# smoke = true
# limits = {cpu_seconds_per_cell = 60.0, wall_seconds_per_cell = 120.0}
# numbers = {taken = [501, 1499]}
# problems = []
# bounded = true
# ///

# %% before
import numpy
taken, blocks = 0, []
try:
    while True:
        blocks.append(numpy.ones(50 << 17))
        taken += 50
except MemoryError:
    print("taken", taken)
    del blocks
