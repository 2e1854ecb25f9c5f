"""Changes, undoes and imports the rubrics of one homework."""

import json
import math
from dataclasses import asdict, replace
from typing import Any

from hw_grading.rubrics.gradings import read_gradings
from hw_grading.rubrics.history import Stamp, latest, rubric_of
from hw_grading.rubrics.model import Item, Kind, Refused, Rescored, Rubric, checked_rubric
from hw_grading.rubrics.questions import Questions
from hw_grading.rubrics.rescoring import change, rescored
from hw_grading.rubrics.teamwork import expect_name

FORMAT = "hw_grading rubrics"


class Rubrics(Questions):
    """The rubrics of one homework."""

    def preview(self, cell: str, rubric: Rubric) -> list[Rescored]:
        """Return the scores that a changed rubric would change."""
        most, _ = self._question(cell)
        checked_rubric(rubric, most)
        with self._reading(cell) as rows:
            return rescored(read_gradings(rows, rubric), rubric, most)

    def change_rubric(
        self, cell: str, rubric: Rubric, *, grader: str
    ) -> tuple[Rubric, list[Rescored]]:
        """Save a rubric, and re-score the answers that have its items.

        Its `revision` is that of the rubric that the grader edited. New items have the id "".
        """
        most, first = self._question(cell)
        checked_rubric(rubric, most)
        stamp = Stamp(expect_name(grader), "rubric", most)
        with self._writing(cell) as rows:
            return change(rows, first, rubric, stamp)

    def undo_rubric(self, cell: str, *, grader: str) -> tuple[Rubric, list[Rescored]]:
        """Take back this grader's latest change of the rubric."""
        most, first = self._question(cell)
        with self._writing(cell) as rows:
            events = latest(rows, expect_name(grader), "rubric")
            if not events:
                raise Refused("You have not changed this rubric: there is nothing to undo.")
            states = (events[0].before, events[0].after)
            before, after = (rubric_of(json.loads(state)["rubric"]) for state in states)
            stamp = Stamp(grader, "rubric undone", most, undoes=events[0].batch)
            return change(rows, first, replace(before.within(most), revision=after.revision), stamp)

    def exported(self) -> dict[str, Any]:
        """Return all rubrics as JSON data, without any student data."""
        rubrics = {}
        for question in self.questions():
            rubric = rubrics[question.cell] = asdict(self.rubric(question.cell))
            if rubric["upper"] >= question.max_points:
                del rubric["upper"]  # the question may have more points in another class
            del rubric["revision"]  # this and ids mean nothing there
            for item in rubric["items"]:
                del item["id"]
        return {"format": FORMAT, "assignment": self.assignment, "rubrics": rubrics}

    def import_rubrics(self, document: object, *, grader: str) -> list[str]:
        """Import exported rubrics, for questions that have no graded answers yet.

        Return the questions that got a new rubric; the others are unchanged. `Refused` if the
        document holds no rubrics.
        """
        rubrics = _rubrics_in(document)
        points = {q.cell: q.max_points for q in self.questions() if q.cell in rubrics}
        # Check all rubrics before the first change.
        new = {cell: checked_rubric(rubrics[cell].within(n), n) for cell, n in points.items()}
        taken = []
        for cell, rubric in new.items():
            if not any(grading.mark.done for grading in self.gradings(cell).values()):
                rubric = replace(rubric, revision=self.rubric(cell).revision)
                self.change_rubric(cell, rubric, grader=grader)
                taken.append(cell)
        return taken


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
                float(rubric.get("upper", math.inf)),
            )
            for cell, rubric in document["rubrics"].items()  # type: ignore[index]
        }
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise Refused("This file has no rubrics. Choose a file that the desk exported.") from error
