"""Runs one submission: the order of its cells, the verdicts, and the handling of failures.

1. *A test cell with `Checks` is run by the examiner*, which asks the kernel for the values that it
   needs (`hw_grading.examiner`). Its outputs are put into the notebook when the kernel has ended.
   *Any other test cell runs in the kernel*, with its hidden tests, as in stock nbgrader.
   Afterwards the notebook has its released text only.
2. *Every failure of a submission ends in a score and a reason.* A test without a verdict scores 0,
   and gets an error as output. If it is not sure
   that the submission caused a failure, an exception is raised (`hw_grading.run.blame`): then the
   student has no score, instead of a zero. *A fault of one of the instructor's cells* is recorded
   for that test, or if it is not a test, for the tests below it that lost points. Which of them
   have no score is decided when the outcome is saved (`hw_grading.run.faults`).
3. *Second tries of parts that failed run when the notebook has ended*, each test in a process that
   was forked from the kernel when the test began. So no code of the student's runs after them.
4. *Limits* apply to each cell and to the submission. A cell that does not end is interrupted. If it
   still goes on, the kernel and all processes that it started are killed. A function that did not
   return within a limit raises at once when it is called again.
"""

import json
from contextlib import ExitStack

import nbformat
from nbformat import NotebookNode

from hw_grading.examiner.client import Examination, ExaminerFailed, Verdict
from hw_grading.homework.homework import Homework
from hw_grading.homework.notebook import (
    as_released,
    instructors_first_cells,
    instructors_names,
    is_test,
    is_trusted,
    name_of,
    uses_checks,
)
from hw_grading.notebooks import errors_in
from hw_grading.outcome import CellFault, CellScore, HelperEnded, Outcome, PartResult
from hw_grading.run import scores
from hw_grading.run.blame import error_words, fault_in
from hw_grading.run.kernel import Ended, Kernel, Problems
from hw_grading.run.settings import RunSettings
from hw_grading.sandbox import syscalls
from hw_support.submission.cells import grade_id_of
from hw_support.submission.problems import Kind, Problem, Severity, quoted

# The kernel runs this while the examiner asks questions. Only the sandbox has this module.
_ANSWER = "__import__('answering.start').start.answer()"
# The kernel runs this when a cell was interrupted.
_REFUSE_INTERRUPTED = "__import__('answering.start').start.refuse_interrupted()"
# The kernel runs this before the first cell.
_BEGIN = "__import__('answering.start').start.begin({}, {!r})"
_SECONDS_BETWEEN_LOOKS = 0.5  # at the limits, while second tries run
_SECONDS_FOR_A_LAST_WORD = 5.0  # for a verdict after the kernel has stopped answering questions
_SECONDS_FOR_A_VERDICT = 60.0  # after the kernel was killed
_EXAMINER_CPU_SECONDS = 60.0  # CPU time of the examiner itself for one test cell


class SubmissionRun:
    """One run of a submission that was read and repaired; the notebook is changed in place."""

    def __init__(
        self, nb: NotebookNode, seed: int, settings: RunSettings, homework: Homework
    ) -> None:
        self.nb, self._seed = nb, seed
        self._settings, self._homework = settings, homework
        self._problems = Problems()
        self._ended = ""  # why no further cell was run
        self._kernel: Kernel | None = None
        # Of cells that ran to their end, by index; None for those that ran in the kernel.
        self._verdicts: dict[int, Verdict | None] = {}
        self._examined: list[int] = []  # indices of the tests that the examiner has run
        self._scores: list[CellScore] = []
        self._parts: list[PartResult] = []
        self._faults: list[CellFault] = []
        # The instructor's cells before all answers and tests.
        self._first = instructors_first_cells(nb)
        self._trusted: list[tuple[str, str]] = []  # the instructor's cells since the last test

    @property
    def cpu_seconds_used(self) -> float:
        """CPU time of the student's processes."""
        return self._kernel.watch.used_seconds if self._kernel else 0.0

    @property
    def kernel_died(self) -> bool:
        """Whether the kernel ended for an unknown reason."""
        return bool(self._kernel and self._kernel.died)

    def run(self) -> Outcome:
        """Run all cells, and set the tests' outputs; an exception is a fault of the grader."""
        with ExitStack() as ending:
            kernel, examination = self._started(ending)
            self._run_cells(kernel, examination)
            if examination and any(map(self._waits, self._examined)):
                self._examine_again(kernel, examination)
        self._settle()
        text, problems = json.dumps(self.nb, ensure_ascii=False), tuple(self._problems)
        results = tuple(self._scores), tuple(self._parts), tuple(self._faults)
        return Outcome(text, problems, *results, str(self._seed))

    # -- the kernel

    def _started(self, ending: ExitStack) -> tuple[Kernel, Examination | None]:
        """Start a kernel, and the examination of test cells with `Checks` if there are any.

        `HelperEnded` if that fails: the next time they may start.
        """
        try:
            kernel = self._kernel = Kernel(self._settings, self._homework, self._problems)
            ending.callback(kernel.end)
            examination = None
            with kernel.link as link:
                if any(is_test(cell) and uses_checks(cell) for cell in self.nb.cells):
                    examination = Examination(
                        link,
                        self._homework,
                        root_pid=kernel.watch.root_pid,
                        seed=self._seed,
                        first=list(self._first.items()),
                        instructors=instructors_names(self.nb),
                    )
                    ending.callback(examination.end)
            about = kernel.connect(self._settings.startup_timeout)
            self.nb.metadata["language_info"] = about["language_info"]
            return kernel, examination
        except Exception as error:
            stop = self._kernel and self._kernel.watch.stop
            why = stop.reason if stop else error_words(error)
            raise HelperEnded(f"no kernel can be started ({why})") from error

    # -- one cell

    def _run_cells(self, kernel: Kernel, examination: Examination | None) -> None:
        code = [(n, cell) for n, cell in enumerate(self.nb.cells) if cell.cell_type == "code"]
        try:
            is_shut_in = examination and self._settings.sandbox != "none"
            seccomp = syscalls.filter_of_shared_memory().hex() if is_shut_in else ""
            for _, first in code[:1]:
                arrays = list(self._homework.manifest.arrays)
                kernel.run_cell(first, _BEGIN.format(arrays, seccomp))
            for index, cell in code:
                self._run_cell(kernel, examination, cell, index)
        except Ended as end:
            self._ended = str(end)
            said = f"The rest of the notebook was not run: {end}. Its tests score 0."
            problem = Problem(end.kind, Severity.FAILED, said, grade_id_of(end.cell))
            self._problems.append(problem)

    def _run_cell(
        self, kernel: Kernel, examination: Examination | None, cell: NotebookNode, index: int
    ) -> None:
        if kernel.clock.is_over():
            why = f"the notebook used up {kernel.clock.of_all} before {name_of(cell)}"
            raise Ended(Kind.TIME_LIMIT, why, cell)
        if kernel.exited_in:  # it goes on for an instant
            why = f"{name_of(kernel.exited_in)} ended the kernel by exit() or quit()"
            raise Ended(Kind.KERNEL, why, kernel.exited_in)
        if examination and is_test(cell) and uses_checks(cell):
            self._examine(kernel, examination, cell, index)
            return
        if kernel.run_cell(cell):
            self._verdicts[index] = None
        else:
            kernel.run_cell(cell, _REFUSE_INTERRUPTED)
        if is_trusted(cell) and grade_id_of(cell) not in self._first:
            self._trusted.append((grade_id_of(cell) or "", cell.source))

    def _examine(
        self, kernel: Kernel, examination: Examination, cell: NotebookNode, index: int
    ) -> None:
        watch, end = kernel.watch, None
        try:
            watch.begin_helper(examination.process(), _EXAMINER_CPU_SECONDS)
            examination.begin(self._trusted, grade_id_of(cell) or "", cell.source)
            self._trusted = []
            was_interrupted = False
            try:
                was_interrupted = not kernel.run_cell(cell, _ANSWER)
            except Ended as error:  # the parts before count
                end = error
            if not examination.has_verdict(_SECONDS_FOR_A_LAST_WORD):
                watch.kill(Kind.PROTOCOL, "it stopped answering")
            verdict = self._verdicts[index] = examination.verdict(_SECONDS_FOR_A_VERDICT)
            self._examined.append(index)
        except ExaminerFailed:
            if not watch.end_helper():
                raise
            most = f"{_EXAMINER_CPU_SECONDS:g} s of CPU time"
            why = f"{name_of(cell)} took more than {most} to check the notebook's answers"
            raise Ended(Kind.TIME_LIMIT, why, cell) from None
        watch.end_helper()
        # A kernel that ended for no known reason may have been killed by the examiner.
        if verdict.link_error and (not end or (kernel.died and not verdict.kernel_ended)):
            why = f"the notebook stopped answering in {name_of(cell)}: {verdict.link_error}"
            raise Ended(Kind.PROTOCOL, why, cell)
        if end:
            raise end
        if verdict.stopped and not was_interrupted:
            what = f"was not answered to its end: {verdict.stopped}"
            self._problems.add(cell, Kind.PROTOCOL, what)
        if verdict.lacks_second_try:
            what = "has no second try: the notebook could start no process for it"
            self._problems.add(cell, Kind.PROTOCOL, what, Severity.REPAIRED)

    def _waits(self, index: int) -> bool:
        """Return whether a test that was examined waits for second tries."""
        verdict = self._verdicts[index]
        return bool(verdict and verdict.waits)

    def _examine_again(self, kernel: Kernel, examination: Examination) -> None:
        """Make the second tries. If that fails, the first ones count."""
        watch, waiting = kernel.watch, [n for n in self._examined if self._waits(n)]
        try:
            watch.begin_helper(examination.process(), len(waiting) * _EXAMINER_CPU_SECONDS)
            examination.begin_again()
            kernel.clock.begin(self.nb.cells[waiting[-1]], len(waiting))
            while not examination.has_verdict(_SECONDS_BETWEEN_LOOKS):
                if kernel.clock.limit_reached():
                    watch.kill()  # each question that waits then has an answer: nobody is there
                    break
            verdicts = examination.verdicts(_SECONDS_FOR_A_VERDICT)
            self._verdicts |= dict(zip(self._examined, verdicts, strict=True))
        except ExaminerFailed:
            if not watch.end_helper():
                raise
        watch.end_helper()

    # -- the outputs

    def _settle(self) -> None:
        """Set the outputs of all tests, when the kernel has ended, and note all results."""
        own = {path.partition("/")[0].removesuffix(".py") for path in self._homework.files}
        above = ""  # the first fault of an instructor's cell further up
        for index, cell in enumerate(self.nb.cells):
            if cell.cell_type != "code":
                continue
            fault, verdict = "", self._verdicts.get(index)
            is_own = is_test(cell) or is_trusted(cell)
            if is_own and (errors := errors_in(cell)):
                fault = fault_in(cell.source, errors[0]["ename"], own)
            if is_test(cell):
                faults = (verdict.fault, verdict.fault_above) if verdict else (fault, above)
                self._settle_test(cell, index, *faults)
                continue
            if fault:
                above = above or f"{name_of(cell)}, {fault}"
            if grade_id_of(cell) is not None:
                self._parts += scores.parts_of_answer(cell)

    def _settle_test(self, cell: NotebookNode, index: int, fault: str, above: str) -> None:
        """Note the score and the parts of a test, or that it has none.

        It has none if its result is not a score. A fault in it, or `above` it if it has lost
        points, is recorded. A fault that the examiner has met in it is certain.
        """
        name, most = grade_id_of(cell) or "", float(cell.metadata.nbgrader["points"])
        verdict = self._verdicts.get(index)
        if uses_checks(cell):
            cell.execution_count = None
            cell.outputs = nbformat.from_dict(verdict.outputs if verdict else [])
            said, number = scores.what_it_says(cell), verdict.score if verdict else None
            fingerprint = scores.fingerprint_of(cell)
        else:
            said, number = scores.said_in(cell), scores.number_in(cell)
            fingerprint = scores.fingerprint_of(cell)  # as long as its own lines are there
            scores.hide_source(cell, as_released(cell.source))
        earned: float | None = 0.0
        if index not in self._verdicts:
            said = f"did not finish: {self._ended or 'the grader interrupted it'}"
            cell.outputs.insert(0, scores.not_scored(said))
        elif not scores.has_failed(cell):
            earned = most if number is None else number
            if not 0 <= earned <= most:
                said = f"returned {quoted(f'{earned:g}')}, expected a number from 0 to {most:g}"
                self._problems.add(cell, Kind.SCORE, f"has no score: it {said}")
                cell.outputs.insert(0, scores.not_scored(said))
                earned = None
        self._scores.append(CellScore(name, most, earned))
        if earned is None:
            return
        examined = verdict.parts if verdict else ()
        self._parts += scores.parts_of_test(cell, earned, examined, said, fingerprint)
        if why := fault or (above if earned < most else ""):
            is_certain = bool(fault) and uses_checks(cell)
            self._faults.append(CellFault(name, why, is_certain))
