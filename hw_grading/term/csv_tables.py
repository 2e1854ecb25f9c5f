"""Reads CSV files as programs such as Excel write them, in any language, with or without a BOM."""

import codecs
import contextlib
import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hw_support.submission.file import Unreadable, read_regular_file
from hw_support.submission.problems import quoted

_MOST_BYTES = 50_000_000
_DELIMITERS = ",;\t"
_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


@dataclass(frozen=True)
class Row:
    """One row: the line where it ends, and its stripped values by column."""

    line: int
    values: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """A table with lower-case column names, and a complaint for each row that could not be read."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]  # without empty ones
    complaints: tuple[str, ...]

    def column(self, path: Path, names: Sequence[str], what: str) -> str:
        """Return the first of these columns that is there; raise `Unreadable` if none is."""
        if there := [name for name in names if name in self.columns]:
            return there[0]
        found = ", ".join(map(quoted, self.columns[:8]))
        raise Unreadable(f"{path}, line 1: expected a column {what}, found {found}")


def read_table(path: Path) -> Table:
    """Read a CSV, separated by commas, semicolons or tabs, or raise `Unreadable`."""
    text, skipped, delimiter = read_csv(path, "replace")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns: tuple[str, ...] = ()
    rows: list[Row] = []
    complaints: list[str] = []
    try:
        for values in reader:
            line = reader.line_num + skipped
            values = [value.strip() for value in values]
            if not any(values):
                continue
            if not columns:
                columns = tuple(value.casefold() for value in values)
            elif len(values) > len(columns):
                separator = quoted(delimiter) if delimiter != "\t" else "tab"
                complaints.append(
                    f"{path}, line {line}: expected {len(columns)} values, found {len(values)}. "
                    f"This row is left out. Put quotes around a value that has a {separator} in it"
                )
            else:
                values += [""] * (len(columns) - len(values))
                rows.append(Row(line, dict(zip(columns, values, strict=True))))
    except csv.Error as error:
        line = reader.line_num + skipped
        what = f"this line and all below it cannot be read ({error})"
        complaints.append(f"{path}, line {line}: {what}")
    if not columns:
        raise Unreadable(f"{path}, line 1: expected the names of columns, found nothing")
    if twice := sorted({column for column in columns if column and columns.count(column) > 1}):
        complaints.append(f"{path}, line 1: the column {quoted(twice[0])} is there twice")
    return Table(columns, tuple(rows), tuple(complaints))


def read_csv(path: Path, errors: str = "strict") -> tuple[str, int, str]:
    """Return a CSV file's text, the number of lines before it, and its delimiter.

    Excel's first line ``sep=;`` is left out of the text. `errors` is what to do with bytes that
    stand for nothing in Excel's encoding, as for `decode`. Raises `Unreadable`.
    """
    text = _read_text(path, errors)
    head, _, rest = text.partition("\n")
    skipped = re.fullmatch(r"sep=(.)\s*", head)
    if skipped:
        text, head = rest, rest.partition("\n")[0]
    outside_quotes = re.sub(r'"[^"]*"', "", head)
    return text, 1 if skipped else 0, max(_DELIMITERS, key=outside_quotes.count)


def _read_text(path: Path, errors: str) -> str:
    try:
        content = read_regular_file(path.resolve(), _MOST_BYTES)
    except (Unreadable, OSError) as why:
        raise Unreadable(f"{path}: {why}") from None
    bom = next((bom for bom in _BOMS if content.startswith(bom)), b"")
    known = [_BOMS[bom]] if bom else ["utf-8", "cp1252"]  # Excel writes cp1252 in western countries
    for encoding in known:
        with contextlib.suppress(UnicodeDecodeError):
            how = errors if encoding == "cp1252" else "strict"
            if "\0" not in (text := content[len(bom) :].decode(encoding, how)):
                return text
    raise Unreadable(
        f"{path}: expected a CSV file, found a file that is not text. Save it as CSV (UTF-8)"
    )
