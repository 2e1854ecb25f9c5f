"""Looks for hidden tests in all objects that can be reached from a function of the test.

On stock nbgrader `f.__code__` and `f.__globals__` are the test's own.
"""

# /// attack
# uses = ["looking"]
# looks_for = ["HIDDEN"]
# scores = {test_total = 1.0}
# numbers = {"looked at" = [1000, inf]}
# prints = ["kinds [("]
# ///

# %% apply
def reach(f):
    search("name", f.__name__ + f.__qualname__ + str(f.__module__) + str(f.__doc__))
    seen, stack = {id(found), id(backwards), id(globals())}, [f]
    while stack and len(seen) < 200_000:
        thing = stack.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, (str, bytes, int, float)):
            search("reached", thing)
        elif isinstance(thing, types.CodeType):
            stack += [*thing.co_consts, *thing.co_names, thing.co_filename]
        elif not isinstance(thing, types.ModuleType):
            stack += gc.get_referents(thing)
kinds = []
def apply(f, x):
    if x != 2.0:
        return -1
    kinds.append((f.__code__.co_filename, f.__closure__ is not None))
    reach(f)
    return -1

# %% total
total = 10

# %% after
report()
print('kinds', kinds)
