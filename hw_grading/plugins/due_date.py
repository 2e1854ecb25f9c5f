"""The due date: set in the homework's manifest, shown in the notebook, stored in the gradebook."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor

from hw_grading.homework.homework import homework_of

PLACEHOLDER = "{{ due_date }}"
# strftime would use the instructor's locale. The notebook is English.
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August"]
_MONTHS += ["September", "October", "November", "December"]


def in_words(moment: datetime, zone_in_words: str) -> str:
    """Return a moment such as "Tuesday, 4 October 2022, 11:59 pm Pacific"."""
    hour = moment.hour % 12 or 12
    half = "am" if moment.hour < 12 else "pm"
    said = (
        f"{_DAYS[moment.weekday()]}, {moment.day} {_MONTHS[moment.month - 1]} {moment.year}, "
        f"{hour}:{moment.minute:02d} {half} {zone_in_words}"
    )
    return said.rstrip()


class ShowDueDate(NbGraderPreprocessor):
    """Fill ``{{ due_date }}`` into markdown cells and set the assignment's due date.

    One of the preprocessors of ``nbgrader generate_assignment``. The date comes from the homework's
    manifest. The gradebook stores it in UTC. With ``--no-db``, or if the gradebook does not know
    the assignment, the gradebook is not changed.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Fill the date into each cell, and store it in the gradebook."""
        names = resources["nbgrader"]
        # This preprocessor's parent is the exporter, and the exporter's parent is the converter.
        converter = self.parent.parent
        manifest = homework_of(Path(converter.coursedir.root), names["assignment"]).manifest
        due = manifest.due_moment
        shown = in_words(due, manifest.zone_in_words) if due else "no due date"
        for cell in nb.cells:
            if cell.cell_type == "markdown":
                cell.source = cell.source.replace(PLACEHOLDER, shown)
        if converter.no_database:
            return nb, resources
        with Gradebook(names["db_url"]) as gradebook:
            try:
                assignment = gradebook.find_assignment(names["assignment"])
            except MissingEntry:
                return nb, resources
            assignment.duedate = due.astimezone(UTC).replace(tzinfo=None) if due else None
            gradebook.db.commit()
        return nb, resources
