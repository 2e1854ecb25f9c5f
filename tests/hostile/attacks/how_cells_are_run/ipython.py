"""Changes how IPython runs cells.

No test runs in IPython here. On stock nbgrader each of these gets points.
"""

# /// attack
# smoke = true
# limits = {wall_seconds_per_cell = 4.0, iopub_timeout = 1}
# prints = ["armed"]
# ///

# %% before
import ast, builtins, sys
from IPython.core.interactiveshell import ExecutionResult
shell = get_ipython()
print("armed", flush=True)
VARIANT

# %% variant an input transformer
shell.input_transformers_post.append(lambda lines: ["pass\n"])

# %% variant an audit hook, which cannot be removed
def audit(event, arguments):
    if event in ("compile", "exec", "import", "object.__getattr__"):
        raise SystemExit("no " + event)
sys.addaudithook(audit)
