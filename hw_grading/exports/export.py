"""Exports the grades of one homework into a file."""

import os
from collections.abc import Collection
from pathlib import Path

from hw_grading.exports.canvas import fill_canvas
from hw_grading.exports.filling import Exported
from hw_grading.exports.grades import read_grades
from hw_grading.exports.moodle import Columns, fill_moodle
from hw_grading.exports.tables import by_question, like_gradescope, write_table
from hw_grading.homework.course import Course
from hw_grading.term.roster import FILE_NAME
from hw_support.submission.file import Unreadable

_TABLES = {"gradescope": like_gradescope, "questions": by_question}


def export(
    course: Course,
    assignment: str,
    kind: str,
    to: Path | None = None,
    *,
    fill: Path | None = None,
    column: str = "",
    identity: Columns | None = None,
    roster: Path | None = None,
    students: Collection[str] = (),
) -> tuple[Path, Exported]:
    """Write the grades of a homework; return the file, and what was exported.

    The default file, ``<assignment>_<kind>.csv`` in this folder, must not exist yet; `to` is
    replaced in one step. `fill` is the file of Canvas or Moodle, `column` its column if it
    cannot be found by itself, `identity` Moodle's columns that identify students. No `students`
    means all. Raises `Unavailable` or `Unreadable` if nothing was written.
    """
    if kind not in _TABLES and not fill:
        raise Unreadable(
            f"expected a file from {kind.title()} to fill in, found none. Name it with --fill FILE"
        )
    if kind != "moodle" and identity:
        raise Unreadable(
            "--column-id, --column-login and --column-name are for Moodle. Leave them out"
        )
    if kind in _TABLES and (fill or column):
        raise Unreadable(
            f"{kind} writes its own table and fills in no file. Leave out --fill and --column"
        )
    grades = read_grades(course, assignment, roster, students)
    if not fill:
        exported = _TABLES[kind](grades)
    elif kind == "moodle":
        exported = fill_moodle(fill, grades, column, identity)
    else:
        exported = fill_canvas(fill, grades, column)
    out = to or Path(f"{assignment}_{kind}.csv")
    if not to and os.path.lexists(out):
        raise Unreadable(f"{out} exists already. Name another file with --output")
    write_table(out, exported.content, roster or course.root / FILE_NAME)
    return out, exported
