"""Forks children that return instead of their parent."""

# /// attack
# prints = ["armed"]
# ///

# %% apply
import os
print("armed")
def apply(f, x):
    for _ in range(3):
        os.fork()  # all of them go on as the kernel
    return f(x)
