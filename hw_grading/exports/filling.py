"""Writes scores into one column of a platform's file."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hw_grading.exports.grades import Grades, two_decimals
from hw_grading.exports.matching import Matches
from hw_grading.exports.sheet import Sheet, number_in
from hw_grading.gradebook.scores import counted
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted


@dataclass(frozen=True)
class Exported:
    """A file to be written, and sentences on what was done, and on what you have to check."""

    content: bytes
    messages: tuple[str, ...] = ()
    left_to_do: tuple[str, ...] = ()


def filled(
    sheet: Sheet,
    column: int,
    matches: Matches,
    numbers: Iterable[str],
    to_check: Iterable[str],
    excused: str | None = None,
) -> Exported:
    """Write the wanted students' scores into a column.

    A row keeps its value if the student has no score, or if the value is `excused`. If one of the
    file's `numbers` has a decimal comma, as in a German Excel, scores are written with one too.
    """
    ids = {grade.id for grade in matches.grades.wanted}
    decimal_comma = any("," in number and number_in(number) is not None for number in numbers)
    scores: dict[int, str] = {}  # by line
    written = kept = 0
    for row in sheet.rows:
        grade = matches.found.get(row.number)
        if not grade or grade.id not in ids:
            continue
        is_excused = row[column].strip().casefold() == excused
        if not grade.final or not grade.is_scored or is_excused:
            kept += 1
            continue
        written += 1
        text = two_decimals(grade.final.final)
        if number_in(row[column]) != number_in(text):
            scores[row.number] = text.replace(".", ",") if decimal_comma else text
    name = quoted(sheet.header[column])
    summary = f"{counted(written, 'score')} in the column {name}; {len(scores)} of them changed."
    if kept:
        summary += (
            f" Rows of {counted(kept, 'student')} without a score, or excused, are unchanged."
        )
    to_do = [*matches.grades.left_to_do(), *_not_ended(sheet), *to_check, *matches.left_to_do()]
    content = sheet.with_scores(column, scores)
    return Exported(content, (summary, *matches.messages()), tuple(to_do))


def differing_maximum(grades: Grades, maximum: str, where: str) -> Iterator[str]:
    """Yield a sentence if the platform's maximum differs from the homework's."""
    theirs, ours = number_in(maximum), grades.finals.max_score
    if theirs is not None and abs(theirs - ours) >= 0.005:
        yield (
            f"{where} has a maximum of {two_decimals(theirs)} points, but "
            f"{grades.finals.assignment} has {two_decimals(ours)}. The scores were not rescaled. "
            f"Change the platform's maximum to {two_decimals(ours)}"
        )


def the_one(sheet: Sheet, wanted: str, found: Sequence[int], columns: Sequence[int]) -> int:
    """Return the column, if exactly one was found; else raise `Unreadable` with the choices."""
    if len(found) == 1:
        return found[0]
    what = "none" if not found else f"{len(found)} of them"
    names = ", ".join(quoted(sheet.header[column], 100) for column in found or columns) or "none"
    raise Unreadable(
        f"{sheet.place(sheet.header)}: expected one column {wanted}, found {what}. Choose one "
        f"with --column: {names}"
    )


def _not_ended(sheet: Sheet) -> Iterator[str]:
    if not sheet.is_ended:
        last = sheet.place(sheet.rows[-1] if sheet.rows else sheet.header)
        yield f"{last}: the line has no line end. Check that the file is complete"
