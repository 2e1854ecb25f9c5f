"""The manual grading of one homework: what the desk reads and saves.

Each method is one transaction. Before it writes, it compares what the grader saw with what is
stored, so that nobody overwrites what they have not seen.
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
    """The manual grading of one homework, in nbgrader's gradebook.

    Several threads may use one object. `cell` is a question's grade id, `student` an id, `grader` a
    name of at most 128 characters. Methods that write raise `Refused`. All methods raise
    `Unavailable` if the database cannot be used.

    Parameters
    ----------
    course
        The course, with its gradebook and source.
    assignment
        The name of the homework.
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
            Revision of the rubric that the grader saw.
        digests
            Digests of the answers that the grader saw, by student.
        seconds
            How long the grader looked at all these answers together.

        Returns
        -------
        dict
            The saved state by student. If somebody else has saved an answer in the meantime, that
            answer stays as it is and its value is a `Conflict`. The other answers are saved.
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
        """Add the same items to what each of several answers has; otherwise as `save`."""
        more = frozenset(items)

        def with_items(mark: Mark) -> Mark:
            return replace(mark, chosen=mark.chosen | more, done=True)

        return self._save(cell, versions, with_items, grader, rubric_revision, digests or {}, 0.0)

    def undo(self, cell: str, *, grader: str) -> dict[str, Grading]:
        """Take back this grader's latest save in a question, for all answers that it saved.

        Raises
        ------
        Refused
            There is no save to take back.
        Conflict
            Somebody else has saved one of these answers since.
        """
        question = self._question(cell)
        with self._database.writing() as connection:
            rows = self._rows(connection, cell)
            events = latest(rows, expect_name(grader), ["save"])
            if not events:
                raise Refused("You have saved nothing here that can be undone.")
            rubric, _ = read_rubric(rows, question.first)
            stamp = Stamp(
                grader, "undo", question.cell.max_points, uuid.uuid4().hex, events[0].batch
            )
            known = {item.id for item in rubric.items}
            # Read them now: taking back the first answer ends the batch of all.
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
        """Return the answers that are flagged for another look, with their questions."""
        return [
            (question.cell, grading)
            for question in self.questions()
            for grading in self.gradings(question.cell).values()
            if grading.mark.flagged
        ]

    def comments_used(self, cell: str) -> list[tuple[str, int]]:
        """Return a question's comments and how often each was used, the most frequent first."""
        marks = (grading.mark for grading in self.gradings(cell).values())
        return Counter(mark.comment for mark in marks if mark.comment).most_common()

    def history(self, cell: str, student: str | None = None) -> list[Event]:
        """Return the history of a question or of one answer, the newest event first."""
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
            raise Refused("The seconds must be 0 or more.")
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
