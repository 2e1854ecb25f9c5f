"""Sends signals to everything at once."""

# /// attack
# checked_in = "test_attacks.py"
# problems = []
# prints = ["sent", "alive"]
# ///

# %% before
import os, signal
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, signal.SIGSTOP):
    try:
        os.kill(-1, number)
        print("sent", number)
    except OSError as error:
        print("not sent", number, error)

# %% after
print('alive')
