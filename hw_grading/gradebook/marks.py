"""The rubric and the marks of one question, nbgrader's scores beside them, and the history.

nbgrader queues every answer that has a manual score again when tests grade its submission again.
`hw_grading.grade.save` keeps an answer graded, on the desk or in formgrader, if its digest is
the same as at the last autograding.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any

from nbgrader import api
from sqlalchemy import Connection, Row, Table, insert, select, update

from hw_grading.gradebook.model import (
    Event,
    Grading,
    Item,
    Mark,
    Refused,
    Rescored,
    Rubric,
    RubricChanged,
    rubric_of,
)
from hw_grading.gradebook.tables import ANSWERS, EVENTS, MARKS, RUBRICS, matching, now, upsert
from hw_grading.texts import counted, signed

_LONGEST_PAUSE = timedelta(minutes=5)  # of somebody who types one text


@dataclass(frozen=True)
class Answer:
    """One answer: its state, and the rows from which it was read."""

    grading: Grading
    given: Row[Any]  # nbgrader's
    row: Row[Any] | None  # in `MARKS`
    digest: str  # of the answer at its last autograding; "" if there was none


@dataclass(frozen=True)
class Stamp:
    """Who saves, and how the save is logged."""

    grader: str
    action: str
    undoes: str = ""  # the batch that this save takes back, or ""
    digest: str = ""  # of the answer that the grader saw, or ""
    batch: str = field(default_factory=lambda: uuid.uuid4().hex)  # one for everything in one save
    whose: str = ""  # the mark's grader, if somebody else saves it


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

    def all(self, table: Table, **more: str | None) -> list[Row[Any]]:
        """Return the question's rows, or those of them that have more values."""
        return list(self.connection.execute(select(table).where(matching(table, self.key | more))))

    # -- the rubric

    def rubric(self) -> tuple[Rubric, str]:
        """Return the rubric and who changed it last; the first one and "" before any change."""
        for row in self.all(RUBRICS):
            values = json.loads(row.rubric) | {"revision": row.revision}
            return rubric_of(values), str(row.grader)
        return self.first, ""

    def write_rubric(self, rubric: Rubric, grader: str) -> Rubric:
        """Write a rubric as its next revision. Return it with ids for its new items."""
        items = tuple(
            Item(item.id or uuid.uuid4().hex, item.points, item.text.strip(), item.note.strip())
            for item in rubric.items
        )
        new = Rubric(items, rubric.revision + 1)
        plain = json.dumps({"items": [asdict(item) for item in items]})
        upsert(
            self.connection, RUBRICS, self.key, grader=grader, revision=new.revision, rubric=plain
        )
        return new

    def rescored(self, rubric: Rubric, answers: Mapping[str, Answer]) -> list[Rescored]:
        """Return the answers, graded on the desk last, whose score changes under this rubric."""
        gradings = [answer.grading for answer in answers.values() if _is_of_the_desk(answer)]
        scores = [(g.student, g.score, rubric.score(g.mark, self.most)) for g in gradings]
        return [Rescored(who, old, new) for who, old, new in scores if old not in (None, new)]

    def change_rubric(self, rubric: Rubric, stamp: Stamp) -> tuple[Rubric, list[Rescored]]:
        """Save a rubric, its scores and comments; `RubricChanged` if somebody else changed it."""
        old, by = self.rubric()
        if rubric.revision != old.revision:
            raise RubricChanged(old, by)
        new = self.write_rubric(rubric, stamp.grader)
        # Marks keep the items that are deleted: here they may be back again.
        answers = self.answers(new, lock=True)
        changed = self.rescored(new, answers)
        for answer in filter(_is_of_the_desk, answers.values()):
            grading = answer.grading
            score = new.score(grading.mark, self.most)
            text = new.comment(grading.mark, self.most)
            self._give(answer.given, score, text, waits=grading.waits)
            key = self.key | {"student": grading.student}
            upsert(self.connection, MARKS, key, score=score, given_comment=text)
        self.log(stamp, "", {"rubric": asdict(old)}, {"rubric": asdict(new)})
        for one in changed:
            of_this = replace(stamp, action="rescored")
            self.log(of_this, one.student, {"score": one.before}, {"score": one.after})
        return new, changed

    # -- answers and their marks

    def answers(
        self, rubric: Rubric, student: str | None = None, *, lock: bool = False
    ) -> dict[str, Answer]:
        """Return each answer by student, or one student's; `lock` locks nbgrader's scores of it."""
        given = self._given(student, lock=lock)
        saved = {row.student: row for row in self.all(MARKS, student=student)}
        digests = {row.student: row.digest for row in self.all(ANSWERS, student=student)}
        answers = {}
        for one in given:
            row, digest = saved.get(one.student_id), digests.get(one.student_id, "")
            grading = _grading(one, row, rubric, digest)
            answers[one.student_id] = Answer(grading, one, row, digest)
        return answers

    def answer(self, rubric: Rubric, student: str, *, lock: bool = False) -> Answer:
        """Return a student's answer; `Refused` if there is none."""
        answers = self.answers(rubric, student, lock=lock)
        if student not in answers:
            raise Refused(f"The gradebook has no answer of {student!r} to this question.")
        return answers[student]

    def save(
        self,
        answer: Answer,
        rubric: Rubric,
        mark: Mark,
        stamp: Stamp,
        back: Mapping[str, Any] | None = None,
    ) -> Grading:
        """Save a mark of an answer, which is as it was before: our row, nbgrader's, and the event.

        For an undo, `back` is the state to which it returns. Return the answer's new state.
        """
        grading, given, row = answer.grading, answer.given, answer.row
        old, student = grading.mark, grading.student
        score = rubric.score(mark, self.most) if mark.done else None
        text = rubric.comment(mark, self.most) if mark.done else None
        digest = row.digest if row else ""
        names = ("score", "comment", "waits", "overridden", "grader")
        state = {name: getattr(grading, name) for name in names}
        state |= {"mark": old.plain(), "digest": digest}
        shown = (score, text)
        if back is not None:
            waits = back["waits"] or (old.done and grading.waits)  # tests queued it again
            digest = back["digest"]
            if back["overridden"]:
                shown = (back["score"], back["comment"])
        else:
            # A changed comment or flag of an answer that is queued again is not a new grade.
            points = [(one.chosen, one.adjustment, one.done) for one in (old, mark)]
            only_remarks = grading.waits and old.done and points[0] == points[1] and old != mark
            # Whether the answer was autograded again, and changed, while the grader looked at it.
            outdated = bool(stamp.digest and answer.digest) and stamp.digest != answer.digest
            waits = only_remarks or outdated or (not mark.done and given.auto_score is None)
            digest = digest if only_remarks else stamp.digest or digest
        self._give(given, *shown, waits=waits)
        values = mark.plain() | {
            "chosen": json.dumps(sorted(mark.chosen)),
            "revision": (row.revision if row else 0) + 1,
            "score": score,
            "given_comment": text,
            "digest": digest,
            "grader": (back or {}).get("grader", stamp.whose or stamp.grader),
            "at": now(),
        }
        upsert(self.connection, MARKS, self.key | {"student": student}, **values)
        after = {"mark": mark.plain(), "score": score, "grader": values["grader"]}
        self.log(stamp, student, state, after)
        return self.answer(rubric, student).grading

    def told(self, student: str) -> tuple[list[tuple[str, Item]], str] | None:
        """Return the items and the comment of a student's mark; None if the desk gave none last."""
        rubric = self.rubric()[0]
        answer = self.answers(rubric, student).get(student)
        if answer is None or not _is_of_the_desk(answer):
            return None
        mark = answer.grading.mark
        return list(rubric.told(mark, self.most)), mark.comment

    def _given(self, student: str | None, *, lock: bool) -> list[Row[Any]]:
        """Return nbgrader's score and comment of each answer; `lock` locks the scores."""
        grade, comment, submission = api.Grade, api.Comment, api.SubmittedAssignment
        columns = (grade.id, grade.manual_score, grade.auto_score, grade.needs_manual_grade)
        words = (comment.id.label("comment"), comment.manual_comment)
        cell = api.Base.metadata.tables["base_cell"]
        keys = select(cell.c.id).where(cell.c.name == self.cell)  # one as a grade, one as an answer
        of_notebook = comment.notebook_id == grade.notebook_id
        query = (
            select(submission.student_id, *columns, *words)
            .select_from(grade)
            .join(api.SubmittedNotebook, grade.notebook_id == api.SubmittedNotebook.id)
            .join(submission, api.SubmittedNotebook.assignment_id == submission.id)
            .join(api.Assignment, submission.assignment_id == api.Assignment.id)
            .outerjoin(comment, of_notebook & comment.cell_id.in_(keys))
            .where(api.Assignment.name == self.assignment, grade.cell_id.in_(keys))
        )
        if student is not None:
            query = query.where(submission.student_id == student)
        if lock:
            query = query.with_for_update(of=grade)  # SQLite has already locked the whole database
        return list(self.connection.execute(query))

    def _give(self, given: Row[Any], score: float | None, text: str | None, waits: bool) -> None:
        """Write nbgrader's score and comment."""
        grade, comment = (api.Base.metadata.tables[name] for name in ("grade", "comment"))
        of_grade = update(grade).where(grade.c.id == given.id)
        self.connection.execute(of_grade.values(manual_score=score, needs_manual_grade=waits))
        of_comment = update(comment).where(comment.c.id == given.comment)
        self.connection.execute(of_comment.values(manual_comment=text or None))

    # -- history

    def log(self, stamp: Stamp, student: str, before: object, after: object) -> None:
        """Append an event to the history."""
        about = {name: getattr(stamp, name) for name in ("grader", "action", "batch", "undoes")}
        states = {"before": json.dumps(before), "after": json.dumps(after)}
        event = self.key | about | states | {"at": now(), "student": student}
        self.connection.execute(insert(EVENTS).values(event))

    def batch_of_text(self, student: str, mark: Mark, grader: str) -> str:
        """Return the batch of a text on which this mark goes on, or "".

        A text is saved whenever its grader pauses. All of it is one save in the history.
        """
        query = select(EVENTS).where(matching(EVENTS, self.key | {"student": student}))
        last = self.connection.execute(query.order_by(EVENTS.c.id.desc()).limit(1)).first()
        if last is None or (last.action, last.grader) != ("save", grader):
            return ""
        before, after = (json.loads(state)["mark"] for state in (last.before, last.after))
        changed = _changed(after, mark.plain())
        is_text = len(changed) == 1 and changed <= {"comment", "flag_note"}
        goes_on = is_text and changed <= _changed(before, after)
        return last.batch if goes_on and now() - last.at < _LONGEST_PAUSE else ""

    def last_save(self, grader: str, *actions: str) -> tuple[list[Row[Any]], dict[str, str]]:
        """Return the events of a grader's newest save that was not taken back; [] if none.

        Return also the batch of the last such save, by anybody, of each answer.
        """
        undone = select(EVENTS.c.undoes).where(matching(EVENTS, self.key))
        query = select(EVENTS).where(matching(EVENTS, self.key), EVENTS.c.action.in_(actions))
        query = query.where(EVENTS.c.batch.not_in(undone)).order_by(EVENTS.c.id.desc())
        events = self.connection.execute(query).all()
        batch = next((event.batch for event in events if event.grader == grader), None)
        last = {event.student: event.batch for event in reversed(events)}
        return [event for event in events if event.batch == batch], last

    def events(self, student: str | None) -> list[Event]:
        """Return the history, the newest event first; the saves of one text as one event."""
        found: dict[object, Event] = {}
        rows = sorted(self.all(EVENTS, student=student), key=lambda row: -row.id)
        undone = {row.undoes: row.grader for row in rows if row.undoes}
        for row in rows:
            before, after = json.loads(row.before), json.loads(row.after)
            said = [
                f"{after['grader']}'s mark" if row.action == "decided" else "",
                _said(after.get("mark") or after),
                f"undone by {undone[row.batch]}" if row.batch in undone else "",
            ]
            key = (row.batch, row.student) if row.action == "save" else row.id
            event = found.get(key) or Event(
                at=row.at,
                grader=row.grader,
                cell=row.cell,
                student=row.student,
                action=row.action,
                score_after=after.get("score"),
                what="; ".join(filter(None, said)),
            )
            found[key] = replace(event, score_before=before.get("score"))
        return list(found.values())


def mark_from_row(values: Mapping[str, Any]) -> Mark:
    """Return the mark that an event holds."""
    return Mark(**{**values, "chosen": frozenset(values["chosen"])})


def _is_of_the_desk(answer: Answer) -> bool:
    """Return whether the desk graded an answer last."""
    return answer.grading.mark.done and not answer.grading.overridden


def _grading(given: Row[Any], saved: Row[Any] | None, rubric: Rubric, digest: str) -> Grading:
    text = given.manual_comment or ""
    written = (saved.score, saved.given_comment or "") if saved else (None, "")
    overridden = (given.manual_score, text) != written
    version = str(saved.revision if saved else 0)  # the same after a changed rubric
    if overridden:
        state = repr((given.manual_score, given.manual_comment))
        version += f"-{hashlib.sha256(state.encode()).hexdigest()[:12]}"
    grading = Grading(
        given.student_id,
        version,
        score=given.manual_score,
        waits=bool(given.needs_manual_grade),
        comment=text,
        overridden=overridden,
    )
    if saved is None:
        return grading
    mark = Mark(
        chosen=rubric.ids.intersection(json.loads(saved.chosen)),
        adjustment=saved.adjustment,
        comment=saved.comment,
        done=saved.done,
        flagged=saved.flagged,
        flag_note=saved.flag_note,
    )
    changed = saved.done and saved.digest and digest and saved.digest != digest
    return replace(grading, mark=mark, changed=bool(changed), grader=saved.grader, at=saved.at)


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """Return the names of what differs in two marks."""
    return {name for name in after if after[name] != before[name]}


def _said(mark: Mapping[str, Any]) -> str:
    """Return a one-line description of a mark, or of a comment alone, in the history."""
    items, adjustment = len(mark.get("chosen", ())), mark.get("adjustment")
    said = [counted(items, "item")] if items else []
    if adjustment:
        said.append(f"adjustment {signed(adjustment)}")
    if mark.get("comment"):
        where = f" on line {mark['line']}" if mark.get("line") else ""
        said.append(f"comment{where}: {mark['comment']}")
    if mark.get("flagged"):
        said.append(f"flagged: {mark['flag_note']}" if mark["flag_note"] else "flagged")
    return "; ".join(said)
