"""Keeps the test's function, and calls it later: it must not wait for an answer, or get one."""

# /// attack
# scores = {test_apply = 2.0}
# prints = ["said ["]
# never_prints = ["4242.0"]
# ///

# %% apply
kept = []
def apply(f, x):
    kept.append(f)
    return f(x) + 1

# %% total
said = []
for f in kept[-2:]:
    try:
        said.append(f(1.0))
    except BaseException as error:
        said.append(type(error).__name__)
print("said", said)
total = -1
