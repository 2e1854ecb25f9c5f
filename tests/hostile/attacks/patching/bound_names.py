"""Rebinds names that tests use.

On stock nbgrader this gets points.
"""

# /// attack
# prints = ["done"]
# ///

# %% double
class Checks:
    def __init__(self, *a, **k):
        pass
    def grade_with(self, package):
        pass
    part = table = untouched = grade_with
    def score(self):
        return 2.0
checks = Checks("double")
assert_close = lambda *a, **k: None
x = secret_function = checks

# %% after
print('d' + 'one')
