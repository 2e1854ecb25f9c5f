"""Compare figures in the documentation with what their commands print now.

Those commands are run that take less than a minute. A figure that differs by more than 30 % is
printed: write the new one into its page, or find out what has become slower.
"""

import contextlib
import importlib
import io
import re
from dataclasses import dataclass

from hw_grading.homework.course import REPOSITORY

MOST = 1.3  # times as much, or as little
NUMBER = r"([0-9][0-9,]*\.?[0-9]*)"


@dataclass(frozen=True)
class Figure:
    """A figure: the text before it on its page, and in what its benchmark prints."""

    page: str
    on_page: str  # a pattern, up to the number
    benchmark: str
    printed: str  # a pattern, up to the number


FIGURES = (
    Figure(
        "docs/design.md", r"one submission, the whole command.*?\| ", "anatomy", r"to its end: "
    ),
    Figure("docs/design.md", r"CPU time of examining.*? s; ", "anatomy", r"its test cells: "),
    Figure("docs/design.md", r"a call with a number.*?\| ", "remote_values", r"a number: "),
    Figure("docs/grade-file.md", r"the median of five\.\s.*?", "one_file", r"of its notebook: "),
)


def run() -> None:
    """Print the figures that differ, and how many were compared."""
    printed = {name: _printed_by(name) for name in sorted({one.benchmark for one in FIGURES})}
    for one in FIGURES:
        text = (REPOSITORY / one.page).read_text(encoding="utf-8")
        before = number_behind(one.on_page, text)
        now = number_behind(one.printed, printed[one.benchmark])
        if not 1 / MOST <= now / before <= MOST:
            print(f"{one.page} says {before:g}, `python -m benchmarks {one.benchmark}` {now:g}")
    print(f"{len(FIGURES)} figures compared")


def _printed_by(name: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        importlib.import_module(f"benchmarks.{name}").run()
    return said.getvalue()


def number_behind(before: str, text: str) -> float:
    """Return the number behind a pattern; `LookupError` if the text has none."""
    if not (found := re.search(before + NUMBER, text)):
        raise LookupError(f"no number behind {before!r}: say in benchmarks/figures.py where it is")
    return float(found[1].replace(",", ""))
