"""Makes a file in every folder."""

# /// attack
# limits = {cpu_seconds_per_cell = 20.0, wall_seconds_per_cell = 60.0}
# problems = []
# prints = [
#     "tried True could ['/dev/shm', '/home/student', '/tmp']",
#     "others []",
# ]
# ///

# %% before
import os
tried, could = 0, []
for where, folders, _ in os.walk("/"):
    tried += 1
    try:
        os.close(os.open(where + "/mine", os.O_CREAT | os.O_WRONLY))
        os.unlink(where + "/mine")
        could.append(where)
    except OSError:
        pass
mine = ("/home/student", "/tmp", "/dev/shm", "/run/kernel")
print("tried", tried > 1000, "could", sorted({p for p in mine for c in could if c == p}))
print("others", [c for c in could if not any((c + "/").startswith(p + "/") for p in mine)])
