"""Compares two snapshots of a class: whose points changed, in which test and part."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hw_grading.analysis.reasons import reasons
from hw_grading.batch.snapshot import Points, Snapshot, Work
from hw_grading.gradebook.graded_notebook import PartResult
from hw_grading.gradebook.questions import Place, Places, order_in
from hw_grading.outcome import Status

_NONE = Points(None, None, 0.0, False)


@dataclass(frozen=True)
class PartChange:
    """A part of a test whose result changed between passed and failed."""

    name: str
    before: PartResult | None  # None if the part did not exist
    after: PartResult | None  # None if it no longer exists

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
        return f"{self.name or 'the test'}: {words[0]} \N{RIGHTWARDS ARROW} {words[1]}"


@dataclass(frozen=True)
class Change:
    """A student's points for one cell, before and after."""

    student: str
    cell: str
    place: Place
    before: float | None  # the points that count; None if there were none
    after: float | None
    tests: tuple[float | None, float | None]  # the points from the tests, before and after
    most: float  # the cell's points now
    parts: tuple[PartChange, ...]  # that changed
    why: tuple[str, ...]  # the likeliest first
    overridden: bool  # whether a person's score counts instead of the test's

    @property
    def difference(self) -> float:
        """The points that the student gained; negative if points were lost."""
        return (self.after or 0.0) - (self.before or 0.0)


@dataclass(frozen=True)
class Comparison:
    """The differences between two snapshots."""

    assignment: str
    since: datetime
    at: datetime
    changes: Sequence[Change]  # by student, in the notebook's order
    totals: Mapping[str, tuple[float, float]]  # final scores before and after, where they changed
    kept: int  # how many manual scores are unchanged
    waiting: Sequence[tuple[str, Place, str]]  # manual scores to look at again, and why
    lost: Sequence[tuple[str, Place]]  # manual scores that are gone
    not_graded: Sequence[tuple[str, str]]  # who has no valid scores now, and why
    new: Sequence[str]  # who had no scores before
    compared: int  # how many students
    # Questions for people that have other points now: the points before and after
    worth: Sequence[tuple[Place, float, float]] = ()

    @property
    def by_part(self) -> list[tuple[Place, str, int, int]]:
        """Place, name, and counts of students who now pass and fail, for each part that changed."""
        passes: Counter[tuple[Place, str]] = Counter()
        fails: Counter[tuple[Place, str]] = Counter()
        for change in self.changes:
            for part in change.parts:
                (passes if part.passes else fails)[change.place, part.name or "the test"] += 1
        keys = dict.fromkeys([*passes, *fails])
        return [(place, name, passes[place, name], fails[place, name]) for place, name in keys]


def compare(
    before: Snapshot, after: Snapshot, places: Places, students: Collection[str] = ()
) -> Comparison:
    """Compare two snapshots of one assignment, for these students or everybody."""
    order = order_in(places)
    chosen = [s for s in sorted(after.students) if not students or s in students]
    both = [s for s in chosen if s in before.students and _has_tests(before, s)]
    changed = [change for s in both for change in _changes_of(s, before, after, places)]
    changes = tuple(sorted(changed, key=lambda c: (c.student, *order(c.cell))))
    finals = {s: (before.students[s].final, after.students[s].final) for s in both}
    kept, waiting, lost = 0, [], []
    for student in both:
        works = before.students[student], after.students[student]
        for cell, old in works[0].scores.items():
            new = works[1].scores.get(cell, _NONE)
            place = places[cell]
            if old.manual is None:
                continue
            if new.manual is None:
                lost.append((student, place))
            else:
                kept += 1
            if new.waits and not old.waits:
                waiting.append((student, place, _why_again(cell, *works)))
    totals = {s: pair for s, pair in finals.items() if _differ(*pair)}
    without = [s for s in chosen if after.students[s].status is Status.NOT_GRADED]
    not_graded = tuple((s, after.students[s].notebook.trouble) for s in without)
    first_time = tuple(s for s in chosen if s not in both and after.students[s].stamp)
    most = [(cell, before.max_points.get(cell), after.max_points[cell]) for cell in after.by_hand]
    worth = [(places[cell], old, new) for cell, old, new in most if old not in (None, new)]
    about = (after.assignment, before.at, after.at)
    return Comparison(
        *about, changes, totals, kept, waiting, lost, not_graded, first_time, len(both), worth
    )


def _has_tests(snapshot: Snapshot, student: str) -> bool:
    scores = snapshot.students[student].scores
    return not scores or any(score.auto is not None for score in scores.values())


def _changes_of(
    student: str, before: Snapshot, after: Snapshot, places: Places
) -> Iterator[Change]:
    old, new = before.students[student], after.students[student]
    conditions = before.conditions_of(student), after.conditions_of(student)
    for cell in dict.fromkeys([*old.scores, *new.scores]):
        scores = old.scores.get(cell, _NONE), new.scores.get(cell, _NONE)
        points = _counting(old, cell), _counting(new, cell)
        autos = scores[0].auto, scores[1].auto
        parts = tuple(_part_changes(old, new, cell))
        flipped = any(part.before and part.after for part in parts)
        if not (_differ(*points) or _differ(*autos) or flipped):
            continue
        most = before.max_points.get(cell), after.max_points.get(cell)
        why = tuple(reasons(cell, (old, new), conditions, most))
        overridden = scores[1].manual is not None and cell not in after.by_hand
        about = (student, cell, places[cell])
        yield Change(*about, *points, autos, most[1] or 0.0, parts, why, overridden)


def _counting(work: Work, cell: str) -> float | None:
    score = work.scores.get(cell)
    if score is None:
        return None
    return score.counting + sum(effect.points for effect in work.corrections.get(cell, ()))


def _part_changes(old: Work, new: Work, cell: str) -> Iterator[PartChange]:
    works = [{part.name: part for part in work.notebook.parts.get(cell, ())} for work in (old, new)]
    for name in dict.fromkeys([*works[1], *works[0]]):
        before, after = works[0].get(name), works[1].get(name)
        if before is None or after is None or before.passed != after.passed:
            yield PartChange(name, before, after)


def _why_again(cell: str, old: Work, new: Work) -> str:
    was, now = old.notebook, new.notebook
    is_answer = cell in now.answers
    one, other = (n.answers.get(cell) or n.instructors.get(cell) for n in (was, now))
    if one != other:
        return "the answer changed" if is_answer else "the test changed"
    return "the answer's output changed" if is_answer else "the test gives different points"


def _differ(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is not other
    return abs(one - other) > 1e-9
