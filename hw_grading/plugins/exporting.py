"""Writes the grades as a table that a spreadsheet reads as data, whatever students are called."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import CsvExportPlugin

from hw_grading.records.writing import cell

COLUMNS = (
    *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
    *("raw_score", "late_submission_penalty", "score", "max_score"),
)


class PlainCsv(CsvExportPlugin):
    """Writes the columns of nbgrader's own export, each cell quoted where it has to be.

    The plugin of ``nbgrader export``. A text that a spreadsheet would compute gets an apostrophe in
    front, as OWASP advises.
    """

    def export(self, gradebook: Gradebook) -> None:
        """Write the table to `to`, ``grades.csv`` by default."""
        to = self.to or "grades.csv"
        self.log.info("Exporting grades to %s", to)
        with open(to, "w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(COLUMNS)
            table.writerows(map(cell, row) for row in self._rows(gradebook))

    def _rows(self, gradebook: Gradebook) -> Iterator[tuple[Any, ...]]:
        assignments, students = set(map(str, self.assignment)), set(map(str, self.student))
        for assignment in gradebook.assignments:
            if assignments and assignment.name not in assignments:
                continue
            for student in gradebook.students:
                if students and student.id not in students:
                    continue
                when, points, penalty = "", 0.0, 0.0
                try:
                    handed_in = gradebook.find_submission(assignment.name, student.id)
                except MissingEntry:
                    pass
                else:
                    when, points = handed_in.timestamp, handed_in.score
                    penalty = handed_in.late_submission_penalty
                about = (student.id, student.last_name, student.first_name, student.email)
                scores = (points, penalty, max(0.0, points - penalty), assignment.max_score)
                yield assignment.name, assignment.duedate, when, *about, *scores
