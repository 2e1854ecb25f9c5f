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

# %% variant a cleanup transformer
shell.input_transformer_manager.cleanup_transforms.append(
    lambda lines: ["1.0\n"] if "answer" in "".join(lines) else lines)

# %% variant a transformer of syntax trees
class Remove(ast.NodeTransformer):
    def visit_Call(self, node):
        return ast.copy_location(ast.Constant(None), node)
shell.ast_transformers.append(Remove())

# %% variant hooks
def generous(*_):
    from hw_support import checks
    checks.Checks.score = lambda self: float(self.points)
for event in ("pre_run_cell", "pre_execute", "post_run_cell", "post_execute"):
    shell.events.register(event, generous)

# %% variant run_cell
before = type(shell).run_cell
def fake(self, code="", *arguments, **named):
    if "answering" in str(code):
        return ExecutionResult(None)
    return before(self, code, *arguments, **named)
type(shell).run_cell = fake
shell.should_run_async = lambda *a, **k: False

# %% variant run_code
before = type(shell).run_code
async def run_code(self, code, result=None, *, async_=False):
    if {"answering", "checks", "start"} & {*code.co_names}:
        return False
    return await before(self, code, result, async_=async_)
type(shell).run_code = run_code

# %% variant do_execute
async def do_execute(code, *arguments, **named):
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
type(shell.kernel).do_execute = lambda self, *a, **k: do_execute(*a, **k)

# %% variant the handler of errors
shell.set_custom_exc((BaseException,), lambda *a, **k: None)
shell.showtraceback = lambda *a, **k: None

# %% variant the display of results
hook = type(sys.displayhook)
write = hook.write_format_data
hook.write_format_data = lambda self, data, md=None: write(self, {"text/plain": "2.0"}, md or {})

# %% variant an audit hook, which cannot be removed
def audit(event, arguments):
    if event in ("compile", "exec", "import", "object.__getattr__"):
        raise SystemExit("no " + event)
sys.addaudithook(audit)

# %% variant a profiler
def profile(frame, event, argument):
    if event == "call" and frame.f_code.co_name in ("encode", "pack", "_call"):
        for name in {"actual", "message", "value"} & {*frame.f_locals}:
            frame.f_locals[name] = 6
sys.setprofile(profile)
