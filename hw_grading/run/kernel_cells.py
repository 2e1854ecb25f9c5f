"""Runs cells in a submission's kernel within limits, and finds out how each one ended.

Their outputs are stored within the limits of a cell and of the submission.
`hw_grading.run.submission` decides which code is run for a cell.
"""

import asyncio
from typing import Any

from nbclient.exceptions import CellExecutionComplete
from nbformat import NotebookNode
from nbformat.v4 import new_output

from hw_grading.homework.cells import at_start, name_of
from hw_grading.homework.homework import Homework
from hw_grading.outcome import GraderFault, HelperEnded
from hw_grading.run.blame import BadExchange, exchange, of_the_kernel
from hw_grading.run.clock import Clock
from hw_grading.run.kernel import Kernel
from hw_grading.run.outputs import Flow, OutputBudget, from_message
from hw_grading.run.settings import RunSettings
from hw_support.submission.cells import grade_id_of
from hw_support.submission.problems import Kind, Problem, Severity, quoted

# How many errors and results of a submission are kept, shortened, after its limit was reached.
_MAX_KEPT_BEYOND = 100
_NO_TRACEBACK = "ERROR: An error occurred while showtraceback was disabled"
_SECONDS_BETWEEN_ROUNDS = 0.5  # while it waits for a cell that takes longer than it may idle
# The error of a cell that was interrupted, if its own error did not arrive.
_TIMED_OUT = {
    "ename": "CellTimeoutError",
    "evalue": "",
    "traceback": ["\x1b[0;31mCellTimeoutError\x1b[0m: No reply from kernel before timeout"],
}


class Report:
    """The problems that occurred while one submission ran, in order."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.stopped: str | None = None  # why no further cell is run; None as long as cells are run

    def add(
        self,
        kind: Kind,
        message: str,
        cell: NotebookNode | None = None,
        severity: Severity = Severity.FAILED,
    ) -> None:
        """Note a problem, with the grade id of the cell that caused it."""
        grade_id = grade_id_of(cell) if cell is not None else None
        self.problems.append(Problem(kind, severity, message, grade_id))

    def time_limit(self, cell: NotebookNode, within: str) -> None:
        """Note that a cell was interrupted. Several callers may notice it; it is noted once."""
        message = f"{at_start(cell)} did not end {within}: the grader interrupted it."
        if not any(problem.message == message for problem in self.problems):
            self.add(Kind.TIME_LIMIT, message, cell)

    def stop(self, kind: Kind, why: str, cell: NotebookNode | None = None) -> None:
        """Note that no further cell is run, and why."""
        self.stopped = why
        self.add(kind, f"The rest of the notebook was not run: {why}. Its tests score 0.", cell)


class KernelCells(Kernel):
    """Runs the cells of one submission in its kernel. One that prints too much is interrupted.

    It stops the submission, by its `report`, if no further cell can be run.
    """

    def __init__(
        self,
        nb: NotebookNode,
        settings: RunSettings,
        homework: Homework,
        clock: Clock,
        report: Report,
    ) -> None:
        super().__init__(
            nb,
            settings,
            homework,
            allow_errors=True,
            interrupt_on_timeout=True,
            raise_on_iopub_timeout=True,
            error_on_timeout=_TIMED_OUT,
            timeout_func=lambda cell: clock.allowed,
            on_cell_executed=self._note_reply,
        )
        self._clock, self._report = clock, report
        self._seconds_for_the_end = 3.0 * settings.iopub_timeout + 5
        self._mistake: Exception | None = None  # of the grader while it processed a message
        # Bytes of all outputs so far; errors and results that were kept beyond the limit.
        self._stored = self._kept_beyond = 0
        # Widgets must not capture a cell's outputs, since captured outputs would not be counted.
        self.comm_open_handlers: dict[str, Any] = {}
        self.interrupted = False  # whether a limit has ended the last code that was run
        self.died = False  # whether the kernel has ended, but the watchdog has not killed it
        self.fault: GraderFault | None = None  # a fault of the grader that stopped the kernel
        self.exit_asked: str | None = None  # a name for the cell that called ``exit()``

    def run_cell(
        self, cell: NotebookNode, run: NotebookNode, index: int, *, store_history: bool = True
    ) -> bool:
        """Run code on behalf of a cell; return whether it ran to its end.

        An exception is a fault of the grader.

        `run` is the cell that is run and gets the outputs: `cell` itself, or another one in its
        place. With `store_history` the kernel counts it as a cell.
        """
        self.interrupted = False
        if not run.source.strip():
            return True
        run.metadata = cell.metadata
        left = self._settings.output_bytes_per_submission - self._stored
        self._budget = OutputBudget(self._settings.output_bytes_per_cell, left)
        self._flooded = self._timed_out = False
        self._clock.begin(cell)
        # nbclient interrupts a cell whose time is up. If that fails, the watchdog kills the kernel.
        backstop = self._clock.allowed + self._seconds_for_the_end
        self.watch.begin_cell(self._clock.cpu_seconds(cell), name_of(cell), backstop)
        unseen = None  # why the cell's end was not seen
        try:
            with exchange():
                self.execute_cell(run, index, store_history=store_history)
        except BadExchange as error:
            unseen = error
        finally:
            self._clock.end(self.watch.waited_in_cell(), self.watch.computed_in_cell())
            self.nb.cells[index] = cell  # nbclient has replaced it with `run`
            self._stored += self._budget.stored
        if self._mistake:
            raise self._mistake
        interrupted = self.watch.end_cell()
        self.interrupted = bool(interrupted) or self._timed_out or self._flooded
        try:
            self._look_after(cell, interrupted, unseen)
        except BadExchange as error:
            self.watch.kill()
            why = f"the communication with the kernel failed in {name_of(cell)} ({quoted(error)})"
            self._report.stop(Kind.KERNEL, why, cell)
        return unseen is None and not self.interrupted and not self._report.stopped

    def _look_after(
        self, cell: NotebookNode, interrupted: str | None, unseen: BadExchange | None
    ) -> None:
        """Report how a cell ended, and stop the submission if no further cell can be run."""
        report, stopped = self._report, self.stop
        if stopped and stopped.kind is Kind.GRADER:
            self.fault = GraderFault(stopped.reason)
        if stopped:
            why = f"the kernel was killed in {name_of(cell)}, because {stopped.reason}"
            report.stop(stopped.kind, why, cell)
        elif unseen is None and not self._timed_out:
            if interrupted:
                report.time_limit(cell, interrupted)
        elif not self.is_alive():
            if self.lost_its_fork_server():
                self.fault = HelperEnded("the fork server of the kernels has ended")
                report.stop(Kind.GRADER, str(self.fault), cell)
            self.died = True
        elif self.responds():
            if interrupted or self._timed_out or self._clock.is_over():
                report.time_limit(cell, interrupted or self._clock.within())
            elif not self._flooded:
                message = f"The outputs of {name_of(cell)} were lost ({quoted(unseen)})."
                report.add(Kind.KERNEL, message, cell)
        else:
            self.watch.kill()
            why = f"the kernel was killed, because {name_of(cell)} could not be interrupted"
            report.stop(Kind.TIME_LIMIT, f"{why} after its time was up", cell)

    async def _async_handle_timeout(
        self, timeout: int, cell: NotebookNode | None = None
    ) -> dict[str, Any] | None:
        """Interrupt a cell when its time is up. It may go on as long as the clock says so.

        Return None if the cell has ended meanwhile: then nbclient takes its reply.
        """
        while self._clock.goes_on(self.watch.waited_in_cell(), self.watch.computed_in_cell()):
            self.watch.extend_cell(self._seconds_for_the_end)
            if await self.kc.shell_channel.msg_ready():
                return None
            await self._async_check_alive()
            await asyncio.sleep(_SECONDS_BETWEEN_ROUNDS)
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
                self.exit_asked = name_of(cell)

    # -- outputs

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Process a message of the kernel, as long as the cell's outputs are within the limit."""
        if not self._is_kept(msg, cell):
            return None
        try:
            output: NotebookNode | None = super().process_message(msg, cell, cell_index)
            return output
        except CellExecutionComplete:
            raise
        except Exception as error:
            if not of_the_kernel(error):  # nbclient may lose it if the kernel ends
                self._mistake = error
            self.log.debug("message dropped: %s", error)
            return None

    def output(
        self, outs: list[NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """Add the output in a message to those of its cell. nbclient's own method is slow."""
        output = from_message(msg)
        if output is None:
            self.log.debug("no output can be made of %s", msg["msg_type"])
            return None
        if self.clear_before_next_output:
            outs[:] = []
            self.clear_display_id_mapping(cell_index)
            self.clear_before_next_output = False
        if display_id:
            cells = self._display_id_map.setdefault(display_id, {})
            cells.setdefault(cell_index, []).append(len(outs))
        outs.append(output)
        return output

    def _is_kept(self, msg: dict[str, Any], cell: NotebookNode) -> bool:
        """Count a message, and return whether to process it; act if the cell prints too much."""
        flow = self._budget.take(msg, self._display_id_map)
        if flow is Flow.FINE:
            return True
        self._limit_printing(flow, cell)
        if msg["msg_type"] not in ("error", "execute_result"):
            return False
        self._kept_beyond += 1
        return self._kept_beyond <= _MAX_KEPT_BEYOND

    def _show_error(self, cell: NotebookNode, content: dict[str, Any]) -> None:
        shown = (output for output in cell.outputs if output.output_type == "error")
        if any(output.ename == content["ename"] for output in shown):
            return
        if self._is_kept({"msg_type": "error", "content": content}, cell):
            frames = content["traceback"] or [_NO_TRACEBACK]
            error = NotebookNode(output_type="error", ename=content["ename"])
            cell.outputs.append(NotebookNode(error, evalue=content["evalue"], traceback=frames))

    def _limit_printing(self, flow: Flow, cell: NotebookNode) -> None:
        """Interrupt a cell that prints far beyond its limit; kill its kernel if it still goes on.

        At the first message beyond the limit, only tell the student.
        """
        limit = f"{self._budget.limit:,} bytes"
        if self._budget.limit < self._settings.output_bytes_per_cell:
            of_all = self._settings.output_bytes_per_submission
            limit = f"what was left of the {of_all:,} bytes for all cells"
        if flow is Flow.FULL:
            note = f"\n… output beyond {limit} was dropped\n"
            cell.outputs.append(new_output("stream", name="stdout", text=note))
            message = f"{at_start(cell)} printed more than {limit}: the grader dropped the rest."
            self._report.add(Kind.OUTPUT_LIMIT, message, cell, Severity.MENDED)
        # Send signals from here: while messages keep arriving, nbclient runs no other code.
        if flow is Flow.FLOOD and not self._flooded:
            self._flooded = True
            self.watch.interrupt()
            message = f"{at_start(cell)} did not stop printing: the grader interrupted it."
            self._report.add(Kind.OUTPUT_LIMIT, message, cell)
        if flow is Flow.TORRENT:
            self.watch.kill(Kind.OUTPUT_LIMIT, f"{name_of(cell)} did not stop printing")
