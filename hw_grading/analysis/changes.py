"""Compares two runs of each submission: whose points changed, in which test and part, and why."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hw_grading.batch.job import OURS
from hw_grading.gradebook.questions import Place, order_in
from hw_grading.gradebook.results import Result, Results
from hw_grading.gradebook.runs import GradedWith, Run
from hw_grading.gradebook.scores import in_digits, named
from hw_grading.outcome import Part, Status
from hw_support.submission.problems import Kind

_ARROW = "\N{RIGHTWARDS ARROW}"
_MOST_NAMED = 4
# PROTOCOL is included: a notebook that does not stop at its time limit stops answering.
_LIMITS = {Kind.TIME_LIMIT, Kind.MEMORY_LIMIT, Kind.DISK_LIMIT, Kind.OUTPUT_LIMIT, Kind.PROTOCOL}
_BESIDE = {Kind.FOLDER, Kind.OTHER_NOTEBOOK}  # problems that do not affect scores


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
    def passes(self) -> bool:
        """Whether it passes now."""
        return self.after is not None and self.after.passed

    @property
    def in_words(self) -> str:
        """A description of the change."""
        words = [
            "none" if part is None else "passed" if part.passed else "failed"
            for part in (self.before, self.after)
        ]
        return f"{self.name}: {words[0]} {_ARROW} {words[1]}"


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

    @property
    def difference(self) -> float:
        """The points that the student gained; negative if points were lost."""
        return self.after - self.before


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
        passes: Counter[tuple[Place, str]] = Counter()
        fails: Counter[tuple[Place, str]] = Counter()
        for change in self.changes:
            for part in change.parts:
                (passes if part.passes else fails)[change.place, part.name] += 1
        keys = dict.fromkeys([*passes, *fails])
        return [(place, name, passes[place, name], fails[place, name]) for place, name in keys]


def compare(before: Mapping[str, Run], results: Results, students: Collection[str]) -> Comparison:
    """Compare the last runs of these students with the runs `before`, as far as these are known.

    Points that people gave, corrections and lateness are those of now, also before.
    """
    order = order_in(results.places)
    chosen = [results.students[student] for student in sorted(students)]
    runs = {one.student.id: one.run for one in chosen if one.run}
    both = [
        (results.as_of(one.student.id, before[one.student.id]), one)
        for one in chosen
        if one.run and _number(before, one) < one.run.number and one.student.id in before
    ]
    changed = (change for old, new in both for change in _changes_of(old, new, results))
    waiting = [
        (new.student.id, results.places[score.cell.name], _why_again(old, new, score.cell.name))
        for old, new in both
        for score in new.known.scores
        if score.manual is not None and score.waits
    ]
    totals = {new.student.id: (old.final, new.final) for old, new in both}
    at = max((run.at for run in runs.values()), default=datetime.min)
    return Comparison(
        results.assignment,
        max((run.at for run in before.values()), default=at),
        at,
        tuple(sorted(changed, key=lambda change: (change.student, *order(change.cell)))),
        {student: pair for student, pair in totals.items() if abs(pair[0] - pair[1]) > 1e-9},
        sum(score.manual is not None for _, new in both for score in new.known.scores),
        waiting,
        [(one.student.id, why) for one in chosen if (why := _why_not_graded(before, one))],
        [student for student in runs if student not in before],
        len(both),
    )


def _number(before: Mapping[str, Run], result: Result) -> int:
    run = before.get(result.student.id)
    return run.number if run else 0


def _why_not_graded(before: Mapping[str, Run], result: Result) -> str:
    if result.status is Status.NOT_GRADED:
        return result.reason
    if result.run and _number(before, result) < result.run.number:
        return ""
    return "this regrade has not graded it: see the messages above"


def _changes_of(old: Result, new: Result, results: Results) -> Iterator[Change]:
    assert old.run
    assert new.run
    autos = [{s.cell.name: s.auto for s in one.known.scores} for one in (old, new)]
    by_hand = {s.cell.name for s in new.known.scores if s.manual is not None}
    for cell in results.cells:
        name = cell.name
        parts = tuple(_part_changes(old.run, new.run, name))
        flipped = any(part.before and part.after for part in parts)
        points = old.points(name), new.points(name)
        tests = autos[0].get(name), autos[1].get(name)
        if cell.by_hand or not (_differ(*points) or _differ(*tests) or flipped):
            continue
        why = tuple(_reasons(name, old.run, new.run))
        about = (new.student.id, name, results.places[name])
        yield Change(*about, *points, tests, cell.max_points, parts, why, name in by_hand)


def _part_changes(old: Run, new: Run, cell: str) -> Iterator[PartChange]:
    runs = [{part.name: part for part in run.parts_of(cell)} for run in (old, new)]
    for name in dict.fromkeys([*runs[1], *runs[0]]):
        before, after = runs[0].get(name), runs[1].get(name)
        if before is None or after is None or before.passed != after.passed:
            yield PartChange(before, after)


def _why_again(old: Result, new: Result, cell: str) -> str:
    assert old.run
    assert new.run
    is_answer = cell in new.run.answers
    one, other = (
        (run.answers if is_answer else run.graded_with["cells"]).get(cell)
        for run in (old.run, new.run)
    )
    if one != other:
        return "the answer changed" if is_answer else "the test changed"
    return "the answer's output changed" if is_answer else "the test gives different points"


def _differ(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is not other
    return abs(one - other) > 1e-9


# -- why


def _reasons(cell: str, old: Run, new: Run) -> Iterator[str]:
    """Yield the reasons why the points of one test changed, in words; at least one."""
    found = [*_contents(cell, old, new)]
    limits = [[p.message for p in run.problems if p.kind in _LIMITS] for run in (old, new)]
    if limits[0] != limits[1] or not found:
        found += _changed_limits(old.graded_with, new.graded_with)
    found += [f"reached a limit before: {one}" for one in limits[0] if one not in limits[1]]
    found += [f"reaches a limit now: {one}" for one in limits[1] if one not in limits[0]]
    repairs = [
        {p.message for p in run.repairs if p.kind not in _BESIDE | _LIMITS} for run in (old, new)
    ]
    if more := sorted(repairs[1] - repairs[0]):
        found.append(f"repaired now: {more[0]}")
    elif gone := sorted(repairs[0] - repairs[1]):
        found.append(f"repaired before: {gone[0]}")
    found += _code(old.graded_with, new.graded_with)
    found = found or [*_packages(old.graded_with, new.graded_with)]
    yield from found or ["no change is recorded: the answer may be random, or close to a limit"]


def of_graded_with(one: GradedWith, other: GradedWith) -> Iterator[str]:
    """Yield the differences between what two runs were graded with."""
    if cells := _different(one["cells"], other["cells"]):
        yield f"instructor's cells changed: {named(cells, _MOST_NAMED)}"
    yield from _changed_limits(one, other)
    yield from _code(one, other)
    yield from _packages(one, other)


def _contents(cell: str, old: Run, new: Run) -> Iterator[str]:
    most = [sum(part.points for part in run.parts_of(cell)) for run in (old, new)]
    if _differ(*most):
        yield f"points changed: {in_digits(most[0])} {_ARROW} {in_digits(most[1])}"
    instructors = _different(old.graded_with["cells"], new.graded_with["cells"])
    if cell in instructors:
        yield "test changed"
    tests = {part.cell for run in (old, new) for part in run.parts}
    if others := [name for name in instructors if name not in tests]:
        yield f"instructor's cells changed: {named(others, _MOST_NAMED)}"
    if answers := _different(old.answers, new.answers):
        names = [name for name in answers if name]
        yield f"answer changed: {named(names, _MOST_NAMED)}" if names else "answer changed"


def _different(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    return [name for name in dict.fromkeys([*one, *other]) if one.get(name) != other.get(name)]


def _changed_limits(one: GradedWith, other: GradedWith) -> Iterator[str]:
    old, new = one["limits"], other["limits"]
    for name in _different(old, new):
        yield f"limit changed: {name} {old.get(name, 'none')} {_ARROW} {new.get(name, 'none')}"


def _code(one: GradedWith, other: GradedWith) -> Iterator[str]:
    if files := _different(one["code"], other["code"]):
        yield f"staff code changed: {named(files, _MOST_NAMED)}"


def _packages(one: GradedWith, other: GradedWith) -> Iterator[str]:
    old, new = one["packages"], other["packages"]
    names = _different(old, new)
    if others := [name for name in names if name != OURS]:
        versions = [f"{n} {old.get(n, 'none')} {_ARROW} {new.get(n, 'none')}" for n in others]
        yield f"packages changed: {named(versions, _MOST_NAMED)}"
    elif names:
        yield "the grader itself changed"
