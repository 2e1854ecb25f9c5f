"""A platform's CSV file: read strictly, and written again with new values in one column."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hw_grading.term.csv_tables import read_csv
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

_NUMBER = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*")


@dataclass(frozen=True)
class Line:
    """A row of a file."""

    number: int  # of its first line, from 1
    values: tuple[str, ...]  # one for each column

    def __getitem__(self, column: int) -> str:
        return self.values[column]


@dataclass(frozen=True)
class Sheet:
    """A table of a platform."""

    path: Path
    header: Line
    rows: tuple[Line, ...]  # the non-empty ones
    is_ended: bool  # whether its last line has a line end
    delimiter: str

    def place(self, row: Line) -> str:
        """Return file and line, for people."""
        return f"{self.path.name}, line {row.number}"

    def with_scores(self, column: int, scores: Mapping[int, str]) -> bytes:
        """Return the file, in UTF-8, with new values in a column: ``{line number: value}``."""
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, delimiter=self.delimiter)
        for line in (self.header, *self.rows):
            values = list(line.values)
            values[column] = scores.get(line.number, values[column])
            writer.writerow(values)
        return stream.getvalue().encode()


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
