"""Grading by hand of one homework: what the desk asks and saves.

Each method is one transaction. What a grader saw is compared with what is there before anything is
written, so that nobody overwrites what they have not seen.
"""

from __future__ import annotations

import json
import math
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from hw_grading.records.database import Unavailable
from hw_grading.rubrics.gradings import read_gradings, write_grading
from hw_grading.rubrics.history import Stamp, last_batches, latest, mark_of, read_events
from hw_grading.rubrics.model import (
    Conflict,
    Event,
    Grading,
    Mark,
    Refused,
    RubricChanged,
    checked,
)
from hw_grading.rubrics.questions import one_of
from hw_grading.rubrics.rubric_rows import read_rubric, write_rubric
from hw_grading.rubrics.rubrics import Rubrics
from hw_grading.rubrics.teamwork import Teamwork, expect_name

__all__ = ["GradeBook", "Unavailable"]

Outcomes = dict[str, Grading | Conflict]


class GradeBook(Rubrics, Teamwork):
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
            events = latest(rows, expect_name(grader), ["save"])
            if not events:
                raise Refused("You have saved nothing here that can be taken back.")
            rubric, _ = read_rubric(rows, question.first)
            stamp = Stamp(
                grader, "undo", question.cell.max_points, uuid.uuid4().hex, events[0].batch
            )
            known = {item.id for item in rubric.items}
            # Before the first is taken back, which ends the batch of all.
            batches = last_batches(rows)
            for event in events:
                now = one_of(read_gradings(rows, rubric, event.student, lock=True), event.student)
                before, after = json.loads(event.before), mark_of(json.loads(event.after)["mark"])
                another = batches[event.student] != event.batch
                seen = replace(after, chosen=after.chosen & known)
                if another or now.overridden or now.mark != seen:
                    raise Conflict(now)
                mark = mark_of(before["mark"])
                mark = replace(mark, chosen=mark.chosen & known)
                write_grading(rows, event.student, now, rubric, mark, stamp, back=before)
            return {
                event.student: one_of(read_gradings(rows, rubric, event.student), event.student)
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
            return read_events(self._rows(connection, cell), student)

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
            rubric, by = read_rubric(rows, question.first)
            if rubric.revision != rubric_revision:
                raise RubricChanged(rubric, by)
            if rubric.revision == 0:
                rubric = write_rubric(rows, replace(rubric, revision=-1), "")
            for student, version in versions.items():
                now = one_of(read_gradings(rows, rubric, student, lock=True), student)
                if now.version != version:
                    outcomes[student] = Conflict(now)
                    continue
                mark = checked(marked(now.mark), rubric)
                of_this = replace(stamp, digest=digests.get(student, ""))
                write_grading(rows, student, now, rubric, mark, of_this)
                outcomes[student] = one_of(read_gradings(rows, rubric, student), student)
        return outcomes
