"""Sends signals to every number that a process may have."""

# /// attack
# checked_in = "test_system.py"
# problems = []
# prints = ["hit True True others []", "alive"]
# ///

# %% before
import os, signal
hit = []
for pid in [*range(1, 50_000), *KNOWN]:
    for send in (os.kill, os.killpg):
        try:
            # The first numbers are its own threads'. No group has number 1: that means everybody.
            send(pid, signal.SIGKILL if pid > 300 else 0)
            hit.append(pid)
        except OSError:
            pass
print("hit", 1 in hit, os.getpid() in hit, "others", [pid for pid in hit if pid > 300])

# %% after
print('alive')
