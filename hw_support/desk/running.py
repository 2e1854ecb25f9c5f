"""Runs a copy of a notebook from top to bottom in a fresh kernel, as the grader will.

The kernel works in an empty folder: what lies beside the student's file is not there, as it is not
there in grading, and nothing of the student's can be written over. What a cell opens is noted.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
import os
import signal
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from subprocess import DEVNULL
from time import monotonic
from typing import Any

from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbclient.util import ensure_async
from nbformat import NotebookNode

from hw_support.checks import Part
from hw_support.desk.errors import DeskError
from hw_support.submission.mending import grade_id_of

KERNEL = "python3"
_SECONDS_TO_ANSWER = 10.0
_INSIDE = "__import__('hw_support.desk.inside', fromlist=['inside'])"
_START = f"{_INSIDE}.watch()"
_TOLD = f"{_INSIDE}.told(globals())"


@dataclass
class CellRun:
    """What became of one cell.

    Attributes
    ----------
    seconds
        On the clock.
    cpu_seconds
        Of computing.
    parts
        Of a test cell.
    opened
        Names of files that it opened to read, as the code gave them.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    parts: list[Part] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)


@dataclass
class Ran:
    """What became of a notebook.

    Attributes
    ----------
    notebook
        The copy, with its outputs.
    cells
        By place in the notebook: code cells that were run.
    stopped
        Why the rest was not run, as a sentence.
    """

    notebook: NotebookNode
    cells: dict[int, CellRun]
    stopped: str | None = None


class _Client(NotebookClient):
    """Runs cells one after another, and asks the kernel what became of each."""

    def __init__(self, nb: NotebookNode, ran: Ran, began: Callable[[int], None], **more: Any):
        super().__init__(nb, **more)
        self._ran, self._began = ran, began
        self.stopped = False  # by Ctrl-C

    async def async_execute_cell(
        self, cell: NotebookNode, cell_index: int, *arguments: Any, **named: Any
    ) -> NotebookNode:
        if not cell_index:
            self._stop_on_interrupt()
            await self._ask("None", code=_START)
        if cell.cell_type != "code" or not cell.source.strip():
            return cell
        self._began(cell_index)
        start = monotonic()
        run = self._ran.cells[cell_index] = CellRun()
        cell.metadata.pop("tags", None)  # the grader takes no notice of them either
        try:
            await super().async_execute_cell(cell, cell_index, *arguments, **named)
        finally:
            run.seconds = monotonic() - start
        told = await self._ask(_TOLD)
        run.cpu_seconds, run.opened = told["cpu_seconds"], told["opened"]
        if (grade_id_of(cell) or "").startswith("test_"):
            run.parts = [Part(*part) for part in told["parts"]]
        return cell

    def _stop_on_interrupt(self) -> None:
        """Let Ctrl-C end the run, and with it the kernel, instead of the kernel alone."""
        task = asyncio.current_task()

        def stop() -> None:
            self.stopped = True
            if task:
                task.cancel()  # nbclient takes that for the death of its kernel

        with contextlib.suppress(RuntimeError):  # on Windows, and outside of the main thread
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop)

    async def _ask(self, expression: str, code: str = "") -> Any:
        """Have an expression computed whose value is text, and return what that says as JSON."""
        kernel: Any = self.kc
        request = kernel.execute(
            code, silent=True, store_history=False, user_expressions={"told": expression}
        )
        while True:
            reply = await ensure_async(kernel.get_shell_msg(timeout=_SECONDS_TO_ANSWER))
            if reply["parent_header"].get("msg_id") == request:
                break
        answer = reply["content"].get("user_expressions", {}).get("told", {})
        if "data" not in answer:
            why = reply["content"].get("evalue") or answer.get("evalue", "no answer")
            raise DeskError(
                f"The kernel that Jupyter starts cannot run this homework ({why}). Type "
                "`python -m hw_support doctor` to see what is missing."
            )
        text = ast.literal_eval(answer["data"]["text/plain"])
        return json.loads(text) if text else None


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
        A copy that nobody else needs: its outputs are replaced.
    seconds_for
        Returns the time on the clock that a cell gets; then it is interrupted.
    began
        Told the place of each code cell when it begins.
    like_grader
        Whether saved runs are neither read nor written, as in grading.

    Raises
    ------
    DeskError
        No kernel can be started.
    KeyboardInterrupt
        It was stopped; the kernel has ended.
    """
    ran = Ran(notebook, {})
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            _run_in(folder, ran, seconds_for, began, like_grader)
    except OSError as error:
        where = error.filename or "the folder for temporary files"
        raise DeskError(
            f"No kernel can be started: {where} cannot be used ({error.strerror or error}). See "
            "that it has room and that you may write there, then do this again; your notebook is "
            "as it was."
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
            f"Jupyter knows no kernel of the name {KERNEL}, in which the notebook is to run. "
            "Type `python -m hw_support doctor` to see how to install it."
        ) from None
    except (DeadKernelError, asyncio.CancelledError):
        if client.stopped:
            raise KeyboardInterrupt from None
        ran.stopped = "The kernel died"
    except CellTimeoutError:
        ran.stopped = "The kernel could not be interrupted"
