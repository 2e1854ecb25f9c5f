"""Runs cells in a submission's kernel within limits, and finds out how each one ended.

`hw_grading.run.submission` decides which code is run for a cell.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from nbformat import NotebookNode

from hw_grading.outcome import GraderFault, HelperEnded
from hw_grading.run.blame import Spoilt, talking
from hw_grading.run.cells import named
from hw_grading.run.clock import Clock
from hw_grading.run.hangs import Hangs
from hw_grading.run.kernel_outputs import KernelOutputs
from hw_grading.run.report import Report
from hw_grading.run.settings import RunSettings
from hw_support.submission.problems import Kind, quoted

_SECONDS_BETWEEN_ROUNDS = 0.5  # while it waits for a cell on a busy machine
# The error of a cell that was interrupted, if its own error did not arrive.
_TIMED_OUT = {
    "ename": "CellTimeoutError",
    "evalue": "",
    "traceback": ["\x1b[0;31mCellTimeoutError\x1b[0m: No reply from kernel before timeout"],
}


class KernelCells(KernelOutputs):
    """Runs the cells of one submission in its kernel.

    It tells `hangs` which functions returned, and stops the submission, by its `report`, if no
    further cell can be run.
    """

    def __init__(
        self,
        nb: NotebookNode,
        settings: RunSettings,
        preload: Sequence[str],
        clock: Clock,
        hangs: Hangs,
        report: Report,
    ) -> None:
        super().__init__(
            nb,
            settings,
            preload,
            report,
            allow_errors=True,
            interrupt_on_timeout=True,
            raise_on_iopub_timeout=True,
            error_on_timeout=_TIMED_OUT,
            timeout_func=lambda cell: clock.allowed,
            on_cell_executed=self._note_reply,
        )
        self._clock, self._hangs = clock, hangs
        self.died = False  # whether the kernel has ended, but the watchdog has not killed it
        self.fault: GraderFault | None = None  # a fault of the grader that stopped the kernel
        self.exit_asked: str | None = None  # a name for the cell that called ``exit()``

    def run_cell(
        self, cell: NotebookNode, run: NotebookNode, index: int, *, store_history: bool = True
    ) -> None:
        """Run code on behalf of a cell; an exception is a fault of the grader.

        `run` is the cell that is run and gets the outputs: `cell` itself, or another one in its
        place. With `store_history` the kernel counts it as a cell.
        """
        if not run.source.strip():
            return
        run.metadata = cell.metadata
        self._begin_outputs()
        self._timed_out = False
        self._clock.begin(cell)
        # nbclient interrupts a cell whose time is up. If that fails, the watchdog kills the kernel.
        backstop = self._clock.allowed + 3 * self.iopub_timeout + 5
        self.watch.begin_cell(self._clock.cpu_seconds(cell), named(cell), backstop)
        unseen = None  # why the cell's end was not seen
        try:
            with talking():
                self.execute_cell(run, index, store_history=store_history)
        except Spoilt as error:
            unseen = error
        finally:
            self._clock.end(self.watch.waited_in_cell())
            self.nb.cells[index] = cell  # nbclient has replaced it with `run`
            self._stored += self._budget.stored
        if self._mistake:
            raise self._mistake
        interrupted = self.watch.end_cell()
        if run is cell:
            self._learn(cell, interrupted, unseen)
        try:
            self._look_after(cell, interrupted, unseen)
        except Spoilt as error:
            self.watch.kill()
            why = f"the communication with the kernel failed in {named(cell)} ({quoted(error)})"
            self._report.stop(Kind.KERNEL, why, cell)

    def _learn(self, cell: NotebookNode, interrupted: str | None, unseen: Spoilt | None) -> None:
        errors = [output for output in cell.outputs if output.output_type == "error"]
        if interrupted:
            lost = self._clock.cpu_seconds(cell)
            self._hangs.interrupted((line for e in errors for line in e.traceback), lost)
        elif not (errors or unseen or self._timed_out):
            self._hangs.returned(cell)

    def _look_after(
        self, cell: NotebookNode, interrupted: str | None, unseen: Spoilt | None
    ) -> None:
        """Report how a cell ended, and stop the submission if no further cell can be run."""
        report, stopped = self._report, self.stop
        if stopped and stopped.kind is Kind.GRADER:
            self.fault = GraderFault(stopped.reason)
        if stopped:
            why = f"the kernel was killed in {named(cell)}, because {stopped.reason}"
            report.stop(stopped.kind, why, cell)
        elif unseen is None and not self._timed_out:
            if interrupted:
                report.time_limit(cell, interrupted + self._why_less(cell))
        elif not self.is_alive():
            if self.exit_asked:
                why = f"{self.exit_asked} ended the kernel by exit() or quit()"
                report.stop(Kind.KERNEL, why)
            if self.lost_its_fork_server():
                self.fault = HelperEnded("the fork server of the kernels has ended")
                report.stop(Kind.GRADER, str(self.fault), cell)
            self.died = True
        elif self.responds():
            if interrupted or self._timed_out or self._clock.is_over():
                within = interrupted or self._clock.within()
                report.time_limit(cell, within + self._why_less(cell))
            elif not self._flooded:
                message = f"The outputs of {named(cell)} were lost ({quoted(unseen)})."
                report.add(Kind.KERNEL, message, cell)
        else:
            self.watch.kill()
            why = f"the kernel was killed, because {named(cell)} could not be interrupted"
            report.stop(Kind.TIME_LIMIT, f"{why} after its time was up", cell)

    def _why_less(self, cell: NotebookNode) -> str:
        called = [f"`{name}`" for name in self._hangs.called_by(cell)]
        return f", because {', '.join(called)} did not return before" if called else ""

    async def _async_handle_timeout(
        self, timeout: int, cell: NotebookNode | None = None
    ) -> dict[str, Any] | None:
        """Interrupt a cell whose time is up, unless it had to wait for the processor."""
        if self._clock.goes_on(self.watch.waited_in_cell()):
            self.watch.extend_cell(timeout)
            await asyncio.sleep(_SECONDS_BETWEEN_ROUNDS)
            return None  # nbclient then waits for the cell once more
        reply: dict[str, Any] | None = await super()._async_handle_timeout(timeout, cell)
        return reply

    def _note_reply(self, *, cell: NotebookNode, cell_index: int, execute_reply: Any) -> None:
        content = execute_reply["content"]
        cell.execution_count = content.get("execution_count")
        if "header" not in execute_reply:  # nbclient makes such a reply if it interrupts the cell
            self._timed_out = True
            content["evalue"] = f"not ended {self._clock.within()}"
            self._report.time_limit(cell, self._clock.within())
        if content.get("status") == "error" and "ename" in content:
            self._show_error(cell, content)
        payload = content.get("payload")
        for entry in payload if isinstance(payload, list) else ():
            if isinstance(entry, dict) and entry.get("source") == "ask_exit":
                self.exit_asked = named(cell)
