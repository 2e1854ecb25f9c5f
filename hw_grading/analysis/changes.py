"""Compares two runs of each submission: whose points changed, in which test and part, and why."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from hw_grading.batch.job import OURS
from hw_grading.gradebook.questions import Place
from hw_grading.gradebook.results import Result, Results
from hw_grading.gradebook.runs import GradedWith, Run
from hw_grading.gradebook.scores import in_digits, named
from hw_grading.outcome import Part, Status
from hw_support.submission.problems import Kind, Severity

ARROW = "\N{RIGHTWARDS ARROW}"
_MOST_NAMED = 4
# PROTOCOL is included: a notebook that does not stop at its time limit stops answering.
_LIMITS = {Kind.TIME_LIMIT, Kind.MEMORY_LIMIT, Kind.DISK_LIMIT, Kind.OUTPUT_LIMIT, Kind.PROTOCOL}
_BESIDE = {Kind.FOLDER, Kind.OTHER_NOTEBOOK}  # problems that do not affect scores
_GRADED_WITH = {  # each kind, likely reasons first
    "cells": "instructor's cells changed",
    "limits": "limit changed",
    "code": "staff code changed",
    "packages": "packages changed",
}


class Change(NamedTuple):
    """A changed part of a student's test, or a test whose points changed without its parts.

    The fields but the last are the columns of the table. Those of a missing part are empty.
    """

    student: str
    question: str
    title: str
    cell: str
    points_before: float  # the points that count
    points_after: float
    points_possible: float  # now
    tests_before: float | None  # the points from the tests
    tests_after: float | None
    part: str
    part_before: str  # "passed" or "failed"
    part_after: str
    message_before: str
    message_after: str
    why: str  # the likeliest reason first
    total_before: float | None  # the final scores; None if they did not change
    total_after: float | None
    by_hand: bool  # whether a person's score counts instead of the test's

    @property
    def place(self) -> str:
        """The question, and the part of it."""
        return str(Place(self.question, self.title))


@dataclass(frozen=True)
class Comparison:
    """The differences between two runs of each submission."""

    assignment: str
    since: datetime
    at: datetime
    changes: Sequence[Change] = ()  # by student, in the notebook's order
    kept: int = 0  # how many scores by people there are
    waiting: Sequence[tuple[str, Place, str]] = ()  # those to look at again, and why
    not_graded: Sequence[tuple[str, str]] = ()  # who has no new run, and why
    new: Sequence[str] = ()  # who had no run before
    compared: int = 0  # how many students

    @property
    def by_test(self) -> list[list[Change]]:
        """The changes in groups, one for each student and test."""
        groups = groupby(self.changes, key=lambda change: (change.student, change.cell))
        return [list(group) for _, group in groups]

    @property
    def by_part(self) -> list[tuple[str, str, int, int]]:
        """Place, name, and counts of students who now pass and fail, for each part that changed."""
        parts = [(c.place, c.part, c.part_after == "passed") for c in self.changes if c.part]
        counts = Counter(parts)
        keys = dict.fromkeys(part[:2] for part in parts)
        return [(*key, counts[*key, True], counts[*key, False]) for key in keys]


def compare(before: Mapping[str, Run], results: Results, students: Collection[str]) -> Comparison:
    """Compare the last runs of these students with the runs `before`, as far as these are known.

    Points that people gave, corrections and lateness are those of now, also before.
    """
    changes, waiting, not_graded, new = list[Change](), [], [], []
    kept, compared, moments = 0, 0, []
    for student in sorted(students):
        result, old = results.students[student], before.get(student)
        run = result.run
        if run is None or (old and run.number <= old.number):
            why = "this regrade has not graded it: see the messages above"
            is_known = result.status is Status.NOT_GRADED
            not_graded.append((student, result.reason if is_known else why))
            continue
        if result.status is Status.NOT_GRADED:
            not_graded.append((student, result.reason))
        moments.append(run.at)
        if old is None:
            new.append(student)
            continue
        was = results.as_of(student, old)
        compared += 1
        changes += _changes(results, was, result, old, run)
        by_hand = [score for score in result.known.scores if score.manual is not None]
        kept += len(by_hand)
        again = [score.cell.name for score in by_hand if score.waits]
        waiting += [(student, results.places[c], _why_again(c, old, run)) for c in again]
    at = max(moments, default=datetime.min)
    return Comparison(
        results.assignment,
        max((run.at for run in before.values()), default=at),
        at,
        tuple(changes),
        kept,
        waiting,
        not_graded,
        new,
        compared,
    )


def _changes(results: Results, was: Result, now: Result, old: Run, new: Run) -> Iterator[Change]:
    autos = [{s.cell.name: s.auto for s in one.known.scores} for one in (was, now)]
    by_hand = {s.cell.name for s in now.known.scores if s.manual is not None}
    changed = _differ(was.final, now.final)
    totals = (was.final if changed else None, now.final if changed else None)
    for cell in results.cells:
        name, most, place = cell.name, cell.max_points, results.places[cell.name]
        runs = [{part.name: part for part in run.parts_of(name)} for run in (old, new)]
        pairs = [(runs[0].get(part), runs[1].get(part)) for part in {**runs[1], **runs[0]}]
        parts = [pair for pair in pairs if _word(pair[0]) != _word(pair[1])]
        points = was.points(name), now.points(name)
        tests = autos[0].get(name), autos[1].get(name)
        flipped = any(before and after for before, after in parts)
        if cell.by_hand or not (_differ(*points) or _differ(*tests) or flipped):
            continue
        about = (now.student.id, place.question, place.title, name)
        why = "; ".join(_reasons(name, old, new))
        for before, after in parts or [(None, None)]:
            part = after or before
            label = "" if part is None else "the whole test" if part.is_whole else part.name
            said = (before.message if before else "", after.message if after else "")
            of_part = (label, _word(before), _word(after), *said)
            yield Change(*about, *points, most, *tests, *of_part, why, *totals, name in by_hand)


def _word(part: Part | None) -> str:
    return "" if part is None else "passed" if part.passed else "failed"


def _why_again(cell: str, old: Run, new: Run) -> str:
    if cell in new.answers:
        is_same = old.answers.get(cell) == new.answers[cell]
        return "the answer's output changed" if is_same else "the answer changed"
    tests = [run.graded_with["cells"].get(cell) for run in (old, new)]
    return "the test gives different points" if tests[0] == tests[1] else "the test changed"


def _differ(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is not other
    return abs(one - other) > 1e-9


# -- why


def _reasons(cell: str, old: Run, new: Run) -> Iterator[str]:
    """Yield the reasons why the points of one test changed, in words; at least one."""
    most = [sum(part.points for part in run.parts_of(cell)) for run in (old, new)]
    found = [f"points changed: {f' {ARROW} '.join(map(in_digits, most))}"] if _differ(*most) else []
    if cell in _different(old.graded_with["cells"], new.graded_with["cells"]):
        found.append("test changed")
    if answers := _different(old.answers, new.answers):
        names = [name for name in answers if name]
        found.append(f"answer changed: {named(names, _MOST_NAMED)}" if names else "answer changed")
    for verb, when, run, other in (("reached", "before", old, new), ("reaches", "now", new, old)):
        known = {problem.message for problem in other.problems}
        problems = [problem for problem in run.problems if problem.message not in known]
        found += [f"{verb} a limit {when}: {p.message}" for p in problems if p.kind in _LIMITS]
        mended = (p for p in problems if p.severity is Severity.MENDED)
        repairs = [p.message for p in mended if p.kind not in _BESIDE | _LIMITS]
        found += [f"repaired {when}: {message}" for message in repairs[:1]]
    tests = {part.cell for run in (old, new) for part in run.parts}
    others = graded_differently(old.graded_with, new.graded_with, tests)
    packages = others.pop("packages", "")
    unknown = "no change is recorded: the answer may be random, or close to a limit"
    yield from [*found, *others.values()] or [packages or unknown]


def graded_differently(
    one: GradedWith, other: GradedWith, apart: Collection[str] = ()
) -> dict[str, str]:
    """Say how what two runs were graded with differs, by kind; without the cells `apart`."""
    found = {}
    for kind, words in _GRADED_WITH.items():
        old, new = one[kind], other[kind]
        names = [name for name in _different(old, new) if name not in apart]
        shown = names
        if kind in ("limits", "packages"):
            changed = (name for name in names if name != OURS)
            shown = [f"{n} {old.get(n, 'none')} {ARROW} {new.get(n, 'none')}" for n in changed]
        if shown:
            found[kind] = f"{words}: {named(shown, _MOST_NAMED)}"
        elif names:
            found[kind] = "the grader itself changed"
    return found


def _different(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    return [name for name in {**one, **other} if one.get(name) != other.get(name)]
