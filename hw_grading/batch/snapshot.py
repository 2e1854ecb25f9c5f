"""A snapshot of a class's scores and test results, so that two moments can be compared.

For each student, a snapshot has the scores, the result of each part of each test, digests of the
student's and the instructor's cells, and the conditions of grading (limits, the homework's code,
packages). A graded notebook that has not changed since an earlier snapshot is not parsed again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode
from pydantic import TypeAdapter

from hw_grading.batch.job import installed
from hw_grading.gradebook import graded_notebook
from hw_grading.gradebook.final_scores import FinalScore, final_scores
from hw_grading.gradebook.graded_notebook import PartResult, notebook_in, parts_of
from hw_grading.homework.course import Course
from hw_grading.homework.homework import Homework
from hw_grading.homework.manifest import KINDS
from hw_grading.outcome import Status
from hw_grading.run.settings import RunSettings
from hw_support.submission.cells import marks_of, text_of
from hw_support.submission.file import Unreadable, read_regular_file
from hw_support.submission.problems import METADATA_KEY, Problem, Severity, is_notes, read_problems

_OTHERS = ""  # stands for the grade id of all cells without one


@dataclass(frozen=True)
class Conditions:
    """The conditions of grading: everything that affects scores and is not in the notebooks."""

    limits: dict[str, str]  # by name; those of a cell are named "cpu_seconds of <grade id>"
    code: dict[str, str]  # digests of the files of staff code, by path
    packages: dict[str, str]  # versions, and a digest of the grader's own code

    @classmethod
    def of(cls, settings: RunSettings, homework: Homework) -> Conditions:
        """Return the current conditions."""
        limits = {name: str(value) for name, value in settings.plain().items()}
        for kind in KINDS:
            own = homework.manifest.seconds(kind)
            limits |= {f"{kind} of {cell}": f"{seconds:g}" for cell, seconds in own.items()}
        code = {path: _digest(content) for path, content in sorted(homework.code.items())}
        return cls(limits, code, installed())


@dataclass(frozen=True)
class Points:
    """A student's points for one cell; see `hw_grading.gradebook.scores.Score`."""

    auto: float | None
    manual: float | None
    extra: float
    waits: bool

    @property
    def counting(self) -> float:
        """The points that count."""
        given = self.auto if self.manual is None else self.manual
        return (given or 0.0) + self.extra


class Effect(NamedTuple):
    """What a correction for the whole class does to a student's points for one cell."""

    points: float
    reason: str
    key: int = 0  # the correction's number; 0 in older snapshots, which have none

    def is_among(self, others: list[Effect]) -> bool:
        """Whether the same correction is among the others, whatever its effect there."""
        return any(
            one.key == self.key if one.key and self.key else one.reason == self.reason
            for one in others
        )


@dataclass(frozen=True)
class Notebook:
    """What a snapshot keeps of a graded notebook; digests are of cells' sources, by grade id."""

    parts: dict[str, list[PartResult]] = field(default_factory=dict)  # by the test's grade id
    answers: dict[str, str] = field(default_factory=dict)  # cells without an id are under ""
    instructors: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    trouble: str = ""  # why the notebook was not graded completely; "" if it was
    digest: str = ""  # of the whole file; "" if it could not be read

    @property
    def failed(self) -> list[Problem]:
        """The problems that made the submission, or a part of it, fail."""
        return [problem for problem in self.problems if problem.severity is Severity.FAILED]


@dataclass(frozen=True)
class Work:
    """One student's scores, and the graded notebook."""

    stamp: list[int]  # size and time of the notebook's file; [] if there is no file
    final: float  # the final score
    scores: dict[str, Points]  # by grade id
    corrections: dict[str, list[Effect]]  # by grade id
    notebook: Notebook
    conditions: str = ""  # a key of `Snapshot.conditions`; "" if the conditions are not known

    @property
    def status(self) -> Status:
        """The outcome of the submission."""
        if self.notebook.trouble:
            return Status.NOT_GRADED
        return Status.SUBMISSION_FAILED if self.notebook.failed else Status.GRADED


@dataclass(frozen=True)
class Snapshot:
    """A class at one moment."""

    assignment: str
    at: datetime
    max_points: dict[str, float]  # by grade id
    by_hand: list[str]  # grade ids of the cells that people grade
    students: dict[str, Work]
    conditions: dict[str, Conditions]  # by their digest

    def conditions_of(self, student: str) -> Conditions | None:
        """Return the conditions of a student's grading; None if they are not known."""
        return self.conditions.get(self.students[student].conditions)


_CONDITIONS = TypeAdapter(Conditions)


def take(
    course: Course,
    assignment: str,
    earlier: Snapshot | None = None,
    conditions: Conditions | None = None,
) -> Snapshot:
    """Read the gradebook, and the graded notebooks that were written since an earlier snapshot.

    The data of the earlier one on unchanged notebooks is reused. `conditions` are those under which
    all other notebooks were graded; None if not known. `NoScores` is raised if there is no
    gradebook, or if it does not know the assignment.
    """
    finals = final_scores(course, assignment)
    known = dict(earlier.conditions) if earlier else {}
    new = ""
    if conditions:
        new = _digest(_CONDITIONS.dump_json(conditions))
        known[new] = conditions
    students = {}
    for student, score in finals.students.items():
        if score.record is not None:
            before = earlier.students.get(student) if earlier else None
            path = course.autograded(student, assignment) / f"{assignment}.ipynb"
            students[student] = _work(score, path, before, new)
    used = {work.conditions for work in students.values()}
    return Snapshot(
        assignment,
        datetime.now(UTC),
        {cell.name: cell.max_points for cell in finals.cells},
        [cell.name for cell in finals.cells if cell.by_hand],
        students,
        {key: known[key] for key in known if key in used},
    )


def _work(score: FinalScore, path: Path, before: Work | None, conditions: str) -> Work:
    assert score.record
    scores = {
        one.cell.name: Points(one.auto, one.manual, one.extra, one.waits)
        for one in score.record.scores
    }
    corrections: dict[str, list[Effect]] = {}
    for one in score.corrections:
        corrections.setdefault(one.cell, []).append(Effect(one.points, one.reason, one.key))
    stamp = list(graded_notebook.size_and_time(path) or ())
    if before and stamp and before.stamp == stamp:
        notebook, conditions = before.notebook, before.conditions
    else:
        notebook = _read(path, before.notebook if before else Notebook())
    return Work(stamp, score.final, scores, corrections, notebook, conditions)


def _read(path: Path, before: Notebook) -> Notebook:
    try:
        content = read_regular_file(path, graded_notebook.MAX_BYTES)
        digest = _digest(content)
        if digest == before.digest:
            return before
        document = notebook_in(content)
    except (Unreadable, OSError) as why:
        return Notebook(trouble=f"its graded notebook cannot be read: {why}")
    section = document["metadata"].get(METADATA_KEY)
    finished = isinstance(section, dict) and section.get(graded_notebook.FINISHED) is True
    parts: dict[str, list[PartResult]] = {}
    answers: dict[str, str] = {}
    instructors: dict[str, str] = {}
    others = hashlib.sha256()
    for cell in document["cells"]:
        if not isinstance(cell, dict):
            continue
        marks, source = marks_of(cell), text_of(cell.get("source"))
        if is_notes(NotebookNode(cell, source=source)):
            continue
        name = marks.get("grade_id")
        if not isinstance(name, str):
            others.update(source.encode("utf-8", "surrogatepass") + b"\0")
            continue
        is_test = marks.get("grade") is True and not marks.get("solution")
        of_instructor = is_test or (marks.get("locked") is True and not marks.get("solution"))
        digests = instructors if of_instructor else answers
        digests[name] = digest_of_source(source)
        if is_test and cell.get("cell_type") == "code":
            parts[name] = parts_of(cell)
    answers[_OTHERS] = others.hexdigest()[:16]
    trouble = "" if finished else "its last grading did not finish"
    return Notebook(parts, answers, instructors, read_problems(document), trouble, digest)


def digest_of_source(source: str) -> str:
    """Return the digest of a cell's source, as a `Notebook` keeps it."""
    return _digest(source.encode("utf-8", "surrogatepass"))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
