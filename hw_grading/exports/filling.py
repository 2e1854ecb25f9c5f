"""Writes scores into one column of a platform's file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from hw_grading.exports.cells import points
from hw_grading.exports.grades import Grade, Grades
from hw_grading.exports.sheet import Sheet, number_in
from hw_grading.records.scores import counted
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted


@dataclass(frozen=True)
class Exported:
    """A file to be written, and sentences on what was done, and on what you have to check."""

    content: bytes
    told: tuple[str, ...] = ()
    left_to_do: tuple[str, ...] = ()


def filled(
    sheet: Sheet,
    column: int,
    found: Mapping[int, Grade],
    wanted: Collection[Grade],
    *,
    decimal_comma: bool,
    is_kept: Callable[[str], bool] = lambda value: False,
) -> tuple[bytes, str]:
    """Write the wanted students' scores into a column; return the file, and what was written.

    `found` maps line numbers to students. A row keeps its value if the student has no score, or
    if `is_kept` is true for that value.
    """
    ids = {grade.id for grade in wanted}
    changes: dict[int, dict[int, str]] = {}
    written = kept = 0
    for row in sheet.rows:
        grade = found.get(row.number)
        if not grade or grade.id not in ids:
            continue
        if not grade.final or not grade.is_scored or is_kept(row[column]):
            kept += 1
            continue
        written += 1
        text = points(grade.final.final)
        if number_in(row[column]) != number_in(text):
            new = text.replace(".", ",") if decimal_comma else text
            changes[row.number] = {column: new}
    name = quoted(sheet.header[column])
    told = f"{counted(written, 'score')} in the column {name}; {len(changes)} of them changed."
    if kept:
        told += f" Rows of {counted(kept, 'student')} without a score, or excused, are unchanged."
    return sheet.with_values(changes), told


def has_decimal_commas(values: Sequence[str]) -> bool:
    """Whether numbers have a decimal comma, as in a German Excel."""
    return any("," in value and number_in(value) is not None for value in values)


def differing_maximum(grades: Grades, maximum: str, where: str) -> list[str]:
    """Return a sentence if the platform's maximum differs from the homework's, else none."""
    theirs, ours = number_in(maximum), grades.finals.max_score
    if theirs is None or abs(theirs - ours) < 0.005:
        return []
    return [
        f"{where} has a maximum of {points(theirs)} points, but {grades.finals.assignment} has "
        f"{points(ours)}. The scores were not rescaled. Change the platform's maximum to "
        f"{points(ours)}"
    ]


def not_ended(sheet: Sheet) -> list[str]:
    """Return a sentence if the file's last line has no line end, else none."""
    last = sheet.rows[-1] if sheet.rows else sheet.header
    if sheet.is_ended:
        return []
    return [f"{sheet.place(last)}: the line has no line end. Check that the file is complete"]


def the_one(
    sheet: Sheet, wanted: str, found: Sequence[int], columns: Sequence[int], option: str
) -> int:
    """Return the column, if exactly one was found.

    Otherwise raises `Unreadable`, with a list of the possible columns.
    """
    if len(found) == 1:
        return found[0]
    what = "none" if not found else f"{len(found)} of them"
    names = ", ".join(quoted(sheet.header[column], 100) for column in found or columns) or "none"
    raise Unreadable(
        f"{sheet.place(sheet.header)}: expected one column {wanted}, found {what}. Choose one "
        f"with {option}: {names}"
    )
