"""Calls the test's function from other threads, all at once."""

# /// attack
# prints = ["said ["]
# ///

# %% apply
import threading
said = []
def apply(f, x):
    def ask():
        try:
            said.append(f(x))
        except BaseException as error:
            said.append(type(error).__name__)
    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return -1

# %% after
print('said', said[-10:])
