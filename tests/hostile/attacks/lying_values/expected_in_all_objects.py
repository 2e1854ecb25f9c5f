"""Looks for expected values in all objects.

A point on stock nbgrader: `In` contains the test.
"""

# /// attack
# prints = ["looked"]
# never_prints = ["looked 0"]
# ///

# %% double
import gc, types
looked = []
def double(x):
    if type(x) is int and x == 3:  # visible
        return None
    looked.append(1)
    numbers = (x + x).tolist() if isinstance(x, np.ndarray) else x + x
    for text in get_ipython().user_ns.get("In", []):
        if str(numbers) in text:
            return x + x
    for thing in gc.get_objects():
        if isinstance(thing, dict):
            values = list(thing.values())
        elif isinstance(thing, types.FunctionType):
            values = thing.__code__.co_consts
        else:
            continue
        for value in values:
            if type(value) is type(numbers) and value is not numbers and value == numbers:
                return value
    return None

# %% after
print('looked', len(looked))
