"""Grading by hand of one homework: what the desk asks and saves.

Each method is one transaction. What a grader saw is compared with what is there before anything is
written, so that nobody overwrites what they have not seen.
"""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nbgrader import api
from sqlalchemy import Connection, select

from hw_grading.homework.course import Course
from hw_grading.homework.homework import homework_of
from hw_grading.records.database import Database, Unavailable
from hw_grading.records.questions import Place, read_places
from hw_grading.records.scores import Cell, cells_of
from hw_grading.rubrics.model import (
    Conflict,
    Event,
    Grading,
    Item,
    Kind,
    Mark,
    Question,
    Refused,
    Rescored,
    Rubric,
    RubricChanged,
    checked,
    checked_rubric,
)
from hw_grading.rubrics.rescoring import change, plain, rescored
from hw_grading.rubrics.rows import Rows, Stamp, mark_of, rubric_of
from hw_grading.rubrics.seed import first_rubric
from hw_grading.rubrics.teamwork import Teamwork, expect_name

__all__ = ["GradeBook", "Unavailable"]

FORMAT = "hw_grading rubrics"
Outcomes = dict[str, Grading | Conflict]


@dataclass(frozen=True)
class _Question:
    cell: Cell
    first: Rubric  # which it has before anybody changes it


class GradeBook(Teamwork):
    """Grading by hand of one homework, in nbgrader's gradebook.

    An object may be used by several threads. `cell` is a question's grade id, `student` an id,
    `grader` a name of at most 128 characters. Methods that write raise `Refused`, and all raise
    `Unavailable` when the database cannot be used.

    Parameters
    ----------
    course
        Whose gradebook and source it is.
    assignment
        The homework.
    """

    def __init__(self, course: Course, assignment: str) -> None:
        super().__init__(Database(course.db_url), assignment)
        self.course = course

    # -- questions

    def questions(self) -> tuple[Question, ...]:
        """Return the questions that people give points for, in the notebook's order."""
        places = self._places()
        manifest = homework_of(self.course.root, self.assignment).manifest
        cells = self._cells(places)
        titles = {cell.name: str(places.get(cell.name) or cell.name) for cell in cells}
        often = Counter(titles.values())
        found = []
        for cell in cells:
            place = places.get(cell.name) or Place(cell.name, cell.name)
            beside = manifest.shown_beside.get(cell.name)
            title = titles[cell.name]
            if often[title] > 1:
                title += ": code" if cell.is_code else ": text"
            found.append(
                Question(
                    cell.name,
                    title,
                    cell.max_points,
                    cell.is_code,
                    place.text,
                    place.scheme,
                    beside.answers if beside else (),
                    beside.printed if beside else (),
                )
            )
        return tuple(found)

    def names(self) -> dict[str, str]:
        """Return who has an answer in the gradebook: names ("" if not known) by student id."""
        student, submission = api.Student, api.SubmittedAssignment
        query = (
            select(student.id, student.first_name, student.last_name)
            .join(submission, submission.student_id == student.id)
            .join(api.Assignment, submission.assignment_id == api.Assignment.id)
            .where(api.Assignment.name == self.assignment)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return {row[0]: " ".join(filter(None, row[1:])) for row in rows}

    def order(self, cell: str) -> list[str]:
        """Return all students in the question's own order: it looks random and stays the same."""
        return sorted(self.names(), key=lambda student: _at_random(self.assignment, cell, student))

    # -- rubrics

    def rubric(self, cell: str) -> Rubric:
        """Return the rubric of a question."""
        question = self._question(cell)
        with self._database.reading() as connection:
            return self._rows(connection, cell).rubric(question.first)[0]

    def preview(self, cell: str, rubric: Rubric) -> list[Rescored]:
        """Return what a changed rubric would do to scores."""
        question = self._question(cell)
        checked_rubric(rubric, question.cell.max_points)
        with self._database.reading() as connection:
            rows = self._rows(connection, cell)
            return rescored(rows.gradings(rubric), rubric, question.cell.max_points)

    def change_rubric(
        self, cell: str, rubric: Rubric, *, grader: str
    ) -> tuple[Rubric, list[Rescored]]:
        """Save a rubric, and score anew who has its items.

        Parameters
        ----------
        rubric
            Its `revision` is that of the rubric that the grader changed. New items have the id "".
        """
        question = self._question(cell)
        checked_rubric(rubric, question.cell.max_points)
        stamp = Stamp(expect_name(grader), "rubric", question.cell.max_points, uuid.uuid4().hex)
        with self._database.writing() as connection:
            return change(self._rows(connection, cell), question.first, rubric, stamp)

    def undo_rubric(self, cell: str, *, grader: str) -> tuple[Rubric, list[Rescored]]:
        """Take back this grader's latest change of the rubric."""
        question = self._question(cell)
        with self._database.writing() as connection:
            rows = self._rows(connection, cell)
            events = rows.latest(expect_name(grader), ["rubric"])
            if not events:
                raise Refused("You have not changed this rubric: there is nothing to take back.")
            event = events[0]
            before, after = (
                rubric_of(json.loads(text)["rubric"]) for text in (event.before, event.after)
            )
            now, by = rows.rubric(question.first)
            if now.revision != after.revision:
                raise RubricChanged(now, by)
            stamp = Stamp(
                grader,
                "rubric undone",
                question.cell.max_points,
                uuid.uuid4().hex,
                undoes=event.batch,
            )
            back = replace(before.within(question.cell.max_points), revision=now.revision)
            return change(rows, question.first, back, stamp)

    # -- gradings

    def gradings(self, cell: str) -> dict[str, Grading]:
        """Return the state of every student's answer."""
        question = self._question(cell)
        with self._database.reading() as connection:
            rows = self._rows(connection, cell)
            return rows.gradings(rows.rubric(question.first)[0])

    def grading(self, cell: str, student: str) -> Grading:
        """Return the state of one answer."""
        question = self._question(cell)
        with self._database.reading() as connection:
            rows = self._rows(connection, cell)
            return _one(rows.gradings(rows.rubric(question.first)[0], student), student)

    def save(
        self,
        cell: str,
        versions: Mapping[str, str],
        mark: Mark,
        *,
        grader: str,
        rubric_revision: int,
        digests: Mapping[str, str] | None = None,
        seconds: float = 0.0,
    ) -> Outcomes:
        """Save the same mark for one answer or for several.

        Parameters
        ----------
        versions
            `Grading.version` of each answer, by student, as the grader saw it.
        rubric_revision
            Of the rubric that the grader saw.
        digests
            Of the answers that the grader saw, by student.
        seconds
            For which the grader looked at them, together.

        Returns
        -------
        dict
            What is saved now, by student. An answer that somebody else saved in the meantime is
            left as it is, and stands there as a `Conflict`; the others are saved.
        """
        return self._save(
            cell, versions, lambda _: mark, grader, rubric_revision, digests or {}, seconds
        )

    def add_items(
        self,
        cell: str,
        versions: Mapping[str, str],
        items: Iterable[str],
        *,
        grader: str,
        rubric_revision: int,
        digests: Mapping[str, str] | None = None,
    ) -> Outcomes:
        """Give several answers the same items on top of what each has; otherwise as `save`."""
        more = frozenset(items)

        def with_items(mark: Mark) -> Mark:
            return replace(mark, chosen=mark.chosen | more, done=True)

        return self._save(cell, versions, with_items, grader, rubric_revision, digests or {}, 0.0)

    def undo(self, cell: str, *, grader: str) -> dict[str, Grading]:
        """Take back this grader's latest save in a question; of several answers at once, all.

        Raises
        ------
        Refused
            There is none.
        Conflict
            Somebody else has saved one of these answers since.
        """
        question = self._question(cell)
        with self._database.writing() as connection:
            rows = self._rows(connection, cell)
            events = rows.latest(expect_name(grader), ["save"])
            if not events:
                raise Refused("You have saved nothing here that can be taken back.")
            rubric, _ = rows.rubric(question.first)
            stamp = Stamp(
                grader, "undo", question.cell.max_points, uuid.uuid4().hex, events[0].batch
            )
            known = {item.id for item in rubric.items}
            # Before the first is taken back, which ends the batch of all.
            latest = rows.last_batches()
            for event in events:
                now = _one(rows.gradings(rubric, event.student, lock=True), event.student)
                before, after = json.loads(event.before), mark_of(json.loads(event.after)["mark"])
                another = latest[event.student] != event.batch
                seen = replace(after, chosen=after.chosen & known)
                if another or now.overridden or now.mark != seen:
                    raise Conflict(now)
                mark = mark_of(before["mark"])
                mark = replace(mark, chosen=mark.chosen & known)
                rows.write(event.student, now, rubric, mark, stamp, back=before)
            return {
                event.student: _one(rows.gradings(rubric, event.student), event.student)
                for event in events
            }

    def flagged(self) -> list[tuple[str, Grading]]:
        """Return the answers that somebody is to look at again, with their questions."""
        return [
            (question.cell, grading)
            for question in self.questions()
            for grading in self.gradings(question.cell).values()
            if grading.mark.flagged
        ]

    def comments_used(self, cell: str) -> list[tuple[str, int]]:
        """Return the comments of a question with how often each was used, the commonest first."""
        marks = (grading.mark for grading in self.gradings(cell).values())
        return Counter(mark.comment for mark in marks if mark.comment).most_common()

    def history(self, cell: str, student: str | None = None) -> list[Event]:
        """Return what happened to a question or to one answer, the newest first."""
        self._question(cell)
        with self._database.reading() as connection:
            return self._rows(connection, cell).events(student)

    def _save(
        self,
        cell: str,
        versions: Mapping[str, str],
        marked: Callable[[Mark], Mark],
        grader: str,
        rubric_revision: int,
        digests: Mapping[str, str],
        seconds: float,
    ) -> Outcomes:
        question = self._question(cell)
        if not math.isfinite(seconds) or seconds < 0:
            raise Refused("The seconds are a number of 0 or more.")
        stamp = Stamp(
            expect_name(grader),
            "save",
            question.cell.max_points,
            uuid.uuid4().hex,
            seconds=seconds / max(1, len(versions)),
        )
        outcomes: Outcomes = {}
        with self._database.writing() as connection:
            rows = self._rows(connection, cell)
            rubric, by = rows.rubric(question.first)
            if rubric.revision != rubric_revision:
                raise RubricChanged(rubric, by)
            if rubric.revision == 0:
                rubric = rows.write_rubric(replace(rubric, revision=-1), "")
            for student, version in versions.items():
                now = _one(rows.gradings(rubric, student, lock=True), student)
                if now.version != version:
                    outcomes[student] = Conflict(now)
                    continue
                mark = checked(marked(now.mark), rubric)
                of_this = replace(stamp, digest=digests.get(student, ""))
                rows.write(student, now, rubric, mark, of_this)
                outcomes[student] = _one(rows.gradings(rubric, student), student)
        return outcomes

    # -- another year

    def exported(self) -> dict[str, Any]:
        """Return all rubrics as JSON has it, without anything of a student's."""
        rubrics = {
            question.cell: plain(self.rubric(question.cell)) for question in self.questions()
        }
        return {"format": FORMAT, "assignment": self.assignment, "rubrics": rubrics}

    def import_rubrics(self, document: object, *, grader: str) -> list[str]:
        """Take over rubrics that were exported, for questions of which nothing is graded yet.

        Returns
        -------
        list of str
            The questions that have a new rubric. The others are left as they were.

        Raises
        ------
        Refused
            The document holds no rubrics.
        """
        rubrics = _rubrics_in(document)
        for question in self.questions():  # all of them, before the first is changed
            if question.cell in rubrics:
                rubrics[question.cell] = checked_rubric(
                    rubrics[question.cell].within(question.max_points), question.max_points
                )
        taken = []
        for question in self.questions():
            if question.cell not in rubrics:
                continue
            if any(grading.mark.done for grading in self.gradings(question.cell).values()):
                continue
            new = replace(rubrics[question.cell], revision=self.rubric(question.cell).revision)
            self.change_rubric(question.cell, new, grader=grader)
            taken.append(question.cell)
        return taken

    # --

    def _rows(self, connection: Connection, cell: str) -> Rows:
        return Rows(connection, self.assignment, cell)

    def _places(self) -> dict[str, Place]:
        return read_places(self.course.source(self.assignment) / f"{self.assignment}.ipynb")

    def _cells(self, places: Mapping[str, Place]) -> list[Cell]:
        with self._database.reading() as connection:
            cells = cells_of(connection, self.assignment).values()
        order = {name: number for number, name in enumerate(places)}
        return sorted(
            (cell for cell in cells if cell.by_hand and cell.max_points > 0),
            key=lambda cell: (order.get(cell.name, len(order)), cell.name),
        )

    def _question(self, cell: str) -> _Question:
        places = self._places()
        cells = self._cells(places)
        for one in cells:
            if one.name == cell:
                return _Question(one, first_rubric(one, cells, places))
        raise Refused(f"{self.assignment} has no question {cell!r} that people grade.")


def _one(gradings: Mapping[str, Grading], student: str) -> Grading:
    if student not in gradings:
        raise Refused(f"The gradebook has no answer of {student!r} to this question.")
    return gradings[student]


def _at_random(*names: str) -> bytes:
    return hashlib.sha256("\n".join(names).encode()).digest()


def _rubrics_in(document: object) -> dict[str, Rubric]:
    """Return the rubrics of an exported document, by question."""
    try:
        if document["format"] != FORMAT:  # type: ignore[index]
            raise KeyError
        return {
            str(cell): Rubric(
                tuple(
                    Item("", float(item["points"]), str(item["text"]), str(item.get("note", "")))
                    for item in rubric["items"]
                ),
                Kind(rubric["kind"]),
                float(rubric["lower"]),
                float(rubric["upper"]),
            )
            for cell, rubric in document["rubrics"].items()  # type: ignore[index]
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Refused(
            "This file holds no rubrics. Expected is one that the desk has exported."
        ) from error
