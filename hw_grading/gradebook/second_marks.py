"""Second marks: a sample of answers that a second grader marks without seeing the first mark.

The first mark counts until a head grader takes one of the two. A second mark keeps the first one as
it was then, so that both can be compared whatever happens to the answer later.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from hw_grading.gradebook.marks import Answer, Rows, Stamp, mark_from_row
from hw_grading.gradebook.model import Conflict, Grading, Mark, Refused, Rubric
from hw_grading.gradebook.tables import SECOND_MARKS, now, upsert


@dataclass(frozen=True)
class Marked:
    """One grader's mark of an answer."""

    grader: str
    mark: Mark
    points: float


@dataclass(frozen=True)
class Pair:
    """Two graders' marks for one answer."""

    student: str
    first: Marked
    second: Marked
    taken: str  # whose mark a head grader took; "" until then
    now: Grading  # what counts


def sample(assignment: str, cell: str, students: Iterable[str], percent: float) -> set[str]:
    """Return the students whose answers are marked twice: so many percent, rounded up.

    It depends on their ids alone, never on what they wrote.
    """
    before = f"second\n{assignment}\n{cell}\n"
    order = sorted(students, key=lambda s: hashlib.sha256((before + s).encode()).digest())
    return set(order[: math.ceil(len(order) * percent / 100)])


def offered(
    rows: Rows, rubric: Rubric, answers: Mapping[str, Answer], grader: str, percent: float
) -> dict[str, Grading]:
    """Return what a grader marks a second time, with the grader's own marks alone."""
    kept = rows.all(SECOND_MARKS)
    own = {row.student: row for row in kept if row.grader == grader}
    taken = {row.student for row in kept if row.student not in own or row.taken}
    drawn = sample(rows.assignment, rows.cell, answers, percent) | own.keys()
    return {
        student: _grading(answers[student], own.get(student), rubric, rows.most)
        for student in drawn & answers.keys() - taken
        if student in own or _is_marked_by_another(answers[student].grading, grader)
    }


def save(
    rows: Rows, rubric: Rubric, student: str, version: str, mark: Mark, stamp: Stamp
) -> Grading | Conflict:
    """Save a grader's second mark of an answer; a `Conflict` if it is newer than `version`."""
    answer = rows.answer(rubric, student)
    [*there] = rows.all(SECOND_MARKS, student=student, grader=stamp.grader)
    before = there[0] if there else None
    grading = _grading(answer, before, rubric, rows.most)
    if before is None and not _is_marked_by_another(answer.grading, stamp.grader):
        raise Refused("Nobody else has marked this answer. Load the page again.")
    if before and before.taken:
        raise Refused("A head grader has taken one of the two marks of this answer.")
    if grading.version != version:
        return Conflict(grading)
    first = answer.grading
    values = {
        "revision": int(version) + 1,
        "mark": json.dumps(mark.plain()),
        "first": json.dumps(first.mark.plain()),
        "first_grader": first.grader,
        "digest": stamp.digest or answer.digest,
        "taken": "",
        "at": now(),
    }
    key = rows.key | {"student": student, "grader": stamp.grader}
    upsert(rows.connection, SECOND_MARKS, key, **values)
    after = {"mark": mark.plain(), "score": _points(rubric, mark, rows.most)}
    rows.log(stamp, student, {"mark": grading.mark.plain(), "score": grading.score}, after)
    [row] = rows.all(SECOND_MARKS, student=student, grader=stamp.grader)
    return _grading(answer, row, rubric, rows.most)


def marked(rows: Rows) -> tuple[dict[str, Marked], list[Pair]]:
    """Return what graders said first of each answer, by student, and the pairs of two marks."""
    rubric, _ = rows.rubric()
    answers = rows.answers(rubric)

    def said(grader: str, mark: Mark) -> Marked:
        return Marked(grader, mark, rubric.score(mark, rows.most))

    gradings = {s: a.grading for s, a in answers.items() if _counts(a.grading)}
    firsts = {student: said(one.grader, one.mark) for student, one in gradings.items()}
    pairs = []
    for row in rows.all(SECOND_MARKS):
        first, second = _mark(row.first, rubric), _mark(row.mark, rubric)
        if row.student in answers and first.done and second.done:
            two = said(row.first_grader, first), said(row.grader, second)
            pairs.append(Pair(row.student, *two, row.taken, answers[row.student].grading))
            firsts[row.student] = two[0]
    return firsts, pairs


def take(rows: Rows, student: str, version: str, whose: str, stamp: Stamp) -> Grading:
    """Let one of two marks count; `whose` is its grader. `Conflict` if the answer has changed."""
    rubric, _ = rows.rubric()
    answer = rows.answer(rubric, student, lock=True)
    for row in rows.all(SECOND_MARKS, student=student):
        marks = {row.first_grader: row.first, row.grader: row.mark}
        if whose in marks:
            if answer.grading.version != version:
                raise Conflict(answer.grading)
            key = rows.key | {"student": student, "grader": row.grader}
            upsert(rows.connection, SECOND_MARKS, key, taken=whose)
            return rows.save(answer, rubric, _mark(marks[whose], rubric), stamp)
    raise Refused(f"{whose} has not marked this answer. Load the page again.")


def _is_marked_by_another(grading: Grading, grader: str) -> bool:
    return _counts(grading) and not grading.changed and grading.grader != grader


def _counts(grading: Grading) -> bool:
    """Return whether a grader's mark on the desk is what counts."""
    return grading.mark.done and not grading.waits and not grading.overridden


def _grading(answer: Answer, row: Row[Any] | None, rubric: Rubric, most: float) -> Grading:
    """Return the state of a second mark, which says nothing of the first one."""
    student = answer.grading.student
    if row is None:
        return Grading(student, "0")
    mark = _mark(row.mark, rubric)
    changed = bool(mark.done and row.digest and answer.digest and row.digest != answer.digest)
    return Grading(
        student,
        str(row.revision),
        mark,
        score=_points(rubric, mark, most),
        waits=not mark.done,
        changed=changed,
        grader=row.grader,
        at=row.at,
    )


def _points(rubric: Rubric, mark: Mark, most: float) -> float | None:
    return rubric.score(mark, most) if mark.done else None


def _mark(plain: str, rubric: Rubric) -> Mark:
    """Return a stored mark, with the items that the rubric has now."""
    values = json.loads(plain)
    return mark_from_row(values | {"chosen": rubric.ids.intersection(values["chosen"])})
