"""Makes empty files without end: each takes about 1 kB, which no limit of bytes counts."""

# /// attack
# never_prints = ["came to the end"]
# problems = ["disk-limit"]
# ///

# %% before
import os, time
number = 0
while number < 3_000_000:
    os.mknod(f"/tmp/{number}")
    number += 1
print("came to the end")
