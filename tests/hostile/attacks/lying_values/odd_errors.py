"""Raises odd errors."""

# /// attack
# checked_in = "test_lying_values.py"
# prints_unless = {done = []}
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

# %% variant SystemExit
raise SystemExit(0)

# %% variant exit
exit()

# %% variant GeneratorExit
raise GeneratorExit

# %% variant KeyboardInterrupt
raise KeyboardInterrupt

# %% variant MemoryError
raise MemoryError

# %% variant RecursionError
return double(x) if 'double' in globals() else None

# %% variant StopIteration
raise StopIteration(6)

# %% variant the time limit's own
from hw_support.time_limit import TimeLimitReached
raise TimeLimitReached

# %% variant a mismatch
from hw_support import Mismatch
raise Mismatch('', '')

# %% variant a group
raise BaseExceptionGroup('6', [KeyboardInterrupt(), SystemExit()])

# %% variant no exception
raise 6

# %% variant text that raises
raise type('E', (Exception,), {'__str__': lambda self: exit(), '__repr__': exit})()

# %% variant text of 100 MB
raise ValueError('6' * 10**8)

# %% variant text that is no text
raise type('E', (Exception,), {'__str__': lambda self: 6})()

# %% variant text of surrogates
raise ValueError('\ud800\udfff' * 1000)

# %% variant text that never ends
raise type('E', (Exception,), {'__str__': lambda self: ''.join(iter(str, 1))})()

# %% variant a name of 10 MB
raise type('E' * 10**7, (Exception,), {})('6')

# %% variant a name that is no name
raise type('M', (type,), {'__name__': property(lambda s: 6)})('E', (Exception,), {})()

# %% variant a circle of causes
error = ValueError('6')
error.__cause__ = error.__context__ = error
raise error

# %% variant a class that lies
raise type('E', (Exception,), {'__class__': property(lambda s: KeyboardInterrupt)})()

# %% variant what the answering module raises
import answering.serve as serve
raise serve.CallbackError(0, 'x')

# %% variant too much
import answering.wire as wire
raise wire.TooMuch('x')

# %% variant a closed link
import answering.wire as wire
raise wire.Closed('x')
