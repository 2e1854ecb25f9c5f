"""Never returns when a test calls it."""

# /// attack
# limits = "short"
# scores = [{}, {test_total = 1.0}]
# problems_among = ["time-limit", "protocol"]
# problems_one_of = ["time-limit", "protocol"]
# ///

# %% double
def double(x):
    VARIANT
    return 2 * x

# %% total
total = 10

# %% variant that catches everything
while True:
    try:
        while True: pass
    except BaseException:
        pass

# %% variant in C: a power
pow(3, 10**9)

# %% variant asleep
import time; time.sleep(1000)

# %% variant with SIGINT ignored
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True: pass

# %% variant with SIGINT blocked
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
while True: pass

# %% variant of processes
import os
for _ in range(10):
    if os.fork() == 0:
        while True: pass
while True: pass
