"""Patches `__import__`, so that it returns fake modules.

On stock nbgrader this gets points.
"""

# /// attack
# prints = ["asked True"]
# ///

# %% before
import builtins, types
asked, before = [], builtins.__import__
def fake(name, *arguments, **named):
    asked.append(name)
    module = before(name, *arguments, **named)
    if name.startswith("hw_") and hasattr(module, "checks"):
        module.checks.Checks.score = lambda self: float(self.points)
        module.assert_close = lambda *a, **k: None
    return module
builtins.__import__ = fake
from hw_support import Checks, assert_close

# %% after
print('asked', 'hw_support' in asked)
