"""Sorts what was downloaded from a learning platform, by the names of the course's homeworks."""

from __future__ import annotations

from nbgrader.plugins import FileNameCollectorPlugin
from traitlets import default

from hw_grading.homework.course import Course
from hw_grading.homework.homework import file_name_pattern


class HomeworksByName(FileNameCollectorPlugin):
    """Takes ``<student>_<homework>.ipynb`` apart, unless `named_regexp` is set to something else.

    One of the plugins of ``nbgrader zip_collect``.
    """

    @default("named_regexp")
    def _of_this_course(self) -> str:
        # What this runs for is the plugin's parent.
        return file_name_pattern(Course.of(self.parent.coursedir).homeworks())
