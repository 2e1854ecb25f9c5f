"""Starts busy and waiting processes, and continues; then the grader is killed."""

# /// attack
# checked_in = "test_resources.py"
# ///

# %% before
import os, subprocess, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        while True:
            time.sleep(0.01)
subprocess.Popen(["sleep", "98765"], start_new_session=True)
while True:
    pass
