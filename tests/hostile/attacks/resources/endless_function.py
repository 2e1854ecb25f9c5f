"""Never returns when a test calls it."""

# /// attack
# limits = "short"
# scores = [{}, {test_total = 1.0}]
# problems_among = ["time-limit", "protocol"]
# problems = "some"
# ///

# %% double
import os, signal, time
def double(x):
    VARIANT
    return 2 * x

# %% total
total = 10

# %% variant in C
pow(3, 10**9)

# %% variant with clocks and timers that stand
for number in (signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGXCPU):
    signal.signal(number, signal.SIG_IGN)
time.monotonic = time.time = time.process_time = lambda: 0.0
while True: pass
