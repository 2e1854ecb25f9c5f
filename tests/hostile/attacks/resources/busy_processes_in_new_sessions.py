"""Keeps processes busy, and moves them to new sessions.

A new session has the usual priority.
"""

# /// attack
# checked_in = "test_resources.py"
# limits = {cpu_seconds_per_cell = 1200.0, wall_seconds_per_cell = 240.0}
# prints = ["begun"]
# problems = ["time-limit"]
# last_problem = "sessions of busy processes"
# ///

# %% before
print("begun", flush=True)

import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
def go_on():
    while True:
        os.setsid()
        end = time.process_time() + 0.02
        while time.process_time() < end:
            pass
        while True:
            try:
                if os.fork():
                    os._exit(0)
                break
            except OSError:  # there are too many at the moment
                pass
for _ in range(20):
    if os.fork() == 0:
        go_on()
time.sleep(1000)
