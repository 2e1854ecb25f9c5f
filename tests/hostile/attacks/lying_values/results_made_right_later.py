"""Makes a result right after it was returned."""

# /// attack
# numbers = {returned = [4, 6]}
# ///

# %% double
import threading, time
returned = []
def later():
    while True:
        for thing in list(returned):
            thing[...] = [3.0, -4.0]
        time.sleep(0.001)
threading.Thread(target=later, daemon=True).start()
def double(x):
    for thing in returned:
        thing[...] = [3.0, -4.0]
    returned.append(np.zeros(2))
    return returned[-1]

# %% after
print('returned', len(returned))
