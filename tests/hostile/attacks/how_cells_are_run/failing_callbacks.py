"""Calls the test's function with large arrays, in calls that fail.

They must not fill the examiner's memory.
"""

# /// attack
# checked_in = "test_how_cells_are_run.py"
# limits = {cpu_seconds_per_cell = 20.0}
# prints_unless = {"failed 160" = []}
# ///

# %% apply
import numpy as np
failed = []
def apply(f, x):
    odd = np.zeros(3_900_000)
    for _ in range(160):
        try:
            f(odd, "of two arguments")
        except Exception as error:
            failed.append(error)
    return -1

# %% after
print('failed', len(failed))
