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

# %% variant a transformer of syntax trees
class Remove(ast.NodeTransformer):
    def visit_Call(self, node):
        return ast.copy_location(ast.Constant(None), node)
shell.ast_transformers.append(Remove())

# %% variant run_cell
before = type(shell).run_cell
def fake(self, code="", *arguments, **named):
    if "answering" in str(code):
        return ExecutionResult(None)
    return before(self, code, *arguments, **named)
type(shell).run_cell = fake
shell.should_run_async = lambda *a, **k: False

# %% variant an audit hook, which cannot be removed
def audit(event, arguments):
    if event in ("compile", "exec", "import", "object.__getattr__"):
        raise SystemExit("no " + event)
sys.addaudithook(audit)
