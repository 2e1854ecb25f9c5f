"""Replaces the code of `Checks`, which it finds through the garbage collector.

On stock nbgrader this gets points.
"""

# /// attack
# prints = ["assert_close", "'score'"]
# ///

# %% before
import gc, types
def nothing(*a, **k):
    return None
def full(self):
    return 2.0
changed = []
gc.unfreeze()
for thing in gc.get_objects():
    if isinstance(thing, types.FunctionType) and "hw_support" in str(thing.__module__):
        if thing.__name__ in ("assert_close", "expect", "as_numbers", "_plain_array"):
            thing.__code__ = nothing.__code__
            thing.__defaults__ = thing.__kwdefaults__ = None
            changed.append(thing.__name__)
        if thing.__qualname__ == "Checks.score":
            thing.__code__ = full.__code__
            changed.append("score")

# %% after
print('changed', sorted(set(changed)))
