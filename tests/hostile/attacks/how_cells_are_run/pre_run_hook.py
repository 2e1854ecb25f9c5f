"""Gives `Checks` other methods before each cell.

On stock nbgrader this gets points.
"""

# /// attack
# prints = ["called"]
# ///

# %% before
calls = []
def generous(*_):
    from hw_support import checks
    calls.append(1)
    checks.Checks.score = lambda self: float(self.points)
    checks.Attempt._message = lambda self, error: ""
for event in ("pre_run_cell", "pre_execute"):
    get_ipython().events.register(event, generous)

# %% after
print(f'called {len(calls)} times')
