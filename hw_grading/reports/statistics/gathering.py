"""Reads the data for the page without the names of students."""

import contextlib
import json
import math
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hw_grading.final_scores.scores import FinalScore, final_scores
from hw_grading.homework.course import Course
from hw_grading.records.graded_notebook import plain, sources_in
from hw_grading.records.results import Roster, StudentResult, read_results
from hw_grading.records.scores import Record, due_date
from hw_grading.rubrics.gradings import graders_of
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
    """A part of a test that at least one submission failed."""

    item: int  # the number of its test among the items
    name: str  # its name in the test
    hidden: bool  # whether students cannot see it in their notebook
    points: str  # its points, as written beside the name; "" if missing
    failed: int  # the number of submissions that failed it
    causes: tuple[tuple[str, int], ...]  # in the messages, with counts; the most frequent first


@dataclass(frozen=True)
class Given:
    """Points that a grader gave for an answer; `grader` is "" if unknown."""

    item: int
    grader: str
    points: float


@dataclass(frozen=True)
class ClassData:
    """A class without names."""

    assignment: str
    most: float  # the maximum points
    students: int  # the number of students in the gradebook
    handed_in: int  # the number of students who submitted, in the gradebook or not
    items: tuple[Item, ...]
    points: Numbers  # of each graded submission, shape (graded, items); NaN if not given yet
    finals: Numbers  # the final scores of the wholly graded submissions
    parts: tuple[Part, ...]
    hours: Numbers  # from the due date to the submission, negative before it; empty without one
    hours_of_graded: Numbers  # the same for each row of `points`; NaN if unknown
    late: int  # the number of late submissions, with extensions counted
    cpu_seconds: Numbers  # the known CPU times of submissions
    mended: Numbers  # the number of mended cells in each graded submission
    mended_kinds: tuple[tuple[str, int], ...]  # the number of submissions with each kind
    given: tuple[Given, ...] = ()

    @property
    def whole(self) -> NDArray[np.bool_]:
        """Which graded submissions have all points assigned, shape (graded,)."""
        return np.asarray(~np.isnan(self.points).any(axis=1))

    @property
    def graded(self) -> int:
        """The number of submissions that have the points of all tests."""
        return len(self.points)


def gather(course: Path, assignment: str) -> ClassData:
    """Read the data of a class, with the errors of `hw_grading.records.results.read_results`."""
    roster, results = read_results(course, assignment)
    here = roster.course
    finals = final_scores(here, assignment)
    count = {cell.name for cell in finals.cells}  # a dropped question does not count as failed
    roster = replace(roster, cells=tuple(cell for cell in roster.cells if cell.name in count))
    graded = [result for result in results if result.record.scored]
    items = []
    for cell in roster.cells:
        place = roster.places[cell.name]
        question, title = plain(place.question, 60), plain(place.title, 80)
        items.append(Item(cell.name, question, title, cell.by_hand, cell.max_points))
    of_graded = [finals.students[result.record.student] for result in graded]
    points = _array(_points(roster, final) for final in of_graded)
    points = points.reshape(len(graded), len(roster.cells))
    whole = ~np.isnan(points).any(axis=1)
    due = due_date(here.db_url, assignment)
    hours = _array(_hours(one, due) for one in results)
    config = here.config
    folder = config.WholeClass.folder if "folder" in config.WholeClass else "grading"
    spent = cpu_seconds_in(Path(here.root, str(folder), f"{assignment}.jsonl"))
    mended = [[p for p in r.problems if p.severity is Severity.MENDED] for r in graded]
    kinds = Counter(kind for problems in mended for kind in {str(p.kind) for p in problems})
    return ClassData(
        assignment,
        finals.max_score,
        len(finals.students),
        sum(_is_there(roster, one.record) for one in results),
        tuple(items),
        points,
        _array(final.final for final in of_graded)[whole],
        _parts(roster, graded),
        hours[~np.isnan(hours)],
        _array(_hours(one, due) for one in graded),
        sum(one.record.seconds_late > 0 for one in results),
        _array(spent[r.record.student] for r in results if r.record.student in spent),
        _array(len({p.cell for p in problems if p.cell}) for problems in mended),
        tuple(kinds.most_common()),
        tuple(_given(here, roster, graded)),
    )


def _array(values: Iterable[Any]) -> Numbers:
    return np.asarray(list(values), dtype=float)


def _is_there(roster: Roster, record: Record) -> bool:
    """Return whether a student has submitted a notebook, in the gradebook or not."""
    folder = roster.course.submitted(record.student, roster.assignment)
    in_gradebook = record.handed_in or record.scores
    return bool(in_gradebook) or os.path.lexists(folder / f"{roster.assignment}.ipynb")


def _points(roster: Roster, final: FinalScore) -> list[float]:
    """Return the points for each cell with corrections; NaN if not given yet."""
    scores = final.record.scores if final.record else ()
    given = {score.cell.name for score in scores if not score.is_open}
    names = (cell.name for cell in roster.cells)
    return [final.points(name) if name in given else math.nan for name in names]


def _hours(result: StudentResult, due: datetime | None) -> float:
    moment = result.record.handed_in
    return (moment - due).total_seconds() / 3600 if moment and due else math.nan


# -- failed parts


def _parts(roster: Roster, graded: Iterable[StudentResult]) -> tuple[Part, ...]:
    """Count the failed parts of tests and their causes, the most frequent part first."""
    numbers = {cell.name: n for n, cell in enumerate(roster.cells) if not cell.by_hand}
    causes: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for result in graded:
        seen = set()
        for fault in result.faults:
            key = (numbers.get(fault.cell, -1), fault.part or _BROKE_OFF)
            if key[0] >= 0 and key not in seen:  # once for each submission
                seen.add(key)
                causes[key][cause_in(fault.message)] += 1
    visible = sources_in(roster.course.release(roster.assignment) / f"{roster.assignment}.ipynb")
    found = []
    for (item, part), counts in causes.items():
        name = _POINTS.sub("", part)
        points = match[1] if (match := _POINTS.search(part)) else ""
        hidden = part != _BROKE_OFF and name not in visible.get(roster.cells[item].name, "")
        said = tuple((text, n) for text, n in counts.most_common() if text)
        found.append(Part(item, name, hidden, points, counts.total(), said))
    return tuple(sorted(found, key=lambda one: (-one.failed, one.item, one.name)))


def cause_in(message: str) -> str:
    """Return the cause from a failure's message, without its numbers, which vary."""
    _, found, cause = message.partition(_CAUSE)
    said = cause if found else _NUMBER.sub("…", message)
    return plain(said, _LONGEST_CAUSE)


# -- CPU times and graders


def cpu_seconds_in(path: Path) -> Mapping[str, float]:
    """Return the CPU time of each student's last run, from the grader's records.

    Unfinished lines of a killed run are skipped. A missing file counts as empty.
    """
    spent = {}
    with contextlib.suppress(OSError), path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
                entry = json.loads(line)
                seconds = float(entry["cpu_seconds"])
                if math.isfinite(seconds) and seconds > 0:
                    spent[str(entry["student"])] = seconds
    return spent


def _given(course: Course, roster: Roster, graded: Iterable[StudentResult]) -> Iterable[Given]:
    who = graders_of(course.db_url, roster.assignment)
    numbers = {cell.name: n for n, cell in enumerate(roster.cells)}
    for result in graded:
        for score in result.record.scores:
            name, manual = score.cell.name, score.manual
            if name not in numbers or not score.cell.by_hand or manual is None:
                continue
            grader, points = who.get((name, result.record.student), ("", None))
            same = points is not None and math.isclose(points, manual, abs_tol=1e-9)
            yield Given(numbers[name], plain(grader, 60) if same else "", manual)
