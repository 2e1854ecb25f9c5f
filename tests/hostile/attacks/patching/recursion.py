"""Calls itself without a limit; the kernel dies."""

# /// attack
# prints = ["armed"]
# problems = "some"
# ///

# %% double
import sys, threading
sys.setrecursionlimit(10**9)
def double(x):
    return double(x) + 1
print("armed")
