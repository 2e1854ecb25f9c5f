"""Looks for things that another student left."""

# /// attack
# checked_in = "test_attacks.py"
# prints = ["found [] True False", "theirs False"]
# ///

# %% before
import os
found = [os.path.join(where, name)
         for folder in ("/tmp", "/dev/shm", "/home/student", "/run/kernel", "/opt/fonts")
         for where, _, names in os.walk(folder) for name in names]
lists = [p for p in found if "fontlist" in p]
print("found", [p for p in found if "left" in p or "startup/00" in p or "mine" in p],
      len(lists) > 0, any("poison" in open(p).read(100) for p in lists))
print("theirs", "double" in globals())
