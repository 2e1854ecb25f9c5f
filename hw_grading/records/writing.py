"""Writes what people open: files that are whole or not there, tables that a spreadsheet reads."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import secrets
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from hw_support.failures import one_line

# What a spreadsheet takes for the beginning of a formula, the wide forms included.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def columns(text: str) -> int:
    """Count the columns that a terminal takes for a text: 2 for East Asian wide characters."""
    return sum(
        0
        if unicodedata.category(c) in ("Mn", "Me")
        else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


@contextlib.contextmanager
def in_place_of(path: Path) -> Iterator[Path]:
    """Give a path to write to; what is there takes the place of `path` when all is written.

    What a link leads to is replaced, not the link. If writing fails, the old file stays as it was,
    and nothing is left beside it.
    """
    path = path.resolve()
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[IO[str]]:
    """Give a file of text to write, which takes the place of the one at `path` as a whole."""
    with (
        in_place_of(path) as part,
        part.open("w", encoding="utf-8", newline="\n", errors="replace") as stream,
    ):
        yield stream


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or as it was."""
    with in_place_of(path) as part:
        part.write_bytes(content)


def cell(value: Any) -> Any:
    """Return what is written for a value: a number as it is, a text so that nothing is computed.

    A text that a spreadsheet would compute gets an apostrophe in front, as OWASP advises.
    """
    if value is None or isinstance(value, int | float):
        return value
    text = one_line(str(value))  # without tabs and line breaks, which begin a formula as well
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_of(rows: Iterable[Sequence[Any]]) -> str:
    """Return a table as CSV, its cells as `cell` makes them."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([cell(v) for v in row] for row in rows)
    return text.getvalue()


def write_together(files: dict[Path, str], marks: dict[Path, str]) -> None:
    """Write several files, in whose folder each is made whole before the first is put in place.

    Parameters
    ----------
    files
        What is to stand in each.
    marks
        What stands at the top (in the first 1,000 characters) of such a file of an earlier run.

    Raises
    ------
    RuntimeError
        One of the files is there and lacks its mark: it is somebody's own, and nothing is written.
    """
    for path, mark in marks.items():
        if os.path.lexists(path) and mark not in _top(path):
            raise RuntimeError(
                f"{path} is there already, and this command did not write it. Move it away, or "
                "choose another name with --out"
            )
    with contextlib.ExitStack() as parts:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            parts.enter_context(replaced(path)).write(text)


def _top(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            return stream.read(1_000)
    except IsADirectoryError:
        return ""


def expect_page(path: Path) -> Path:
    """Return a page's path, beside which tables have the same name and end in ``.csv``.

    Raises
    ------
    RuntimeError
        It does not end in ``.html``.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise RuntimeError(f"--out is {path}; expected is a name that ends in .html")
    return path
