"""Computes in children, one after another."""

# /// attack
# limits = {cpu_seconds_per_cell = 2.0, wall_seconds_per_cell = 120.0}
# prints = ["begun"]
# never_prints = ["all of it"]
# problems = ["time-limit"]
# ///

# %% before
print("begun", flush=True)

import os, time
for _ in range(6):
    if os.fork() == 0:
        end = time.process_time() + 1
        while time.process_time() < end:
            pass
        os._exit(0)
    os.wait()
print("all of", "it")
