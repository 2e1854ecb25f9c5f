"""Takes more memory than allowed, in several orphaned processes."""

# /// attack
# limits = {cpu_seconds_per_cell = 60.0, wall_seconds_per_cell = 120.0}
# problems = ["memory-limit"]
# ///

# %% before
import os, time
for number in range(8):
    if os.fork() == 0:
        if os.fork() == 0:  # an orphan
            block = bytearray(b"x") * (250 << 20)
            time.sleep(1000)
        os._exit(0)
time.sleep(1000)
