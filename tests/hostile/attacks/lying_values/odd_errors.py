"""Raises odd errors."""

# /// attack
# checked_in = "test_lying_values.py"
# prints_unless = {done = []}
# [variants]
# SystemExit = "raise SystemExit(0)"
# exit = "exit()"
# GeneratorExit = "raise GeneratorExit"
# KeyboardInterrupt = "raise KeyboardInterrupt"
# MemoryError = "raise MemoryError"
# RecursionError = "return double(x) if 'double' in globals() else None"
# StopIteration = "raise StopIteration(6)"
# "the time limit's own" = "from hw_support.time_limit import TimeLimitReached; raise TimeLimitReached"
# "a mismatch" = "from hw_support import Mismatch; raise Mismatch('', '')"
# "a group" = "raise BaseExceptionGroup('6', [KeyboardInterrupt(), SystemExit()])"
# "no exception" = "raise 6"
# "text that raises" = "raise type('E', (Exception,), {'__str__': lambda self: exit(), '__repr__': exit})()"
# "text of 100 MB" = "raise ValueError('6' * 10**8)"
# "text that is no text" = "raise type('E', (Exception,), {'__str__': lambda self: 6})()"
# "text of surrogates" = '''raise ValueError('\ud800\udfff' * 1000)'''
# "text that never ends" = "raise type('E', (Exception,), {'__str__': lambda self: ''.join(iter(str, 1))})()"
# "a name of 10 MB" = "raise type('E' * 10**7, (Exception,), {})('6')"
# "a name that is no name" = "raise type('M', (type,), {'__name__': property(lambda s: 6)})('E', (Exception,), {})()"
# "a circle of causes" = "error = ValueError('6'); error.__cause__ = error.__context__ = error; raise error"
# "a class that lies" = "raise type('E', (Exception,), {'__class__': property(lambda s: KeyboardInterrupt)})()"
# "what the answering module raises" = "import answering.serve as serve; raise serve.CallbackError(0, 'x')"
# "too much" = "import answering.wire as wire; raise wire.TooMuch('x')"
# "a closed link" = "import answering.wire as wire; raise wire.Closed('x')"
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
