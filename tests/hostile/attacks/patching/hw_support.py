"""Replaces a part of hw_support.

On stock nbgrader most of these get all points but one.
"""

# /// attack
# prints = ["armed"]
# ///

# %% before
import hw_support, hw_support.checks, hw_support.compare, hw_support.notebook_access
def nothing(*a, **k):
    return None
class Silent(AssertionError):
    got = expected = None
    def __init__(self, *a, **k):
        pass
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

# %% variant Checks._add
before = hw_support.Checks._add
hw_support.Checks._add = lambda self, part: before(self, hw_support.checks.replace(part, message=''))

# %% variant Checks.score
hw_support.Checks.score = lambda self: 2.0

# %% variant Checks.part
hw_support.Checks.part = lambda *a, **k: nothing

# %% variant Checks._run
hw_support.Checks._run = lambda *a: hw_support.checks._Try()

# %% variant Checks._why
hw_support.Checks._why = lambda *a: ''

# %% variant Part.passed
hw_support.checks.Part.passed = True

# %% variant RandomState
hw_support.notebook_access.RandomState = None

# %% variant time_limit
hw_support.notebook_access.time_limit = hw_support.checks.TimeLimitReached = None
