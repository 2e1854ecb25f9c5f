"""The manual grading of one homework: what the desk reads and saves.

Each method is one transaction. Before it writes, it compares what the grader saw with what is
stored, so that nobody overwrites what they have not seen.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from hw_grading.rubrics.gradings import read_grading, write_grading
from hw_grading.rubrics.history import Stamp, last_batches, latest, mark_of, read_events
from hw_grading.rubrics.model import Conflict, Event, Grading, Mark, Refused, RubricChanged, checked
from hw_grading.rubrics.rows import read_rubric, write_rubric
from hw_grading.rubrics.rubrics import Rubrics
from hw_grading.rubrics.teamwork import Teamwork, expect_name

Outcomes = dict[str, Grading | Conflict]


class GradeBook(Rubrics, Teamwork):
    """The manual grading of one homework, in nbgrader's gradebook.

    Several threads may use one object. `cell` is a question's grade id, `student` an id, `grader` a
    name of at most 128 characters. Methods that write raise `Refused`. All methods raise
    `Unavailable` if the database cannot be used.
    """

    def save(
        self,
        cell: str,
        versions: Mapping[str, str],
        marked: Mark | Callable[[Mark], Mark],
        *,
        grader: str,
        rubric_revision: int,
        digests: Mapping[str, str] | None = None,
        seconds: float = 0.0,
    ) -> Outcomes:
        """Save the same mark for one answer or for several.

        `versions` has `Grading.version` of each answer, by student, as the grader saw it. `marked`
        is the mark, or a function that returns it, given the answer's present mark. The grader saw
        the rubric of `rubric_revision` and, by student, answers with these `digests`. `seconds` is
        how long the grader looked at all these answers together.

        Return the saved state by student. If somebody else has saved an answer in the meantime,
        that answer stays as it is and its value is a `Conflict`. The other answers are saved.
        """
        most, first = self._question(cell)
        if not math.isfinite(seconds) or seconds < 0:
            raise Refused("The seconds must be 0 or more.")
        stamp = Stamp(expect_name(grader), "save", most, seconds=seconds / max(1, len(versions)))
        outcomes: Outcomes = {}
        with self._writing(cell) as rows:
            rubric, by = read_rubric(rows, first)
            if rubric.revision != rubric_revision:
                raise RubricChanged(rubric, by)
            if rubric.revision == 0:
                rubric = write_rubric(rows, replace(rubric, revision=-1), "", most)
            for student, version in versions.items():
                now = read_grading(rows, rubric, student, lock=True)
                if now.version != version:
                    outcomes[student] = Conflict(now)
                    continue
                mark = checked(marked(now.mark) if callable(marked) else marked, rubric)
                of_this = replace(stamp, digest=(digests or {}).get(student, ""))
                write_grading(rows, now, rubric, mark, of_this)
                outcomes[student] = read_grading(rows, rubric, student)
        return outcomes

    def add_items(
        self, cell: str, versions: Mapping[str, str], items: Iterable[str], **seen: Any
    ) -> Outcomes:
        """Add the same items to what each of several answers has; `seen` as for `save`."""
        more = frozenset(items)
        return self.save(
            cell, versions, lambda m: replace(m, chosen=m.chosen | more, done=True), **seen
        )

    def undo(self, cell: str, *, grader: str) -> dict[str, Grading]:
        """Take back this grader's latest save in a question, for all answers that it saved.

        `Refused` if there is no save to take back; `Conflict` if somebody else has saved one of
        these answers since.
        """
        most, first = self._question(cell)
        with self._writing(cell) as rows:
            events = latest(rows, expect_name(grader), "save")
            if not events:
                raise Refused("You have saved nothing here that can be undone.")
            rubric, _ = read_rubric(rows, first)
            stamp = Stamp(grader, "undo", most, undoes=events[0].batch)
            # Read them now: taking back the first answer ends the batch of all.
            batches = last_batches(rows)
            for event in events:
                now = read_grading(rows, rubric, event.student, lock=True)
                back = json.loads(event.before)
                before, after = mark_of(back["mark"]), mark_of(json.loads(event.after)["mark"])
                another = batches[event.student] != event.batch
                seen = replace(after, chosen=after.chosen & rubric.ids)
                if another or now.overridden or now.mark != seen:
                    raise Conflict(now)
                mark = replace(before, chosen=before.chosen & rubric.ids)
                write_grading(rows, now, rubric, mark, stamp, back)
            return {one.student: read_grading(rows, rubric, one.student) for one in events}

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
        with self._reading(cell) as rows:
            return read_events(rows, student)
