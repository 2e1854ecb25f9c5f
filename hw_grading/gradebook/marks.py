"""The marks of the answers to one question, nbgrader's scores beside them, and the history.

nbgrader queues every answer that has a manual score again when tests grade its submission again.
`hw_grading.plugins.saving` keeps an answer graded, on the desk or in formgrader, if its digest is
the same as at the last autograding.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbgrader import api
from sqlalchemy import Connection, Row, Table, insert, select, update

from hw_grading.gradebook.graded_notebook import outputs_of
from hw_grading.gradebook.model import Event, Grading, Mark, Refused, Rubric
from hw_grading.gradebook.scores import counted, signed
from hw_grading.gradebook.tables import EVENTS, MARKS, now, of, put
from hw_support.submission.cells import text_of

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # an object's address, which differs in each run


@dataclass(frozen=True)
class Rows:
    """One question, in a transaction."""

    connection: Connection
    assignment: str
    cell: str
    first: Rubric  # the rubric before anybody changed it
    most: float  # the question's points

    @property
    def key(self) -> dict[str, str]:
        """The values that select the question's rows in each of our tables."""
        return {"assignment": self.assignment, "cell": self.cell}

    def all(self, table: Table, **more: str) -> list[Row[Any]]:
        """Return the question's rows, or those of them that have more values."""
        return list(self.connection.execute(select(table).where(of(table, self.key | more))))


@dataclass(frozen=True)
class Answer:
    """One answer: its state, and the rows from which it was read."""

    grading: Grading
    given: Row[Any]  # nbgrader's
    row: Row[Any] | None  # in `MARKS`


@dataclass(frozen=True)
class Stamp:
    """Who saves, and how the save is logged."""

    grader: str
    action: str
    undoes: str = ""  # the batch that this save takes back, or ""
    digest: str = ""  # of the answer that the grader saw, or ""
    batch: str = field(default_factory=lambda: uuid.uuid4().hex)  # one for everything in one save


def read_answers(
    rows: Rows, rubric: Rubric, student: str | None = None, *, lock: bool = False
) -> dict[str, Answer]:
    """Return each answer by student, or one student's; `lock` locks nbgrader's scores of it."""
    whose = {} if student is None else {"student": student}
    given = _read_given(rows, student, lock=lock)
    saved = {row.student: row for row in rows.all(MARKS, **whose)}
    return {
        one.student_id: Answer(_grading(one, row, rubric), one, row)
        for one in given
        for row in [saved.get(one.student_id)]
    }


def read_answer(rows: Rows, rubric: Rubric, student: str, *, lock: bool = False) -> Answer:
    """Return a student's answer; `Refused` if there is none."""
    answers = read_answers(rows, rubric, student, lock=lock)
    if student not in answers:
        raise Refused(f"The gradebook has no answer of {student!r} to this question.")
    return answers[student]


def save(
    rows: Rows,
    answer: Answer,
    rubric: Rubric,
    mark: Mark,
    stamp: Stamp,
    back: Mapping[str, Any] | None = None,
) -> None:
    """Save a mark of an answer, which is as it was before: our row, nbgrader's, and the event.

    For an undo, `back` is the state to which it returns.
    """
    grading, given, row = answer.grading, answer.given, answer.row
    old, student = grading.mark, grading.student
    score = rubric.score(mark, rows.most) if mark.done else None
    text = rubric.comment(mark) if mark.done else None
    digest = row.digest if row else ""
    state = {name: getattr(grading, name) for name in ("score", "comment", "waits", "overridden")}
    state |= {"mark": old.plain(), "digest": digest}
    shown = (score, text)
    if back is not None:
        waits = back["waits"] or (old.done and grading.waits)  # tests queued it again
        digest = back["digest"]
        if back["overridden"]:
            shown = (back["score"], back["comment"])
    else:
        # A changed comment or flag of an answer that is queued again is not a new grade.
        same = (old.chosen, old.adjustment, old.done) == (mark.chosen, mark.adjustment, mark.done)
        only_remarks = grading.waits and old.done and same and old != mark
        # Whether the answer was autograded again, and changed, while the grader looked at it.
        here = row.answer if row else ""
        outdated = bool(stamp.digest and here) and stamp.digest != here
        waits = only_remarks or outdated or (not mark.done and given.auto_score is None)
        digest = digest if only_remarks else stamp.digest or digest
    _give(rows, given, *shown, waits=waits)
    values = mark.plain() | {
        "chosen": json.dumps(sorted(mark.chosen)),
        "revision": (row.revision if row else 0) + 1,
        "score": score,
        "given_comment": text,
        "digest": digest,
        "grader": stamp.grader,
        "at": now(),
    }
    put(rows.connection, MARKS, rows.key | {"student": student}, **values)
    log(rows, stamp, student, state, {"mark": mark.plain(), "score": score})


def rescore(rows: Rows, answer: Answer, score: float, text: str) -> None:
    """Write the score and comment that a changed rubric gives an answer graded on the desk."""
    _give(rows, answer.given, score, text, waits=answer.grading.waits)
    key = rows.key | {"student": answer.grading.student}
    put(rows.connection, MARKS, key, score=score, given_comment=text)


def _read_given(rows: Rows, student: str | None, *, lock: bool) -> list[Row[Any]]:
    """Return nbgrader's score and comment of each answer; `lock` locks the scores."""
    grade, comment, submission = api.Grade, api.Comment, api.SubmittedAssignment
    columns = (grade.id, grade.manual_score, grade.auto_score, grade.needs_manual_grade)
    cell = api.Base.metadata.tables["base_cell"]
    keys = select(cell.c.id).where(cell.c.name == rows.cell)  # one as a grade, one as an answer
    of_notebook = comment.notebook_id == grade.notebook_id
    query = (
        select(submission.student_id, *columns, comment.id.label("comment"), comment.manual_comment)
        .select_from(grade)
        .join(api.SubmittedNotebook, grade.notebook_id == api.SubmittedNotebook.id)
        .join(submission, api.SubmittedNotebook.assignment_id == submission.id)
        .join(api.Assignment, submission.assignment_id == api.Assignment.id)
        .outerjoin(comment, of_notebook & comment.cell_id.in_(keys))
        .where(api.Assignment.name == rows.assignment, grade.cell_id.in_(keys))
    )
    if student is not None:
        query = query.where(submission.student_id == student)
    if lock:
        query = query.with_for_update(of=grade)  # SQLite has already locked the whole database
    return list(rows.connection.execute(query))


def _give(rows: Rows, given: Row[Any], score: float | None, text: str | None, waits: bool) -> None:
    """Write nbgrader's score and comment."""
    grade, comment = (api.Base.metadata.tables[name] for name in ("grade", "comment"))
    of_grade = update(grade).where(grade.c.id == given.id)
    rows.connection.execute(of_grade.values(manual_score=score, needs_manual_grade=waits))
    of_comment = update(comment).where(comment.c.id == given.comment)
    rows.connection.execute(of_comment.values(manual_comment=text or None))


def _grading(given: Row[Any], row: Row[Any] | None, rubric: Rubric) -> Grading:
    saved = row if row and row.revision else None
    text = given.manual_comment or ""
    written = (saved.score, saved.given_comment or "") if saved else (None, "")
    overridden = (given.manual_score, text) != written
    version = str(saved.revision if saved else 0)  # the same after a changed rubric
    if overridden:
        state = repr((given.manual_score, given.manual_comment))
        version += f"-{hashlib.sha256(state.encode()).hexdigest()[:12]}"
    here = (given.manual_score, bool(given.needs_manual_grade), text, overridden)
    if saved is None:
        return Grading(given.student_id, version, Mark(), *here)
    chosen = rubric.ids.intersection(json.loads(saved.chosen))
    words = (saved.comment, saved.done, saved.flagged, saved.flag_note)
    mark = Mark(chosen, saved.adjustment, *words)
    changed = saved.done and saved.digest and saved.answer and saved.digest != saved.answer
    about = (bool(changed), saved.grader, saved.at)
    return Grading(given.student_id, version, mark, *here, *about)


# -- history


def log(rows: Rows, stamp: Stamp, student: str, before: object, after: object) -> None:
    """Append an event to the history."""
    about = {name: getattr(stamp, name) for name in ("grader", "action", "batch", "undoes")}
    states = {"before": json.dumps(before), "after": json.dumps(after)}
    event = rows.key | about | states | {"at": now(), "student": student}
    rows.connection.execute(insert(EVENTS).values(event))


def last_save(rows: Rows, grader: str, action: str) -> tuple[list[Row[Any]], dict[str, str]]:
    """Return the events of a grader's newest save that was not taken back; [] if there is none.

    Return also the batch of the last such save, by anybody, of each answer.
    """
    undone = select(EVENTS.c.undoes).where(of(EVENTS, rows.key))
    query = select(EVENTS).where(of(EVENTS, rows.key | {"action": action}))
    query = query.where(EVENTS.c.batch.not_in(undone)).order_by(EVENTS.c.id.desc())
    events = rows.connection.execute(query).all()
    batch = next((event.batch for event in events if event.grader == grader), None)
    last = {event.student: event.batch for event in reversed(events)}
    return [event for event in events if event.batch == batch], last


def read_events(rows: Rows, student: str | None) -> list[Event]:
    """Return the history, the newest event first."""
    whose = {} if student is None else {"student": student}
    found = []
    for row in sorted(rows.all(EVENTS, **whose), key=lambda row: -row.id):
        before, after = json.loads(row.before), json.loads(row.after)
        about = (row.at, row.grader, row.cell, row.student, row.action)
        said = _said(after.get("mark") or {})
        found.append(Event(*about, before.get("score"), after.get("score"), said))
    return found


def mark_of(values: Mapping[str, Any]) -> Mark:
    """Return the mark that an event holds."""
    return Mark(**{**values, "chosen": frozenset(values["chosen"])})


def _said(mark: Mapping[str, Any]) -> str:
    """Return a one-line description of a mark in the history."""
    items, adjustment = len(mark.get("chosen", ())), mark.get("adjustment")
    said = [counted(items, "item")] if items else []
    if adjustment:
        said.append(f"adjustment {signed(adjustment)}")
    if mark.get("comment"):
        said.append(f"comment: {mark['comment']}")
    return "; ".join(said)


# -- unchanged answers


def digests_before(connection: Connection, assignment: str, student: str) -> dict[str, str]:
    """Return the digests of a student's answers at the last autograding, by grade id."""
    key = {"assignment": assignment, "student": student}
    query = select(MARKS.c.cell, MARKS.c.answer).where(of(MARKS, key), MARKS.c.answer != "")
    return {row.cell: row.answer for row in connection.execute(query)}


def remember(
    connection: Connection, assignment: str, student: str, digests: Mapping[str, str]
) -> None:
    """Store the digests of a student's answers as they are now."""
    key = {"assignment": assignment, "student": student}
    connection.execute(update(MARKS).where(of(MARKS, key)).values(answer=""))
    for cell, digest in digests.items():
        put(connection, MARKS, key | {"cell": cell}, answer=digest)


def answer_digest(cell: Mapping[str, Any]) -> str:
    """Return a digest, 64 hexadecimal characters, of what a grader sees of an answer."""
    digest = hashlib.sha256()
    for piece in _pieces(cell):
        encoded = piece.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(encoded) + encoded)
    return digest.hexdigest()


def _pieces(cell: Mapping[str, Any]) -> Iterator[str]:
    yield str(cell.get("cell_type"))
    yield text_of(cell.get("source")).strip()
    attachments = cell.get("attachments")
    if isinstance(attachments, dict):
        for name in sorted(attachments, key=str):
            yield str(name)
            yield from _data(attachments[name])
    if cell.get("cell_type") != "code":
        return
    for output in outputs_of(cell):
        kind = output.get("output_type")
        if kind == "stream" and output.get("name") != "stderr":
            yield _ADDRESS.sub("", text_of(output.get("text")))
        elif kind == "error":
            yield text_of(output.get("ename"))
        elif kind in ("display_data", "execute_result"):
            yield from _data(output.get("data"))


def _data(bundle: Any) -> Iterator[str]:
    """Yield the data of a bundle by type. A picture's data has no line ends."""
    if not isinstance(bundle, dict):
        return
    for kind in sorted(bundle, key=str):
        text = text_of(bundle[kind])
        yield str(kind)
        yield "".join(text.split()) if str(kind).startswith("image/") else _ADDRESS.sub("", text)
