"""Looks for hidden tests in all objects of the process.

On stock nbgrader these contain everything.
"""

# /// attack
# uses = ["looking"]
# limits = {cpu_seconds_per_cell = 30.0, wall_seconds_per_cell = 60.0}
# looks_for = ["HIDDEN"]
# scores = {test_total = 1.0}
# numbers = {"looked at" = [50000, inf]}
# ///

# %% apply
def rummage():
    mine = {id(backwards), id(found), id(globals())}
    gc.unfreeze()  # or those that were there before the kernel was forked would be passed over
    for thing in gc.get_objects():
        if id(thing) in mine or isinstance(thing, types.ModuleType):
            continue
        for part in gc.get_referents(thing):
            if isinstance(part, (str, bytes)) and len(part) < 10_000_000:
                search(type(thing).__name__, part)
            elif isinstance(part, types.CodeType):
                for constant in part.co_consts:
                    search(part.co_name, constant)
def apply(f, x):
    if x == 2.0:
        rummage()
    return -1

# %% total
total = 10

# %% after
rummage()
report()
