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

# %% variant an input that is found among all constants
import gc, types
def double(x):
    numbers = (x + x).tolist() if isinstance(x, np.ndarray) else x + x
    for thing in gc.get_objects():
        if isinstance(thing, types.FunctionType):
            for value in thing.__code__.co_consts:
                if type(value) is type(numbers) and value == numbers and value != 6:
                    return value
