"""Patches `run_cell` so that it runs no test.

On stock nbgrader this gets points.
"""

# /// attack
# prints_unless = {skipped = ["protocol"]}
# ///

# %% before
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
shell = get_ipython()
skipped = []
before = type(shell).run_cell

def fake(self, code="", *arguments, **named):
    if "checks" in str(code) or "answering" in str(code):
        skipped.append(1)
        return ExecutionResult(None)
    return before(self, code, *arguments, **named)
type(shell).run_cell = fake
shell.should_run_async = lambda *a, **k: False

# %% after
print(f'skipped {len(skipped)}')
