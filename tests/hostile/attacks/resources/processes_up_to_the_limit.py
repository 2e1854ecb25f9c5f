"""Forks as many processes as it may have, and lets them wait.

What the kernel itself needs a thread for may fail then. That is the student's own loss.
"""

# /// attack
# problems_among = ["kernel", "protocol", "time-limit"]
# numbers = {processes = [6, 59]}
# ///

# %% before
import os, time
count = 0
try:
    while True:
        if os.fork() == 0:
            os.setsid()
            time.sleep(1000)
        count += 1
except BlockingIOError:
    print("processes", count)
