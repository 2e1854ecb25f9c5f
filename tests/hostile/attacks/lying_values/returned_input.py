"""Returns its input."""

# /// attack
# prints = ["done"]
# ///

# %% double
def double(x):
    return x

# %% mean
def mean(x):
    return x

# %% apply
def apply(f, x):
    return f

# %% total
total = double

# %% after
print('d' + 'one')
