"""Compares two runs of each submission: whose points changed, in which test and part, and why.

Why: what differs between the digests and values with which the two were graded.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from hw_grading.analysis.report import clipped, fit
from hw_grading.grade.job import OURS
from hw_grading.gradebook.results import Results, StudentResult
from hw_grading.gradebook.runs import GradedWith, Run
from hw_grading.homework.notebook import in_source
from hw_grading.outcome import PartResult, Status
from hw_grading.texts import aligned, counted, csv_of, in_digits, named

ARROW = "\N{RIGHTWARDS ARROW}"
_MAX_NAMED = 4
_MAX_SHOWN = 60  # changed tests in a terminal
_WIDEST = 36  # columns of a name in a terminal
_GRADED_WITH = {  # each kind, likely reasons first
    "cells": "instructor's cells changed",
    "limits": "limit changed",
    "code": "staff code changed",
    "packages": "packages changed",
}


class Change(NamedTuple):
    """A changed part of a student's test, or a test whose points changed without its parts.

    The fields are the columns of the table. Those of a missing part are empty.
    """

    student: str
    question: str
    cell: str
    points_before: float | None  # the points that count; None: the test has no score
    points_after: float | None
    points_possible: float
    part: str
    part_before: str  # "passed" or "failed"
    part_after: str
    message_before: str
    message_after: str
    why: str  # the likeliest reason first


@dataclass(frozen=True)
class Comparison:
    """The differences between two runs of each submission."""

    changes: Sequence[Change] = ()  # by student, in the notebook's order
    kept: int = 0  # how many scores by people there are
    waiting: Sequence[str] = ()  # those to look at again, in words
    not_graded: Sequence[tuple[str, str]] = ()  # who has no new run, and why
    new: Sequence[str] = ()  # who had no run before
    compared: int = 0  # how many students

    @property
    def by_test(self) -> list[list[Change]]:
        """The changes in groups, one for each student and test."""
        groups = groupby(self.changes, key=lambda change: (change.student, change.cell))
        return [list(group) for _, group in groups]


def compare(
    before: Mapping[str, Run],
    results: Results,
    students: Collection[str],
    began: Mapping[str, int],
) -> Comparison:
    """Compare the last runs of these students with the runs `before`, as far as these are known.

    A student whose last run has the same number as when the regrade `began` is not graded. Points
    that people gave, corrections and lateness are those of now, also before.
    """
    changes, waiting, not_graded, new = list[Change](), list[str](), [], []
    kept = compared = 0
    for student in sorted(students):
        result, old = results.students[student], before.get(student)
        run, is_known = result.run, result.status is Status.NOT_GRADED
        if run is None or run.number == began.get(student):
            why = "this regrade has not graded it: see the messages above"
            not_graded.append((student, result.reason if is_known else why))
            continue
        if is_known:
            not_graded.append((student, result.reason))
        if old is None:
            new.append(student)
            continue
        compared += 1
        changes += _changes(results, results.as_of(student, old), result, old, run)
        by_hand = [score for score in result.known.scores if score.manual is not None]
        kept += len(by_hand)
        waiting += [f"{student}, {results.places[s.cell.name]}" for s in by_hand if s.waits]
    return Comparison(tuple(changes), kept, waiting, not_graded, new, compared)


def _changes(
    results: Results, was: StudentResult, now: StudentResult, old: Run, new: Run
) -> Iterator[Change]:
    for cell in results.cells:
        name = cell.name
        runs = [{part.name: part for part in run.parts_of(name)} for run in (old, new)]
        pairs = [(runs[0].get(part), runs[1].get(part)) for part in {**runs[1], **runs[0]}]
        parts = [pair for pair in pairs if _word(pair[0]) != _word(pair[1])]
        before, after = (None if name in one.unscored else one.points(name) for one in (was, now))
        flipped = any(old_part and new_part for old_part, new_part in parts)
        if cell.by_hand or not (_differ(before, after) or flipped):
            continue
        why = "; ".join(_reasons(name, old, new))
        for old_part, new_part in parts or [(None, None)]:
            part = new_part or old_part
            label = "" if part is None else "the whole test" if part.is_whole else part.name
            yield Change(
                student=now.student.id,
                question=str(results.places[name]),
                cell=name,
                points_before=before,
                points_after=after,
                points_possible=cell.max_points,
                part=label,
                part_before=_word(old_part),
                part_after=_word(new_part),
                message_before=old_part.message if old_part else "",
                message_after=new_part.message if new_part else "",
                why=why,
            )


def _differ(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is not other
    return abs(one - other) > 1e-9


def _shown(points: float | None) -> str:
    return "no score" if points is None else in_digits(points)


def _word(part: PartResult | None) -> str:
    return "" if part is None else "passed" if part.passed else "failed"


# -- why


def _reasons(cell: str, old: Run, new: Run) -> Iterator[str]:
    """Yield the reasons why the points of one test changed, in words; at least one."""
    found = []
    if cell in _different(old.graded_with["cells"], new.graded_with["cells"]):
        found.append("test changed")
    if answers := _different(old.answers, new.answers):
        names = [name for name in answers if name]
        found.append(f"answer changed: {named(names, _MAX_NAMED)}" if names else "answer changed")
    tests = {part.cell for run in (old, new) for part in run.parts}
    others = _graded_differently(old.graded_with, new.graded_with, tests)
    packages = others.pop("packages", "")
    unknown = "only the fresh inputs changed: the answer may be random, or right for some of them"
    yield from [*found, *others.values()] or [packages or unknown]


def _graded_differently(
    one: GradedWith, other: GradedWith, apart: Collection[str]
) -> dict[str, str]:
    """Say how what two runs were graded with differs, by kind; without the cells `apart`."""
    found = {}
    cells = {*apart, *_different(one["cells"], other["cells"])}  # their solutions are not named
    for kind, words in _GRADED_WITH.items():
        old, new = one[kind], other[kind]
        without = apart if kind == "cells" else {in_source(name) for name in cells}
        names = [name for name in _different(old, new) if name not in without]
        shown = names
        if kind in ("limits", "packages"):
            changed = (name for name in names if name != OURS)
            shown = [f"{n} {old.get(n, 'none')} {ARROW} {new.get(n, 'none')}" for n in changed]
        if shown:
            found[kind] = f"{words}: {named(shown, _MAX_NAMED)}"
        elif names:
            found[kind] = "the grader itself changed"
    return found


def _different(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    return [name for name in {**one, **other} if one.get(name) != other.get(name)]


# -- shown


def as_csv(found: Comparison) -> str:
    """Return the table: one row for each changed part, or for a score without changed parts."""
    return csv_of([Change._fields, *found.changes])


def as_text(found: Comparison, width: int) -> str:
    """Return the lines for a terminal, none wider than `width` columns."""
    lines = [*_by_part(found), *_table(found), *_summary(found)]
    return "\n".join(clipped(_printable(line), width).rstrip() for line in lines)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _by_part(found: Comparison) -> Iterator[str]:
    parts = [(c.question, c.part, c.part_after) for c in found.changes if c.part]
    counts = Counter(parts)
    for question, name in dict.fromkeys(part[:2] for part in parts):
        verbs = {"passed": "now passes for", "failed": "now fails for"}
        said = [f"{verb} {n}" for one, verb in verbs.items() if (n := counts[question, name, one])]
        if said:
            yield f"{question}, {name}: {', '.join(said)}"


def _table(found: Comparison) -> Iterator[str]:
    tests = found.by_test
    if not tests:
        return
    shown = tests[:_MAX_SHOWN]
    rows = [("student", "question", "points", "of", "why")]
    for one, *_ in shown:
        points = f"{_shown(one.points_before)} {ARROW} {_shown(one.points_after)}"
        who, where = fit(one.student, _WIDEST), fit(one.question, _WIDEST)
        rows.append((who, where, points, in_digits(one.points_possible), one.why[:1000]))
    heads, *lines = aligned(rows)
    yield from ("", heads)
    for line, changes in zip(lines, shown, strict=True):
        yield line
        for one in changes:
            if one.part:
                results = f"{one.part_before or 'none'} {ARROW} {one.part_after or 'none'}"
                message = f" ({one.message_after})" if one.message_after else ""
                yield f"    {one.part}: {results}{message}"
    if len(tests) > len(shown):
        yield f"... and {len(tests) - len(shown)} more: see the table"
    yield ""


def _summary(found: Comparison) -> Iterator[str]:
    compared = f"{counted(found.compared, 'student')} compared"
    scores = [c for c, *_ in found.by_test if _differ(c.points_before, c.points_after)]
    if scores:
        up = sum((c.points_after or 0.0) > (c.points_before or 0.0) for c in scores)
        students = counted(len({change.student for change in scores}), "student")
        changed = f"{counted(len(scores), 'score')} changed, of {students}"
        yield f"{changed}: {up} up, {len(scores) - up} down. {compared}."
    else:
        yield f"No score changed. {compared}."
    if found.kept:
        yield f"Scores by people that are kept: {found.kept:,}."
    if found.waiting:
        yield f"A person has to look at {counted(len(found.waiting), 'answer')} again:"
        yield from (f"  {answer}" for answer in found.waiting)
    if found.new:
        new = named(found.new, 2 * _MAX_NAMED)
        yield f"Not compared, since this version graded them for the first time: {new}."
    yield from (f"NOT GRADED: {student}: {why}." for student, why in found.not_graded)
