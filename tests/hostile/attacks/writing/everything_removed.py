"""Removes everything that can be removed."""

# /// attack
# checked_in = "test_attacks.py"
# prints = ["left [] [] True"]
# problems_among = ["kernel"]
# ///

# %% before
import os, shutil
shutil.rmtree("/", ignore_errors=True)
print("left", os.listdir("/run/kernel"), os.listdir("/home/student"), len(os.listdir("/usr")) > 3)

# %% after
import os; print('still', os.getcwd())
