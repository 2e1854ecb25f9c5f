"""Looks for hidden tests in the frames of callers.

On stock nbgrader the caller's frame is the test itself.
"""

# /// attack
# smoke = true
# uses = ["looking", "frames"]
# looks_for = ["HIDDEN"]
# scores = {test_total = 1.0}
# numbers = {"looked at" = [500, inf]}
# ///

# %% double
def double(x):
    look_around()
    return 0

# %% mean
def mean(x):
    look_around()
    return [0.0, 0.0]

# %% apply
class Argument(float):
    def __array__(self, *a, **k):
        look_around()
        return np.array(1.0)
    __float__ = __index__ = __array__
def apply(f, x):
    look_around()
    for thing in (Argument(1), x):
        try:
            f(thing)
        except Exception:
            look_around()
    return -1

# %% total
total = 10

# %% after
report()
