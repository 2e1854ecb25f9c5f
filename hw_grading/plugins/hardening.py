"""Fixes nbgrader where it trusts students' data and has no setting to change that.

`nbgrader_config.py`, which every nbgrader command and formgrader read, calls `harden`:

- Formgrader's pages escape what they print (`hw_grading.plugins.formgrader_pages`).
- An invalid `timestamp.txt` counts as missing. nbgrader stops at it otherwise.
- Log messages lose their terminal control characters. nbgrader logs ids and file names unchanged.
"""

import logging
import os
import sys
from datetime import datetime
from typing import Any

from nbgrader.coursedir import CourseDirectory

from hw_grading.plugins.formgrader_pages import escape

_FORMATTER = logging.Formatter()
_make = logging.getLogRecordFactory()


def harden() -> None:
    """Fix the modules that this process has loaded. Calling it again changes nothing."""
    from hw_grading.batch.folders import CarefulCourseDirectory

    escape()
    CourseDirectory.get_existing_timestamp = CarefulCourseDirectory.get_existing_timestamp
    if api := sys.modules.get("nbgrader.apps.api"):
        api.NbGraderAPI.get_submitted_timestamp = _submitted_timestamp
    if logging.getLogRecordFactory() is not _visible_record:
        global _make
        _make = logging.getLogRecordFactory()
        logging.setLogRecordFactory(_visible_record)


def _submitted_timestamp(self: Any, assignment_id: str, student_id: str) -> datetime | None:
    """Return the time of a submission. This replaces formgrader's method."""
    course = self.coursedir
    folder = course.format_path(course.submitted_directory, student_id, assignment_id)
    when: datetime | None = course.get_existing_timestamp(os.path.abspath(folder))
    return when


def _visible_record(*values: Any, **named: Any) -> logging.LogRecord:
    from hw_support.failures import visible

    record = _make(*values, **named)
    try:
        text = record.getMessage()
    except Exception:
        return record  # the handler reports the error
    if (shown := visible(text)) != text:
        record.msg, record.args = shown, ()
    if record.exc_info:
        record.exc_text = visible(_FORMATTER.formatException(record.exc_info))
    return record
