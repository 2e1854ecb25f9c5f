"""Runs cells in a submission's kernel, and stores their outputs, within limits.

`hw_grading.run.cell_runner` decides what has to happen after a cell has ended.
`hw_grading.run.submission` decides which code is run for a cell.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nbclient.exceptions import CellExecutionComplete
from nbformat import NotebookNode
from nbformat.v4 import new_output

from hw_grading.run.blame import Spoilt, of_the_kernel, talking
from hw_grading.run.cells import at_start, named
from hw_grading.run.clock import Clock
from hw_grading.run.kernel import Kernel
from hw_grading.run.outputs import Flow, OutputBudget, from_message
from hw_grading.run.report import Report
from hw_grading.run.settings import RunSettings
from hw_grading.sandbox.watch import Stop
from hw_support.submission.problems import Kind, Severity

# How many errors and results of a submission are kept, shortened, after its limit was reached.
_MOST_KEPT_BEYOND = 100
_SECONDS_BETWEEN_ROUNDS = 0.5  # while it waits for a cell on a busy machine
# The error of a cell that was interrupted, if its own error did not arrive.
_TIMED_OUT = {
    "ename": "CellTimeoutError",
    "evalue": "",
    "traceback": ["\x1b[0;31mCellTimeoutError\x1b[0m: No reply from kernel before timeout"],
}
_NO_TRACEBACK = "ERROR: An error occurred while showtraceback was disabled"


@dataclass(frozen=True)
class CellEnd:
    """How the kernel's work on a cell ended."""

    error: Spoilt | None  # why the cell's end was not seen; None if it was
    timed_out: bool  # whether the cell was interrupted because its time on the clock was up
    interrupted: Stop | None  # why the watchdog interrupted the cell; None if it did not
    flooded: bool  # whether the cell was interrupted because it printed too much


class KernelCells(Kernel):
    """Runs the cells of one submission in its kernel."""

    def __init__(
        self,
        nb: NotebookNode,
        settings: RunSettings,
        preload: Sequence[str],
        clock: Clock,
        report: Report,
    ) -> None:
        super().__init__(
            nb,
            settings,
            preload,
            allow_errors=True,
            interrupt_on_timeout=True,
            raise_on_iopub_timeout=True,
            error_on_timeout=_TIMED_OUT,
            timeout_func=lambda cell: clock.allowed,
            on_cell_executed=self._note_reply,
        )
        self._clock, self._report = clock, report
        self._fault: Exception | None = None  # a fault of the grader while it processed a message
        self.exit_asked: str | None = None  # a name for the cell that called ``exit()``
        # Bytes of all outputs so far; errors and results that were kept beyond the limit.
        self._stored = self._kept_beyond = 0
        # Widgets must not capture a cell's outputs, since captured outputs would not be counted.
        self.comm_open_handlers: dict[str, Any] = {}

    def run_cell(
        self, cell: NotebookNode, run: NotebookNode, index: int, *, store_history: bool = True
    ) -> CellEnd:
        """Run code on behalf of a cell; an exception is a fault of the grader.

        `run` is the cell that is run and gets the outputs: `cell` itself, or another one in its
        place. With `store_history` the kernel counts it as a cell.
        """
        run.metadata = cell.metadata
        left = self._settings.output_bytes_per_submission - self._stored
        self._budget = OutputBudget(self._settings.output_bytes_per_cell, left)
        self._flooded = self._timed_out = False
        self._clock.begin(cell)
        # nbclient interrupts a cell whose time is up. If that fails, the watchdog kills the kernel.
        backstop = self._clock.allowed + 3 * self.iopub_timeout + 5
        self.watch.begin_cell(self._clock.cpu_seconds(cell), named(cell), backstop)
        error = None
        try:
            with talking():
                self.execute_cell(run, index, store_history=store_history)
        except Spoilt as spoilt:
            error = spoilt
        finally:
            self._clock.end(self.watch.waited_in_cell())
            self.nb.cells[index] = cell  # nbclient has replaced it with `run`
            self._stored += self._budget.stored
        if self._fault:
            raise self._fault
        return CellEnd(error, self._timed_out, self.watch.end_cell(), self._flooded)

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
                self._fault = error
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
        self._stem(flow, cell)
        if msg["msg_type"] not in ("error", "execute_result"):
            return False
        self._kept_beyond += 1
        return self._kept_beyond <= _MOST_KEPT_BEYOND

    def _show_error(self, cell: NotebookNode, content: dict[str, Any]) -> None:
        shown = (output for output in cell.outputs if output.output_type == "error")
        if any(output.ename == content["ename"] for output in shown):
            return
        if self._is_kept({"msg_type": "error", "content": content}, cell):
            frames = content["traceback"] or [_NO_TRACEBACK]
            error = NotebookNode(output_type="error", ename=content["ename"])
            cell.outputs.append(NotebookNode(error, evalue=content["evalue"], traceback=frames))

    def _stem(self, flow: Flow, cell: NotebookNode) -> None:
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
            self.watch.kill(Kind.OUTPUT_LIMIT, f"{named(cell)} did not stop printing")
