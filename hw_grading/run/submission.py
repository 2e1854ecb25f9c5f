"""Runs one submission: the order of its cells, the verdicts, and the handling of failures.

1. *A test cell with `Checks` is run by the examiner*, which asks the kernel for the values that it
   needs (`hw_grading.examiner`). Its outputs, from which nbgrader computes the score, are put into
   the notebook when the kernel has ended. *Any other test cell runs in the kernel*, with its hidden
   tests, as in stock nbgrader. Afterwards the notebook has its released text only.
2. *Every failure of a submission ends in a score and a reason.* A test without a verdict gets an
   error as output, because nbgrader gives full marks to a test without outputs. If it is not sure
   that the submission caused a failure, an exception is raised (`hw_grading.run.blame`): then the
   student has no score, instead of a zero. *A fault of one of the instructor's cells* leaves that
   test without a score, or if it is no test, the tests below it that lost points. All other tests
   keep theirs.
3. *Limits* apply to each cell and to the submission. A cell that does not end is interrupted. If it
   still goes on, the kernel and all processes that it started are killed. A function that did not
   return within a limit raises at once when it is called again.
"""

import json
import socket
from contextlib import ExitStack

from nbformat import NotebookNode

from hw_grading.examiner.client import Examination, ExaminerFailed, Request, Verdict
from hw_grading.gradebook.graded_notebook import errors_in
from hw_grading.homework.cells import (
    as_released,
    at_start,
    instructors_first_cells,
    instructors_names,
    is_test,
    is_trusted,
    name_of,
    uses_checks,
)
from hw_grading.homework.homework import Homework
from hw_grading.homework.notes import add_problems, put_notes_on_top, read_problems
from hw_grading.outcome import (
    HelperEnded,
    Outcome,
    Part,
    Status,
)
from hw_grading.run import outputs
from hw_grading.run.blame import described, fault_in
from hw_grading.run.clock import Clock
from hw_grading.run.kernel import Kernel, Report
from hw_grading.run.settings import RunSettings
from hw_support.submission.cells import grade_id_of
from hw_support.submission.problems import METADATA_KEY, Kind, Severity

# The kernel runs this while the examiner asks questions. Only the sandbox has this module.
_ANSWER = "__import__('answering.start').start.answer()"
# The kernel runs this when a cell was interrupted.
_REFUSE_INTERRUPTED = "__import__('answering.start').start.refuse_interrupted()"
_SECONDS_FOR_A_LAST_WORD = 5.0  # for a verdict after the kernel has stopped answering questions
_SECONDS_FOR_A_VERDICT = 60.0  # after the kernel was killed
_EXAMINER_CPU_SECONDS = 60.0  # CPU time of the examiner itself for one test cell


class Submission:
    """One run of a submission that was read and mended; the notebook is changed in place."""

    def __init__(
        self, nb: NotebookNode, seed: int, settings: RunSettings, homework: Homework
    ) -> None:
        self.nb, self._seed = nb, seed
        self._settings, self._homework = settings, homework
        self._clock = Clock(settings, homework.manifest)
        self._report = Report()
        self._kernel: Kernel | None = None
        self._verdicts: dict[int, Verdict] = {}  # by the cell's index
        self._finished: set[int] = set()  # indexes of cells that ran to their end
        self._unscored: list[str] = []  # grade ids of tests without a score
        # The instructor's cells before all answers and tests.
        self._first = instructors_first_cells(nb)
        self._trusted: list[tuple[str, str]] = []  # the instructor's cells since the last test

    @property
    def cpu_seconds_used(self) -> float:
        """CPU time of the student's processes."""
        return self._kernel.cpu_seconds_used if self._kernel else 0.0

    @property
    def kernel_died(self) -> bool:
        """Whether the kernel ended for an unknown reason."""
        return bool(self._kernel and self._kernel.died and not self._kernel.exited_in)

    def run(self) -> Outcome:
        """Run all cells, and set the tests' outputs; an exception is a fault of the grader."""
        self.nb.metadata.setdefault(METADATA_KEY, NotebookNode())["seed"] = str(self._seed)
        with ExitStack() as ending:
            self._run_cells(*self._started(ending))
        parts = self._settle()
        add_problems(self.nb, self._report.problems)
        put_notes_on_top(self.nb)
        text = json.dumps(self.nb, ensure_ascii=False)
        problems = read_problems(self.nb)
        failures = tuple(p.message for p in problems if p.severity is Severity.FAILED)
        status = Status.SUBMISSION_FAILED if failures else Status.GRADED
        return Outcome(status, failures, text, parts, tuple(self._unscored))

    # -- the kernel

    def _started(self, ending: ExitStack) -> tuple[Kernel, Examination | None]:
        """Start a kernel; `HelperEnded` if that fails: the next time one may start."""
        try:
            settings, homework = self._settings, self._homework
            kernel = self._kernel = Kernel(settings, homework, self._clock, self._report)
            ending.callback(kernel.end)
            link = kernel.start()
            examination = self._examination(kernel, link)
            if examination:
                ending.callback(examination.end)
            about = kernel.connect(settings.startup_timeout)
            self.nb.metadata["language_info"] = about["language_info"]
            return kernel, examination
        except Exception as error:
            why = (self._kernel and self._kernel.stopped_because) or described(error)
            raise HelperEnded(f"no kernel can be started ({why})") from error

    def _examination(self, kernel: Kernel, link: socket.socket) -> Examination | None:
        """Return the examination of the test cells with `Checks`; None if there are none."""
        if not any(is_test(cell) and uses_checks(cell) for cell in self.nb.cells):
            link.close()
            return None
        request = Request(
            kernel.watch.root_pid,
            self._seed,
            list(self._first.items()),
            sorted(instructors_names(self.nb)),
        )
        return Examination(link, request, self._homework)

    # -- one cell

    def _run_cells(self, kernel: Kernel, examination: Examination | None) -> None:
        for index, cell in enumerate(self.nb.cells):
            if cell.cell_type == "code":
                self._run_cell(kernel, examination, cell, index)
            if self._report.stopped:
                return

    def _run_cell(
        self, kernel: Kernel, examination: Examination | None, cell: NotebookNode, index: int
    ) -> None:
        if self._clock.is_over():
            why = f"the notebook used up {self._clock.of_all()} before {name_of(cell)}"
            self._report.stop(Kind.TIME_LIMIT, why, cell)
        elif kernel.exited_in:  # it goes on for an instant
            why = f"{name_of(kernel.exited_in)} ended the kernel by exit() or quit()"
            self._report.stop(Kind.KERNEL, why, kernel.exited_in)
        elif is_test(cell) and uses_checks(cell):
            assert examination
            self._examine(kernel, examination, cell, index)
        else:
            if kernel.run_cell(cell):
                self._finished.add(index)
            if kernel.interrupted and not self._report.stopped:
                kernel.run_cell(cell, _REFUSE_INTERRUPTED)
            if is_trusted(cell) and grade_id_of(cell) not in self._first:
                self._trusted.append((grade_id_of(cell) or "", cell.source))
        if kernel.died and not self._report.stopped and not kernel.exited_in:
            self._report.stop(Kind.KERNEL, f"the kernel died while running {name_of(cell)}", cell)

    def _examine(
        self, kernel: Kernel, examination: Examination, cell: NotebookNode, index: int
    ) -> None:
        watch = kernel.watch
        name = grade_id_of(cell) or ""
        try:
            watch.begin_helper(examination.process(), _EXAMINER_CPU_SECONDS)
            examination.begin(self._trusted, name, cell.source)
            self._trusted = []
            kernel.run_cell(cell, _ANSWER)
            if not examination.has_verdict(_SECONDS_FOR_A_LAST_WORD):
                watch.kill(Kind.PROTOCOL, "it stopped answering")
            verdict = examination.verdict(_SECONDS_FOR_A_VERDICT)
        except ExaminerFailed:
            if not watch.end_helper():
                raise
            most = f"{_EXAMINER_CPU_SECONDS:g} s of CPU time"
            why = f"{name_of(cell)} took more than {most} to check the notebook's answers"
            self._report.stop(Kind.TIME_LIMIT, why, cell)
            return
        watch.end_helper()
        self._verdicts[index] = verdict
        # `_run_cell` reports a kernel that died by itself. Any other was killed by the examiner.
        if verdict.gone and not self._report.stopped and not (kernel.died and verdict.ended):
            why = f"the notebook stopped answering in {name_of(cell)}: {verdict.gone}"
            self._report.stop(Kind.PROTOCOL, why, cell)

    # -- the outputs

    def _settle(self) -> tuple[Part, ...]:
        """Set the outputs of all cells, when the kernel has ended; return the tests' results."""
        code = [(n, cell) for n, cell in enumerate(self.nb.cells) if cell.cell_type == "code"]
        tests = [cell for _, cell in code if is_test(cell) and not uses_checks(cell)]
        released = {cell.source: as_released(cell.source, "code") for cell in tests}
        hidden = outputs.hidden_lines(released)
        own = {path.partition("/")[0].removesuffix(".py") for path in self._homework.files}
        parts: list[Part] = []
        above = ""  # the first fault of an instructor's cell further up
        for index, cell in code:
            verdict = self._verdicts.get(index)
            error = next(iter(errors_in(cell)), None)
            is_own = is_test(cell) or is_trusted(cell)
            fault = fault_in(cell.source, error["ename"], own) if error and is_own else ""
            if is_test(cell):
                self._settle_test(cell, verdict, index in self._finished)
                fault, earlier = (verdict.fault, verdict.above) if verdict else (fault, above)
                if fault or (earlier and outputs.loses_points(cell)):
                    self._leave_unscored(cell, fault or earlier)
            elif fault:
                above = above or f"{name_of(cell)}, {fault}"
            outputs.settle(cell, hidden)
            if cell.source in released:
                outputs.hide_source(cell, released[cell.source])
            if grade_id_of(cell) not in (None, *self._unscored):
                parts += outputs.parts_of(cell, verdict.parts if verdict else ())
        return tuple(parts)

    def _leave_unscored(self, cell: NotebookNode, fault: str) -> None:
        said = f"{at_start(cell)} has no score, because of a fault of the homework: {fault}."
        self._report.add(Kind.GRADER, said, cell)
        self._unscored.append(grade_id_of(cell) or "")
        cell.outputs.insert(0, outputs.not_scored(fault))

    def _settle_test(self, cell: NotebookNode, verdict: Verdict | None, finished: bool) -> None:
        if uses_checks(cell):
            cell.execution_count = None
            cell.outputs = [NotebookNode(o) for o in (verdict.outputs if verdict else ())]
        unfinished = self._report.stopped or "the grader interrupted it"
        if why := outputs.settle_test(cell, "" if verdict or finished else unfinished):
            self._report.add(Kind.SCORE, f"{at_start(cell)} {why}: it scores 0.", cell)
