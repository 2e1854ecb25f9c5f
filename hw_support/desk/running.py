"""Runs a copy of a notebook from top to bottom in a fresh kernel, as the grader will.

The kernel works in an empty folder: as in grading, the files beside the notebook are not there.
Below each test cell a cell of ours runs, which hands over the parts of the test.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from subprocess import DEVNULL
from time import monotonic
from typing import Any

from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from hw_support.checks import Part
from hw_support.desk import DeskError
from hw_support.failures import without_its_file
from hw_support.submission.cells import marks_of

KERNEL = "python3"
_LONGEST_MESSAGE = 300  # characters of an error's message
_SECONDS_OF_OURS = 20  # for a cell of ours
_PARTS = "application/x-hw-parts+json"
_HAND_OVER = f"""def _hw_hand_over(checks):
    from IPython.display import display
    if checks is None or getattr(checks, "handed_over", False):
        return  # the test ended before it had any
    checks.handed_over = True
    parts = [[part.what, part.points, part.message] for part in checks.parts]
    display({{"{_PARTS}": {{"parts": parts, "notes": checks.notes[:200]}}}}, raw=True)
_hw_hand_over(globals().get("checks"))"""


@dataclass
class CellRun:
    """The outcome of one cell."""

    seconds: float = 0.0  # wall-clock
    parts: list[Part] = field(default_factory=list)  # of a test cell
    notes: list[str] = field(default_factory=list)  # of a test cell, from `Checks.note`
    raised: str = ""  # the error of a test cell outside its parts; then it earns no points


@dataclass
class Ran:
    """The outcome of a notebook's run."""

    notebook: NotebookNode  # the copy with its outputs
    cells: dict[int, CellRun]  # the code cells that were run, by place in the notebook
    stopped: str | None = None  # why the rest was not run


def errors_of(cell: NotebookNode) -> list[NotebookNode]:
    """Return the outputs of a cell that are errors."""
    return [output for output in cell.get("outputs", []) if output.output_type == "error"]


def error_in_words(error: NotebookNode) -> str:
    """Return the type and the message of an error; the message may be empty."""
    message = without_its_file(error.evalue)[:_LONGEST_MESSAGE]
    return f"{error.ename}: {message}" if message else str(error.ename)


def run_from_the_top(
    notebook: NotebookNode,
    seconds_for: Callable[[NotebookNode], float],
    began: Callable[[int], None] = lambda index: None,
    *,
    like_grader: bool = True,
) -> Ran:
    """Run all cells of a copy in place; errors in cells do not stop the rest.

    A cell is interrupted after `seconds_for` it, wall-clock. `began` is called with the place of
    each code cell when it begins. If `like_grader`, saved runs are not read and not written.
    `DeskError` if no kernel can be started, KeyboardInterrupt if the run was stopped.
    """
    ran = Ran(notebook, {})
    environment = {**os.environ, **({"NBGRADER_EXECUTION": "autograde"} if like_grader else {})}
    replies: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        client = NotebookClient(
            notebook,
            kernel_name=KERNEL,
            timeout_func=lambda cell: (
                _SECONDS_OF_OURS if cell.source == _HAND_OVER else seconds_for(cell)
            ),
            resources={"metadata": {"path": folder}},
            interrupt_on_timeout=True,
            allow_errors=True,
            record_timing=False,
            on_cell_executed=lambda cell, cell_index, execute_reply: replies.append(execute_reply),
        )
        try:
            quiet = {"env": environment, "stdout": DEVNULL, "stderr": DEVNULL}
            with client.setup_kernel(cleanup_kc=True, **quiet):
                for place, cell in enumerate(notebook.cells):
                    if cell.cell_type == "code" and cell.source.strip():
                        began(place)
                        ran.cells[place] = CellRun()
                        _run(client, cell, place, ran.cells[place])
                        payload = replies[-1]["content"].get("payload") or []
                        if any(entry.get("source") == "ask_exit" for entry in payload):
                            ran.stopped = "exit() or quit() ended the kernel"
                            break
        except (DeadKernelError, AssertionError):  # nbclient's
            ran.stopped = "The kernel died"
        except CellTimeoutError:
            ran.stopped = "The kernel could not be interrupted"
        except (NoSuchKernel, RuntimeError, OSError) as error:
            raise DeskError(
                f"No kernel can be started ({error}). Your notebook is unchanged. Type `python -m "
                "hw_support doctor` to see what is missing, then run this command again."
            ) from error
    return ran


def _run(client: NotebookClient, cell: NotebookNode, place: int, run: CellRun) -> None:
    """Run a code cell, and below a test our own cell, which hands over the test's parts."""
    start = monotonic()
    try:
        client.execute_cell(cell, place)
    finally:
        run.seconds = monotonic() - start
    if marks_of(cell).get("locked"):
        run.raised = next(map(error_in_words, errors_of(cell)), "")
        ours = new_code_cell(_HAND_OVER)
        client.nb.cells.append(ours)
        try:
            client.execute_cell(ours, len(client.nb.cells) - 1)
        finally:
            client.nb.cells.pop()
        for output in ours.outputs:
            found = output.get("data", {}).get(_PARTS)
            with contextlib.suppress(TypeError, ValueError, KeyError):
                run.parts = [Part(str(w), float(p), str(m)) for w, p, m in found["parts"]]
                run.notes = [str(note) for note in found["notes"]]
