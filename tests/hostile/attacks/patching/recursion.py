"""Calls itself without a limit: it ends as a dead kernel."""

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
