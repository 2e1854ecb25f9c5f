"""Runs a cell that never ends."""

# /// attack
# limits = "short"
# prints = ["begun"]
# problems_among = ["time-limit", "kernel"]
# problems = "some"
# ///

# %% before
print("begun", flush=True)
import itertools, os, signal, threading, time
VARIANT

# %% variant that catches everything
while True:
    try:
        while True: time.sleep(0)
    except BaseException:
        pass

# %% variant in C
sum(itertools.count())

# %% variant of threads
import hashlib
def burn():
    while True: hashlib.sha256(bytes(10_000_000)).digest()
for _ in range(20):
    threading.Thread(target=burn, daemon=True).start()
burn()
