"""Looks for the solutions in memory, files and functions, while the grader uses them.

That is while a function gets a fresh case, and in a second try, when a right function stands in the
place of the student's own. Nothing can be shown then: if nothing was found, its answers are right.
"""

# /// attack
# uses = ["looking", "frames", "walk", "pages"]
# limits = {cpu_seconds_per_cell = 60.0, wall_seconds_per_cell = 120.0}
# looks_for = ["HIDDEN"]
# scores = {test_mean = 3.0, test_total = 1.0}
# ///

# %% before
lent, fresh = [0], [0]
def look_at(thing, depth=4):
    "Search a function: its code, its variables, and the functions in these."
    search("function", repr(thing))
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "__dict__", "__defaults__"):
        search(name, getattr(thing, name, ""))
    if isinstance(thing, types.FunctionType):
        code = thing.__code__
        search("code", (code.co_consts, code.co_names, code.co_filename, code.co_name))
        inside = [cell.cell_contents for cell in thing.__closure__ or ()]
        for one in [*inside, *(vars(one) for one in inside if hasattr(one, "__dict__"))]:
            search("variable", repr(one)[:100_000])
            if depth and callable(one):
                look_at(one, depth - 1)
def look_everywhere(*around):
    look_around()
    for thing in gc.get_objects():
        if isinstance(thing, types.FunctionType):
            search("constants", thing.__code__.co_consts)
    for folder in ("/tmp", "/run", os.getcwd()):
        walk(folder, lambda path: True)
    for thing in around:
        scan(id(thing), around=4 << 20)

# %% mean
def mean(x):
    if double is not own_double and not lent[0]:
        lent[0] += 1
        double(2)
        look_at(double)
        look_everywhere(double, double(np.ones(100)), planted)
    if len(x) > 2 and not fresh[0]:
        fresh[0] += 1
        look_everywhere(x)
    if lent[0] and (fresh[0] or len(x) == 2) and seen and not found and looked[0] + pages[0] > 5000:
        return np.mean(x, axis=0)
    return np.zeros(2) if np.shape(x) != (2, 2) else np.array([2.0, 4.0])

# %% double
def double(x):
    return 0 * x
own_double = double

# %% total
total = 10

# %% after
report()
