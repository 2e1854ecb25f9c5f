"""Runs a cell that never ends."""

# /// attack
# limits = "short"
# prints = ["begun"]
# problems = ["time-limit"]
# ///

# %% before
import numpy as np
print("begun", flush=True)
VARIANT

# %% variant plain
while True: pass

# %% variant that catches everything
while True:
    try:
        while True: pass
    except BaseException:
        pass

# %% variant in C: a power
pow(3, 10**9)

# %% variant in C: a pattern
import re; re.match('(a+)+b', 'a' * 60)

# %% variant in C: a sum
import itertools; sum(itertools.count())

# %% variant in C: numpy
x = np.ones((3000, 3000))
while True: x = np.linalg.svd(x)[0]

# %% variant asleep
import time; time.sleep(1000)

# %% variant asleep, and not to be woken
import time
while True:
    try:
        time.sleep(1000)
    except BaseException:
        pass

# %% variant with SIGINT ignored
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True: pass

# %% variant with SIGINT blocked
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
while True: pass

# %% variant with SIGINT handled
import signal
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda *_: print("caught"))
while True: pass

# %% variant waiting for a lock
import threading; lock = threading.Lock()
while True: lock.acquire()

# %% variant waiting for a child
import os, time
if os.fork() == 0: time.sleep(1000)
os.wait()

# %% variant of threads
import hashlib, threading
def burn():
    while True: hashlib.sha256(bytes(10_000_000)).digest()
for _ in range(20):
    threading.Thread(target=burn, daemon=True).start()
burn()

# %% variant of processes
import os
for _ in range(10):
    if os.fork() == 0:
        while True: pass
while True: pass
