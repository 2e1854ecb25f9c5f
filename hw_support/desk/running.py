"""Runs a copy of a notebook from top to bottom in a fresh kernel, as the grader will.

The kernel works in an empty folder. As in grading, the files beside the notebook are not there, and
the run cannot overwrite them. The files that a cell opens are noted.
"""

from __future__ import annotations

import ast
import asyncio
import atexit
import contextlib
import json
import os
import signal
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty
from subprocess import DEVNULL
from time import monotonic
from typing import Any

from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbclient.util import ensure_async
from nbformat import NotebookNode

from hw_support.desk.errors import DeskError
from hw_support.rerun import bound_by
from hw_support.submission.mending import grade_id_of
from hw_support.tally import Part

KERNEL = "python3"
_SECONDS_TO_ANSWER = 10.0
# This statement finds the module even if the notebook rebinds names such as `__import__`.
_IMPORT, _INSIDE = "import hw_support.desk.inside as _hw_inside", "_hw_inside"
_WATCH = f"{_INSIDE}.watch()"
_SECONDS_FOR_A_TEST = 100.0  # for a test that runs again; its parts have their own limits


@dataclass
class CellRun:
    """The outcome of one cell.

    Attributes
    ----------
    seconds
        Wall-clock seconds.
    cpu_seconds
        CPU seconds.
    parts
        The parts of a test cell, as the grader sees them.
    notes
        Remarks of an instructor's cell, from `hw_support.Checks.note`.
    opened
        Names of the files that it opened for reading, as written in the code.
    judged
        Whether it is a test that was run again with the grader's values of names, because the
        notebook has changed some (`hw_support.desk.judging`).
    raised
        The error that a test cell raised outside its parts; then it earns no points.
    lost
        The parts that failed in this second run but had passed with the notebook's values.
    rebound
        The names with another value in the notebook.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    parts: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    judged: bool = False
    raised: str = ""
    lost: list[str] = field(default_factory=list)
    rebound: list[str] = field(default_factory=list)


@dataclass
class Ran:
    """The outcome of a notebook's run.

    Attributes
    ----------
    notebook
        The copy with its outputs.
    cells
        The code cells that were run, by place in the notebook.
    stopped
        A sentence on why the rest was not run.
    """

    notebook: NotebookNode
    cells: dict[int, CellRun]
    stopped: str | None = None


class _NoAnswer(Exception):
    """The kernel did not report the outcome of a cell."""


class _NoStart(Exception):
    """The kernel ended, or did not answer, while it started."""


class _Client(NotebookClient):
    """Runs cells one after another, and asks the kernel for the outcome of each."""

    def __init__(
        self,
        nb: NotebookNode,
        ran: Ran,
        began: Callable[[int], None],
        like_grader: bool,
        **more: Any,
    ) -> None:
        super().__init__(nb, **more)
        self._ran, self._began, self._like_grader = ran, began, like_grader
        self.stopped = False  # by Ctrl-C

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
        locked = bool(cell.metadata.get("nbgrader", {}).get("locked"))
        is_test = (grade_id_of(cell) or "").startswith("test_")
        bound = bound_by(cell.source) if locked and not is_test else []
        told = await self._ask(f"{_INSIDE}.told({bound})")
        run.cpu_seconds, run.opened = told["cpu_seconds"], told["opened"]
        if locked:
            run.notes = told["notes"]
        if is_test:
            run.parts = [Part(*part) for part in told["parts"]]
            errors = [o for o in cell.outputs if o.output_type == "error"]
            run.raised = f"{errors[0].ename}: {errors[0].evalue}" if errors else ""
            if told["bent"] and self._like_grader:
                await self._judge(cell, run)
        return cell

    async def _judge(self, cell: NotebookNode, run: CellRun) -> None:
        """Run a test again with the grader's values of all names."""
        question = f"{_INSIDE}.judged({cell.source!r})"
        again = await self._ask(question, seconds=_SECONDS_FOR_A_TEST)
        passed = {part.what for part in run.parts if part.passed and not run.raised}
        run.parts = [Part(*part) for part in again["parts"]]
        run.notes, run.rebound, run.raised = again["notes"], again["rebound"], again["raised"]
        run.judged = True
        failed = {part.what for part in run.parts if not part.passed or run.raised}
        run.lost = sorted(passed & failed)

    def _stop_on_interrupt(self) -> None:
        """Let Ctrl-C end the whole run, not only the kernel."""
        task = asyncio.current_task()

        def stop() -> None:
            self.stopped = True
            if task:
                task.cancel()  # nbclient treats this as the death of its kernel

        with contextlib.suppress(RuntimeError):  # on Windows, and outside of the main thread
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop)

    async def _ask(self, expression: str, seconds: float = _SECONDS_TO_ANSWER) -> Any:
        """Evaluate an expression in the kernel; return its value, which is JSON text, decoded."""
        kernel: Any = self.kc
        request = kernel.execute(
            _IMPORT, silent=True, store_history=False, user_expressions={"told": expression}
        )
        while True:
            try:
                reply = await ensure_async(kernel.get_shell_msg(timeout=seconds))
            except Empty:
                raise _NoAnswer from None
            if reply["parent_header"].get("msg_id") == request:
                break
        answer = reply["content"].get("user_expressions", {}).get("told", {})
        if "data" not in answer and expression != _WATCH:
            raise _NoAnswer  # a cell has changed something that the reply needs
        if "data" not in answer:
            why = reply["content"].get("evalue") or answer.get("evalue", "no answer")
            raise DeskError(
                f"The kernel that Jupyter starts cannot run this homework ({why}). Type "
                "`python -m hw_support doctor` to see what is missing."
            )
        try:
            text = ast.literal_eval(answer["data"]["text/plain"])
            return json.loads(text)
        except (ValueError, SyntaxError, KeyError, TypeError):
            raise _NoAnswer from None  # a cell has changed how values are written


def run_from_the_top(
    notebook: NotebookNode,
    seconds_for: Callable[[NotebookNode], float],
    began: Callable[[int], None] = lambda index: None,
    *,
    like_grader: bool = True,
) -> Ran:
    """Run all cells in place; errors in cells do not stop the rest.

    Parameters
    ----------
    notebook
        A copy of the notebook. Its outputs are replaced.
    seconds_for
        Returns a cell's limit in wall-clock seconds. Then the cell is interrupted.
    began
        Called with the place of each code cell when it begins.
    like_grader
        Whether saved runs are off (not read, not written), as in grading.

    Raises
    ------
    DeskError
        No kernel can be started.
    KeyboardInterrupt
        The run was stopped. The kernel has ended.
    """
    ran = Ran(notebook, {})
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            try:
                _run_in(folder, ran, seconds_for, began, like_grader)
            except _NoStart:  # another program may have its ports; a new start takes others
                _run_in(folder, ran, seconds_for, began, like_grader)
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


def _run_in(
    folder: str,
    ran: Ran,
    seconds_for: Callable[[NotebookNode], float],
    began: Callable[[int], None],
    like_grader: bool,
) -> None:
    kernel = AsyncKernelManager(kernel_name=KERNEL)
    client = _Client(
        ran.notebook,
        ran,
        began,
        like_grader,
        km=kernel,
        timeout_func=seconds_for,
        interrupt_on_timeout=True,
        allow_errors=True,
        record_timing=False,
        resources={"metadata": {"path": folder}},
    )
    environment = {**os.environ, **({"NBGRADER_EXECUTION": "autograde"} if like_grader else {})}
    try:
        client.execute(env=environment, cleanup_kc=True, stdout=DEVNULL, stderr=DEVNULL)
    except NoSuchKernel:
        raise DeskError(
            f"The notebook runs in the kernel {KERNEL}, and Jupyter has no kernel of this name. "
            "Type `python -m hw_support doctor` to see how to install it."
        ) from None
    except (DeadKernelError, asyncio.CancelledError):
        if client.stopped:
            raise KeyboardInterrupt from None
        ran.stopped = "The kernel died"
    except _NoAnswer:
        ran.stopped = "The kernel stopped answering"
    except CellTimeoutError:
        ran.stopped = "The kernel could not be interrupted"
