"""Reads CSV files as spreadsheets and platforms write them, and writes single columns anew."""

import csv
import io
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hw_support.submission.file import UserError, read_regular_file
from hw_support.submission.problems import quoted

_MAX_BYTES = 50_000_000


@dataclass(frozen=True)
class Row:
    """One row: its first line in the file, and its values."""

    line: int
    cells: tuple[str, ...]  # as they are, one for each column
    values: Mapping[str, str]  # without blanks around them, by the column's name, `folded`


@dataclass(frozen=True)
class Table:
    """A table without its empty rows."""

    path: Path
    titles: tuple[str, ...]  # of the columns, as they are
    columns: tuple[str, ...]  # their names, `folded`
    rows: tuple[Row, ...]
    delimiter: str
    is_ended: bool  # whether the last line has a line end

    def expect(self, *names: str, in_file: str = "") -> None:
        """Raise `UserError` if the table has none of these columns."""
        if not set(names) & set(self.columns):
            found = ", ".join(map(quoted, self.titles[:8]))
            said = f"a column named {' or '.join(names)}{in_file}"
            raise UserError(f"{self.path}, line 1: expected {said}, found {found}")

    def with_values(self, values: Mapping[int, Mapping[int, str]]) -> bytes:
        """Return the file, in UTF-8, with other values: ``{column: {line: value}}``."""
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, delimiter=self.delimiter)
        writer.writerow(self.titles)
        for row in self.rows:
            cells = enumerate(row.cells)
            writer.writerow([values.get(n, {}).get(row.line, cell) for n, cell in cells])
        return stream.getvalue().encode()


def read_table(path: Path) -> Table:
    """Read a CSV in UTF-8, separated by commas, semicolons or tabs; `UserError` names the line."""
    line = 1
    lines: list[tuple[int, tuple[str, ...]]] = []
    try:
        text = read_regular_file(path.resolve(), _MAX_BYTES).decode("utf-8-sig")
        titles_only = re.sub(r'"[^"]*"', "", text.partition("\n")[0])
        delimiter = max(",;\t", key=titles_only.count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        for found in reader:
            if any(map(str.strip, found)):
                lines.append((line, tuple(found)))
            line = 1 + reader.line_num
    except (UserError, OSError) as why:
        raise UserError(f"{path}: {why}") from None
    except (UnicodeError, csv.Error) as why:
        raise UserError(
            f"{path}, line {line}: expected a CSV file in UTF-8, found another one ({why}). Save "
            "it as CSV (UTF-8). If it is cut off, get it again"
        ) from None
    if not lines:
        raise UserError(f"{path}, line 1: expected the names of columns, found nothing")
    (_, titles), *others = lines
    names, is_ended = tuple(map(folded, titles)), text.endswith(("\n", "\r"))
    rows = []
    for line, cells in others:
        missing = len(titles) - len(cells)
        if missing < 0 or (missing and not is_ended and line == lines[-1][0]):
            raise UserError(
                f"{path}, line {line}: expected {len(titles)} values, found {len(cells)}. Put "
                f"quotes around a value with a {delimiter!r} in it. If the file is cut off, get it "
                "again"
            )
        cells += ("",) * missing  # Excel leaves out empty values at the end of a row
        rows.append(Row(line, cells, dict(zip(names, map(str.strip, cells), strict=True))))
    return Table(path, titles, names, tuple(rows), delimiter, is_ended)


def folded(text: str) -> str:
    """Return a text in a normal form, independent of case, Unicode form and spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
