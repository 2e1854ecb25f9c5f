"""The due date: set once in nbgrader_config.py, shown in the notebook, kept in the gradebook."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode
from traitlets.config.loader import PyFileConfigLoader

PLACEHOLDER = "{{ due_date }}"
# Not strftime: the notebook is English whatever the instructor's locale is.
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August"]
_MONTHS += ["September", "October", "November", "December"]


def configured(course: Path) -> datetime:
    """Return the due date that a course's ``nbgrader_config.py`` sets, with its time zone."""
    settings = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config().ShowDueDate
    return _moment(settings.local_time, settings.time_zone)


def _moment(local_time: str, time_zone: str) -> datetime:
    return datetime.fromisoformat(local_time).replace(tzinfo=ZoneInfo(time_zone))


def in_words(moment: datetime, zone_in_words: str) -> str:
    """Return a moment such as "Tuesday, 4 October 2022, 11:59 pm Pacific"."""
    hour = moment.hour % 12 or 12
    half = "am" if moment.hour < 12 else "pm"
    return (
        f"{_DAYS[moment.weekday()]}, {moment.day} {_MONTHS[moment.month - 1]} {moment.year}, "
        f"{hour}:{moment.minute:02d} {half} {zone_in_words}"
    )


class ShowDueDate(NbGraderPreprocessor):
    """Fill ``{{ due_date }}`` into markdown cells and set the assignment's due date.

    One of the preprocessors of ``nbgrader generate_assignment``. The gradebook keeps UTC; an
    assignment that it does not know (``--no-db``) is left alone.
    """

    local_time = Unicode(help="The due date, as YYYY-MM-DD HH:MM:SS in `time_zone`.").tag(
        config=True
    )
    time_zone = Unicode(help="IANA name, such as America/Los_Angeles.").tag(config=True)
    zone_in_words = Unicode(help="What students read for it, such as Pacific.").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Fill in the date, cell by cell, and keep it in the gradebook."""
        due = _moment(self.local_time, self.time_zone)
        for cell in nb.cells:
            if cell.cell_type == "markdown":
                cell.source = cell.source.replace(PLACEHOLDER, in_words(due, self.zone_in_words))
        names = resources["nbgrader"]
        with Gradebook(names["db_url"]) as gradebook:
            try:
                assignment = gradebook.find_assignment(names["assignment"])
            except MissingEntry:
                return nb, resources
            assignment.duedate = due.astimezone(UTC).replace(tzinfo=None)
            gradebook.db.commit()
        return nb, resources
