"""Prints from a thread while later cells run."""

# /// attack
# checked_in = "test_resources.py"
# prints = ["from behind"]
# problems_among = ["output-limit"]
# bounded = true
# ///

# %% before
print("begun", flush=True)

import threading, time
def chat():
    while True:
        print("from behind " * 100)
        time.sleep(0.001)
threading.Thread(target=chat, daemon=True).start()
