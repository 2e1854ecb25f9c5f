"""Computes in children that end between two checks.

Nobody waits for them, so their time is added to no process.
"""

# /// attack
# limits = {cpu_seconds_per_cell = 2.0, wall_seconds_per_cell = 120.0}
# prints = ["begun"]
# problems = ["time-limit"]
# last_problem = "2 s of CPU time"
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
