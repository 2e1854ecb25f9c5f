"""What became of each submission: scores from the gradebook, reasons from the graded notebooks.

Trusted are the gradebook and the instructor's notebook in ``source/``. A graded notebook holds what
a student wrote and printed: it is opened as a regular file of bounded size, no shape of its JSON is
taken for granted, and whatever comes out of it is text, made harmless for a terminal by `plain`.
Nothing is written. A damaged file never stops the class: it becomes that student's reason.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nbgrader import api
from nbgrader.utils import parse_utc
from sqlalchemy import create_engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from hw_grading.problems import Problem, Severity, read_problems, shown
from hw_grading.submission_file import Unreadable, read_regular_file

MAX_NOTEBOOK_BYTES = 200_000_000
MOST_FAULTS = 50  # of one cell


class ResultsError(Exception):
    """There is no class to report on; the text says what is missing."""


class Status(StrEnum):
    """The outcome for one student."""

    GRADED = "graded"
    FAILED = "submission failed"
    NOT_GRADED = "not graded"


@dataclass(frozen=True)
class Place:
    """Where a cell stands in the instructor's notebook.

    Attributes
    ----------
    question
        The heading that it is counted under: ``"1.3e"``, ``"Certification"``.
    title
        The innermost heading, without its points.
    scheme
        The mark scheme of the question that it answers, or "".
    """

    question: str
    title: str
    scheme: str = ""

    def __str__(self) -> str:
        return self.title if self.title == self.question else f"{self.question} {self.title}"


@dataclass(frozen=True)
class Cell:
    """A cell that points are given for; `by_hand` if a person gives them."""

    name: str
    max_points: float
    by_hand: bool


@dataclass(frozen=True)
class Score:
    """A student's points for one cell: None where nobody, or no test, has given any."""

    cell: Cell
    auto: float | None
    manual: float | None
    extra: float
    waits: bool  # for a person

    @property
    def points(self) -> float:
        """What counts: the manual score, or else the automatic one, and extra credit."""
        given = self.auto if self.manual is None else self.manual
        return 0.0 if given is None else given + self.extra


@dataclass(frozen=True)
class Record:
    """What the gradebook holds of one student; no scores where it holds nothing."""

    student: str
    handed_in: Any = None  # datetime in UTC, without a time zone; or None
    seconds_late: float = 0.0
    penalty: float = 0.0
    scores: tuple[Score, ...] = ()

    @property
    def scored(self) -> bool:
        """Whether every test has a score."""
        return bool(self.scores) and all(s.auto is not None for s in self.scores if not s.cell.by_hand)

    @property
    def auto_total(self) -> float:
        """Points given by tests."""
        return sum(s.auto or 0.0 for s in self.scores if not s.cell.by_hand)

    @property
    def total(self) -> float:
        """Points so far, less the penalty for lateness: what nbgrader exports."""
        return max(0.0, sum(s.points for s in self.scores) - self.penalty)

    @property
    def late(self) -> str:
        """The lateness in words: ``"2 d 3 h"``, or "" if on time."""
        minutes = -(-round(self.seconds_late) // 60)
        days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
        if days:
            return f"{days} d {hours} h"
        return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else ""


@dataclass(frozen=True)
class Fault:
    """Something that went wrong in a cell: a failed part of a test, or (`part` "") an error."""

    cell: str
    part: str
    message: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.cell.removeprefix("test_"), self.part, self.message)))


@dataclass(frozen=True)
class StudentResult:
    """One student: the record, the outcome, and why."""

    record: Record
    status: Status
    reason: str
    problems: tuple[Problem, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Roster:
    """An assignment's cells in the notebook's order, and who handed in, by student id.

    `places` tells, also for cells without points, where each stands in the notebook; it is empty
    if there is no ``source/``.
    """

    course: Path
    assignment: str
    cells: tuple[Cell, ...]
    records: tuple[Record, ...]
    places: Mapping[str, Place]

    @property
    def auto_max(self) -> float:
        """The points that tests can give."""
        return sum(cell.max_points for cell in self.cells if not cell.by_hand)

    @property
    def max_total(self) -> float:
        """All points."""
        return sum(cell.max_points for cell in self.cells)

    def place(self, name: str) -> Place:
        """Return where a cell stands; its own name has to do if the notebook lacks it."""
        return self.places.get(name) or Place(name, name)


def read_results(course: Path, assignment: str) -> tuple[Roster, list[StudentResult]]:
    """Read all that is known of a class: the gradebook, and each graded notebook once.

    Parameters
    ----------
    course
        The folder with ``gradebook.db``, ``submitted``, ``autograded`` and ``source``.
    assignment
        Such as ``"hw2"``; its notebook has the same name.

    Raises
    ------
    ResultsError
        If there is no gradebook, or it does not know the assignment.
    """
    roster = read_roster(course, assignment)
    return roster, [read_student(roster, record)[0] for record in roster.records]


def read_roster(course: Path, assignment: str) -> Roster:
    """Read the gradebook, the names in ``submitted/`` and the instructor's notebook.

    Raises
    ------
    ResultsError
        As `read_results`.
    """
    path = course / "gradebook.db"
    places = _read_places(course / "source" / assignment / f"{assignment}.ipynb")
    if not path.is_file():
        raise ResultsError(f"There is no {path}: run `nbgrader generate_assignment {assignment}`")
    # "rw" and not "rwc": an empty gradebook is not made where there was none.
    engine = create_engine(f"sqlite:///file:{quote(str(path.resolve()))}?mode=rw&uri=true")
    try:
        with Session(engine) as db:
            cells, records, others = _read_gradebook(db, assignment)
    except SQLAlchemyError as error:
        raise ResultsError(f"Reading {path} failed: {plain(str(error), 300)}") from error
    finally:
        engine.dispose()
    order = {name: number for number, name in enumerate(places)}
    cells.sort(key=lambda cell: (order.get(cell.name, len(order)), cell.name))
    for student in _folders(course / "submitted", assignment, others):
        records.setdefault(student, Record(student))
    by_id = tuple(records[student] for student in sorted(records))
    return Roster(course, assignment, tuple(cells), by_id, places)


def read_student(roster: Roster, record: Record) -> tuple[StudentResult, dict[str, dict[str, Any]]]:
    """Read one student's graded notebook.

    Returns
    -------
    result
        What became of the submission.
    cells
        The notebook's cells by grade id, of any content; empty if it cannot be read.
    """
    name = roster.assignment
    path = roster.course / "autograded" / record.student / name / f"{name}.ipynb"
    cells: dict[str, dict[str, Any]] = {}
    problems: list[Problem] = []
    unreadable = ""
    try:
        document = _notebook(path)
        cells, problems = _cells_by_id(document), read_problems(document)
    except Unreadable as why:
        unreadable = str(why)
    failures = [p.message for p in problems if p.severity is Severity.FAILED]
    if reason := _why_not_graded(roster, record, path, unreadable):
        status = Status.NOT_GRADED
    elif failures:
        status, reason = Status.FAILED, " ".join(failures)
    else:
        status = Status.GRADED
    faults = [fault for name, cell in cells.items() for fault in _faults(name, cell)]
    return StudentResult(record, status, reason, tuple(problems), tuple(faults)), cells


def plain(text: str, limit: int) -> str:
    """Return at most `limit` characters on one line, without any that a terminal would obey."""
    line = " ".join(text[: 4 * limit].split())
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def text_of(value: Any) -> str:
    """Return a notebook's text, which may be a string or a list of lines; "" for anything else."""
    lines = value if isinstance(value, list) else [value]
    return "".join(line for line in lines if isinstance(line, str))


def outputs_of(cell: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a cell's outputs, without those that are not even objects."""
    outputs = cell.get("outputs")
    return [o for o in outputs if isinstance(o, dict)] if isinstance(outputs, list) else []


def error_of(output: Mapping[str, Any]) -> str:
    """Return the name and the first line of the message of an error output."""
    message = text_of(output.get("evalue")).strip().partition("\n")[0]
    return ": ".join(filter(None, (plain(text_of(output.get("ename")), 80), plain(message, 300))))


def _read_gradebook(
    db: Session, assignment: str
) -> tuple[list[Cell], dict[str, Record], set[str]]:
    """Return the cells, a record for each submission, and the names of other assignments."""
    due = dict(db.execute(select(api.Assignment.name, api.Assignment.duedate)).tuples().all())
    if assignment not in due:
        raise ResultsError(
            f"The gradebook knows no assignment {assignment!r}: "
            f"run `nbgrader generate_assignment {assignment}`"
        )

    def of_this(kind: Any, *columns: Any) -> Any:
        query = select(kind.name, *columns).join(api.Notebook, kind.notebook_id == api.Notebook.id)
        query = query.join(api.Assignment, api.Notebook.assignment_id == api.Assignment.id)
        return db.execute(query.where(api.Assignment.name == assignment)).all()

    answers = {name for (name,) in of_this(api.SolutionCell)}
    cells = {
        identity: Cell(name, points, name in answers)
        for name, identity, points in of_this(api.GradeCell, api.GradeCell.id, api.GradeCell.max_score)
    }
    for name, identity, points in of_this(api.TaskCell, api.TaskCell.id, api.TaskCell.max_score):
        cells[identity] = Cell(name, points, by_hand=True)

    scores: dict[str, list[Score]] = {}
    grade, hand_in, notebook = api.Grade, api.SubmittedAssignment, api.SubmittedNotebook
    of_grades = (
        select(
            notebook.assignment_id, grade.cell_id, grade.auto_score, grade.manual_score,
            grade.extra_credit, grade.needs_manual_grade,
        )
        .join(notebook, grade.notebook_id == notebook.id)
        .where(grade.cell_id.in_(list(cells)))
    )  # fmt: skip
    for submission, cell, auto, manual, extra, waits in db.execute(of_grades):
        score = Score(cells[cell], auto, manual, extra or 0.0, bool(waits))
        scores.setdefault(submission, []).append(score)

    penalties: dict[str, float] = {}
    for submission, penalty in db.execute(
        select(notebook.assignment_id, notebook.late_submission_penalty)
    ):
        penalties[submission] = penalties.get(submission, 0.0) + (penalty or 0.0)

    records = {}
    of_submissions = (
        select(hand_in.id, hand_in.student_id, hand_in.timestamp, hand_in.extension)
        .join(api.Assignment, hand_in.assignment_id == api.Assignment.id)
        .where(api.Assignment.name == assignment)
    )
    for submission, student, when, extension in db.execute(of_submissions):
        seconds = 0.0
        if when is not None and due[assignment] is not None:
            limit = due[assignment] + extension if extension else due[assignment]
            seconds = max(0.0, (when - limit).total_seconds())
        records[student] = Record(
            student, when, seconds, penalties.get(submission, 0.0), tuple(scores.get(submission, ()))
        )
    return list(cells.values()), records, set(due) - {assignment}


def _folders(submitted: Path, assignment: str, others: set[str]) -> Iterator[str]:
    """Give those who handed in anything that is not clearly for another assignment."""
    try:
        students = [entry for entry in os.scandir(submitted) if entry.is_dir()]
    except OSError:
        return
    for student in students:
        if student.name.startswith("."):
            continue
        try:
            names = set(os.listdir(student))
        except OSError:
            names = {assignment}  # may be anything: better listed than lost
        if any(name == assignment or not name.startswith(".") for name in names - others):
            yield student.name


def _why_not_graded(roster: Roster, record: Record, graded: Path, unreadable: str) -> str:
    name = roster.assignment
    folder = roster.course / "submitted" / record.student / name
    again = f"run `nbgrader autograde {name}`"
    if record.scored and not unreadable:
        newer = _timestamp(folder / "timestamp.txt")
        if newer and record.handed_in and newer > record.handed_in:
            return f"A newer version was handed in after the one that has these scores: {again}"
        return ""
    if record.scored:
        return f"The gradebook has scores, but reading the graded notebook failed: {unreadable}"
    if not os.path.lexists(folder / f"{name}.ipynb"):
        try:
            names = sorted(os.listdir(folder))
            where = "the folder"
        except OSError:
            names = sorted(os.listdir(folder.parent)) if folder.parent.is_dir() else []
            where = f"place of a folder {name}"
        found = ", ".join(shown(n) for n in names[:5]) + (", …" if len(names) > 5 else "")
        return f"No {name}.ipynb was handed in; in {where}: {found or 'nothing'}"
    if os.path.lexists(graded):
        return f"Grading did not come to its end, and gave no scores: {again} again"
    return f"Handed in, and not autograded yet: {again}"


def _timestamp(path: Path) -> Any:
    try:
        return parse_utc(read_regular_file(path, 1_000).decode().strip())
    except (Unreadable, ValueError, OverflowError, TypeError, AttributeError):
        return None


def _notebook(path: Path) -> Any:
    """Return a notebook's JSON, an object with a list of cells and an object of metadata."""
    try:
        document = json.loads(read_regular_file(path, MAX_NOTEBOOK_BYTES))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is not JSON in UTF-8 ({plain(str(error), 80)})") from None
    if not isinstance(document, dict) or not isinstance(document.get("cells"), list):
        raise Unreadable("it is JSON, but not a notebook of version 4")
    if not isinstance(document.get("metadata"), dict):
        document["metadata"] = {}
    return document


def _cells_by_id(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    cells = {}
    for cell in document["cells"]:
        metadata = cell.get("metadata") if isinstance(cell, dict) else None
        marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
        name = marks.get("grade_id") if isinstance(marks, dict) else None
        if isinstance(name, str):
            cells[name] = cell
    return cells


def _faults(name: str, cell: Mapping[str, Any]) -> list[Fault]:
    """Return what a cell's outputs say that went wrong, as `hw_support.Checks` prints it."""
    faults, printed = [], []
    marks = cell["metadata"]["nbgrader"]
    is_test = marks.get("grade") is True and not marks.get("solution")
    for output in outputs_of(cell):
        if output.get("output_type") == "stream" and is_test:
            printed.append(text_of(output.get("text")))
        elif output.get("output_type") == "error" and output.get("ename") != "NotImplementedError":
            faults.append(Fault(name, "", error_of(output)))
    lines = "".join(printed).split("\n")
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        # Not only at the start: what the student's function prints may lack a line's end.
        _, found, part = line.partition("FAILED  ")
        if found and part.rstrip().endswith(" pt]"):
            message = plain(after, 300) if after.startswith(" " * 8) else ""
            faults.append(Fault(name, plain(part, 120), message))
    return faults[:MOST_FAULTS]


def _read_places(path: Path) -> dict[str, Place]:
    """Return where each cell with a grade id stands; headings of levels 2 to 4 are read."""
    if not path.exists():
        return {}
    try:
        document = _notebook(path)
    except Unreadable as why:
        raise ResultsError(f"Reading {path} failed: {why}") from None
    places = {}
    headings = {2: "", 3: "", 4: ""}
    scheme = ""
    for cell in document["cells"]:
        text = text_of(cell.get("source"))
        if cell.get("cell_type") == "markdown":
            for marks, heading in re.findall(r"^(#{2,4}) +(.+?)(?: +\([^()]*points?\))?$", text, re.M):
                level = len(marks)
                headings.update({n: heading if n == level else "" for n in range(level, 5)})
                scheme = ""
            region = re.search(r"^.*BEGIN MARK SCHEME.*\n([^\0]*?)^.*END MARK SCHEME", text, re.M)
            scheme = region[1].strip() if region else scheme
        for name in _cells_by_id({"cells": [cell]}):
            counted = headings[3] or headings[2]
            first, _, rest = counted.partition(" ")
            question, own = (first, rest) if any(c.isdigit() for c in first) else (counted, counted)
            places[name] = Place(question or name, headings[4] or own or name, scheme)
    return places
