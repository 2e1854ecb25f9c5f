"""Ends the kernel: in a cell, or when a test calls a function."""

# /// attack
# problems = "some"
# problems_among = ["kernel", "protocol"]
# ///

# %% before
import ctypes, os, sys

# %% double
def double(x):
    VARIANT

# %% total
total = 10

# %% variant an exit
os._exit(0)

# %% variant a fault
ctypes.string_at(0)
