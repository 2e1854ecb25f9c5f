"""Compares two runs of each submission: whose points changed, in which test and part, and why."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

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


@dataclass(frozen=True)
class PartChange:
    """A part of a test whose result changed between passed and failed."""

    before: Part | None  # None if the part did not exist
    after: Part | None  # None if it no longer exists

    @property
    def name(self) -> str:
        """The part's name."""
        part = self.after or self.before
        return "the whole test" if part is None or part.is_whole else part.name

    @property
    def results(self) -> list[str]:
        """The results before and after, in words; "" for none."""
        both = (self.before, self.after)
        return ["" if p is None else "passed" if p.passed else "failed" for p in both]

    @property
    def in_words(self) -> str:
        """A description of the change."""
        return f"{self.name}: {f' {ARROW} '.join(one or 'none' for one in self.results)}"


@dataclass(frozen=True)
class Change:
    """A student's points for one test, before and after."""

    student: str
    cell: str
    place: Place
    before: float  # the points that count
    after: float
    tests: tuple[float | None, float | None]  # the points from the tests, before and after
    most: float  # the cell's points now
    parts: tuple[PartChange, ...]  # that changed
    why: tuple[str, ...]  # the likeliest first
    overridden: bool  # whether a person's score counts instead of the test's


@dataclass(frozen=True)
class Comparison:
    """The differences between two runs of each submission."""

    assignment: str
    since: datetime
    at: datetime
    changes: Sequence[Change] = ()  # by student, in the notebook's order
    # Final scores before and after, where they changed
    totals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    kept: int = 0  # how many scores by people there are
    waiting: Sequence[tuple[str, Place, str]] = ()  # those to look at again, and why
    not_graded: Sequence[tuple[str, str]] = ()  # who has no new run, and why
    new: Sequence[str] = ()  # who had no run before
    compared: int = 0  # how many students

    @property
    def by_part(self) -> list[tuple[Place, str, int, int]]:
        """Place, name, and counts of students who now pass and fail, for each part that changed."""
        counts: Counter[tuple[Place, str, bool]] = Counter(
            (change.place, part.name, part.results[1] == "passed")
            for change in self.changes
            for part in change.parts
        )
        keys = dict.fromkeys(key[:2] for key in counts)
        return [(*key, counts[*key, True], counts[*key, False]) for key in keys]


def compare(before: Mapping[str, Run], results: Results, students: Collection[str]) -> Comparison:
    """Compare the last runs of these students with the runs `before`, as far as these are known.

    Points that people gave, corrections and lateness are those of now, also before.
    """
    changes, waiting, not_graded, new = list[Change](), [], [], []
    totals: dict[str, tuple[float, float]] = {}
    kept, moments = 0, []
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
        totals[student] = (was.final, result.final)
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
        {student: both for student, both in totals.items() if _differ(*both)},
        kept,
        waiting,
        not_graded,
        new,
        len(totals),
    )


def _changes(results: Results, was: Result, now: Result, old: Run, new: Run) -> Iterator[Change]:
    autos = [{s.cell.name: s.auto for s in one.known.scores} for one in (was, now)]
    by_hand = {s.cell.name for s in now.known.scores if s.manual is not None}
    for cell in results.cells:
        name = cell.name
        runs = [{part.name: part for part in run.parts_of(name)} for run in (old, new)]
        every = [PartChange(*(r.get(part) for r in runs)) for part in {**runs[1], **runs[0]}]
        parts = tuple(part for part in every if len(set(part.results)) > 1)
        flipped = any(part.before and part.after for part in parts)
        points = was.points(name), now.points(name)
        tests = autos[0].get(name), autos[1].get(name)
        if not cell.by_hand and (_differ(*points) or _differ(*tests) or flipped):
            about = (now.student.id, name, results.places[name])
            why = tuple(_reasons(name, old, new))
            yield Change(*about, *points, tests, cell.max_points, parts, why, name in by_hand)


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
