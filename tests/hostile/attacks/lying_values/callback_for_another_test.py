"""Keeps the test's function, and calls it in another test."""

# /// attack
# scores = {test_apply = 2.0}
# prints = ["said"]
# never_prints = ["4242.0"]
# ///

# %% apply
kept = []
def apply(f, x):
    kept.append(f)
    return f(x) + 1

# %% total
said = []
def total(x):
    for f in kept:
        try:
            said.append(f(1.0))
        except BaseException as error:
            said.append(type(error).__name__)
    return 10

# %% test_total
assert total(1) == 11

# %% after
print('said', said)
