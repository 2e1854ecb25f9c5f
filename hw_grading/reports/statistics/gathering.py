"""Reads the data for the page without the names of students."""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hw_grading.final_scores.scores import FinalScore, FinalScores, final_scores
from hw_grading.homework.course import Course
from hw_grading.records.graded_notebook import cells_by_id, open_notebook, plain, text_of
from hw_grading.records.results import Roster, StudentResult, read_results
from hw_grading.records.scores import due_date
from hw_grading.rubrics.graders import graders_of
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import Severity

Numbers = NDArray[np.float64]
_POINTS = re.compile(r" \[([0-9.]+) pt\]$")
_CAUSE = "Likely cause: "
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?")
_LONGEST_CAUSE = 160
_BROKE_OFF = "the test did not finish"


@dataclass(frozen=True)
class Item:
    """A cell with points; `place` is its place in the homework, such as ``"1.1a"``."""

    name: str
    place: str
    title: str
    by_hand: bool
    max_points: float


@dataclass(frozen=True)
class Part:
    """A part of a test that at least one submission failed.

    Attributes
    ----------
    item
        The number of its test among the items.
    name
        Its name in the test.
    hidden
        Whether students cannot see it in their notebook.
    points
        Its points, as written beside the name; "" if missing.
    failed
        The number of submissions that failed it.
    causes
        The causes in the messages, without numbers, each with its count; the most frequent first.
    """

    item: int
    name: str
    hidden: bool
    points: str
    failed: int
    causes: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Given:
    """Points that a grader gave for an answer; `grader` is "" if unknown."""

    item: int
    grader: str
    points: float


@dataclass(frozen=True)
class ClassData:
    """A class without names.

    Attributes
    ----------
    most
        The maximum points.
    students, handed_in
        The number of students in the gradebook, and of all students who submitted, in the gradebook
        or not.
    points
        Shape (graded, items): the points of each graded submission; NaN if not given yet.
    finals
        The final scores of the wholly graded submissions.
    hours
        Hours from the due date to the submission, negative before it; empty without a due date.
    hours_of_graded
        The same for each row of `points`; NaN if unknown.
    late
        The number of late submissions, with extensions counted.
    cpu_seconds
        The known CPU times of submissions.
    mended
        The number of mended cells in each graded submission.
    mended_kinds
        The number of submissions with a mended problem of each kind.
    """

    assignment: str
    most: float
    students: int
    handed_in: int
    items: tuple[Item, ...]
    points: Numbers
    finals: Numbers
    parts: tuple[Part, ...]
    hours: Numbers
    hours_of_graded: Numbers
    late: int
    cpu_seconds: Numbers
    mended: Numbers
    mended_kinds: tuple[tuple[str, int], ...]
    given: tuple[Given, ...] = field(default=())

    @property
    def whole(self) -> NDArray[np.bool_]:
        """Which graded submissions have all points assigned, shape (graded,)."""
        open_ones: NDArray[np.bool_] = np.isnan(self.points)
        return np.asarray(~open_ones.any(axis=1))

    @property
    def graded(self) -> int:
        """The number of submissions that have the points of all tests."""
        return len(self.points)


def gather(course: Path, assignment: str) -> ClassData:
    """Read the data of a class.

    Parameters
    ----------
    course, assignment
        See `hw_grading.records.results.read_results`, also for the errors.
    """
    roster, results = read_results(course, assignment)
    here = roster.course
    finals = final_scores(here, assignment)
    count = {cell.name for cell in finals.cells}  # do not count a dropped question as failed by all
    roster = replace(roster, cells=tuple(cell for cell in roster.cells if cell.name in count))
    graded = [result for result in results if result.record.scored]
    items = tuple(_item(roster, n) for n in range(len(roster.cells)))
    points = np.array([_points(roster, finals, one) for one in graded], dtype=float)
    points = points.reshape(len(graded), len(items))
    whole = ~np.isnan(points).any(axis=1)
    totals = [_final(finals, one) for one in graded]
    due = due_date(here.db_url, assignment)
    hours = np.asarray([_hours(one, due) for one in results], dtype=float)
    spent = cpu_seconds_in(_progress_file(here, assignment))
    return ClassData(
        assignment,
        finals.max_score,
        len(finals.students),
        sum(bool(one.record.handed_in or one.record.scores) or _is_there(one) for one in results),
        items,
        points,
        np.asarray(totals, dtype=float)[whole],
        _parts(roster, graded),
        hours[~np.isnan(hours)],
        np.asarray([_hours(one, due) for one in graded], dtype=float),
        sum(one.record.seconds_late > 0 for one in results),
        np.asarray([spent[s] for s in (r.record.student for r in results) if s in spent]),
        np.asarray([len(_mended_cells(one)) for one in graded], dtype=float),
        _mended_kinds(graded),
        tuple(_given(here, roster, graded)),
    )


def _is_there(result: StudentResult) -> bool:
    return not result.reason.startswith("No ")


def _item(roster: Roster, number: int) -> Item:
    cell = roster.cells[number]
    place = roster.place(cell.name)
    question, title = plain(place.question, 60), plain(place.title, 80)
    return Item(cell.name, question, title, cell.by_hand, cell.max_points)


def _points(roster: Roster, finals: FinalScores, result: StudentResult) -> list[float]:
    """Return the points for each cell with corrections; NaN if not given yet."""
    scores = {score.cell.name: score for score in result.record.scores}
    corrected: dict[str, float] = defaultdict(float)
    final = finals.students.get(result.record.student)
    for correction in final.corrections if final else ():
        corrected[correction.cell] += correction.points
    row = []
    for cell in roster.cells:
        score = scores.get(cell.name)
        is_open = score is None or score.is_open
        row.append(math.nan if is_open or score is None else score.points + corrected[cell.name])
    return row


def _hours(result: StudentResult, due: datetime | None) -> float:
    moment = result.record.handed_in
    return (moment - due).total_seconds() / 3600 if moment and due else math.nan


def _final(finals: FinalScores, result: StudentResult) -> float:
    final: FinalScore | None = finals.students.get(result.record.student)
    return final.final if final else result.record.total


# -- failed parts


def _parts(roster: Roster, graded: Iterable[StudentResult]) -> tuple[Part, ...]:
    """Count the failed parts of tests and their causes, the most frequent part first."""
    numbers = {cell.name: n for n, cell in enumerate(roster.cells) if not cell.by_hand}
    failed: Counter[tuple[int, str]] = Counter()
    causes: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for result in graded:
        seen = set()
        for fault in result.faults:
            key = (numbers.get(fault.cell, -1), fault.part or _BROKE_OFF)
            if key[0] >= 0 and key not in seen:  # once for each submission
                seen.add(key)
                failed[key] += 1
                causes[key][cause_in(fault.message)] += 1
    visible = _released_tests(roster)
    found = []
    for (item, part), count in failed.items():
        name = _POINTS.sub("", part)
        points = match[1] if (match := _POINTS.search(part)) else ""
        hidden = part != _BROKE_OFF and name not in visible.get(roster.cells[item].name, "")
        said = tuple((text, n) for text, n in causes[item, part].most_common() if text)
        found.append(Part(item, name, hidden, points, count, said))
    return tuple(sorted(found, key=lambda one: (-one.failed, one.item, one.name)))


def cause_in(message: str) -> str:
    """Return the cause from a failure's message, without its numbers, which vary."""
    _, found, cause = message.partition(_CAUSE)
    said = cause if found else _NUMBER.sub("…", message)
    return plain(said, _LONGEST_CAUSE)


def _released_tests(roster: Roster) -> dict[str, str]:
    """Return the text of each test in the students' notebook; none if there is no release."""
    path = roster.course.release(roster.assignment) / f"{roster.assignment}.ipynb"
    try:
        cells = cells_by_id(open_notebook(path))
    except (Unreadable, OSError):
        return {}
    return {name: text_of(cell.get("source")) for name, cell in cells.items()}


# -- mended cells and CPU times


def _mended_cells(result: StudentResult) -> set[str]:
    return {p.cell for p in result.problems if p.severity is Severity.MENDED and p.cell}


def _mended_kinds(graded: Iterable[StudentResult]) -> tuple[tuple[str, int], ...]:
    kinds: Counter[str] = Counter()
    for result in graded:
        kinds.update({str(p.kind) for p in result.problems if p.severity is Severity.MENDED})
    return tuple(kinds.most_common())


def _progress_file(course: Course, assignment: str) -> Path:
    config = course.config
    folder = config.WholeClass.folder if "folder" in config.WholeClass else "grading"
    return Path(course.root, str(folder), f"{assignment}.jsonl")


def cpu_seconds_in(path: Path) -> Mapping[str, float]:
    """Return the CPU time of each student's last run, from the grader's records.

    Unfinished lines of a killed run are skipped. A missing file counts as empty.
    """
    spent = {}
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    entry = json.loads(line)
                    seconds = float(entry["cpu_seconds"])
                    if math.isfinite(seconds) and seconds > 0:
                        spent[str(entry["student"])] = seconds
                except (ValueError, KeyError, TypeError, RecursionError):
                    continue
    except OSError:
        return {}
    return spent


def _given(course: Course, roster: Roster, graded: Iterable[StudentResult]) -> Iterable[Given]:
    who = graders_of(course.db_url, roster.assignment)
    numbers = {cell.name: n for n, cell in enumerate(roster.cells)}
    for result in graded:
        for score in result.record.scores:
            if score.cell.name not in numbers or not score.cell.by_hand or score.manual is None:
                continue
            grader, points = who.get((score.cell.name, result.record.student), ("", None))
            same = points is not None and math.isclose(points, score.manual, abs_tol=1e-9)
            name = plain(grader, 60) if same else ""
            yield Given(numbers[score.cell.name], name, score.manual)
