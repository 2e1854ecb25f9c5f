"""Finds the server's course, and keeps a desk for each of its homeworks."""

import threading
from pathlib import Path
from typing import Any

from hw_grading.desk.homework_desk import Busy, HomeworkDesk, NotThere
from hw_grading.desk.rendering import Renderer
from hw_grading.desk.thumbnails import Thumbnails
from hw_grading.homework.course import Course
from hw_support.submission.problems import quoted

_FORMGRADER = "nbgrader_formgrader"  # key in a server's settings


class Desks:
    """The desks of all homeworks of a server.

    Without a `folder`, the course is formgrader's, in the server's `settings` once formgrader is
    loaded, or else the folder in which the server was started. `base` ends in a slash.
    """

    def __init__(self, folder: Path | None, settings: dict[str, Any], base: str) -> None:
        self._folder, self._settings, self._base = folder, settings, base
        self._here = Path.cwd()
        self._lock = threading.Lock()
        self._courses: dict[Path, Course] = {}
        self._desks: dict[tuple[Path, str], HomeworkDesk] = {}
        self.busy = Busy()
        self.renderer = Renderer()
        self.thumbnails = Thumbnails()

    def course(self) -> Course:
        """Return the course; `GraderFault` if its settings have a mistake."""
        folder = self._folder
        if folder is None:
            formgrader = self._settings.get(_FORMGRADER)
            folder = Path(formgrader.coursedir.root) if formgrader else self._here
        with self._lock:
            if folder not in self._courses:
                course = Course(folder)
                course.directory  # noqa: B018 - read while no thread changes the import path
                self._courses[folder] = course
            return self._courses[folder]

    def desk(self, assignment: str) -> HomeworkDesk:
        """Return the desk of a homework; `NotThere` if the course has no such homework.

        `GraderFault`, `Unavailable`, `NoScores` or `Unreadable` if something cannot be read.
        """
        course = self.course()
        expect_homework(course, assignment)
        key = (course.folder, assignment)
        with self._lock:
            if key not in self._desks:
                self._desks[key] = HomeworkDesk(
                    course, assignment, self._base, self.renderer, self.thumbnails, self.busy
                )
            desk = self._desks[key]
        desk.wake()
        return desk

    def close(self) -> None:
        """Stop the background work."""
        for desk in self._desks.values():
            desk.close()
        self.renderer.close()


def expect_homework(course: Course, assignment: str) -> None:
    """Raise `NotThere` if a course has no homework of that name."""
    names = course.homeworks()
    if assignment not in names:
        raise NotThere(
            f"The course in {course.root} has no homework {quoted(assignment)}. It has: "
            f"{', '.join(names) or 'none'}."
        )
