"""Looks for files that another student left."""

# /// attack
# checked_in = "test_patching.py"
# prints = ["found []"]
# ///

# %% before
import os
found = [folder for folder in ("/home/student", "/tmp", "/dev/shm", "/run/kernel")
         if os.path.exists(f"{folder}/left.py")]
print("found", found)
