"""The facts of a figure, as plain data that fits into the metadata of an output.

A student's process has written them, so `checked` accepts nothing but these fields, within these
sizes, and makes their texts safe.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

from hw_support.checks.failures import one_line

KEY = "hw_support_figure"  # in the metadata of an output
MAX_BYTES = 4_096  # of one figure's facts, as JSON
LONGEST_TEXT = 80  # characters of a title or label
_LARGEST = 1e300
_MAX_FIGURES = 20  # of one cell


@dataclass(frozen=True)
class Curve:
    """A curve, or the points of a scatter plot. Numbers that are not finite are None."""

    points: int = 0
    first: float | None = None
    last: float | None = None
    low: float | None = None
    high: float | None = None
    outside: int = 0  # how many of its points the axes cut off
    covered: int = 0  # how many of its points a legend covers
    joined: bool = True  # whether a line joins the points
    faint: bool = False  # whether its colour is that of the background, or nearly transparent
    array: str = ""  # the array of the notebook that it shows; "" if none is known
    how: str = "{}"  # how it shows it, such as "100 × {}" or "{}[:121]"
    label: str = ""  # its own label
    entry: str = ""  # its entry in a legend, which has the same look
    look: str = ""  # colour, dashes and marker

    @property
    def shows(self) -> str:
        """What it shows, such as "100 × test_acc"; "" if that is not known."""
        return self.array and self.how.replace("{}", self.array)

    @property
    def is_seen(self) -> bool:
        """Whether any of it can be seen."""
        return not self.faint and self.low is not None and self.outside < self.points


@dataclass(frozen=True)
class Axes:
    """The axes at one place of a figure; a second y axis there belongs to them."""

    curves: tuple[Curve, ...] = ()
    more: int = 0  # curves beyond those
    bars: int = 0
    images: int = 0
    others: int = 0  # areas, wedges, contours and the like
    notes: int = 0  # texts within the axes
    title: str = ""
    xlabel: str = ""
    ylabels: tuple[str, ...] = ()  # of each y axis
    xscale: str = "linear"
    yscale: str = "linear"
    xlim: tuple[float, ...] = ()
    ylim: tuple[float, ...] = ()
    legend: tuple[str, ...] = ()  # its entries; none without a legend
    percent: bool = False  # whether numbers at the y axis are written as percentages
    bare: bool = False  # whether the axes are switched off
    filled: float = 1.0  # the share of their height, or of their width if less, that curves take

    @property
    def is_empty(self) -> bool:
        """Whether nothing is drawn in them."""
        return not (self.curves or self.bars or self.images or self.others)


@dataclass(frozen=True)
class Facts:
    """The facts of one figure."""

    axes: tuple[Axes, ...] = ()
    more: int = 0  # axes beyond those
    width: float = 0.0  # inches
    height: float = 0.0
    text: float = 0.0  # size of the smallest text, in percent of the figure's larger side
    shown: bool = True  # False if it was saved or closed, and is in no output


def plain(value: Any) -> Any:
    """Return facts as JSON data, without fields that have their default."""
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if not is_dataclass(value):
        return value
    set_fields = ((f.name, getattr(value, f.name), f.default) for f in fields(value))
    return {name: plain(now) for name, now, default in set_fields if now != default}


def fits(data: object) -> bool:
    """Return whether JSON data is as small as facts have to be."""
    try:
        return len(json.dumps(data, ensure_ascii=False).encode(errors="replace")) <= MAX_BYTES
    except (TypeError, ValueError, RecursionError):
        return False


def checked(data: object) -> Facts | None:
    """Return facts from JSON data that anybody may have written; None if they are not valid."""
    try:
        return _read(Facts, data) if fits(data) else None
    except (TypeError, ValueError, KeyError, OverflowError):
        return None


def facts_in(outputs: Iterable[Mapping[str, Any]]) -> tuple[Facts, ...]:
    """Return the facts in the metadata of a cell's outputs, of its first figures."""
    sections = (output.get("metadata") for output in outputs)
    data = (section[KEY] for section in sections if isinstance(section, Mapping) and KEY in section)
    return tuple(filter(None, map(checked, data)))[:_MAX_FIGURES]


def with_checked_facts(metadata: Any) -> Any:
    """Return the metadata of an output; facts in it that are not valid are left out."""
    if not isinstance(metadata, dict) or KEY not in metadata:
        return metadata
    facts = checked(metadata[KEY])
    others = {name: value for name, value in metadata.items() if name != KEY}
    return {**others, KEY: plain(facts)} if facts else others


def _read(kind: Any, value: Any) -> Any:
    """Return JSON data as a value of a type; some error if it is none."""
    if kind in (Facts, Axes, Curve):
        hints = _hints(kind)
        if not isinstance(value, dict):
            raise TypeError
        return kind(**{name: _read(hints[name], one) for name, one in value.items()})
    if kind == float | None:
        return None if value is None else _read(float, value)
    if inner := get_args(kind):
        if not isinstance(value, list):
            raise TypeError
        return tuple(_read(inner[0], one) for one in value)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise TypeError
    if kind is str:
        return one_line(value.encode(errors="replace").decode(), LONGEST_TEXT)
    if not -_LARGEST <= value <= _LARGEST:  # nor is it NaN
        raise ValueError
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
