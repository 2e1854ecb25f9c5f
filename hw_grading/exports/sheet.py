"""Replace some values of a platform's CSV, and leave all other bytes unchanged."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hw_grading.records.tables import delimiter_of, read_text
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

_NUMBER = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*")


@dataclass(frozen=True)
class Line:
    """A row of the file."""

    number: int  # of its first line, from 1
    values: tuple[str, ...]  # one for each column; a short row is filled up with ""
    raw: str  # its text in the file, with the line end

    def __getitem__(self, column: int) -> str:
        return self.values[column]


@dataclass(frozen=True)
class Sheet:
    """A table of a platform."""

    path: Path
    header: Line
    rows: tuple[Line, ...]  # the non-empty ones
    is_ended: bool  # whether its last line has a line end
    _before: str
    _lines: tuple[Line, ...]
    _bom: bytes
    _encoding: str
    _delimiter: str

    def place(self, row: Line) -> str:
        """Return file and line, for people."""
        return f"{self.path.name}, line {row.number}"

    def with_values(self, changes: Mapping[int, Mapping[int, str]]) -> bytes:
        """Return the file with new values: ``{line number: {column: value}}``."""
        text = self._before
        for line in self._lines:
            new = changes.get(line.number)
            text += self._written(line, new) if new else line.raw
        return self._bom + text.encode(self._encoding)

    def _written(self, line: Line, new: Mapping[int, str]) -> str:
        values = [new.get(column, value) for column, value in enumerate(line.values)]
        stream = io.StringIO(newline="")
        csv.writer(stream, delimiter=self._delimiter, lineterminator="\r\n").writerow(values)
        end = line.raw[len(line.raw.rstrip("\r\n")) :]
        return stream.getvalue().removesuffix("\r\n") + end


def read_sheet(path: Path) -> Sheet:
    """Read a CSV, separated by commas, semicolons or tabs, or raise `Unreadable`."""
    text, bom, encoding = read_text(path)
    physical = text.splitlines(keepends=True)
    first = re.fullmatch(r"sep=([,;\t|])\s*", physical[0]) if physical else None  # Excel obeys it
    before = physical[0] if first else ""
    text = text[len(before) :]
    head = next(iter(io.StringIO(text, newline="")), "")
    delimiter = first[1] if first else delimiter_of(head)
    lines = list(_lines(path, text, delimiter, 2 if first else 1))
    width = next((len(line.values) for line in lines if any(map(str.strip, line.values))), None)
    if width is None:
        raise Unreadable(f"{path}, line 1: expected the names of columns, found nothing")
    is_ended = text.endswith(("\n", "\r"))
    lines = [_of_width(path, line, width, is_ended or line is not lines[-1]) for line in lines]
    header, *rows = (line for line in lines if any(map(str.strip, line.values)))
    return Sheet(
        path, header, tuple(rows), is_ended, before, tuple(lines), bom, encoding, delimiter
    )


def number_in(text: str) -> float | None:
    """Return a value as a number, with a point or a comma; None if it is not a number."""
    match = _NUMBER.fullmatch(text)
    return float(match[1].replace(",", ".")) if match else None


def _lines(path: Path, text: str, delimiter: str, number: int) -> Iterator[Line]:
    physical, read = list(io.StringIO(text, newline="")), 0
    reader = csv.reader(physical, delimiter=delimiter, strict=True)
    try:
        for values in reader:
            yield Line(number, tuple(values), "".join(physical[read : reader.line_num]))
            number += reader.line_num - read
            read = reader.line_num
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise Unreadable(
                f"{path}, line {number}: a quoted value begins there and does not end. The file "
                "is cut off: download it again"
            ) from None
        raise Unreadable(f"{path}, line {number}: it is not a CSV file ({error})") from None


def _of_width(path: Path, line: Line, width: int, has_end: bool) -> Line:
    found = len(line.values)
    if found > width:
        raise Unreadable(
            f"{path}, line {line.number}: expected {width} values, found {found}: "
            f"{quoted(line.raw)}. Put quotes around a value that has a separator in it"
        )
    if found < width and not has_end:
        raise Unreadable(
            f"{path}, line {line.number}: expected {width} values, found {found} at the end of "
            "the file. The file is cut off: download it again"
        )
    # Excel leaves out empty values at the end of a row.
    return Line(line.number, line.values + ("",) * (width - found), line.raw)
