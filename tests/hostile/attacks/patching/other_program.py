"""Becomes another program."""

# /// attack
# prints = ["armed"]
# problems = "some"
# ///

# %% double
import os, sys
def double(x):
    os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(1000)"])
print("armed")
