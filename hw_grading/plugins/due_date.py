"""The due date: set in the homework's manifest, shown in the notebook, stored in the gradebook."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor

from hw_grading.homework.homework import manifest_of

PLACEHOLDER = "{{ due_date }}"
# strftime would use the instructor's locale. The notebook is English.
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August"]
_MONTHS += ["September", "October", "November", "December"]


def in_words(moment: datetime, zone_in_words: str) -> str:
    """Return a moment such as "Tuesday, 4 October 2022, 11:59 pm Pacific"."""
    day = f"{_DAYS[moment.weekday()]}, {moment.day} {_MONTHS[moment.month - 1]} {moment.year}"
    time = f"{moment.hour % 12 or 12}:{moment.minute:02d} {'am' if moment.hour < 12 else 'pm'}"
    return f"{day}, {time} {zone_in_words}".rstrip()


class ShowDueDate(NbGraderPreprocessor):
    """Write the manifest's due date into markdown cells, and store it in the gradebook in UTC.

    One of the preprocessors of ``nbgrader generate_assignment``. The gradebook is unchanged with
    ``--no-db``, or if it does not know the assignment.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Process one notebook."""
        names = resources["nbgrader"]
        # The parents are the exporter and the converter.
        converter = self.parent.parent
        manifest = manifest_of(Path(converter.coursedir.root), names["assignment"])
        due = manifest.due_moment
        shown = in_words(due, manifest.zone_in_words) if due else "no due date"
        for cell in nb.cells:
            if cell.cell_type == "markdown":
                cell.source = cell.source.replace(PLACEHOLDER, shown)
        if converter.no_database:
            return nb, resources
        with Gradebook(names["db_url"]) as gradebook, contextlib.suppress(MissingEntry):
            assignment = gradebook.find_assignment(names["assignment"])
            assignment.duedate = due.astimezone(UTC).replace(tzinfo=None) if due else None
            gradebook.db.commit()
        return nb, resources
