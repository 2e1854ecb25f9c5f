"""Opens the folder of the sockets to everybody."""

# /// attack
# checked_in = "test_writing.py"
# problems = []
# ///

# %% before
import os
os.chmod('/run/kernel', 0o777)
