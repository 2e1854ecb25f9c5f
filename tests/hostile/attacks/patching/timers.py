"""Disarms timers and stops clocks."""

# /// attack
# prints = ["armed"]
# problems_one_of = ["time-limit"]
# ///

# %% double
import signal, threading, time
for number in (signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGXCPU):
    signal.signal(number, signal.SIG_IGN)
signal.setitimer = lambda *a: (0, 0)
signal.signal = lambda *a: None
time.monotonic = time.time = time.process_time = lambda: 0.0
def double(x):
    while True:
        pass
print("armed")
