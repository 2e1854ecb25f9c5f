"""Reads CSV files as spreadsheets and platforms write them, and writes one column anew."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hw_support.submission.file import UserError, read_regular_file
from hw_support.submission.problems import quoted

_MAX_BYTES = 50_000_000
_MAX_SHOWN = 20  # mistakes in a file
_DELIMITERS = ",;\t"
_NUMBER = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*")


@dataclass(frozen=True)
class Row:
    """One row: its first line in the file, and its values."""

    line: int
    cells: tuple[str, ...]  # as they are, one for each column
    values: Mapping[str, str]  # without blanks around them, by the column's name in lower case


@dataclass(frozen=True)
class Table:
    """A table without its empty rows."""

    path: Path
    titles: tuple[str, ...]  # of the columns, as they are
    rows: tuple[Row, ...]
    delimiter: str
    is_ended: bool  # whether the last line has a line end

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in lower case."""
        return tuple(title.strip().casefold() for title in self.titles)

    def expect(self, *names: str) -> None:
        """Raise `UserError` if the table has none of these columns."""
        if not set(names) & set(self.columns):
            found = ", ".join(map(quoted, self.titles[:8]))
            said = " or ".join(names)
            raise UserError(f"{self.path}, line 1: expected a column named {said}, found {found}")

    def with_values(self, column: int, values: Mapping[int, str]) -> bytes:
        """Return the file, in UTF-8, with other values in a column: ``{line: value}``."""
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, delimiter=self.delimiter)
        writer.writerow(self.titles)
        for row in self.rows:
            value = values.get(row.line, row.cells[column])
            writer.writerow([*row.cells[:column], value, *row.cells[column + 1 :]])
        return stream.getvalue().encode()


def read_table(path: Path) -> Table:
    """Read a CSV, separated by commas, semicolons or tabs; `UserError` names the line."""
    text, line = _text_in(path), 1
    head = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=re.sub(r'"[^"]*"', "", head).count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[tuple[int, tuple[str, ...]]] = []
    try:
        for found in reader:
            if any(map(str.strip, found)):
                lines.append((line, tuple(found)))
            line = 1 + reader.line_num
    except csv.Error as error:
        why = f"it is not a CSV file ({error})"
        if "unexpected end of data" in str(error):
            why = (
                "a quoted value begins there and does not end. If the file is cut off, get it again"
            )
        raise UserError(f"{path}, line {line}: {why}") from None
    if not lines:
        raise UserError(f"{path}, line 1: expected the names of columns, found nothing")
    titles, is_ended, rows = lines[0][1], text.endswith(("\n", "\r")), []
    names = [title.strip().casefold() for title in titles]
    for line, cells in lines[1:]:
        missing = len(titles) - len(cells)
        if missing < 0 or (missing and not is_ended and line == lines[-1][0]):
            todo = "The file is cut off: get it again"
            if missing < 0:
                todo = f"Put quotes around a value that has a {delimiter!r} in it"
            raise UserError(
                f"{path}, line {line}: expected {len(titles)} values, found {len(cells)}. {todo}"
            )
        cells += ("",) * missing  # Excel leaves out empty values at the end of a row
        rows.append(Row(line, cells, dict(zip(names, map(str.strip, cells), strict=True))))
    return Table(path, titles, tuple(rows), delimiter, is_ended)


def number_in(text: str) -> float | None:
    """Return a value as a number, with a point or a comma; None if it is not a number."""
    match = _NUMBER.fullmatch(text)
    return float(match[1].replace(",", ".")) if match else None


def first_of(mistakes: Sequence[str]) -> list[str]:
    """Return the first mistakes in a file, and how many there are more."""
    more = len(mistakes) - _MAX_SHOWN
    return [*mistakes[:_MAX_SHOWN], *([f"and {more} more"] if more > 0 else [])]


def _text_in(path: Path) -> str:
    try:
        content = read_regular_file(path.resolve(), _MAX_BYTES)
    except (UserError, OSError) as why:
        raise UserError(f"{path}: {why}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeError:
        text = content.decode("cp1252", "replace")  # as Excel writes it in western countries
    if "\0" in text or "\ufffd" in text:
        raise UserError(f"{path}: expected a CSV file, found another one. Save it as CSV (UTF-8)")
    return text
