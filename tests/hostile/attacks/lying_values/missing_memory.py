"""Returns an array in memory that does not exist; at most, it ends the kernel."""

# /// attack
# uses = ["liars"]
# prints = ["armed"]
# variants = [
#     "(2,)", "(10**15,)", "(-1,)", "()",
# ]
# ///

# %% before
print('armed')

# %% double
def double(x):
    return Interface(shape=VARIANT, data=(8, True))

# %% mean
def mean(x):
    return Interface(shape=VARIANT, data=(8, True))

# %% apply
def apply(f, x):
    return Interface(shape=VARIANT, data=(8, True))

# %% total
total = Interface(shape=VARIANT, data=(8, True))
