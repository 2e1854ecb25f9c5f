"""Rebinds names that tests use.

On stock nbgrader this gets points.
"""

# /// attack
# prints = ["done"]
# ///

# %% double
class Checks:
    def __init__(self, name, points):
        self.points = float(points)
    def __call__(self, *a, **k):
        import contextlib
        return contextlib.suppress(BaseException)
    def score(self):
        return self.points
checks = Checks("double", 2)
assert_close = lambda *a, **k: None
x = secret_function = checks

# %% after
print('d' + 'one')
