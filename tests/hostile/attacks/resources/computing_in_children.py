"""Computes in children, one after another."""

# /// attack
# limits = {cpu_seconds_per_cell = 2.0, wall_seconds_per_cell = 120.0}
# prints = ["begun"]
# never_prints = ["all of it"]
# problems = ["time-limit"]
# ///

# %% before
print("begun", flush=True)

import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(6):
    if os.fork() == 0:
        end = time.process_time() + 1
        while time.process_time() < end:
            pass
        os._exit(0)
    try:
        os.wait()
    except ChildProcessError:
        pass
print("all of", "it")
