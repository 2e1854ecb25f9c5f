"""Starts as many threads as allowed, which wait."""

# /// attack
# problems_among = ["kernel", "protocol", "time-limit"]
# numbers = {threads = [6, 59]}
# ///

# %% before
import threading, time
count = 0
try:
    while True:
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
        count += 1
except RuntimeError as error:
    print("threads", count)
