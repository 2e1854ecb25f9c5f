"""Writes files for people: each file is replaced as a whole, tables are safe for spreadsheets."""

import csv
import io
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hw_support.failures import one_line, visible
from hw_support.in_one_step import in_one_step

# The places where a spreadsheet could see a formula: before one of these characters, or its wide
# form. Where the comma is the decimal sign, Excel divides a CSV at semicolons, also within quotes.
_BEFORE_FORMULA = re.compile(r"""(?:^|(?<=;))(?=[ "]*[=+\-@＝＋－＠])""")


def say(text: str) -> None:
    """Print a text, made `visible`, at once. What the terminal cannot encode becomes "?"."""
    encoding = sys.stdout.encoding or "utf-8"
    print(visible(text).encode(encoding, "replace").decode(encoding), flush=True)


def in_words(error: Exception) -> str:
    """Return an error's message; for a system error, without its number and quoted path."""
    if isinstance(error, OSError) and error.strerror and error.errno:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def columns(text: str) -> int:
    """Return the width of a text on a terminal: East Asian wide characters take 2 columns."""
    seen = [c for c in text if unicodedata.category(c) not in ("Mn", "Me")]
    return len(seen) + sum(unicodedata.east_asian_width(c) in "WF" for c in seen)


def padded(text: str, width: int) -> str:
    """Pad a text with spaces to a width on a terminal; at the left if `width` is negative."""
    fill = " " * (abs(width) - columns(text))
    return text + fill if width > 0 else fill + text


def aligned(rows: Sequence[Sequence[str]], right: int | None = None) -> Iterator[str]:
    """Yield the rows of a table as lines; the columns from number `right` on are flush right."""
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    if right is not None:
        widths[right:] = [-width for width in widths[right:]]
    for row in rows:
        yield "  ".join(map(padded, row, widths)).rstrip()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically: it is complete, or unchanged."""
    with in_one_step(path.resolve()) as part:
        part.write_bytes(content)


def cell(value: Any) -> Any:
    """Return a value as it is written: what could be a formula gets an apostrophe in front."""
    if value is None or isinstance(value, int | float):
        return value
    text = one_line(str(value))  # no tabs or line breaks, which also begin a formula
    return _BEFORE_FORMULA.sub("'", text)


def csv_of(rows: Iterable[Sequence[Any]]) -> str:
    """Return a table as CSV, with cells converted by `cell`."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([cell(v) for v in row] for row in rows)
    return text.getvalue()


def expect_ending(path: Path, option: str, *endings: str) -> Path:
    """Return a path that a user named, perhaps by mistake that of the gradebook or a notebook.

    Raises `RuntimeError` if it has none of the endings, such as ``.html``.
    """
    if path.suffix.lower() not in endings:
        raise RuntimeError(f"{option} is {path}; expected a name that ends in {endings[0]}")
    return path
