"""Leaves things for the next student."""

# /// attack
# checked_in = "test_attacks.py"
# problems = []
# prints = ["left them", "fonts are not to be written"]
# ///

# %% before
import os, glob
for folder in ("/tmp", "/dev/shm", "/home/student", "/home/student/.ipython"):
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/left.py", "w") as file:
        file.write("raise SystemExit")
for path in glob.glob("/home/student/.cache/matplotlib/*"):
    with open(path, "w") as file:
        file.write("poison")
startup = "/home/student/.ipython/profile_default/startup"
os.makedirs(startup, exist_ok=True)
with open(startup + "/00.py", "w") as file:
    file.write("double = 'theirs'")
try:
    open("/opt/fonts/mine", "w")
except OSError:
    print("fonts are not to be written")
print("left them")
