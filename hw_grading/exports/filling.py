"""Reads a platform's CSV file, and writes scores into one of its columns."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hw_grading.exports.grades import Grades, two_decimals
from hw_grading.exports.matching import Line, Matches, Sheet
from hw_grading.records.scores import counted
from hw_grading.records.tables import read_csv
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

_NUMBER = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*")


@dataclass(frozen=True)
class Exported:
    """A file to be written, and sentences on what was done, and on what you have to check."""

    content: bytes
    messages: tuple[str, ...] = ()
    left_to_do: tuple[str, ...] = ()


def read_sheet(path: Path) -> Sheet:
    """Read a CSV, separated by commas, semicolons or tabs, or raise `Unreadable`."""
    text, skipped, delimiter = read_csv(path)
    is_ended = text.endswith(("\n", "\r"))
    lines = [
        line for line in _lines(path, text, delimiter, skipped) if any(map(str.strip, line.values))
    ]
    if not lines:
        raise Unreadable(f"{path}, line 1: expected the names of columns, found nothing")
    width = len(lines[0].values)
    for line in lines:
        _expect_width(path, line, width, is_ended or line is not lines[-1])
    # Excel leaves out empty values at the end of a row.
    full = [Line(one.number, one.values + ("",) * (width - len(one.values))) for one in lines]
    return Sheet(path, full[0], tuple(full[1:]), is_ended, delimiter)


def number_in(text: str) -> float | None:
    """Return a value as a number, with a point or a comma; None if it is not a number."""
    match = _NUMBER.fullmatch(text)
    return float(match[1].replace(",", ".")) if match else None


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
    content = _content(sheet, column, scores)
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


def _content(sheet: Sheet, column: int, scores: Mapping[int, str]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=sheet.delimiter)
    for line in (sheet.header, *sheet.rows):
        values = list(line.values)
        values[column] = scores.get(line.number, values[column])
        writer.writerow(values)
    return stream.getvalue().encode()


def _not_ended(sheet: Sheet) -> Iterator[str]:
    if not sheet.is_ended:
        last = sheet.place(sheet.rows[-1] if sheet.rows else sheet.header)
        yield f"{last}: the line has no line end. Check that the file is complete"


def _lines(path: Path, text: str, delimiter: str, before: int) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = before + 1
    try:
        for values in reader:
            yield Line(number, tuple(values))
            number = before + reader.line_num + 1
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise Unreadable(
                f"{path}, line {number}: a quoted value begins there and does not end. The file "
                "is cut off: download it again"
            ) from None
        raise Unreadable(f"{path}, line {number}: it is not a CSV file ({error})") from None


def _expect_width(path: Path, line: Line, width: int, has_end: bool) -> None:
    found = len(line.values)
    if found > width:
        raise Unreadable(
            f"{path}, line {line.number}: expected {width} values, found {found}: "
            f"{quoted(', '.join(line.values))}. Put quotes around a value that has a separator in "
            "it"
        )
    if found < width and not has_end:
        raise Unreadable(
            f"{path}, line {line.number}: expected {width} values, found {found} at the end of "
            "the file. The file is cut off: download it again"
        )
