"""Returns a result that becomes right later, when the test has told what is right."""

# /// attack
# prints = ["done"]
# ///

# %% before
seen = []
import threading, time
def later():
    while True:
        for thing in list(seen):
            thing[...] = [3.0, -4.0]
        time.sleep(0.001)
threading.Thread(target=later, daemon=True).start()
def double(x):
    seen.append(np.zeros(2))
    return seen[-1]

# %% double
pass

# %% after
print('d' + 'one')
