"""Returns an odd value from every function, one that becomes right later, or raises an odd error."""

# /// attack
# uses = ["liars"]
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

# %% total
total = double(3)

# %% after
print('d' + 'one')

# %% variant equal to everything
return Equal()

# %% variant an error whose text raises
raise type('E', (Exception,), {'__str__': lambda self: exit(), '__repr__': exit})()

# %% variant an error whose text never ends
raise type('E', (Exception,), {'__str__': lambda self: ''.join(iter(str, 1))})()

# %% variant an exit
raise SystemExit(0)

# %% variant the time limit's own error
from hw_support.checks.time_limit import TimeLimitReached
raise TimeLimitReached

# %% variant a number that is equal to everything
return EqualFloat()

# %% variant an object that calls itself an array
return Pretends(np.ndarray)

# %% variant another value each time
return Changing()

# %% variant too many numbers
return np.broadcast_to(6.0, 10**12)

# %% variant right when the test has told what is right
import threading, time
result = np.zeros(2)
def later():
    while True:
        result[...] = [3.0, -4.0]
        time.sleep(0.001)
threading.Thread(target=later, daemon=True).start()
return result
