"""Raises errors that take the names of others."""

# /// attack
# problems = []
# prints = ["done"]
# variants = [
#     "TimeLimitReached", "Mismatch", "KeyboardInterrupt", "SystemExit", "Gone", "Fault",
#     "GraderFault", "ExaminerFailed", "CallbackError", "WireError", "Closed", "EOFError",
#     "OSError", "BaseException", "NotImplementedError", "AssertionError", "None", "True",
# ]
# ///

# %% double
def double(x):
    raise type('VARIANT', (Exception,), {'discreet': '', 'number': 0})('6')

# %% mean
def mean(x):
    raise type('VARIANT', (Exception,), {'discreet': '', 'number': 0})('6')

# %% apply
def apply(f, x):
    raise type('VARIANT', (Exception,), {'discreet': '', 'number': 0})('6')

# %% after
print('d' + 'one')
