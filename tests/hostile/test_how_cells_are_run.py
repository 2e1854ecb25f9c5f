"""Attacks on the way in which cells are run: on IPython, on the kernel's messages, on the link.

On stock nbgrader tests run in the student's kernel, and attacks with "stock points" in their names
get points there, most of them all. Here the kernel only answers questions about values: an attack
on how cells are run can change what is shown of a student's own cells, and nothing else.
"""

from __future__ import annotations

from typing import Any

import pytest
from arena import EXPECTED, NOTHING, POINTS, RIGHT, Arena, Outcome, instructors, notebook
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from hw_support.submission.mending import mend
from hw_support.submission.problems import Kind

pytestmark = pytest.mark.slow


# Student code that finds the socket to the grader, and speaks as the grader's own code would.
LINK = """
import os, socket, struct, threading, time
import answering.start, answering.serve, answering.wire as wire
link = answering.start._link

def send(message):
    as_it_is = lambda value: value if isinstance(value, (wire.Theirs, wire.Yours)) else None
    link.setblocking(True)
    for piece in wire.pack(message, as_it_is, wire.FROM_SANDBOX):
        link.sendall(piece)

def value(thing):  # an honest answer, but for what it says
    honest = answering.start._server()._answer("get", ["__name__"])
    return [honest[0], thing, *honest[2:]]

def receive():
    link.setblocking(True)
    def exactly(size):
        data = b""
        while len(data) < size:
            got = link.recv(size - len(data))
            if not got:
                raise EOFError
            data += got
        return bytearray(data)
    head, body = struct.unpack(">II", exactly(8))
    head, body = exactly(head), exactly(body)
    return wire.unpack(head, body, lambda reference: reference, wire.FROM_GRADER)
"""
# Student code that sends what it likes on the kernel's own sockets.
FORGE = """
kernel = get_ipython().kernel

def forge(kind, content, channel=None, parent=None):
    kernel.session.send(
        channel or kernel.iopub_socket, kind, content,
        parent=kernel.get_parent() if parent is None else parent,
        ident=b"forged" if channel is None else None,
    )
"""


def by_grade_id(nb: NotebookNode, grade_id: str) -> NotebookNode:
    return next(c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def shown_by(outcome: Outcome, grade_id: str) -> str:
    return str(by_grade_id(outcome.nb, grade_id).outputs)


def attack_with(arena: Arena, nb: NotebookNode, **options: Any) -> Outcome:
    """Grade a notebook that is more than answers, and expect what holds for every attack."""
    outcome = arena.grade(nb, **options)
    assert outcome.fault is None, outcome.fault
    arena.expect_no_harm(outcome)
    return outcome


def with_test(test: str, source: str, answers: dict[str, str], setup: str = "") -> NotebookNode:
    """Return the homework with another test cell in one place, and more in its first cell."""
    nb = notebook(answers, after="print('d' + 'one')")
    by_grade_id(nb, test).source = source
    by_grade_id(nb, "setup").source += f"\n{setup}"
    return nb


# -- IPython


@pytest.mark.smoke
def test_an_input_transformer_that_empties_tests(arena: Arena) -> None:
    # Full marks on stock nbgrader.
    outcome = arena.attack(
        before="""
def empty(lines):
    return ["pass\\n"]
get_ipython().input_transformers_post.append(empty)
"""
    )
    assert outcome.scores == NOTHING


def test_a_cleanup_transformer_that_writes_other_tests_scores_nothing_stock_points(
    arena: Arena,
) -> None:
    # Full marks on stock nbgrader.
    outcome = arena.attack(
        before="""
changed = []
def generous(lines):
    text = "".join(lines)
    if "checks" in text or "assert" in text:
        changed.append(text)
        return ["1.0\\n"]
    return lines
get_ipython().input_transformer_manager.cleanup_transforms.append(generous)
""",
        after="print(f'changed {len(changed)} cells')",
    )
    assert outcome.scores == NOTHING
    assert "changed" in outcome.printed
    assert "changed 0" not in outcome.printed


def test_a_token_transformer_that_prints_what_is_to_be_compared_scores_nothing_stock_points(
    arena: Arena,
) -> None:
    outcome = arena.attack(
        before="""
from IPython.core.inputtransformer2 import TokenTransformBase
changed = []

class Prints(TokenTransformBase):
    priority = 1
    @classmethod
    def find(cls, tokens_by_line):
        for line in tokens_by_line:
            for token in line:
                if token.string == "assert_close":
                    return cls(token.start)
    def transform(self, lines):
        changed.append(1)
        row, column = self.start_line, self.start_col
        lines[row] = lines[row][:column] + "print" + lines[row][column + len("assert_close"):]
        return lines
get_ipython().input_transformer_manager.token_transformers.append(Prints)
""",
        after="print(f'changed {len(changed)} names')",
    )
    assert outcome.scores == NOTHING
    assert "changed" in outcome.printed
    assert "changed 0" not in outcome.printed


def test_an_ast_transformer_that_removes_comparisons_scores_nothing_stock_points(
    arena: Arena,
) -> None:
    outcome = arena.attack(
        before="""
import ast
removed = []

class Remove(ast.NodeTransformer):
    def visit_Call(self, node):
        self.generic_visit(node)
        if getattr(node.func, "id", "") == "assert_close":
            removed.append(node)
            return ast.copy_location(ast.Constant(None), node)
        return node
    def visit_Assert(self, node):
        removed.append(node)
        return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Remove())
""",
        after="print(f'removed {len(removed)} comparisons')",
    )
    assert outcome.scores == NOTHING
    assert "removed 3 comparisons" in outcome.printed


_NO_RUN = """
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
shell = get_ipython()
skipped = []
before = type(shell).{name}

{async_}def fake(self, code="", *arguments, **named):
    if "checks" in str(code) or "answering" in str(code):
        skipped.append(1)
        return {result}
    return {await_}before(self, code, *arguments, **named)
type(shell).{name} = fake
"""


@pytest.mark.parametrize("name", ["run_cell", "run_cell_async"])
def test_a_patched_run_cell_that_runs_no_test_scores_nothing_stock_points(
    arena: Arena, name: str
) -> None:
    asynchronous = {"async_": "async ", "await_": "await "} if "async" in name else {}
    result = "ExecutionResult(None)"
    source = _NO_RUN.format(
        name=name, result=result, **(asynchronous or {"async_": "", "await_": ""})
    )
    outcome = arena.attack(
        before=source + ("shell.should_run_async = lambda *a, **k: False\n" * (not asynchronous)),
        after="print(f'skipped {len(skipped)}')",
    )
    assert outcome.scores == NOTHING
    assert "skipped" in outcome.printed or outcome.kinds == {Kind.PROTOCOL}


def test_a_patched_run_code_scores_nothing_stock_points(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
shell = get_ipython()
ran, before = [], type(shell).run_code
async def run_code(self, code, result=None, *, async_=False):
    ran.append(code.co_names)
    if {"checks", "assert_close", "type"} & {*code.co_names}:
        return False
    return await before(self, code, result, async_=async_)
type(shell).run_code = run_code
""",
        after="print(f'ran {len(ran)} pieces')",
    )
    assert outcome.scores == NOTHING
    assert "pieces" in outcome.printed


def test_should_run_async_that_raises_gains_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
def should_run_async(*_, **__):
    raise SystemExit("no")
get_ipython().should_run_async = should_run_async
print("armed")
"""
    )
    assert outcome.scores == NOTHING
    assert "armed" in outcome.printed


def test_a_pre_run_hook_that_makes_checks_generous_scores_nothing_stock_points(
    arena: Arena,
) -> None:
    outcome = arena.attack(
        before="""
calls = []
def generous(*_):
    from hw_support import checks
    calls.append(1)
    checks.Checks.score = lambda self: float(self.points)
    checks.Attempt._message = lambda self, error: ""
for event in ("pre_run_cell", "pre_execute"):
    get_ipython().events.register(event, generous)
""",
        after="print(f'called {len(calls)} times')",
    )
    assert outcome.scores == NOTHING
    assert "called" in outcome.printed


def test_a_post_run_hook_that_publishes_full_marks_scores_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        before=FORGE
        + """
def publish(*_):
    forge("execute_result", {"data": {"text/plain": "2.0"}, "metadata": {}, "execution_count": 1})
    forge("display_data", {"data": {"text/plain": "2.0"}, "metadata": {}})
for event in ("post_run_cell", "post_execute"):
    get_ipython().events.register(event, publish)
"""
    )
    assert outcome.scores == NOTHING
    assert shown_by(outcome, "double").count("2.0") == 4  # the hooks ran
    assert "2.0" not in shown_by(outcome, "test_mean").replace(EXPECTED, "")


def test_an_exception_handler_that_hides_errors_scores_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
handled = []
get_ipython().set_custom_exc((BaseException,), lambda *a, **k: handled.append(1))
get_ipython().showtraceback = lambda *a, **k: handled.append(2)
import sys
sys.excepthook = lambda *a: handled.append(3)
1 / 0
""",
        after="print(f'handled {len(handled)}')",
    )
    assert outcome.scores == NOTHING
    assert "handled 1" in outcome.printed


def test_a_display_formatter_that_shows_each_number_as_full_marks_stock_points(
    arena: Arena,
) -> None:
    outcome = arena.attack(
        before="""
formatter = get_ipython().display_formatter.formatters["text/plain"]
formatter.for_type(float, lambda value, printer, cycle: printer.text("2.0"))
0.5
"""
    )
    assert outcome.scores == NOTHING
    assert "2.0" in str(outcome.nb.cells[1].outputs)  # in the student's own cell it did


def test_a_display_hook_that_shows_full_marks_scores_nothing_stock_points(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import sys
hook = type(sys.displayhook)
write = hook.write_format_data
def generous(self, format_dict, md_dict=None):
    return write(self, {"text/plain": "2.0"}, md_dict or {})
hook.write_format_data = generous
0.5
"""
    )
    assert outcome.scores == NOTHING
    assert "2.0" in str(outcome.nb.cells[1].outputs)


def test_tracing_that_jumps_over_comparisons_scores_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import sys
seen = []
def trace(frame, event, argument):
    name = frame.f_code.co_name
    if name in ("assert_close", "record", "score", "_call", "_answer", "call", "examine"):
        seen.append(name)
        if name == "record" and event == "call":
            frame.f_locals["message"] = ""
    if name in ("record", "_call"):
        frame.f_trace_lines = True
        return trace
    return None
sys.settrace(trace)
import threading
threading.settrace(trace)
""",
        after="sys.settrace(None); print('seen', sorted(set(seen)))",
    )
    assert outcome.scores == NOTHING
    assert "seen" in outcome.printed


def test_a_profiler_that_rewrites_frames_scores_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import ctypes, sys
seen = []
def profile(frame, event, argument):
    if event == "call" and frame.f_code.co_name in ("assert_close", "_send", "pack"):
        seen.append(frame.f_code.co_name)
        for name in ("actual", "message", "value"):
            if name in frame.f_locals and name == "actual":
                frame.f_locals[name] = frame.f_locals["expected"]
                locals_to_fast = ctypes.pythonapi.PyFrame_LocalsToFast
                locals_to_fast(ctypes.py_object(frame), ctypes.c_int(0))
sys.setprofile(profile)
""",
        after="sys.setprofile(None); print('seen', sorted(set(seen)))",
    )
    assert outcome.scores == NOTHING
    assert "assert_close" in outcome.printed


def test_an_audit_hook_that_stops_the_kernels_work_gains_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import sys
armed = []
def hook(event, arguments):
    if armed and event in ("compile", "exec", "import", "object.__getattr__"):
        raise SystemExit("no " + event)
sys.addaudithook(hook)
print("armed")
armed.append(1)
"""
    )
    assert outcome.scores == NOTHING
    assert "armed" in outcome.printed


def test_code_at_the_kernels_exit_changes_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        before=FORGE
        + """
import atexit, time
parent = kernel.get_parent()
def late():
    for _ in range(1000):
        forge("execute_result", {"data": {"text/plain": "2.0"}, "metadata": {}}, parent=parent)
    time.sleep(1000)
atexit.register(late)
""",
        after="print('d' + 'one'); raise SystemExit",
    )
    assert outcome.scores == NOTHING
    assert "done" in outcome.printed


# -- the kernel's messages


@pytest.mark.parametrize("method", ["do_execute", "execute_request"])
def test_a_kernel_that_answers_ok_without_running_scores_nothing_stock_points(
    arena: Arena, method: str
) -> None:
    outcome = arena.attack(
        before=FORGE
        + """
before = kernel.do_execute
async def do_execute(code, *arguments, **named):
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}

async def execute_request(stream, ident, parent):
    kernel.session.send(
        stream, "execute_reply",
        {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}},
        parent, ident=ident,
    )
print("armed")
"""
        + (
            "type(kernel).do_execute = lambda self, *a, **k: do_execute(*a, **k)"
            if method == "do_execute"
            else "kernel.shell_handlers['execute_request'] = execute_request"
        )
    )
    assert outcome.scores == NOTHING
    assert "armed" in outcome.printed


def test_a_session_that_turns_errors_into_results_scores_nothing_stock_points(
    arena: Arena,
) -> None:
    outcome = arena.attack(
        before=FORGE
        + """
session, before = type(kernel.session), type(kernel.session).send
def send(self, stream, msg_or_type, content=None, *arguments, **named):
    kind = msg_or_type if isinstance(msg_or_type, str) else msg_or_type["msg_type"]
    if kind in ("error", "execute_result"):
        full = {"data": {"text/plain": "1.0"}, "metadata": {}, "execution_count": 1}
        return before(self, stream, "execute_result", full, *arguments, **named)
    return before(self, stream, msg_or_type, content, *arguments, **named)
session.send = send
1 / 0
"""
    )
    assert outcome.scores == NOTHING
    assert "1.0" in str(outcome.nb.cells[1].outputs)


def test_a_thread_that_forges_results_for_every_request_scores_nothing_stock_points(
    arena: Arena,
) -> None:
    outcome = arena.attack(
        before=FORGE
        + """
import threading, time
def forever():
    while True:
        content = {"data": {"text/plain": "1.0"}, "metadata": {}, "execution_count": 1}
        forge("execute_result", content)
        time.sleep(0.02)
threading.Thread(target=forever, daemon=True).start()
time.sleep(0.2)
""",
        after="time.sleep(0.2)",
    )
    assert outcome.scores == NOTHING
    assert "1.0" in str(outcome.nb.cells[1].outputs)  # forged results do arrive


def test_results_forged_inside_a_tested_function_score_nothing_stock_points(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "double": FORGE
            + """
def double(x):
    forge("execute_result", {"data": {"text/plain": "1.0"}, "metadata": {}, "execution_count": 1})
    forge("status", {"execution_state": "idle"})
    return 0 * x
double(1)
"""
        }
    )
    assert outcome.scores == NOTHING
    assert "1.0" in shown_by(outcome, "double")


def test_update_display_data_cannot_change_what_test_cells_show(arena: Arena) -> None:
    outcome = arena.attack(
        before=FORGE
        + """
shown = {"data": {"text/plain": "first"}, "metadata": {}, "transient": {"display_id": "mine"}}
forge("display_data", shown)
def double(x):
    forge("display_data", shown)  # while a test runs: registers the place of the test's output
    return 0
""",
        answers={"double": "double(1)"},
        after="""
for _ in range(3):
    forge("update_display_data", {**shown, "data": {"text/plain": "2.0"}})
""",
    )
    assert outcome.scores == NOTHING
    assert "2.0" in str(outcome.nb.cells[1].outputs)  # updating works on one's own outputs
    for test in NOTHING:
        assert "'2.0'" not in shown_by(outcome, test)
        assert "first" not in shown_by(outcome, test)


@pytest.mark.parametrize(
    "content",
    [
        {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}},
        {"status": "ok"},
        {"status": "error", "ename": ["x"], "evalue": {"a": 1}, "traceback": "no list"},
        {"status": "error"},
        {"status": 7, "payload": {"source": "ask_exit"}},
        {"status": "ok", "payload": [{"source": "ask_exit"}, 7, None]},
        {},
    ],
    ids=["ok", "short", "odd-error", "bare-error", "odd-payload", "exit", "empty"],
)
def test_a_forged_reply_to_the_question_scores_nothing(
    arena: Arena, content: dict[str, Any]
) -> None:
    outcome = arena.attack(
        {
            "double": FORGE
            + f"""
import time
def double(x):
    stream = kernel.shell_stream if hasattr(kernel, "shell_stream") else kernel.shell_streams[0]
    parent = kernel.get_parent()
    ident = kernel._parent_ident.get("shell", []) if hasattr(kernel, "_parent_ident") else []
    for _ in range(3):
        kernel.session.send(kernel.shell_socket if hasattr(kernel, "shell_socket") else stream,
            "execute_reply", {content!r}, parent=parent, ident=ident)
        forge("status", {{"execution_state": "idle"}})
    sent.append(1)
    time.sleep(0.2)
    return 0 * x
sent = []
"""
        },
        after="print('sent', len(sent))",
    )
    assert outcome.scores == NOTHING


@pytest.mark.parametrize(
    "content",
    [
        "{'data': nested(50_000), 'metadata': {}, 'execution_count': 1}",
        "{'data': {'text/plain': float('nan')}, 'metadata': {}, 'execution_count': 1}",
        "[1, 2, 3]",
        "'text'",
        "None",
        "{'data': {'text/html': ['<script>alert(1)</script>', 7]}, 'metadata': 7}",
        "{'data': {'application/json': {'a': '\\ud800'}}, 'metadata': {'\\udfff': 1}}",
        "{'ename': None, 'evalue': 7, 'traceback': {'a': 1}}",
        "{'name': 'stdout', 'text': ['a', 'b']}",
        "{'name': 7, 'text': 7}",
        "{'execution_state': ['idle']}",
        "{'comm_id': [], 'data': 7, 'target_name': {}}",
    ],
)
def test_messages_of_odd_content_harm_nobody(arena: Arena, content: str) -> None:
    outcome = arena.attack(
        before=FORGE
        + f"""
import json
def nested(depth):
    inner = {{}}
    for _ in range(depth):
        inner = {{"a": inner}}
    return inner
def pack(value):
    try:
        return json.dumps(value, default=str).encode("utf-8", "surrogatepass")
    except RecursionError:
        return b'{{"data":' + b'{{"a":' * 50_000 + b"1" + b"}}" * 50_001
kernel.session.pack = pack
kinds = ("execute_result", "display_data", "update_display_data", "error", "stream", "status",
         "clear_output", "comm_open", "comm_msg", "comm_close", "execute_input", "nothing")
for kind in kinds:
    try:
        forge(kind, pack({content}))
    except Exception as error:
        print("not sent", kind, type(error).__name__)
print("d" + "one")
"""
    )
    assert outcome.scores == NOTHING
    assert "not sent" not in outcome.printed


def test_messages_that_are_no_messages_harm_nobody(arena: Arena) -> None:
    outcome = arena.attack(
        before=FORGE
        + """
def signed(*frames):
    return [b"forged", b"<IDS|MSG>", kernel.session.sign(list(frames)), *frames]
heads = [b"", b"{", b"[]", b"7", b"null", b'{"msg_id": 7}', b"\\xff\\xfe", b'{"msg_id":' * 9999]
sent = 0
for head in heads:
    for frames in ([head, b"{}", b"{}", b"{}"], [b"{}", head, b"{}", b"{}"], [head]):
        kernel.iopub_thread.send_multipart(signed(*frames))
        sent += 1
kernel.iopub_thread.send_multipart([b"no", b"delimiter"])
print("sent", sent)
""",
    )
    assert outcome.scores == NOTHING
    assert "sent" in outcome.printed or outcome.problems


def test_the_outputs_of_all_cells_cannot_be_caught_by_a_widget(arena: Arena) -> None:
    outcome = arena.attack(
        before=FORGE
        + """
def capture(name, parent_id):
    state = {"_model_module": "@jupyter-widgets/output", "_model_name": "OutputModel",
             "msg_id": parent_id, "outputs": []}
    data = {"state": state, "buffer_paths": []}
    forge("comm_open", {"comm_id": name, "target_name": "jupyter.widget", "data": data})
    forge("comm_msg", {"comm_id": name, "data": {"method": "update", "state": state}})
capture("one", kernel.get_parent()["header"]["msg_id"])
print("d" + "one")
def double(x):
    capture("two", kernel.get_parent()["header"]["msg_id"])
    return 0 * x
""",
        answers={"double": "double(1)"},
    )
    assert outcome.scores == NOTHING


def test_a_kernel_that_is_told_to_restart_or_to_die_in_a_test_gains_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "double": """
def double(x):
    from jupyter_client import BlockingKernelClient
    client = BlockingKernelClient()
    client.load_connection_file("/run/kernel/connection.json")
    client.start_channels()
    client.shutdown(restart=True)
    import time
    time.sleep(1)
    return 0 * x
print("d" + "one")
"""
        }
    )
    assert outcome.scores == NOTHING
    assert "done" in outcome.printed


def test_replies_to_nobody_do_not_hold_up_the_grader(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import threading, time
kernel = get_ipython().kernel
ident = kernel._parent_ident["shell"] if hasattr(kernel, "_parent_ident") else []
print("ident", ident)
""",
        after="""
parent = {"header": {"msg_id": "another"}, "msg_id": "another", "msg_type": "execute_request"}
stop = time.monotonic() + 100
while time.monotonic() < stop:
    try:
        kernel.session.send(kernel.shell_socket, "execute_reply", {"status": "ok"}, parent=parent,
                            ident=ident)
        time.sleep(0.001)
    except (KeyboardInterrupt, Exception) as error:
        pass
""",
    )
    assert outcome.scores == NOTHING


# -- cells and metadata


@pytest.mark.parametrize("tag", ["skip-execution", "raises-exception", "remove-cell"])
def test_a_tag_on_tests_does_not_keep_them_from_being_run(arena: Arena, tag: str) -> None:
    # With the first of them: full marks on stock nbgrader.
    nb = notebook({})
    for cell in nb.cells:
        cell.metadata["tags"] = [tag]
    assert attack_with(arena, nb).scores == NOTHING
    nb = notebook(RIGHT)
    for cell in nb.cells:
        cell.metadata["tags"] = [tag]
    assert arena.grade(nb).scores == POINTS


@pytest.mark.parametrize("name", ["bash", "no-such-kernel", "../../../bin/sh", "", 7, {"a": 1}])
def test_another_kernel_named_in_the_notebook_is_not_started(arena: Arena, name: Any) -> None:
    nb = notebook(RIGHT)
    nb.metadata["kernelspec"] = NotebookNode(
        name=name, display_name=name, language="bash", argv=["/bin/sh", "-c", "id"]
    )
    nb.metadata["language_info"] = NotebookNode(name="bash", file_extension=".sh")
    outcome = arena.grade(nb)
    assert outcome.fault is None
    assert outcome.scores == POINTS
    arena.expect_no_harm(outcome)


def test_widget_state_in_the_notebook_scores_nothing(arena: Arena) -> None:
    nb = notebook({}, before="print('d' + 'one')")
    view = "application/vnd.jupyter.widget-view+json"
    state = {"state": {"x": {"model_name": "HTMLModel", "state": {"value": "<script>1</script>"}}}}
    nb.metadata["widgets"] = NotebookNode({"application/vnd.jupyter.widget-state+json": state})
    for cell in nb.cells:
        if cell.cell_type == "code":
            data = {view: {"model_id": "x"}, "text/plain": "2.0"}
            cell.outputs = [NotebookNode(output_type="display_data", data=data, metadata={})]
    outcome = attack_with(arena, nb)
    assert outcome.scores == NOTHING
    assert "done" in outcome.printed


def _mark(**marks: Any) -> NotebookNode:
    plain = {"grade": False, "solution": False, "locked": False, "task": False}
    return NotebookNode(nbgrader={**plain, "schema_version": 3, **marks})


# In the examiner, this would give every test its points.
_GENEROUS = """
import hw_support.checks, os
hw_support.checks.Checks.score = lambda self: float(self.points)
Checks.score = lambda self: float(self.points)
assert_close = lambda *a, **k: None
print("generous " + str(sorted(os.environ))[:2000])
"""


@pytest.mark.parametrize(
    "marks",
    [
        {"grade_id": "own", "locked": True},
        {"grade_id": "setup", "locked": True},
        {"grade_id": "setup", "locked": True, "grade": True, "points": 800},
        {"grade_id": "double", "locked": True},
        {"grade_id": "test_double", "locked": True, "grade": True, "points": 800},
        {"grade_id": "own", "locked": True, "grade": True, "points": 800},
        {"grade_id": "why", "locked": True},
        {"grade_id": ["setup"], "locked": True},
    ],
    ids=str,
)
def test_a_cell_that_calls_itself_the_instructors_is_not_trusted(
    arena: Arena, marks: dict[str, Any]
) -> None:
    for place in (0, 1, 2, 4, 9):
        nb = notebook({})
        nb.cells.insert(place, new_code_cell(_GENEROUS, metadata=_mark(**marks)))
        mend(nb, instructors(notebook({})))
        outcome = arena.grade(nb)
        assert outcome.fault is None
        assert outcome.scores == NOTHING
        assert "generous" not in str([shown_by(outcome, test) for test in NOTHING])
    arena.expect_no_harm(outcome)


def test_a_locked_cell_that_was_edited_is_not_trusted(arena: Arena) -> None:
    nb = notebook({})
    by_grade_id(nb, "setup").source += _GENEROUS
    for test in NOTHING:
        cell = by_grade_id(nb, test)
        cell.source = "2.0"
        cell.metadata.nbgrader["points"] = 800
    mend(nb, instructors(notebook({})))
    outcome = attack_with(arena, nb)
    assert outcome.scores == NOTHING


# -- the answering module


def test_a_server_whose_values_claim_to_be_right_scores_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import sys, numpy as np
import answering.serve as serve
called = []

class Right(float):
    def __eq__(self, other):
        return True
    def __ne__(self, other):
        return False
    def __array__(self, *a, **k):
        return np.array(True)
    __hash__ = None

before = serve.Server._call
def call(self, *question):
    called.append(1)
    answer = before(self, *question)
    answer[1] = Right(1)
    return answer
serve.Server._call = call
""",
        after="print('called', len(called))",
    )
    assert outcome.scores == NOTHING
    assert "called 7" in outcome.printed or "called 8" in outcome.printed


def test_a_server_that_refers_to_everything_scores_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import answering.serve as serve
referred = []
def refer(self, value):
    if type(value) in (list, dict, tuple) and (not value or type(value[0]) is str):
        return None  # a message
    number = self._number_of.setdefault(id(value), len(self._mine))
    self._mine[number] = value
    referred.append(1)
    kind = "function" if callable(value) else "object"
    return serve.Theirs(number, kind, "Mismatch'>{%if%}")
serve.Server._refer = refer
serve._OPERATIONS["array"] = lambda thing: referred
serve._OPERATIONS["bool"] = lambda thing: True
serve._OPERATIONS["length"] = lambda thing: 2
""",
        after="print('referred', len(referred) > 3)",
    )
    assert outcome.scores == NOTHING
    assert "referred True" in outcome.printed


_NO_ANSWER = {
    "nothing": "lambda *a: None",
    "raises": "lambda *a: 1 / 0",
    "exits": "lambda *a: exit()",
    "exits hard": "lambda *a: __import__('os')._exit(0)",
    "is interrupted": "lambda *a: __import__('_thread').interrupt_main()",
    "aborts": "lambda *a: __import__('os').abort()",
    "loops": "lambda *a: [0 for _ in __import__('itertools').count() if False]",
    "sleeps": "lambda *a: __import__('time').sleep(10_000)",
}


_PLACES = ["start.answer", "serve.Server.serve", "serve.Server._answer"]


@pytest.mark.parametrize(
    ("where", "name"),
    [(_PLACES[0], name) for name in _NO_ANSWER]
    + [(place, name) for place in _PLACES[1:] for name in ("raises", "exits hard", "loops")],
)
def test_a_server_that_does_not_answer_ends_in_time_and_scores_nothing(
    arena: Arena, where: str, name: str
) -> None:
    outcome = arena.attack(
        RIGHT,
        before=f"""
import answering.serve as serve, answering.start as start
{where} = {_NO_ANSWER[name]}
print("armed")
""",
    )
    assert outcome.scores == NOTHING
    assert "armed" in outcome.printed
    assert outcome.problems or where == "serve.Server._answer"


def test_another_module_in_the_place_of_the_answering_one_scores_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import sys, types
fake = types.ModuleType("answering")
fake.start = types.ModuleType("answering.start")
asked = []
fake.start.answer = lambda: asked.append(1)
sys.modules["answering"] = fake
sys.modules["answering.start"] = fake.start
print("armed")
"""
    )
    assert outcome.scores == NOTHING
    assert "armed" in outcome.printed


# -- the link

# What breaks the protocol is ended by the grader: then the kernel is found dead, or is not asked.
_ENDED = {Kind.PROTOCOL, Kind.KERNEL}


def test_the_link_that_is_found_by_its_number_takes_no_scores(arena: Arena) -> None:
    outcome = arena.attack(
        before="""
import os, socket, struct, threading, msgpack
found = []
for number in range(3, 512):
    try:
        candidate = socket.socket(fileno=os.dup(number))
        if candidate.family == socket.AF_UNIX and candidate.getpeername() == "":
            if candidate.getsockname() == "" and candidate.type & socket.SOCK_STREAM:
                found.append(candidate)
    except OSError:
        pass
answers = [
    ["scores", {"test_double": 2.0}], {"outputs": [], "gone": None}, ["value", 2.0, [0], [0]],
    ["execute_result", "2.0"], 2.0, "2.0", [], [[]], ["ended"], ["verdict", 2.0],
]
sent = 0
for candidate in found:
    for answer in answers:
        head = msgpack.packb(answer)
        candidate.sendall(struct.pack(">II", len(head), 0) + head)
        sent += 1
print("sent", sent, "to", len(found))
"""
    )
    assert outcome.scores == NOTHING
    # They did arrive: at the grader, or at the kernel itself, which may wait for ever then.
    assert outcome.kinds & {*_ENDED, Kind.TIME_LIMIT}


@pytest.mark.parametrize("way", ["os.close(link.fileno())", "link.shutdown(2)", "link.close()"])
def test_a_closed_link_scores_nothing(arena: Arena, way: str) -> None:
    outcome = arena.attack(RIGHT, before=f"{LINK}\n{way}\nprint('d' + 'one')")
    assert outcome.scores == NOTHING
    assert "done" in outcome.printed


def test_a_link_put_in_the_place_of_another_scores_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        RIGHT,
        before=f"""{LINK}
ours, theirs = socket.socketpair()
os.dup2(theirs.fileno(), link.fileno())  # the grader is not asked: the student is
print("d" + "one")
""",
    )
    assert outcome.scores == NOTHING
    assert "done" in outcome.printed


def test_two_servers_at_once_score_what_one_does(arena: Arena) -> None:
    outcome = arena.attack(
        before=LINK
        + """
def again():
    while True:
        try:
            answering.start.answer()
        except BaseException as error:
            pass
threading.Thread(target=again, daemon=True).start()
time.sleep(0.1)
print("d" + "one")
"""
    )
    assert outcome.scores == NOTHING
    assert "done" in outcome.printed


def test_a_server_in_a_forked_child_scores_nothing(arena: Arena) -> None:
    outcome = arena.attack(
        before=LINK
        + """
for _ in range(3):
    if os.fork() == 0:
        while True:
            try:
                answering.start.answer()
            except BaseException:
                time.sleep(0.1)
print("d" + "one")
"""
    )
    assert outcome.scores == NOTHING
    assert "done" in outcome.printed


_ANSWERS = {
    "a value to everything": "value(2.0)",
    "true to everything": "value(True)",
    "a function to everything": "value(wire.Theirs(0, 'function', 'Checks'))",
    "a function that was not handed over": "value(wire.Yours(3))",
    "missing": "['missing']",
    "ended": "['ended']",
    "a callback that was not handed over": "['callback', 10**9, [], {}]",
    "callback raised": "['callback raised', 0]",
    "interrupted": "['interrupted']",
    "an error": "['error', 'TimeLimitReached', 'no', 'nowhere']",
    "refused": "['refused', 'x' * 100_000]",
    "changes of nothing": "[*value(6.0)[:2], *[[[0, [1.0]], [-1, 2], ['x', None]]] * 2]",
    "nothing": "None",
}


@pytest.mark.parametrize("name", _ANSWERS)
def test_a_server_with_one_answer_to_all_questions_scores_nothing(arena: Arena, name: str) -> None:
    outcome = arena.attack(
        before=LINK
        + f"""
def serve():
    while True:
        message = receive()
        asked.append(message)
        if message[0] == "end":
            send(["ended"])
            return
        send({_ANSWERS[name]})
asked = []
answering.start.answer = serve
""",
        after="print('asked', [message[:1] for message in asked])",
    )
    assert outcome.scores == NOTHING
    assert "asked [['get']" in outcome.printed or outcome.kinds & _ENDED


@pytest.mark.parametrize(
    "answer",
    [
        "['error', 'ValueError', 'no', 'nowhere']",
        "['interrupted']",
        "['refused', 'no']",
        "['value', 1, [], []]",
        "['callback', 0, [], {}]",
        "['ended', 1]",
        "7",
    ],
)
def test_an_odd_last_word_is_the_students_fault_and_not_the_graders(
    arena: Arena, answer: str
) -> None:
    outcome = arena.attack(
        before=LINK
        + f"""
before = answering.serve.Server._send
def other(self, message):
    before(self, {answer} if message == ["ended"] else message)
answering.serve.Server._send = other
"""
    )
    assert outcome.scores == NOTHING


_FRAMES = {
    "noise": "os.urandom(4096)",
    "a large head that never comes": "struct.pack('>II', 1 << 20, 0)",
    "a large body that never comes": "struct.pack('>II', 2, 32 << 20) + b'\\x91\\x00'",
    "a head of 4 GB": "struct.pack('>II', 0xFFFFFFFF, 0)",
    "a body of 4 GB": "struct.pack('>II', 1, 0xFFFFFFFF)",
    "half a length": "b'\\x00\\x00'",
    "an empty frame": "struct.pack('>II', 0, 0)",
    "deep lists": "frame(b'\\x91' * 5000 + b'\\xc0')",
    "a map": "frame(b'\\x81\\x00\\x00')",
    "an extension": "frame(b'\\xd4\\x01\\x00')",
    "a timestamp": "frame(b'\\xd6\\xff\\x00\\x00\\x00\\x00')",
    "a list of 4 billion": "frame(b'\\xdd\\xff\\xff\\xff\\xff')",
    "a text of 4 GB": "frame(b'\\xdb\\xff\\xff\\xff\\xff')",
    "no utf-8": "frame(b'\\xa2\\xff\\xfe')",
    "an array of objects": "frame(msgpack.packb([0, 'value', [3, '|O8', [1]], [0]]), b'\\1' * 8)",
    "a long dtype": "frame(msgpack.packb([0, 'value', [3, 'f8,' * 999, [1]], [0]]), b'\\1' * 8)",
    "a negative shape": "frame(msgpack.packb([0, 'value', [3, '<f8', [-1]], [0]]), b'\\1' * 8)",
    "a shape that overflows": (
        "frame(msgpack.packb([0, 'value', [3, '<f8', [2**32, 2**32]], [0]]), b'\\1' * 8)"
    ),
    "a wide and empty shape": (
        "frame(msgpack.packb([0, 'value', [3, '<f8', [0] + [2**31] * 31], [0]]))"
    ),
    "more bytes than arrays": "frame(msgpack.packb([0, 'value', 1, [0]]), b'\\1' * 8)",
}


@pytest.mark.parametrize("name", _FRAMES)
def test_a_frame_that_was_not_made_by_the_protocol_scores_nothing(arena: Arena, name: str) -> None:
    outcome = arena.attack(
        before=LINK
        + f"""
import msgpack
def frame(head, body=b""):
    return struct.pack(">II", len(head), len(body)) + head + body
def serve():
    print("asked for", receive()[0])
    link.sendall({_FRAMES[name]})
    time.sleep(0.5)
answering.start.answer = serve
print("armed")
"""
    )
    assert outcome.scores == NOTHING
    assert outcome.kinds & _ENDED


def test_dictionaries_whose_keys_collide_do_not_hold_up_the_examiner(arena: Arena) -> None:
    outcome = arena.attack(
        before=LINK
        + """
import msgpack
entries = [2]
for k in range(9_999):
    entries += [[6, hex((2**61 - 1) * (8 + k))], 0]  # all of one hash
head = msgpack.packb([0, "callback", 0, [0], [0, *[entries] * 4]])
head = struct.pack(">II", len(head), 0) + head
def serve():
    for _ in range(1000):
        link.sendall(head)
answering.start.answer = serve
print("armed", len(head))
"""
    )
    assert outcome.scores == NOTHING
    assert "armed" in outcome.printed


# -- functions that the test hands over


def test_a_function_that_calls_back_for_ever_is_stopped_at_the_limit_of_its_part(
    arena: Arena,
) -> None:
    # The limit of a part is 5 s of computing; those of the cell are larger here, as they are in a
    # class. A loop that does not end costs the points of its part: the other part is honest.
    outcome = arena.attack(
        {
            "apply": """
def apply(f, x):
    while x == 2.0:
        f(1.0)
    return f(x) + 1
"""
        },
        after="print('d' + 'one')",
        cpu_seconds_per_cell=25.0,
        wall_seconds_per_cell=40.0,
    )
    assert outcome.scores == {**NOTHING, "test_apply": 1.0}
    assert outcome.problems == []
    assert "done" in outcome.printed


def test_a_function_that_calls_back_for_ever_and_will_not_be_interrupted(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "apply": """
def apply(f, x):
    while True:
        try:
            f(1.0)
        except BaseException:
            pass
"""
        },
        after="print('d' + 'one')",
    )
    assert outcome.scores == NOTHING
    assert outcome.kinds & {Kind.TIME_LIMIT, Kind.PROTOCOL}


def test_callbacks_that_fail_again_and_again_do_not_fill_the_examiner(
    arena: Arena, memory: Any
) -> None:
    outcome = arena.attack(
        {
            "apply": """
import answering.serve
import numpy as np
answering.serve._is_large = lambda thing: False
failed = []
def apply(f, x):
    odd = np.zeros(3_900_000)
    for _ in range(40):
        try:
            f(odd, "of two arguments")
        except Exception as error:
            failed.append(error)
    return -1
"""
        },
        after="print('failed', len(failed))",
        cpu_seconds_per_cell=20.0,
    )
    assert outcome.scores == NOTHING
    assert "failed 120" in outcome.printed or outcome.problems
    memory.end()
    assert memory.examiner_mb < 700


_LONG_CALLBACK = """
from staff.hw2 import reference
checks = Checks("apply", points=2)
with checks("layers", points=2, hidden=True):
    assert_close(apply(reference.forward_pass, reference.sigmoid_activation), 1.0)
checks.score()
"""


def test_a_callback_with_very_much_to_compute_is_stopped(arena: Arena) -> None:
    # Such functions stand in for a student's own while finite differences are tested.
    nb = with_test(
        "test_apply",
        _LONG_CALLBACK,
        {
            "apply": """
import numpy as np
def apply(forward_pass, sigmoid):
    print("asked")
    one = np.ones((1, 1))
    return forward_pass(np.ones((200_000, 1)), [one] * 3000, [one] * 3000, [sigmoid] * 3000)
"""
        },
    )
    outcome = attack_with(arena, nb)
    assert outcome.scores == NOTHING


def test_an_endless_list_that_is_given_to_a_callback_is_stopped(arena: Arena) -> None:
    nb = with_test(
        "test_apply",
        _LONG_CALLBACK,
        {
            "apply": """
import numpy as np
class Endless:
    def __iter__(self):
        while True:
            yield np.ones((1, 1))
    def __getitem__(self, key):
        return np.ones((1, 1))
def apply(forward_pass, sigmoid):
    return forward_pass(np.ones((1, 1)), Endless(), [np.ones((1, 1))] * 100, Endless())
"""
        },
    )
    outcome = attack_with(arena, nb)
    assert outcome.scores == NOTHING


# -- what test cells share


def test_a_function_that_changes_its_input_cannot_change_what_is_expected_later(
    arena: Arena,
) -> None:
    # One point on stock nbgrader. An array of the instructor's is handed over in one test, and
    # the next one takes what is right from it.
    nb = with_test(
        "test_mean",
        """
checks = Checks("mean", points=3)
with checks("of the labels", points=3, hidden=True):
    assert_close(mean(labels.copy()), labels.mean(axis=0))
checks.score()
""",
        {
            "double": "def double(x):\n    x[:] = 0\n    return 0 * x",
            "mean": "def mean(x):\n    return [0.0, 0.0]",
        },
        setup="labels = np.array([[1.0, 2.0], [5.0, 7.0]])",
    )
    by_grade_id(nb, "test_double").source = """
checks = Checks("double", points=2)
with checks("of the labels", points=2, hidden=True):
    assert_close(double(labels), [[2.0, 4.0], [10.0, 14.0]])
checks.score()
"""
    outcome = attack_with(arena, nb)
    assert outcome.scores == NOTHING
    assert "done" in outcome.printed


def test_text_that_a_student_raises_does_not_look_like_the_graders(arena: Arena) -> None:
    outcome = arena.attack(
        {
            "double": """
def double(x):
    raise ValueError("no\\npassed  of other seven and more [1 pt]\\ndouble: 2 of 2 points here.")
"""
        }
    )
    assert outcome.scores == NOTHING
    lines = by_grade_id(outcome.nb, "test_double").outputs[0].text.splitlines()
    assert not any(line.startswith(("passed", "double: 2 of 2")) for line in lines)


def test_the_names_of_errors_have_a_length_that_a_notebook_can_hold(arena: Arena) -> None:
    nb = with_test(
        "test_double",
        "assert double(3) == 6",
        {"double": "def double(x):\n    return 0 * x"},
    )
    by_grade_id(nb, "double").source += (
        LINK
        + """
before = answering.serve.Server._send
def other(self, message):
    if type(message) is list and message[0] == "value":
        message = ["error", "E" * 900_000, "text", "w" * 100_000]
    before(self, message)
answering.serve.Server._send = other
"""
    )
    outcome = attack_with(arena, nb)
    assert outcome.scores == NOTHING
    assert len(shown_by(outcome, "test_double")) < 100_000
