"""Returns, changes, remembers or counts inputs, in the place of an answer."""

# /// attack
# prints = ["done"]
# ///

# %% before
seen = []
VARIANT

# %% double
pass

# %% mean
pass

# %% apply
pass

# %% after
print('d' + 'one')

# %% variant the input itself
double = mean = apply = lambda *x: x[0]

# %% variant a result that becomes right later
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
