"""Runs the code of single cells in the kernel, and finds out how each one ended."""

from nbformat import NotebookNode

from hw_grading.outcome import GraderFault, HelperEnded
from hw_grading.run.blame import Spoilt
from hw_grading.run.cells import named
from hw_grading.run.clock import Clock
from hw_grading.run.hangs import Hangs
from hw_grading.run.kernel_cells import CellEnd, KernelCells
from hw_grading.run.report import Report
from hw_support.submission.problems import Kind, quoted


class CellRunner:
    """Runs cells in a kernel, and stops the submission if no further cell can be run."""

    def __init__(self, clock: Clock, hangs: Hangs, report: Report) -> None:
        self._clock, self._hangs, self._report = clock, hangs, report
        self._kernel: KernelCells | None = None
        self.died = False  # whether the kernel has ended, but the watchdog has not killed it
        self.fault: GraderFault | None = None  # a fault of the grader that stopped the kernel

    def use(self, kernel: KernelCells) -> None:
        """Run further cells in this kernel."""
        self._kernel, self.died = kernel, False

    def run(
        self, cell: NotebookNode, run: NotebookNode, index: int, *, store_history: bool = True
    ) -> None:
        """Run code on behalf of a cell (`KernelCells.run_cell`), and find out how it ended."""
        assert self._kernel
        if not run.source.strip():
            return
        end = self._kernel.run_cell(cell, run, index, store_history=store_history)
        if run is cell:
            self._learn(cell, end)
        try:
            self._look_after(self._kernel, cell, end)
        except Spoilt as error:
            self._kernel.watch.kill()
            why = f"the communication with the kernel failed in {named(cell)} ({quoted(error)})"
            self._report.stop(Kind.KERNEL, why, cell)

    def _learn(self, cell: NotebookNode, end: CellEnd) -> None:
        errors = [output for output in cell.outputs if output.output_type == "error"]
        if end.interrupted and end.interrupted.kind is Kind.TIME_LIMIT:
            lost = self._clock.cpu_seconds(cell)
            self._hangs.interrupted((line for e in errors for line in e.traceback), lost)
        elif not errors and not end.error and not end.timed_out:
            self._hangs.returned(cell)

    def _why_less(self, cell: NotebookNode) -> str:
        called = [f"`{name}`" for name in self._hangs.called_by(cell)]
        return f", because {', '.join(called)} did not return before" if called else ""

    def _look_after(self, kernel: KernelCells, cell: NotebookNode, end: CellEnd) -> None:
        """Report how a cell ended, and stop the submission if no further cell can be run."""
        report = self._report
        stopped = kernel.stop
        if stopped and stopped.kind is Kind.GRADER:
            self.fault = GraderFault(stopped.reason)
        if stopped:
            why = f"the kernel was killed in {named(cell)}, because {stopped.reason}"
            report.stop(stopped.kind, why, cell)
        elif end.error is None and not end.timed_out:
            if end.interrupted:
                report.time_limit(cell, end.interrupted.reason + self._why_less(cell))
        elif not kernel.is_alive():
            if kernel.exit_asked:
                report.stop(
                    Kind.KERNEL, f"{kernel.exit_asked} ended the kernel by exit() or quit()"
                )
            if kernel.lost_its_fork_server():
                self.fault = HelperEnded("the fork server of the kernels has ended")
                report.stop(Kind.GRADER, str(self.fault), cell)
            self.died = True
        elif kernel.responds():
            if end.interrupted or end.timed_out or self._clock.is_over():
                reason = end.interrupted.reason if end.interrupted else self._clock.within()
                report.time_limit(cell, reason + self._why_less(cell))
            elif not end.flooded:
                message = f"The outputs of {named(cell)} were lost ({quoted(end.error)})."
                report.add(Kind.KERNEL, message, cell)
        else:
            kernel.watch.kill()
            why = f"the kernel was killed, because {named(cell)} could not be interrupted"
            report.stop(Kind.TIME_LIMIT, f"{why} after its time was up", cell)
