"""Runs one submission: the order of things, verdicts, and what becomes of whatever it does.

1. *Verdicts are made elsewhere.* The kernel runs every cell as it ran on the student's desk: of a
   test cell the part that students have. Its outputs are dropped. Then the examiner, a process in
   which no student code runs, runs the whole test cell and asks the kernel what it needs to know
   (`hw_grading.examiner`). What nbgrader scores by comes from there, and is put into the notebook
   when the kernel has ended.
2. *Whatever a submission does ends in a score and a reason.* A test without a verdict gets an error
   as output, because nbgrader gives full marks to a test without outputs. What was not seen to be
   the submission's doing is raised (`hw_grading.run.blame`): then that student has no score rather
   than a zero.
3. *Limits* of time, memory, processes, files and output, of each cell and of the submission. A
   cell that does not end is interrupted; if that does not help, all that it started is killed.
4. *Outputs are made safe to open*: HTML of student cells is cleaned (`hw_grading.pages.safe_html`).
"""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import ExitStack
from time import monotonic
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from traitlets.log import get_logger

from hw_grading.examiner.client import Examination, ExaminerFailed
from hw_grading.homework.homework import Homework
from hw_grading.homework.instructor_cells import as_released
from hw_grading.outcome import (
    Graded,
    GraderFault,
    HelperEnded,
    Spent,
    SubmissionFailed,
    WithScores,
)
from hw_grading.pages import safe_html
from hw_grading.run import outputs
from hw_grading.run.blame import Spoilt, told
from hw_grading.run.cells import (
    at_start,
    instructors_first_cells,
    instructors_names,
    is_test,
    is_trusted,
    named,
)
from hw_grading.run.clock import Clock
from hw_grading.run.hangs import Hangs
from hw_grading.run.kernel_cells import CellEnd, KernelCells
from hw_grading.run.report import Report
from hw_grading.run.settings import RunSettings
from hw_grading.sandbox.watch import Stop
from hw_support.submission.mending import grade_id_of
from hw_support.submission.problems import (
    METADATA_KEY,
    Kind,
    Severity,
    add_problems,
    put_notes_on_top,
    read_problems,
    shown,
)

# What the kernel runs while the examiner asks it: a module that only the sandbox has.
_ANSWER = "__import__('answering.start').start.answer()"
_HURRIED = "__import__('hw_support.checks').checks.Notebook.hurried = {}"
_SECONDS_FOR_A_LAST_WORD = 5.0  # when the kernel says that it has no more questions to answer
_SECONDS_FOR_A_VERDICT = 60.0
_EXAMINER_CPU_SECONDS = 60.0  # of the grader's own computing, for one test cell


class Submission:
    """A submission that was read and mended, and is run once.

    Parameters
    ----------
    nb
        Its notebook, which is changed.
    seed
        From which hidden tests draw their inputs.
    settings
        What it may use.
    homework
        Cells with limits of their own, and what hidden tests import.
    explained
        Grade ids of tests of which everything is to be told, for the instructor; nothing is run
        behind the last of them.

    Attributes
    ----------
    told
        What was seen of these tests, by grade id; see `hw_grading.examiner.witness`.
    """

    def __init__(
        self,
        nb: NotebookNode,
        seed: int,
        settings: RunSettings,
        homework: Homework,
        *,
        explained: Collection[str] = (),
    ) -> None:
        self.nb, self._seed = nb, seed
        self._settings, self._homework = settings, homework
        self._left = set(explained)  # tests that are still to be explained
        self._witnessed = bool(explained)
        self.told: dict[str, list[dict[str, Any]]] = {}
        self._hangs = Hangs(nb)
        self._clock = Clock(settings, homework.manifest, self._hangs)
        self._report = Report()
        self._fault: GraderFault | None = None
        self._kernel: KernelCells | None = None
        self._examination: Examination | None = None
        self._verdicts: dict[int, list[dict[str, Any]]] = {}  # outputs by the cell's place
        self._first: dict[str, str] = {}  # the instructor's cells that stand before all others
        self._trusted: list[tuple[str, str]] = []  # those since the last test
        self._hurried = False  # whether tests in the kernel are: see `hw_support.checks.Notebook`
        self._begun = self._done = False  # with the cells
        self._died = False  # the kernel, for no reason that is known

    @property
    def cpu_seconds_used(self) -> float:
        """Computing time of the student's processes."""
        return self._kernel.cpu_seconds_used if self._kernel else 0.0

    @property
    def kernel_died(self) -> bool:
        """Whether the kernel ended, and nobody knows why."""
        return self._died and not (self._kernel and self._kernel.exit_asked)

    def run(self) -> WithScores:
        """Run all cells, then settle the outputs by which nbgrader scores.

        Raises
        ------
        Exception
            For a reason that is not in the submission, there is no score.
        """
        began = monotonic()
        self.nb.metadata.setdefault(METADATA_KEY, NotebookNode())["seed"] = str(self._seed)
        if any(p.kind is Kind.FILE for p in read_problems(self.nb)):
            self._report.stopped = "the notebook could not be read"
        else:
            self._run_in_a_kernel()
        if self._fault:
            raise self._fault
        for index, cell in enumerate(self.nb.cells):
            if cell.cell_type == "code":
                self._settle(cell, index)
        add_problems(self.nb, self._report.problems)
        put_notes_on_top(self.nb)
        return _outcome(self.nb, Spent(monotonic() - began, self.cpu_seconds_used))

    # -- the kernel

    def _run_in_a_kernel(self) -> None:
        self._first = instructors_first_cells(self.nb)
        for attempt in (1, 2):
            try:
                self._run_cells()
                return
            except Exception as error:
                get_logger().warning("kernel: %s", told(error))
                if self._done:  # all that is wrong is how the kernel was ended
                    return
                if self._begun:
                    raise
                if attempt == 2:
                    stop = self._kernel.stop if self._kernel else None
                    why = stop.reason if stop else told(error)
                    raise GraderFault(f"no kernel can be started ({why})") from error

    def _run_cells(self) -> None:
        """Start a kernel, and an examination of what it answers; run all cells; end both."""
        preload = self._homework.manifest.preload
        kernel = KernelCells(self.nb, self._settings, preload, self._clock, self._report)
        self._kernel, self._examination = kernel, None
        with ExitStack() as ending:
            ending.callback(kernel.end)
            link = kernel.start()
            pids = kernel.watch.kernel_pid, kernel.watch.root_pid
            first, instructors = list(self._first.items()), instructors_names(self.nb)
            self._examination = Examination(
                *(link, *pids, self._seed, first, instructors, self._homework),
                witnessed=self._witnessed,
            )
            ending.callback(self._examination.end)
            with kernel.setup_kernel():  # connects to it, and ends it
                kernel.note_language()
                for index, cell in enumerate(self.nb.cells):
                    self._begun = True
                    if cell.cell_type == "code" and not self._report.stopped:
                        self._run_cell(cell, index)
                    self._left.discard(grade_id_of(cell) or "")
                    if self._witnessed and not self._left:
                        break
                self._done = True

    # -- one cell

    def _run_cell(self, cell: NotebookNode, index: int) -> None:
        """Run a cell; have a test cell examined."""
        cell.metadata.pop("tags", None)  # nbclient would skip a cell for a tag
        if self._clock.is_over():
            why = f"{self._clock.of_all()} were used up before {named(cell)}"
            self._report.stop(Kind.TIME_LIMIT, why, cell)
        elif is_test(cell):
            self._test(cell, index)
        else:
            self._run_code(cell, cell, index)
            if is_trusted(cell) and grade_id_of(cell) not in self._first:
                self._trusted.append((grade_id_of(cell) or "", cell.source))
        if self._died and not self._report.stopped:
            why = f"the kernel died while running {named(cell)}"
            self._report.stop(Kind.KERNEL, why, cell)

    def _test(self, cell: NotebookNode, index: int) -> None:
        """Run a test cell in the kernel as students have it, then in the examiner as it is."""
        hurried = bool(self._hangs.called_by(cell))
        if hurried != self._hurried:
            line = new_code_cell(_HURRIED.format(hurried))
            self._run_code(cell, line, index, store_history=False)
            self._hurried = hurried
        self._run_code(cell, new_code_cell(as_released(cell.source, "code")), index)
        if not self._report.stopped and not self._died:
            self._examine(cell, index)

    def _examine(self, cell: NotebookNode, index: int) -> None:
        """Let the kernel answer while the examiner runs the test cell."""
        assert self._examination
        assert self._kernel
        used = self.cpu_seconds_used
        try:
            watch = self._kernel.watch
            watch.begin_helper(self._examination.process(), _EXAMINER_CPU_SECONDS)
            name = grade_id_of(cell) or ""
            self._examination.begin(self._trusted, name, cell.source, hurried=self._hurried)
            self._trusted = []
            self._run_code(cell, new_code_cell(_ANSWER), index, store_history=False)
            if not self._examination.has_verdict(_SECONDS_FOR_A_LAST_WORD):
                self._kernel.watch.kill(Stop(Kind.PROTOCOL, "it stopped answering"))
            verdict = self._examination.verdict(_SECONDS_FOR_A_VERDICT)
        except ExaminerFailed as fault:
            if self._kernel.watch.end_helper():
                most = f"{_EXAMINER_CPU_SECONDS:g} s of computing"
                why = f"{named(cell)} took more than {most} with what the notebook answered"
                self._report.stop(Kind.TIME_LIMIT, why, cell)
                return
            self._fault = fault
            self._report.stop(Kind.GRADER, str(fault), cell)
            return
        self._kernel.watch.end_helper()
        self._verdicts[index] = verdict.outputs
        self._hangs.have_returned(verdict.returned)
        if verdict.hung:
            self._hangs.hung(verdict.hung, self.cpu_seconds_used - used)
        self.told[grade_id_of(cell) or ""] = verdict.told
        # Who does not keep to the protocol is killed by the examiner: then that is the reason.
        if verdict.gone and not self._report.stopped and not (self._died and verdict.ended):
            why = f"the notebook could not be asked any more in {named(cell)}: {verdict.gone}"
            self._report.stop(Kind.PROTOCOL, why, cell)

    def _run_code(
        self, cell: NotebookNode, run: NotebookNode, index: int, *, store_history: bool = True
    ) -> None:
        """Run code in the kernel on behalf of a cell, and find out how it ended."""
        assert self._kernel
        if not run.source.strip():
            return
        end = self._kernel.run_cell(cell, run, index, store_history=store_history)
        if run is cell:
            self._learn(cell, end)
        try:
            self._look_after(cell, end)
        except Spoilt as error:
            self._kernel.watch.kill()
            why = f"talking to the kernel failed in {named(cell)} ({shown(error)})"
            self._report.stop(Kind.KERNEL, why, cell)

    def _learn(self, cell: NotebookNode, end: CellEnd) -> None:
        """Note which functions did not return in a cell, or did."""
        errors = [output for output in cell.outputs if output.output_type == "error"]
        if end.interrupted and end.interrupted.kind is Kind.TIME_LIMIT:
            lost = self._clock.cpu_seconds(cell)
            self._hangs.interrupted((line for e in errors for line in e.traceback), lost)
        elif not errors and not end.error and not end.timed_out:
            self._hangs.returned(cell)

    def _why_less(self, cell: NotebookNode) -> str:
        """Say why a cell has less time than usual, or ""."""
        called = [f"`{name}`" for name in self._hangs.called_by(cell)]
        return f", because {', '.join(called)} did not return before" if called else ""

    def _look_after(self, cell: NotebookNode, end: CellEnd) -> None:
        """Report how a cell ended, and stop the submission if no further one can be run."""
        kernel, report = self._kernel, self._report
        assert kernel
        stopped = kernel.stop
        if stopped and stopped.kind is Kind.GRADER:
            self._fault = GraderFault(stopped.reason)
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
            if kernel.lost_its_nursery():
                self._fault = HelperEnded("the process that forks kernels has ended")
                report.stop(Kind.GRADER, str(self._fault), cell)
            self._died = True
        elif kernel.responds():
            if end.interrupted or end.timed_out or self._clock.is_over():
                reason = end.interrupted.reason if end.interrupted else self._clock.within()
                report.time_limit(cell, reason + self._why_less(cell))
            elif not end.flooded:
                message = f"The outputs of {named(cell)} were lost ({shown(end.error)})."
                report.add(Kind.KERNEL, message, cell)
        else:
            kernel.watch.kill()
            why = f"the kernel was killed, because {named(cell)} could not be interrupted"
            report.stop(Kind.TIME_LIMIT, f"{why} after its time was up", cell)

    def _settle(self, cell: NotebookNode, index: int) -> None:
        """Leave outputs that a notebook can hold, that are safe to open, and that score."""
        if not is_test(cell):
            outputs.settle(cell)
            safe_html.clean_outputs(cell)
            return
        stopped = self._report.stopped or "it was interrupted"
        if why := outputs.settle_test(cell, self._verdicts.get(index), stopped):
            self._report.add(Kind.SCORE, f"{at_start(cell)} {why}: it scores 0.", cell)


def _outcome(nb: NotebookNode, spent: Spent) -> WithScores:
    text = json.dumps(nb, ensure_ascii=False)
    problems = read_problems(nb)
    failures = tuple(p.message for p in problems if p.severity is Severity.FAILED)
    return SubmissionFailed(text, failures, spent) if failures else Graded(text, spent)
