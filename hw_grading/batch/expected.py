"""Which submissions nbgrader's loop will grade, and in which order."""

import os
from collections.abc import Iterator
from pathlib import Path

from nbgrader.converters import Autograde

from hw_grading.batch import folders
from hw_grading.batch.submitted import why_unusable


def expected(converter: Autograde) -> Iterator[tuple[str, Path]]:
    """Yield students and notebooks in the order in which nbgrader will grade them."""
    course = converter.coursedir
    excluded = course.student_id_exclude.split(",")
    known = folders.notebook_names(course)
    for folder, student in sorted(folders.students(converter)):
        if student in excluded or student in course.unusable or why_unusable(Path(folder)):
            continue
        listed = map(Path, sorted(converter.assignments[folder]))
        notebooks = [path for path in listed if path.stem in known]
        if _will_be_graded(converter, student, notebooks):
            for path in notebooks:
                yield student, path


def _will_be_graded(converter: Autograde, student: str, notebooks: list[Path]) -> bool:
    """Return whether nbgrader's loop will grade a student; see `BaseConverter.init_destination`."""
    course = converter.coursedir
    folder = course.format_path(course.autograded_directory, student, course.assignment_id)
    if course.notebook_id == "*":
        there = os.path.exists(folder)
    else:
        there = all(os.path.exists(Path(folder, path.name)) for path in notebooks)
    if not there or converter.force:
        return True
    new, old = map(course.get_existing_timestamp, (notebooks[0].parent, folder))
    return bool(new and old and new > old)
