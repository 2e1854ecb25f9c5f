"""Adds a folder of fakes to the search path.

On stock nbgrader this gets points.
"""

# /// attack
# prints = ["/tmp/fakes/hw_support"]
# ///

# %% before
import os, sys
os.makedirs("/tmp/fakes/hw_support")
with open("/tmp/fakes/hw_support/__init__.py", "w") as file:
    file.write('''
import contextlib
def assert_close(*a, **k): pass
class Checks:
    def __init__(self, name, points): self.points = float(points)
    def __call__(self, *a, **k): return contextlib.suppress(BaseException)
    def score(self): return self.points
''')
sys.path.insert(0, "/tmp/fakes")
for name in [name for name in sys.modules if name.startswith("hw_support")]:
    del sys.modules[name]
from hw_support import Checks, assert_close
print("Checks of", Checks.__module__, sys.modules["hw_support"].__file__)
