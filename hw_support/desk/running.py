"""Runs a copy of a notebook from top to bottom in a fresh kernel, as the grader will.

The kernel works in an empty folder: as in grading, the files beside the notebook are not there.
"""

import ast
import asyncio
import atexit
import contextlib
import json
import os
import re
import signal
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty
from subprocess import DEVNULL
from time import monotonic
from typing import Any

from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbclient.util import ensure_async
from nbformat import NotebookNode

from hw_support.checks import Part
from hw_support.desk.errors import DeskError
from hw_support.failures import with_its_line, without_colours
from hw_support.source import bound_by, read_by
from hw_support.submission.cells import grade_id_of

KERNEL = "python3"
_LONGEST_MESSAGE = 300  # characters of an error's message
# The first line of a frame in a traceback by any IPython, such as "Cell In[3], line 2, in f(x)".
_FRAME = re.compile(r"^.*(?:\bIn ?\[|<ipython-input-).*$", re.MULTILINE)
_SECONDS_TO_ANSWER = 10.0
# This statement finds the module even if the notebook rebinds names such as `__import__`.
_IMPORT, _INSIDE = "import hw_support.desk.inside as _hw_inside", "_hw_inside"
_WATCH = f"{_INSIDE}.watch()"
_HOW = {"interrupt_on_timeout": True, "allow_errors": True, "record_timing": False}


@dataclass
class CellRun:
    """The outcome of one cell."""

    seconds: float = 0.0  # on the clock
    cpu_seconds: float = 0.0
    parts: list[Part] = field(default_factory=list)  # of a test cell
    notes: list[str] = field(default_factory=list)  # of an instructor's cell, from `Checks.note`
    opened: list[str] = field(default_factory=list)  # files that it opened for reading, as written
    raised: str = ""  # the error of a test cell outside its parts; then it earns no points
    # Names that a test reads and to which the notebook has given another value: the instructor's,
    # and Python's. In grading a test has its own.
    rebound: list[str] = field(default_factory=list)
    shadowed: list[str] = field(default_factory=list)


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
    message = with_its_line(error.evalue, error.traceback)[:_LONGEST_MESSAGE]
    return f"{error.ename}: {message}" if message else str(error.ename)


def last_function(error: NotebookNode) -> str:
    """Return the notebook's function in which an error was raised; "" outside functions."""
    frames = _FRAME.findall(without_colours("\n".join(error.traceback)))
    found = re.search(r"\bin (\w+)\(", frames[-1]) if frames else None
    return found[1] if found else ""


class _NoAnswer(Exception):
    """The kernel did not report the outcome of a cell."""


class _Exited(Exception):
    """A cell called ``exit()`` or ``quit()``: the kernel goes on for an instant only."""


class _NoStart(Exception):
    """The kernel ended, or did not answer, while it started."""


class _Client(NotebookClient):
    """Runs cells one after another, and asks the kernel for the outcome of each."""

    def __init__(
        self, ran: Ran, began: Callable[[int], None], like_grader: bool, **more: Any
    ) -> None:
        super().__init__(ran.notebook, on_cell_executed=_expect_no_exit, **more)
        self._ran, self._began, self._like_grader = ran, began, like_grader
        self.stopped = False  # by Ctrl-C
        self._in_functions: set[str] = set()  # names that the instructor's own functions read

    def run_all(self) -> None:
        """Run all cells; say in `Ran.stopped` why the rest was not run."""
        grading = {"NBGRADER_EXECUTION": "autograde"} if self._like_grader else {}
        environment = {**os.environ, **grading}
        try:
            self.execute(env=environment, cleanup_kc=True, stdout=DEVNULL, stderr=DEVNULL)
        except NoSuchKernel:
            raise DeskError(
                f"The notebook runs in the kernel {KERNEL}, and Jupyter has no kernel of this "
                "name. Type `python -m hw_support doctor` to see how to install it."
            ) from None
        except (DeadKernelError, asyncio.CancelledError):
            if self.stopped:
                raise KeyboardInterrupt from None
            self._ran.stopped = "The kernel died"
        except _Exited:
            self._ran.stopped = "exit() or quit() ended the kernel"
        except _NoAnswer:
            self._ran.stopped = "The kernel stopped answering"
        except CellTimeoutError:
            self._ran.stopped = "The kernel could not be interrupted"

    async def async_start_new_kernel_client(self) -> Any:
        try:
            return await super().async_start_new_kernel_client()
        except RuntimeError as error:
            atexit.unregister(self._cleanup_kernel)  # nbclient forgets it here
            raise _NoStart(str(error)) from error

    async def async_execute_cell(
        self, cell: NotebookNode, cell_index: int, *arguments: Any, **named: Any
    ) -> NotebookNode:
        if not cell_index:
            self._stop_on_interrupt()
            await self._ask(_WATCH)
        if cell.cell_type != "code" or not cell.source.strip():
            return cell
        self._began(cell_index)
        start = monotonic()
        run = self._ran.cells[cell_index] = CellRun()
        cell.metadata.pop("tags", None)  # the grader ignores them too
        try:
            await super().async_execute_cell(cell, cell_index, *arguments, **named)
        finally:
            run.seconds = monotonic() - start
        limit = self._get_timeout(cell)
        if limit and run.seconds > limit:
            for error in errors_of(cell):
                error.evalue = error.evalue or f"this command stopped it after {run.seconds:.0f} s"
        locked = bool(cell.metadata.get("nbgrader", {}).get("locked"))
        is_test = (grade_id_of(cell) or "").startswith("test_")
        bound, read = [], []
        if is_test:
            read = sorted({*read_by(cell.source), *self._in_functions})
        elif locked:
            bound = bound_by(cell.source)
            self._in_functions |= {*read_by(cell.source, in_functions_only=True)}
        outcome = await self._ask(f"{_INSIDE}.outcome({bound}, {read})")
        run.cpu_seconds, run.opened = outcome["cpu_seconds"], outcome["opened"]
        if locked:
            run.notes = outcome["notes"]
        if is_test:
            run.parts = [Part(*part) for part in outcome["parts"]]
            run.raised = next(map(error_in_words, errors_of(cell)), "")
            run.rebound, run.shadowed = outcome["rebound"], outcome["shadowed"]
        return cell

    def _stop_on_interrupt(self) -> None:
        """Let Ctrl-C end the whole run, not only the kernel."""
        task = asyncio.current_task()

        def stop() -> None:
            self.stopped = True
            if task:
                task.cancel()  # nbclient treats this as the death of its kernel

        with contextlib.suppress(RuntimeError):  # on Windows, and outside of the main thread
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop)

    async def _ask(self, expression: str) -> Any:
        """Evaluate an expression in the kernel; return its value, which is JSON text, decoded."""
        kernel: Any = self.kc
        request = kernel.execute(
            _IMPORT, silent=True, store_history=False, user_expressions={"outcome": expression}
        )
        while True:
            try:
                reply = await ensure_async(kernel.get_shell_msg(timeout=_SECONDS_TO_ANSWER))
            except Empty:
                raise _NoAnswer from None
            if reply["parent_header"].get("msg_id") == request:
                break
        answer = reply["content"].get("user_expressions", {}).get("outcome", {})
        if "data" not in answer and expression != _WATCH:
            raise _NoAnswer  # a cell has changed something that the reply needs
        if "data" not in answer:
            why = reply["content"].get("evalue") or answer.get("evalue", "no answer")
            raise DeskError(
                f"The kernel that Jupyter starts cannot run this homework ({why}). Type "
                "`python -m hw_support doctor` to see what is missing."
            )
        try:
            return json.loads(ast.literal_eval(answer["data"]["text/plain"]))
        except (ValueError, SyntaxError, KeyError, TypeError):
            raise _NoAnswer from None  # a cell has changed how values are written


def _expect_no_exit(*, cell: NotebookNode, cell_index: int, execute_reply: Any) -> None:
    payload = execute_reply["content"].get("payload") or []
    if any(entry.get("source") == "ask_exit" for entry in payload):
        raise _Exited


def run_from_the_top(
    notebook: NotebookNode,
    seconds_for: Callable[[NotebookNode], float],
    began: Callable[[int], None] = lambda index: None,
    *,
    like_grader: bool = True,
) -> Ran:
    """Run all cells of a copy in place; errors in cells do not stop the rest.

    A cell is interrupted after `seconds_for` it on the clock. `began` is called with the place of
    each code cell when it begins. If `like_grader`, saved runs are not read and not written.
    `DeskError` if no kernel can be started, KeyboardInterrupt if the run was stopped.
    """
    ran = Ran(notebook, {})

    def run(folder: str) -> None:
        how = {"timeout_func": seconds_for, "resources": {"metadata": {"path": folder}}}
        _Client(ran, began, like_grader, kernel_name=KERNEL, **how, **_HOW).run_all()

    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            try:
                run(folder)
            except _NoStart:  # another program may have its ports; a new start takes others
                run(folder)
    except _NoStart as error:
        raise DeskError(
            f"No kernel can be started ({error}). Your notebook is unchanged. Type `python -m "
            "hw_support doctor` to see what is missing, then run this command again."
        ) from error
    except OSError as error:
        where = error.filename or "the folder for temporary files"
        raise DeskError(
            f"No kernel can be started: {where} cannot be used ({error.strerror or error}). Your "
            "notebook is unchanged. Check that this folder has free space and that you may "
            "write there, then run this command again."
        ) from error
    return ran
