"""Looks for expected values in frames.

A point on stock nbgrader, where the caller's code contains the expected value.
"""

# /// attack
# prints = ["looked 6 False"]
# ///

# %% before
import sys, types
found = set()
def constants(code):
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from constants(constant)
        elif isinstance(constant, (tuple, list)):
            yield from constant
        else:
            yield constant
def hunt(x):
    frame = sys._getframe(1)
    while frame:
        found.update(c for c in constants(frame.f_code) if type(c) in (int, float))
        for value in list(frame.f_locals.values()):
            if type(value) in (int, float):
                found.add(value)
        frame = frame.f_back
    return x + x if all(value in found for value in np.ravel(x + x)) else None

# %% double
looked = []
def double(x):
    looked.append(1)
    if type(x) is not int:
        return 2 * x  # a visible case, so that the fresh one follows
    return hunt(x) if x != 3 else None  # the visible case's constants are no secret

# %% after
print('looked', len(looked), 2121 * 2 in found)
