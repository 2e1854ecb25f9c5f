"""The elements of a page of statistics: sections with sentences, a plot, tables."""

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass

from hw_grading.reports.statistics.figures import Picture

NONE = "–"  # shown for a missing number


@dataclass(frozen=True)
class Table:
    """A table on the page, whose columns `texts` hold text and the others numbers."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: Container[int] = (0,)


@dataclass(frozen=True)
class Section:
    """A part of the page; `sentences` come first, then the plot, then the tables."""

    title: str
    sentences: Sequence[str] = ()
    picture: Picture | None = None
    tables: Sequence[Table] = ()


def shown(value: float | None, digits: int = 1) -> str:
    """Return a number for a table, rounded to `digits` decimals."""
    if value is None or math.isnan(value):
        return NONE
    text = f"{value:z.{digits}f}"  # without a sign of 0
    return text.replace("-", "\N{MINUS SIGN}")


def per_cent(part: float, whole: float) -> str:
    """Return a share in percent without decimals."""
    return f"{100 * part / whole:.0f} %" if whole else NONE


def duration(hours: float) -> str:
    """Return hours in words, without a sign: ``"2 d 3 h"``, ``"12 h"``, ``"45 min"``."""
    minutes = round(abs(hours) * 60)
    days, rest = divmod(minutes, 1440)
    parts = [(days, "d"), (rest // 60, "h"), (0 if days else rest % 60, "min")]
    return " ".join(f"{n} {unit}" for n, unit in parts if n) or "0 min"
