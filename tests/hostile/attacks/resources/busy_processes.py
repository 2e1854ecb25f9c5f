"""Keeps processes busy, each in its own session, which many systems give its own share.

They and their children must run at a low priority.
"""

# /// attack
# limits = {cpu_seconds_per_cell = 240.0, wall_seconds_per_cell = 120.0}
# numbers = {priority = [19, 19]}
# problems = []
# ///

# %% before
import os, time
for _ in range(30):
    if os.fork() == 0:
        os.setsid()
        while True:
            pass
while os.getpriority(os.PRIO_PROCESS, 0) == 0:
    time.sleep(0.1)
print("priority", os.getpriority(os.PRIO_PROCESS, 0), flush=True)
time.sleep(1)
if os.fork() == 0:
    print("priority", os.getpriority(os.PRIO_PROCESS, 0), flush=True)
    os._exit(0)
