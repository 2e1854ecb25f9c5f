"""Exports the grades of one homework into a file."""

import os
from collections.abc import Collection
from pathlib import Path

from hw_grading.exports.canvas import fill_canvas
from hw_grading.exports.filling import Exported
from hw_grading.exports.grades import read_grades
from hw_grading.exports.moodle import fill_moodle
from hw_grading.exports.tables import by_question, like_gradescope
from hw_grading.homework.course import Course
from hw_grading.records.writing import expect_ending, write_whole
from hw_grading.term.roster import FILE_NAME
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

_FILLING = {"canvas": fill_canvas, "moodle": fill_moodle}
_TABLES = {"gradescope": like_gradescope, "questions": by_question}


def export(
    course: Course,
    assignment: str,
    kind: str,
    to: Path | None = None,
    *,
    fill: Path | None = None,
    column: str = "",
    roster: Path | None = None,
    students: Collection[str] = (),
) -> tuple[Path, Exported]:
    """Write the grades of a homework; return the file, and what was exported.

    The default file, ``<assignment>_<kind>.csv`` in this folder, must not exist yet; `to` is
    replaced in one step. `fill` is the file of Canvas or Moodle, `column` its column if it
    cannot be found by itself. No `students` means all. Raises `NoScores` or `Unreadable` if
    nothing was written.
    """
    if kind in _FILLING and not fill:
        raise Unreadable(
            f"expected a file from {kind.title()} to fill in, found none. Name it with --fill "
            f"FILE (for nbgrader export: --{kind.title()}.fill=FILE)"
        )
    if kind in _TABLES and (fill or column):
        raise Unreadable(
            f"{kind} writes its own table and fills in no file. Leave out --fill and --column"
        )
    grades = read_grades(course, assignment, roster, students)
    exported = _FILLING[kind](fill, grades, column) if fill else _TABLES[kind](grades)
    out = to or Path(f"{assignment}_{kind}.csv")
    if not to and os.path.lexists(out):
        raise Unreadable(f"{out} exists already. Name another file with --to")
    write_table(out, exported.content, roster or course.root / FILE_NAME)
    return out, exported


def write_table(out: Path, content: bytes, roster: Path) -> None:
    """Write a CSV file; `Unreadable` or RuntimeError if it would replace something else."""
    if out.is_dir():
        raise Unreadable(f"{quoted(out)} is a folder. Name a file with --to")
    expect_ending(out, "--to", ".csv")
    if out.resolve() == roster.resolve():
        raise Unreadable(f"{out} is the list of students. Name another file with --to")
    write_whole(out, content)
