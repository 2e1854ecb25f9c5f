"""Looks for things that another student left, and leaves them for the next."""

# /// attack
# checked_in = "test_attacks.py"
# problems = []
# prints = ["found [] True False", "theirs False", "left them", "fonts are not to be written"]
# ///

# %% before
import os
folders = ("/tmp", "/dev/shm", "/home/student", "/run/kernel", "/opt/fonts")
found = [os.path.join(where, name)
         for folder in folders for where, _, names in os.walk(folder) for name in names]
lists = [p for p in found if "fontlist" in p]
print("found", [p for p in found if "left" in p or "startup/00" in p or "mine" in p],
      len(lists) > 0, any("poison" in open(p).read(100) for p in lists))
print("theirs", "double" in globals())

startup = "/home/student/.ipython/profile_default/startup"
os.makedirs(startup, exist_ok=True)
with open(startup + "/00.py", "w") as file:
    file.write("double = 'theirs'")
for folder in ("/tmp", "/dev/shm", "/home/student", "/home/student/.ipython"):
    with open(folder + "/left.py", "w") as file:
        file.write("raise SystemExit")
for path in lists:
    if path.startswith("/home"):
        with open(path, "w") as file:
            file.write("poison")
try:
    open("/opt/fonts/mine", "w")
except OSError:
    print("fonts are not to be written")
print("left them")
