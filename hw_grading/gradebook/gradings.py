"""The state of the answers to one question: the desk's data, beside nbgrader's own tables."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nbgrader import api
from sqlalchemy import Row, Table, select, update

from hw_grading.gradebook.database import now
from hw_grading.gradebook.desk_tables import ANSWERS, APPLIED, GRADINGS, Rows
from hw_grading.gradebook.history import Stamp, log
from hw_grading.gradebook.model import Grading, Mark, Refused, Rubric

_tables = api.Base.metadata.tables
_ASSIGNMENT, _SOURCE, _CELL = (_tables[name] for name in ("assignment", "notebook", "base_cell"))
_SUBMISSION, _NOTEBOOK = _tables["submitted_assignment"], _tables["submitted_notebook"]
_GRADE, _COMMENT = _tables["grade"], _tables["comment"]


@dataclass(frozen=True)
class _Given:
    """One answer in nbgrader's tables; `grade` and `comment` are the keys of its rows."""

    grade: str
    comment: str | None
    score: float | None
    auto: float | None
    waits: bool
    text: str | None


def _read_given(rows: Rows, student: str | None, *, lock: bool) -> dict[str, _Given]:
    """Return the contents of nbgrader's tables, by student; `lock` locks the rows."""
    here = _ASSIGNMENT.c.name == rows.assignment
    whose = select(_NOTEBOOK.c.id, _SUBMISSION.c.student_id)
    whose = whose.select_from(_NOTEBOOK.join(_SUBMISSION).join(_ASSIGNMENT))
    if student is not None:
        whose = whose.where(_SUBMISSION.c.student_id == student)
    students = {row[0]: row[1] for row in rows.connection.execute(whose.where(here))}
    cells = select(_CELL.c.id).select_from(_CELL.join(_SOURCE).join(_ASSIGNMENT))
    keys = list(rows.connection.scalars(cells.where(here, _CELL.c.name == rows.cell)))

    def by_notebook(table: Table) -> dict[str, Row[Any]]:
        query = select(table).where(table.c.cell_id.in_(keys))
        if student is not None:
            query = query.where(table.c.notebook_id.in_(list(students)))
        if lock:
            query = query.with_for_update()  # SQLite has already locked the whole database
        found = rows.connection.execute(query)
        return {row.notebook_id: row for row in found if row.notebook_id in students}

    grades, comments = by_notebook(_GRADE), by_notebook(_COMMENT)
    given = {}
    for notebook, row in grades.items():
        comment = comments.get(notebook)
        key, text = (comment.id, comment.manual_comment) if comment else (None, None)
        scores = (row.manual_score, row.auto_score, bool(row.needs_manual_grade))
        given[students[notebook]] = _Given(row.id, key, *scores, text)
    return given


def _give(rows: Rows, given: _Given, score: float | None, text: str | None, *, waits: bool) -> None:
    """Write nbgrader's score and comment."""
    grade = update(_GRADE).where(_GRADE.c.id == given.grade)
    rows.connection.execute(grade.values(manual_score=score, needs_manual_grade=waits))
    if given.comment is not None:
        comment = update(_COMMENT).where(_COMMENT.c.id == given.comment)
        rows.connection.execute(comment.values(manual_comment=text or None))


def read_gradings(
    rows: Rows, rubric: Rubric, student: str | None = None, *, lock: bool = False
) -> dict[str, Grading]:
    """Return the state of each answer, or of one student's; `lock` locks nbgrader's rows of it."""
    given = _read_given(rows, student, lock=lock)
    known = rubric.ids
    chosen: dict[str, set[str]] = {}
    for row in rows.all(APPLIED, student):
        chosen.setdefault(row.student, set()).add(row.item)
    saved = {row.student: row for row in rows.all(GRADINGS, student)}
    digests = {row.student: row.digest for row in rows.all(ANSWERS, student)}
    found = {}
    for name, one in given.items():
        still = known & chosen.get(name, set())
        found[name] = _grading(name, one, saved.get(name), still, digests.get(name, ""))
    return found


def read_grading(rows: Rows, rubric: Rubric, student: str, *, lock: bool = False) -> Grading:
    """Return the state of a student's answer; `Refused` if there is none."""
    gradings = read_gradings(rows, rubric, student, lock=lock)
    if student not in gradings:
        raise Refused(f"The gradebook has no answer of {student!r} to this question.")
    return gradings[student]


def write_grading(
    rows: Rows,
    grading: Grading,
    rubric: Rubric,
    mark: Mark,
    stamp: Stamp,
    back: Mapping[str, Any] | None = None,
) -> None:
    """Save a mark: nbgrader's score and comment, and the desk's rows.

    `grading` is the state before the save. For an undo, `back` is the state to which it returns.
    """
    student = grading.student
    given = _read_given(rows, student, lock=True)[student]
    score, text = None, None
    if mark.done:
        score = rubric.score(mark.chosen, mark.adjustment, stamp.max_points)
        text = rubric.comment(mark, stamp.max_points)
    before = next(iter(rows.all(GRADINGS, student)), None)
    digest_before = before.digest if before else ""
    shown = (score, text)
    if back is not None:
        waits = back["waits"] or (grading.mark.done and grading.waits)  # tests queued it again
        digest = back["digest"]
        if back["overridden"]:
            shown = (back["score"], back["comment"])
    else:
        # A changed comment or flag of an answer that is queued again is not a new grade.
        old = grading.mark
        same = (old.chosen, old.adjustment, old.done) == (mark.chosen, mark.adjustment, mark.done)
        only_remarks = grading.waits and old.done and same and old != mark
        now_there = {row.digest for row in rows.all(ANSWERS, student)}
        # Whether the answer was autograded again, and changed, while the grader looked at it.
        outdated = bool(stamp.digest and now_there) and stamp.digest not in now_there
        waits = only_remarks or outdated or (not mark.done and given.auto is None)
        digest = digest_before if only_remarks else stamp.digest or digest_before
    _give(rows, given, *shown, waits=waits)
    values = {
        **mark.plain(),
        "student": student,
        "revision": (before.revision if before else 0) + 1,
        "score": score,
        "given_comment": text,
        "digest": digest,
        "grader": stamp.grader,
        "at": now(),
        "seconds": (before.seconds if before else 0.0) + stamp.seconds,
    }
    applied = [{"student": student, "item": item} for item in values.pop("chosen")]
    rows.replace(GRADINGS, [values], student)
    rows.replace(APPLIED, applied, student)
    state = {name: getattr(grading, name) for name in ("score", "comment", "waits", "overridden")}
    state |= {"mark": grading.mark.plain(), "digest": digest_before}
    log(rows, stamp, student, state, {"mark": mark.plain(), "score": score})


def rescore(rows: Rows, student: str, score: float | None, text: str | None) -> None:
    """Write the score and comment that a changed rubric gives an answer graded on the desk."""
    given = _read_given(rows, student, lock=True)[student]
    _give(rows, given, score, text, waits=given.waits)
    here = rows.here(GRADINGS, student)
    rows.connection.execute(update(GRADINGS).where(here).values(score=score, given_comment=text))


def _grading(
    student: str, given: _Given, saved: Row[Any] | None, chosen: frozenset[str], digest: str
) -> Grading:
    if saved is None:
        overridden = given.score is not None or given.text is not None
    else:
        overridden = (given.score, given.text or "") != (saved.score, saved.given_comment or "")
    version = str(saved.revision if saved else 0)  # the same after a changed rubric
    if overridden:
        version += f"-{hashlib.sha256(repr((given.score, given.text)).encode()).hexdigest()[:12]}"
    in_gradebook = (given.score, given.waits, given.text or "", overridden)
    if saved is None:
        return Grading(student, version, Mark(), *in_gradebook)
    mark = Mark(chosen, saved.adjustment, saved.comment, saved.done, saved.flagged, saved.flag_note)
    changed = bool(saved.done and saved.digest and digest and saved.digest != digest)
    about = (changed, saved.grader, saved.at, saved.seconds)
    return Grading(student, version, mark, *in_gradebook, *about)
