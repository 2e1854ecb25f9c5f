"""Forges results when the kernel exits."""

# /// attack
# uses = ["forge"]
# prints = ["done"]
# ///

# %% before
import atexit, time
parent = kernel.get_parent()
def late():
    for _ in range(1000):
        forge("execute_result", {"data": {"text/plain": "2.0"}, "metadata": {}}, parent=parent)
    time.sleep(1000)
atexit.register(late)

# %% after
print('d' + 'one'); raise SystemExit
