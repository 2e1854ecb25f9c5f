"""Writes the grades as a table that a spreadsheet reads as data, whatever students are called."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.plugins import CsvExportPlugin

from hw_grading.final_scores.scores import final_scores
from hw_grading.homework.course import Course
from hw_support.failures import one_line

COLUMNS = (
    *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
    *("raw_score", "late_submission_penalty", "score", "max_score"),
)
# What a spreadsheet takes for the beginning of a formula, the wide forms included.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


class PlainCsv(CsvExportPlugin):
    """Writes the columns of nbgrader's own export, each cell quoted where it has to be.

    Scores are final ones, with corrections for all; what lateness takes off is counted now.

    The plugin of ``nbgrader export``. A text that a spreadsheet would compute gets an apostrophe in
    front, as OWASP advises.
    """

    def export(self, gradebook: Gradebook) -> None:
        """Write the table to `to`, ``grades.csv`` by default."""
        to = self.to or "grades.csv"
        self.log.info("Exporting grades to %s", to)
        rows = list(self._rows(gradebook))  # what fails, fails before the file is touched
        with open(to, "w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(COLUMNS)
            table.writerows(map(cell, row) for row in rows)

    def _rows(self, gradebook: Gradebook) -> Iterator[tuple[Any, ...]]:
        course = Course.of(self.parent.coursedir)
        assignments, students = set(map(str, self.assignment)), set(map(str, self.student))
        for assignment in gradebook.assignments:
            if assignments and assignment.name not in assignments:
                continue
            finals = final_scores(course, assignment.name)
            for student in gradebook.students:
                if students and student.id not in students:
                    continue
                final = finals.students[student.id]
                when = final.record.handed_in if final.record else ""
                about = (student.id, student.last_name, student.first_name, student.email)
                scores = (final.score, final.penalty, final.final, finals.max_score)
                yield assignment.name, assignment.duedate, when, *about, *scores


def cell(value: Any) -> Any:
    """Return what is written for a value: a number as it is, a text so that nothing is computed."""
    if value is None or isinstance(value, int | float):
        return value
    text = one_line(str(value))  # without tabs and line breaks, which begin a formula as well
    return f"'{text}" if text.startswith(_FORMULA) else text
