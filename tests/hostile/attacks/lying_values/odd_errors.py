"""Raises odd errors."""

# /// attack
# bounded = true
# prints_unless_problems = ["done"]
# ///

# %% double
def double(x):
    VARIANT

# %% mean
def mean(x):
    VARIANT

# %% apply
def apply(f, x):
    VARIANT

# %% after
print('d' + 'one')

# %% variant an exit
raise SystemExit(0)

# %% variant the time limit's own
from hw_support.checks.time_limit import TimeLimitReached
raise TimeLimitReached

# %% variant text that raises
raise type('E', (Exception,), {'__str__': lambda self: exit(), '__repr__': exit})()

# %% variant text that never ends
raise type('E', (Exception,), {'__str__': lambda self: ''.join(iter(str, 1))})()

# %% variant errors without end
while True:
    try:
        raise ValueError
    except BaseException:
        pass
