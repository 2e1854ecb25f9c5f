"""The problems that occurred while a submission ran, in order."""

from nbformat import NotebookNode

from hw_grading.homework.cells import at_start
from hw_support.submission.cells import grade_id_of
from hw_support.submission.problems import Kind, Problem, Severity


class Report:
    """The problems of one submission."""

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
