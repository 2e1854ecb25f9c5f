"""Stores the outputs of cells that a kernel runs, within the limits of a cell and a submission."""

from collections.abc import Sequence
from typing import Any

from nbclient.exceptions import CellExecutionComplete
from nbformat import NotebookNode
from nbformat.v4 import new_output

from hw_grading.run.blame import of_the_kernel
from hw_grading.run.cells import at_start, named
from hw_grading.run.kernel import Kernel
from hw_grading.run.outputs import Flow, OutputBudget, from_message
from hw_grading.run.report import Report
from hw_grading.run.settings import RunSettings
from hw_support.submission.problems import Kind, Severity

# How many errors and results of a submission are kept, shortened, after its limit was reached.
_MOST_KEPT_BEYOND = 100
_NO_TRACEBACK = "ERROR: An error occurred while showtraceback was disabled"


class KernelOutputs(Kernel):
    """A kernel whose outputs are counted. A cell that prints too much is interrupted."""

    def __init__(
        self,
        nb: NotebookNode,
        settings: RunSettings,
        preload: Sequence[str],
        report: Report,
        **hooks: Any,
    ) -> None:
        super().__init__(nb, settings, preload, **hooks)
        self._report = report
        self._mistake: Exception | None = None  # of the grader while it processed a message
        # Bytes of all outputs so far; errors and results that were kept beyond the limit.
        self._stored = self._kept_beyond = 0
        # Widgets must not capture a cell's outputs, since captured outputs would not be counted.
        self.comm_open_handlers: dict[str, Any] = {}

    def _begin_outputs(self) -> None:
        left = self._settings.output_bytes_per_submission - self._stored
        self._budget = OutputBudget(self._settings.output_bytes_per_cell, left)
        self._flooded = False

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
