"""Calls the test's function with odd arguments, which record how they are used."""

# /// attack
# uses = ["looking"]
# looks_for = ["HIDDEN"]
# scores = {test_total = 1.0}
# numbers = {"looked at" = [3, inf]}
# ///

# %% apply
said = []
class Wants:
    "What is asked of it in the examiner, and with what."
    def __getattr__(self, name):
        said.append(name)
        search("attribute", name)
        return lambda *a, **k: [search("argument", thing) for thing in a]
    def __getitem__(self, key):
        search("key", key)
        return self
    __call__ = __getitem__
def apply(f, x):
    if x == 3.0:
        return -1
    wants = Wants()
    for arguments, named in (((wants,), {}), ((), {'x': wants}), ((), {'__builtins__': wants})):
        try:
            result = f(*arguments, **named)
            search("result", result)
        except BaseException as error:
            search("error", error)
            search("error", vars(error))
    return -1

# %% total
total = 10

# %% after
report()
