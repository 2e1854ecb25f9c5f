"""Runs a copy of a notebook from top to bottom in a fresh kernel, as the grader will.

The kernel works in a folder that has the instructor's files. As in grading, the student's other
files are not there.
After each cell the kernel hands over the parts of the test that ran in it, as an output. A
function that did not return raises an error when it is called again, as in grading.
"""

import contextlib
import copy
import os
import shutil
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
from hw_support.checks.failures import without_its_file
from hw_support.checks.parts import DID_NOT_RETURN, Part
from hw_support.errors import UserError
from hw_support.student.in_notebook import COPY_VARIABLE, NOTEBOOK_VARIABLE
from hw_support.student.opening import Opened, name_of
from hw_support.submission.released import ENDING

_TIMES_ON_THE_CLOCK = 3.0  # times the grader's CPU limit, because a laptop runs other programs too
_LONGEST_MESSAGE = 300  # characters of an error's message
_PARTS = "application/x-hw-parts+json"
_HAND_OVER = f"""
def _hw_begin(names, shell=get_ipython()):
    import sys
    from IPython.display import display
    sys.path.insert(0, {str(Path(hw_support.__file__).parents[1])!r})  # it need not be installed
    from hw_support.checks import Checks
    from hw_support.checks.time_limit import refusing
    from hw_support.figures import hook
    del sys.path[0]
    hook.install(shell, names)
    handed_over = []
    def hand_over(result, *_):
        for checks in [one for one in shell.user_ns.values() if type(one) is Checks]:
            if any(one is checks for one in handed_over):
                continue
            handed_over.append(checks)
            parts = [[part.what, part.points, part.message] for part in checks.parts]
            display({{"{_PARTS}": {{"parts": parts, "notes": checks.notes[:200]}}}}, raw=True)
            if any(part[2].startswith("{DID_NOT_RETURN}") for part in parts):
                shell.user_ns[checks.name] = refusing(checks.name)
        if isinstance(result.error_in_exec, KeyboardInterrupt):
            step = result.error_in_exec.__traceback__
            while step:
                code = step.tb_frame.f_code
                if getattr(shell.user_ns.get(code.co_name), "__code__", None) is code:
                    shell.user_ns[code.co_name] = refusing(code.co_name)
                    break
                step = step.tb_next
    shell.events.register("post_run_cell", hand_over)
"""
_BEGIN = "_hw_begin({})\ndel _hw_begin"  # with the names of arrays


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
    saved runs are not read and not written. `UserError` if no kernel can be started.
    """
    ran, replies = Ran(copy.deepcopy(opened.notebook), {}), list[dict[str, Any]]()
    cells = enumerate(ran.notebook.cells)
    code = [(i, cell) for i, cell in cells if cell.cell_type == "code" and cell.source.strip()]
    environment = {**os.environ, COPY_VARIABLE: "1"}
    if like_grader:
        environment["NBGRADER_EXECUTION"] = "autograde"
    no_bar = False if environment.pop(NOTEBOOK_VARIABLE, "") else None  # None: as a terminal has it
    environment.pop("MPLBACKEND", None)  # another value than the kernel's own shows no plots
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        tqdm(total=len(code), ncols=92, leave=False, unit="cell", disable=no_bar) as bar,
    ):
        _copy_files(opened, Path(folder))
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
                begin = _BEGIN.format(opened.release.arrays)
                client.kc.execute(f"{_HAND_OVER}\n{begin}", silent=True)
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
            raise UserError(
                f"No kernel can be started ({error}). Your notebook is unchanged. Type `python -m "
                "hw_support doctor` to see what is missing, then run this command again."
            ) from error
    return ran


def _copy_files(opened: Opened, folder: Path) -> None:
    """Copy the files that the grader gives to each submission, as far as they are here.

    The description is copied too: tests look up known mistakes in it.
    """
    for name in (*opened.release.files, f"{opened.release.notebook}{ENDING}"):
        source, target = opened.release.folder / name, folder / name
        if source.is_file() and target.resolve().is_relative_to(folder.resolve()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


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
            run.parts += [Part(str(w), float(p), str(m)) for w, p, m in found["parts"]]
            run.notes += [str(note) for note in found["notes"]]
        if output.output_type == "error":
            message = without_its_file(output.evalue)[:_LONGEST_MESSAGE]
            run.errors.append(f"{output.ename}: {message}" if message else str(output.ename))
