"""Forks as many processes as allowed, which wait.

Then the kernel may fail when it needs a thread. Only the student loses by that.
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
