"""Texts for people: safe in a terminal, a table and a page, whoever wrote what is in them.

Files are replaced as a whole.
"""

import csv
import io
import re
import shlex
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hw_support.checks.failures import one_line, visible
from hw_support.in_one_step import in_one_step
from hw_support.submission.file import UserError

# All characters that are one of =+-@, or another form of it: wide, small, raised or lowered.
_BEGIN_FORMULA = (
    "=\uff1d\ufe66\u207c\u208c+\uff0b\ufe62\u207a\u208a\ufb29\\-\uff0d\ufe63@\uff20\ufe6b"
)
# The places where a spreadsheet could see a formula. Where the comma is the decimal sign, Excel
# divides a CSV at semicolons, also within quotes.
_BEFORE_FORMULA = re.compile(rf"""(?:^|(?<=;))(?=[ "]*[{_BEGIN_FORMULA}])""")
# With bounded lengths, a search takes little time.
_CODES = re.compile(r"\x1b\[[0-?]{0,40}[ -/]{0,4}[@-~]")
# Also characters that change the direction of writing.
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]"
)


def without_controls(text: str) -> str:
    """Replace control characters, surrogates, and those that change the direction of writing."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def without_codes(text: str) -> str:
    """Drop terminal control codes. Keep only the last state of a line that was overwritten."""
    lines = _CODES.sub("", text).split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def cut(text: str, limit: int) -> str:
    """Return at most `limit` characters of a text, and how many more there are."""
    more = len(text) - limit
    return text if more <= 0 else f"{text[:limit]}\n… and {more:,} more characters"


# -- numbers


def in_digits(points: float) -> str:
    """Return points without trailing zeros: ``"2"``, ``"0.33"``."""
    return f"{round(points, 2):.12g}"


def signed(points: float) -> str:
    """Return points with their sign, as students read them: ``"+1"``, ``"−0.5"``, ``"0"``."""
    sign = "+" if points > 0 else "\N{MINUS SIGN}" if points < 0 else ""
    return sign + in_digits(abs(points))


def typed(command: str, *words: object) -> str:
    """Return a command to type, whose further words are quoted where a shell needs it."""
    return " ".join([command, *(shlex.quote(str(word)) for word in words)])


def agreed(question: str) -> bool:
    """Ask a question in the terminal; return whether the answer is yes."""
    try:
        return input(f"{question} [y/N] ").strip().casefold() in ("y", "yes")
    except EOFError:
        raise UserError("\nNothing was written, since nobody can answer. Add --yes") from None


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``"1 cell"``, ``"2,000 cells"``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def counted_points(points: float) -> str:
    """Return points with their noun: ``"1 point"``, ``"0.5 points"``."""
    return f"{in_digits(points)} {'point' if points == 1 else 'points'}"


def named(names: Sequence[str], most: int) -> str:
    """Return at most `most` names, and the number of the others."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


# -- a terminal


def say(text: str) -> None:
    """Print a text, made `visible`, at once. What the terminal cannot encode becomes "?"."""
    encoding = sys.stdout.encoding or "utf-8"
    print(visible(text).encode(encoding, "replace").decode(encoding), flush=True)


def message_of(error: Exception) -> str:
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

    Raises `UserError` if it has none of the endings, such as ``.html``.
    """
    if path.suffix.lower() not in endings:
        raise UserError(f"{option} is {path}; expected a name that ends in {endings[0]}")
    return path
