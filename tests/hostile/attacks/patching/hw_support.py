"""Replaces a part of hw_support.

On stock nbgrader most of these get all points but one.
"""

# /// attack
# prints = ["armed"]
# ///

# %% before
from contextlib import suppress
import hw_support, hw_support.attempts, hw_support.checks, hw_support.compare, hw_support.notebook_access, hw_support.tally
def nothing(*a, **k):
    return None
class Silent(AssertionError):
    discreet, got, expected = "", None, None
    def __init__(self, *a, **k):
        pass
def passed(self, kind, error, traceback):
    self._streams.close()
    self.checks.record(self.what, self.points, "")
    return True
VARIANT
from hw_support import Checks, assert_close
print("armed")

# %% variant assert_close
hw_support.compare.assert_close = hw_support.assert_close = nothing

# %% variant expect
hw_support.compare.expect = hw_support.expect = nothing

# %% variant Mismatch
hw_support.compare.Mismatch = hw_support.Mismatch = Silent

# %% variant _plain_array
hw_support.compare._plain_array = lambda *a: hw_support.compare.np.zeros(2)

# %% variant Checks.record
before = hw_support.Checks.record
hw_support.Checks.record = lambda self, what, points, text: before(self, what, points, '')

# %% variant Checks.score
hw_support.Checks.score = lambda self: float(self.points)

# %% variant Checks.__call__
hw_support.Checks.__call__ = lambda *a, **k: suppress(Exception)

# %% variant Attempt.__exit__
hw_support.attempts.Attempt.__exit__ = passed

# %% variant Attempt._message
hw_support.attempts.Attempt._message = lambda *a: ''

# %% variant Part.passed
hw_support.tally.Part.passed = True

# %% variant RandomState
hw_support.notebook_access.RandomState = hw_support.attempts.RandomState = None

# %% variant time_limit
hw_support.notebook_access.time_limit = hw_support.attempts.TimeLimitReached = None
