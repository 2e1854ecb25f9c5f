"""Computes in children that nobody waits for, so their time is added to no process.

The clock ends it: time that is not counted as computing counts as idle.
"""

# /// attack
# limits = {cpu_seconds_per_cell = 2.0, wall_seconds_per_cell = 8.0}
# prints = ["begun"]
# problems = ["time-limit"]
# last_problem = "within 8 s"
# ///

# %% before
print("begun", flush=True)

import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    if os.fork() == 0:
        end = time.process_time() + 0.1
        while time.process_time() < end:
            pass
        os._exit(0)
    try:
        os.wait()
    except ChildProcessError:
        pass
