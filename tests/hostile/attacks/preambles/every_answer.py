# Every answer is one value, whatever it is asked.
# %% double
def double(x):
    return VARIANT

# %% mean
def mean(x):
    return VARIANT

# %% apply
def apply(f, x):
    return VARIANT

# %% total
total = VARIANT

# %% after
print('d' + 'one')
