"""The plug-ins of ``nbgrader export``, such as ``--exporter=hw_grading.exports.plugins.Canvas``."""

import sys
from pathlib import Path
from typing import ClassVar

from nbgrader.api import Gradebook
from nbgrader.plugins import ExportPlugin
from traitlets import Unicode

from hw_grading.exports.export import export, write_table
from hw_grading.exports.tables import plain
from hw_grading.homework.course import Course
from hw_grading.records.scores import NoScores
from hw_grading.term.roster import FILE_NAME
from hw_support.failures import visible
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted


class PlainCsv(ExportPlugin):
    """Writes the columns of nbgrader's own export, with final scores, as plain data."""

    def export(self, gradebook: Gradebook) -> None:
        """Write the table to `to`, ``grades.csv`` by default."""
        to = Path(self.to or "grades.csv")
        self.log.info("Exporting grades to %s", to)
        course = Course.of(self.parent.coursedir)
        chosen = (set(map(str, self.assignment)), set(map(str, self.student)))
        try:
            write_table(to, plain(course, gradebook, *chosen), course.root / FILE_NAME)
        except (Unreadable, RuntimeError) as why:
            self.log.error("Nothing was exported. %s", visible(str(why)))
            sys.exit(1)


class _OneHomework(ExportPlugin):
    kind: ClassVar[str]
    fill: str = ""  # the file to fill in; "" for the project's own tables
    column: str = ""  # "" to find it

    roster = Unicode(
        "", help="the file that lists the students; default: the course's students.csv"
    ).tag(config=True)

    def export(self, gradebook: Gradebook) -> None:
        """Write the grades to `to`; log what you have to check."""
        try:
            path, exported = export(
                Course.of(self.parent.coursedir),
                self._assignment(gradebook),
                self.kind,
                Path(self.to) if self.to else None,
                fill=Path(self.fill) if self.fill else None,
                column=self.column,
                roster=Path(self.roster) if self.roster else None,
                students=[str(student) for student in self.student],
            )
        except (Unreadable, NoScores, OSError, RuntimeError) as why:
            self.log.error("Nothing was exported. %s", visible(str(why)))
            sys.exit(1)
        for sentence in exported.messages:
            self.log.info("%s", visible(sentence))
        for sentence in exported.left_to_do:
            self.log.warning("%s", visible(sentence))
        self.log.info("The grades are in %s", path)

    def _assignment(self, gradebook: Gradebook) -> str:
        known = sorted(assignment.name for assignment in gradebook.assignments)
        chosen = [str(name) for name in self.assignment] or known
        if len(chosen) == 1:
            return chosen[0]
        names = ", ".join(map(quoted, chosen)) or "none"
        raise Unreadable(
            f"{self.kind.title()} takes one homework at a time, found {names}. Choose one with "
            "--assignment=NAME"
        )


class _Filled(_OneHomework):
    fill = Unicode("", help="the file that you downloaded from the platform").tag(config=True)
    column = Unicode("", help="the column to write the grades to").tag(config=True)


class Canvas(_Filled):
    """Fills in a gradebook that Canvas exported."""

    kind = "canvas"


class Moodle(_Filled):
    """Fills in the grading worksheet of an assignment in Moodle."""

    kind = "moodle"


class Gradescope(_OneHomework):
    """Writes a table as Gradescope exports the scores of an assignment."""

    kind = "gradescope"


class Questions(_OneHomework):
    """Writes a table with everything that the final scores are made of."""

    kind = "questions"
