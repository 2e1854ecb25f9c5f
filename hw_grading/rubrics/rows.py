"""Reads and writes the rows of one homework, within a transaction that the caller has begun."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from nbgrader import api
from sqlalchemy import ColumnElement, Connection, Row, Table, and_, delete, insert, select, update

from hw_grading.records.scores import in_digits
from hw_grading.rubrics.model import Event, Grading, Item, Kind, Mark, Rubric
from hw_grading.rubrics.tables import ANSWERS, APPLIED, EVENTS, GRADINGS, ITEMS, RUBRICS

_tables = api.Base.metadata.tables
_ASSIGNMENT, _SOURCE, _CELL = (_tables[name] for name in ("assignment", "notebook", "base_cell"))
_SUBMISSION, _NOTEBOOK = _tables["submitted_assignment"], _tables["submitted_notebook"]
_GRADE, _COMMENT = _tables["grade"], _tables["comment"]


@dataclass(frozen=True)
class Stamp:
    """Who saves, and how it goes into the history.

    Attributes
    ----------
    batch
        The same for all that is saved at once.
    undoes
        The batch that this one takes back, or "".
    max_points
        Of the question.
    digest
        Of the answer that the grader saw, or "".
    """

    grader: str
    action: str
    max_points: float
    batch: str
    undoes: str = ""
    digest: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Given:
    """What nbgrader's tables hold for one answer; `grade` and `comment` are their keys."""

    grade: str
    comment: str | None
    score: float | None
    auto: float | None
    waits: bool
    text: str | None


@dataclass(frozen=True)
class Rows:
    """The rows of one question.

    Attributes
    ----------
    connection
        Of a transaction.
    assignment, cell
        Which question it is.
    """

    connection: Connection
    assignment: str
    cell: str

    # -- rubric

    def rubric(self, first: Rubric) -> tuple[Rubric, str]:
        """Return the rubric and who changed it last; `first` and "" before any change.

        Its bounds are not above those of `first`: the question may be worth less by now.
        """
        found = self.all(RUBRICS)
        if not found:
            return first, ""
        row = found[0]
        items = tuple(
            Item(item.id, item.points, item.text, item.note)
            for item in sorted(self.all(ITEMS), key=lambda item: item.position)
            if not item.deleted
        )
        rubric = Rubric(items, Kind(row.kind), row.lower, row.upper, row.revision)
        return rubric.within(first.upper), str(row.grader)

    def write_rubric(self, rubric: Rubric, grader: str) -> Rubric:
        """Write a rubric as its next revision; return it with the ids of its new items."""
        revision = rubric.revision + 1
        items = tuple(
            Item(item.id or uuid.uuid4().hex, item.points, item.text.strip(), item.note.strip())
            for item in rubric.items
        )
        known = {row.id for row in self.all(ITEMS)}
        gone = known - {item.id for item in items}
        for position, item in enumerate(items):
            values = {
                "position": position,
                "points": item.points,
                "text": item.text,
                "note": item.note,
                "deleted": False,
                "revision": revision,
            }
            if item.id in known:
                here = and_(self._here(ITEMS), ITEMS.c.id == item.id)
                self._execute(update(ITEMS).where(here).values(**values))
            else:
                self._insert(ITEMS, id=item.id, **values)
        left = and_(self._here(ITEMS), ITEMS.c.id.in_(gone))
        self._execute(update(ITEMS).where(left).values(deleted=True))
        self._execute(delete(RUBRICS).where(self._here(RUBRICS)))
        self._insert(
            RUBRICS,
            kind=str(rubric.kind),
            lower=rubric.lower,
            upper=rubric.upper,
            revision=revision,
            grader=grader,
        )
        return Rubric(items, rubric.kind, rubric.lower, rubric.upper, revision)

    # -- gradings

    def gradings(
        self, rubric: Rubric, student: str | None = None, *, lock: bool = False
    ) -> dict[str, Grading]:
        """Return the state of each answer, or of one student's; `lock` is as for `given`."""
        given = self.given(student, lock=lock)
        known = {item.id for item in rubric.items}
        chosen: dict[str, set[str]] = {}
        for row in self.all(APPLIED, student=student):
            if row.item in known:
                chosen.setdefault(row.student, set()).add(row.item)
        saved = {row.student: row for row in self.all(GRADINGS, student=student)}
        digests = {row.student: row.digest for row in self.all(ANSWERS, student=student)}
        return {
            name: _grading(
                name, one, saved.get(name), frozenset(chosen.get(name, ())), digests.get(name, "")
            )
            for name, one in given.items()
        }

    def given(self, student: str | None = None, *, lock: bool = False) -> dict[str, Given]:
        """Return what nbgrader's tables hold, by student; `lock` keeps others from changing it."""
        whose = (
            select(_NOTEBOOK.c.id, _SUBMISSION.c.student_id)
            .join(_SUBMISSION, _NOTEBOOK.c.assignment_id == _SUBMISSION.c.id)
            .join(_ASSIGNMENT, _SUBMISSION.c.assignment_id == _ASSIGNMENT.c.id)
            .where(_ASSIGNMENT.c.name == self.assignment)
        )
        if student is not None:
            whose = whose.where(_SUBMISSION.c.student_id == student)
        students = {row[0]: row[1] for row in self.connection.execute(whose)}
        cells = (
            select(_CELL.c.id)
            .join(_SOURCE, _CELL.c.notebook_id == _SOURCE.c.id)
            .join(_ASSIGNMENT, _SOURCE.c.assignment_id == _ASSIGNMENT.c.id)
            .where(_ASSIGNMENT.c.name == self.assignment, _CELL.c.name == self.cell)
        )
        keys = list(self.connection.scalars(cells))
        grades = self._of_cells(_GRADE, keys, students, student, lock)
        comments = self._of_cells(_COMMENT, keys, students, student, lock)
        given = {}
        for notebook, row in grades.items():
            comment = comments.get(notebook)
            given[students[notebook]] = Given(
                row.id,
                comment.id if comment else None,
                row.manual_score,
                row.auto_score,
                bool(row.needs_manual_grade),
                comment.manual_comment if comment else None,
            )
        return given

    def write(
        self,
        student: str,
        grading: Grading,
        rubric: Rubric,
        mark: Mark,
        stamp: Stamp,
        back: Mapping[str, Any] | None = None,
    ) -> None:
        """Save a mark: nbgrader's score and comment, the desk's rows.

        Parameters
        ----------
        grading
            The state before.
        back
            What an event holds of the state that an undo gives back.
        """
        given = self.given(student, lock=True)[student]
        score, text = None, None
        if mark.done:
            score = rubric.score(mark.chosen, mark.adjustment, stamp.max_points)
            text = rubric.comment(mark)
        waits = not mark.done and given.auto is None
        only_remarks = _only_remarks(grading, mark)  # who flags an answer has not graded it again
        waits = waits or only_remarks
        now_there = {row.digest for row in self.all(ANSWERS, student=student)}
        if stamp.digest and now_there and stamp.digest not in now_there:
            waits = True  # tests graded another answer while the grader looked at this one
        if back is not None:  # or tests have put the answer into the queue since
            waits = back["waits"] or (grading.mark.done and grading.waits)
        if back is not None and back["overridden"]:
            self.give(given, back["score"], back["comment"], waits=waits)
        else:
            self.give(given, score, text, waits=waits)
        here = and_(self._here(GRADINGS), GRADINGS.c.student == student)
        before = self.connection.execute(select(GRADINGS).where(here)).one_or_none()
        digest_before = before.digest if before else ""
        digest = back["digest"] if back else stamp.digest or digest_before
        if back is None and only_remarks:
            digest = digest_before
        self._execute(delete(GRADINGS).where(here))
        self._insert(
            GRADINGS,
            student=student,
            revision=(before.revision if before else 0) + 1,
            adjustment=mark.adjustment,
            comment=mark.comment,
            done=mark.done,
            flagged=mark.flagged,
            flag_note=mark.flag_note,
            score=score,
            given_comment=text,
            digest=digest,
            grader=stamp.grader,
            at=now(),
            seconds=(before.seconds if before else 0.0) + stamp.seconds,
        )
        applied = and_(self._here(APPLIED), APPLIED.c.student == student)
        self._execute(delete(APPLIED).where(applied))
        for item in sorted(mark.chosen):
            self._insert(APPLIED, student=student, item=item)
        self.log(
            stamp,
            student,
            {
                "mark": _plain(grading.mark),
                "score": grading.score,
                "comment": grading.comment,
                "waits": grading.waits,
                "overridden": grading.overridden,
                "digest": digest_before,
            },
            {"mark": _plain(mark), "score": score},
        )

    def give(self, given: Given, score: float | None, text: str | None, *, waits: bool) -> None:
        """Write nbgrader's score and comment."""
        self._execute(
            update(_GRADE)
            .where(_GRADE.c.id == given.grade)
            .values(manual_score=score, needs_manual_grade=waits)
        )
        if given.comment is not None:
            values = update(_COMMENT).where(_COMMENT.c.id == given.comment)
            self._execute(values.values(manual_comment=text or None))

    def rescore(self, student: str, score: float | None, text: str | None) -> None:
        """Write what a changed rubric gives for an answer that was graded on the desk."""
        given = self.given(student, lock=True)[student]
        self.give(given, score, text, waits=given.waits)
        here = and_(self._here(GRADINGS), GRADINGS.c.student == student)
        self._execute(update(GRADINGS).where(here).values(score=score, given_comment=text))

    # -- history

    def log(self, stamp: Stamp, student: str, before: object, after: object) -> None:
        """Append to the history."""
        self._insert(
            EVENTS,
            at=now(),
            grader=stamp.grader,
            student=student,
            action=stamp.action,
            batch=stamp.batch,
            undoes=stamp.undoes,
            before=json.dumps(before),
            after=json.dumps(after),
        )

    def latest(self, grader: str, actions: Iterable[str]) -> list[Row[Any]]:
        """Return the events of a grader's latest batch that was not taken back; [] if none."""
        undone = self._undone()
        query = (
            select(EVENTS)
            .where(self._here(EVENTS), EVENTS.c.grader == grader)
            .where(EVENTS.c.action.in_(list(actions)))
            .order_by(EVENTS.c.id.desc())
        )
        batch = ""
        found = []
        for row in self.connection.execute(query):
            if row.batch in undone:
                continue
            if batch and row.batch != batch:
                break
            batch = row.batch
            found.append(row)
        return found

    def last_batches(self) -> dict[str, str]:
        """Return the batch of the latest save of each answer that was not taken back."""
        undone = self._undone()
        query = (
            select(EVENTS.c.student, EVENTS.c.batch)
            .where(self._here(EVENTS), EVENTS.c.action == "save")
            .order_by(EVENTS.c.id)
        )
        rows = self.connection.execute(query)
        return {row.student: row.batch for row in rows if row.batch not in undone}

    def _undone(self) -> set[str]:
        return set(self.connection.scalars(select(EVENTS.c.undoes).where(self._here(EVENTS))))

    def events(self, student: str | None) -> list[Event]:
        """Return the history, the newest first."""
        query = select(EVENTS).where(self._here(EVENTS)).order_by(EVENTS.c.id.desc())
        if student is not None:
            query = query.where(EVENTS.c.student == student)
        return [_event(row) for row in self.connection.execute(query)]

    # -- any table

    def all(self, table: Table, student: str | None = None) -> list[Row[Any]]:
        """Return the rows of this question."""
        query = select(table).where(self._here(table))
        if student is not None:
            query = query.where(table.c.student == student)
        return list(self.connection.execute(query))

    def replace(self, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write the rows of this question in the place of those that there are."""
        self._execute(delete(table).where(self._here(table)))
        for row in rows:
            self._insert(table, **row)

    def _of_cells(
        self,
        table: Table,
        cells: list[str],
        students: Mapping[str, str],
        student: str | None,
        lock: bool,
    ) -> dict[str, Row[Any]]:
        query = select(table).where(table.c.cell_id.in_(cells))
        if student is not None:
            query = query.where(table.c.notebook_id.in_(list(students)))
        if lock:
            query = query.with_for_update()  # SQLite has locked the whole database by now
        rows = self.connection.execute(query)
        return {row.notebook_id: row for row in rows if row.notebook_id in students}

    def _here(self, table: Table) -> ColumnElement[bool]:
        return and_(table.c.assignment == self.assignment, table.c.cell == self.cell)

    def _insert(self, table: Table, **values: Any) -> None:
        values |= {"assignment": self.assignment, "cell": self.cell}
        self._execute(insert(table).values(**values))

    def _execute(self, statement: Any) -> None:
        self.connection.execute(statement)


def now() -> datetime:
    """Return the time, UTC, as a database keeps it."""
    return datetime.now(UTC).replace(tzinfo=None)


def mark_of(values: Mapping[str, Any]) -> Mark:
    """Return the mark that an event holds."""
    return Mark(**{**values, "chosen": frozenset(values["chosen"])})


def rubric_of(values: Mapping[str, Any]) -> Rubric:
    """Return the rubric that an event holds."""
    items = tuple(Item(**item) for item in values["items"])
    return Rubric(**{**values, "kind": Kind(values["kind"]), "items": items})


def _plain(mark: Mark) -> dict[str, Any]:
    return {**asdict(mark), "chosen": sorted(mark.chosen)}


def _grading(
    student: str, given: Given, saved: Row[Any] | None, chosen: frozenset[str], digest: str
) -> Grading:
    if saved is None:
        overridden = given.score is not None or given.text is not None
        return Grading(
            student,
            _version(0, given, overridden),
            score=given.score,
            waits=given.waits,
            comment=given.text or "",
            overridden=overridden,
        )
    overridden = (given.score, given.text or "") != (saved.score, saved.given_comment or "")
    mark = Mark(chosen, saved.adjustment, saved.comment, saved.done, saved.flagged, saved.flag_note)
    return Grading(
        student,
        _version(saved.revision, given, overridden),
        mark,
        given.score,
        given.waits,
        given.text or "",
        overridden,
        changed=bool(saved.done and saved.digest and digest and saved.digest != digest),
        grader=saved.grader,
        at=saved.at,
        seconds=saved.seconds,
    )


def _only_remarks(grading: Grading, mark: Mark) -> bool:
    """Whether an answer that waits with its old marks gets another comment or flag, not marks."""
    old = grading.mark
    same = (old.chosen, old.adjustment, old.done) == (mark.chosen, mark.adjustment, mark.done)
    return grading.waits and old.done and same and old != mark


def _version(revision: int, given: Given, overridden: bool) -> str:
    """Name a state. What a changed rubric does to a score leaves the name as it is."""
    if not overridden:
        return str(revision)
    elsewhere = hashlib.sha256(repr((given.score, given.text)).encode()).hexdigest()[:12]
    return f"{revision}-{elsewhere}"


def _event(row: Row[Any]) -> Event:
    before, after = json.loads(row.before), json.loads(row.after)
    return Event(
        row.at,
        row.grader,
        row.cell,
        row.student,
        row.action,
        before.get("score"),
        after.get("score"),
        after.get("what") or _said(after.get("mark") or {}),
    )


def _said(mark: Mapping[str, Any]) -> str:
    """Say in a line what a mark of the history gives."""
    items, adjustment = len(mark.get("chosen", ())), mark.get("adjustment")
    said = [f"{items} item{'s' * (items != 1)}"] if items else []
    if adjustment:
        said.append(f"adjustment {'+' * (adjustment > 0)}{in_digits(adjustment)}")
    if mark.get("comment"):
        said.append(f"comment: {mark['comment']}")
    return "; ".join(said)
