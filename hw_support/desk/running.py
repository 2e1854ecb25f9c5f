"""Runs a copy of a notebook from top to bottom in a fresh kernel, as the grader will.

The kernel works in an empty folder: as in grading, the files beside the notebook are not there.
After each cell the kernel hands over the parts of the test that ran in it, as an output.
"""

import contextlib
import copy
import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL
from time import monotonic
from typing import Any

from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from tqdm import tqdm

import hw_support
from hw_support.checks import Part
from hw_support.desk import DeskError
from hw_support.desk.opening import Opened, name_of
from hw_support.failures import without_its_file

_TIMES_ON_THE_CLOCK = 3.0  # times the grader's CPU limit, because a laptop runs other programs too
_LONGEST_MESSAGE = 300  # characters of an error's message
_PARTS = "application/x-hw-parts+json"
_HAND_OVER = f"""
def _hw_begin(shell=get_ipython()):
    import sys
    from IPython.display import display
    sys.path.insert(0, {str(Path(hw_support.__file__).parents[1])!r})  # it need not be installed
    import hw_support
    del sys.path[0]
    def hand_over(*_):
        checks = shell.user_ns.get("checks")
        if hasattr(checks, "parts") and not hasattr(checks, "handed_over"):
            checks.handed_over = True
            parts = [[part.what, part.points, part.message] for part in checks.parts]
            display({{"{_PARTS}": {{"parts": parts, "notes": checks.notes[:200]}}}}, raw=True)
    shell.events.register("post_run_cell", hand_over)
_hw_begin()
del _hw_begin"""


@dataclass
class CellRun:
    """The outcome of one cell."""

    seconds: float = 0.0  # wall-clock
    parts: list[Part] = field(default_factory=list)  # of a test cell
    notes: list[str] = field(default_factory=list)  # of a test cell, from `Checks.note`
    errors: list[str] = field(default_factory=list)  # what the cell raised, in words


@dataclass
class Ran:
    """The outcome of a notebook's run."""

    notebook: NotebookNode  # the copy with its outputs
    cells: dict[int, CellRun]  # the code cells that were run, by place in the notebook
    stopped: str | None = None  # why the rest was not run


def run_copy(opened: Opened, *, like_grader: bool = True) -> Ran:
    """Run a copy of a notebook from the top, with a progress bar; errors do not stop the rest.

    A cell is interrupted after three times the grader's limit on it, wall-clock. If `like_grader`,
    saved runs are not read and not written. `DeskError` if no kernel can be started.
    """
    ran, replies = Ran(copy.deepcopy(opened.notebook), {}), list[dict[str, Any]]()
    cells = enumerate(ran.notebook.cells)
    code = [(i, cell) for i, cell in cells if cell.cell_type == "code" and cell.source.strip()]
    environment = {**os.environ, **({"NBGRADER_EXECUTION": "autograde"} if like_grader else {})}
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        tqdm(total=len(code), file=sys.stderr, ncols=92, leave=False, unit="cell") as bar,
    ):
        client = NotebookClient(
            ran.notebook,
            kernel_name="python3",
            timeout_func=lambda cell: _TIMES_ON_THE_CLOCK * opened.release.cpu_seconds_for(cell),
            resources={"metadata": {"path": folder}},
            interrupt_on_timeout=True,
            allow_errors=True,
            record_timing=False,
            on_cell_executed=lambda cell, cell_index, execute_reply: replies.append(execute_reply),
        )
        try:
            quiet = {"env": environment, "stdout": DEVNULL, "stderr": DEVNULL}
            with client.setup_kernel(cleanup_kc=True, **quiet):
                assert client.kc
                client.kc.execute(_HAND_OVER, silent=True)
                for place, cell in code:
                    bar.set_description_str(f"{name_of(cell)[:32]:<32}")
                    ran.cells[place] = CellRun()
                    _run(client, cell, place, ran.cells[place])
                    bar.update()
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
    """Run a code cell, and take the parts of its test out of its outputs."""
    start = monotonic()
    try:
        client.execute_cell(cell, place)
    finally:
        run.seconds = monotonic() - start
    outputs, cell.outputs = cell.outputs, []
    for output in outputs:
        found = output.get("data", {}).get(_PARTS)
        if found is None:
            cell.outputs.append(output)
        with contextlib.suppress(TypeError, ValueError, KeyError):
            run.parts = [Part(str(w), float(p), str(m)) for w, p, m in found["parts"]]
            run.notes = [str(note) for note in found["notes"]]
        if output.output_type == "error":
            message = without_its_file(output.evalue)[:_LONGEST_MESSAGE]
            run.errors.append(f"{output.ename}: {message}" if message else str(output.ename))
