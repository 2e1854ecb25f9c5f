"""Plots of a class, as data URIs for a page (SVG in base64).

Texts are drawn literally: a dollar sign in a heading begins no formula.
"""

import base64
import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from hw_grading.reports.statistics.numbers import BANDS
from hw_support.plotting import PALETTE

WIDTH = 8.6  # inches
_BAND_COLOURS = (PALETTE.test, "#E8B08F", "#9CC7E0", PALETTE.train)
_LONGEST_LABEL = 60
_WHOLE_NUMBERS: dict[str, Any] = {"integer": True, "steps": [1, 2, 5, 10]}


@dataclass(frozen=True)
class Picture:
    """A plot: its data URI, and a description in words."""

    uri: str
    alt: str


def histogram(
    edges: NDArray[Any],
    counts: NDArray[Any],
    *,
    across: str,
    alt: str,
    lines: Sequence[tuple[float, str]] = (),
) -> Picture:
    """Draw a histogram of counts in neighbouring bins, with `lines` at named positions.

    There is one edge more than counts. The widths may differ; the heights are counts. `across` is
    the label of the horizontal axis.
    """
    ax = _new(3.0)
    left, widths = edges[:-1], np.diff(edges)
    ax.bar(left, counts, widths, align="edge", color=PALETTE.train, edgecolor="white", linewidth=1)
    for (place, name), colour in zip(lines, (PALETTE.test, PALETTE.highlight), strict=False):
        ax.axvline(place, color=colour, linewidth=1.8, label=name)
    if lines:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    ax.yaxis.set_major_locator(MaxNLocator(**_WHOLE_NUMBERS))
    ax.set_xlim(edges[0], edges[-1])
    return _picture(ax, alt, across, "submissions")


def stacked(labels: Sequence[str], counts: NDArray[np.intp], *, alt: str) -> Picture:
    """Draw for each of n labels, from the top, the share of the class in each of `BANDS`.

    `counts` have the shape (n, 4).
    """
    ax = _new(1.0 + 0.26 * len(labels))
    whole = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shares = 100 * counts / whole
    left = np.zeros(len(labels))
    for n, band in enumerate(BANDS):
        ax.barh(range(len(labels)), shares[:, n], left=left, color=_BAND_COLOURS[n], label=band)
        left += shares[:, n]
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False)
    _rows(ax, labels)
    ax.set_xlim(0, 100)
    return _picture(ax, alt, "% of the submissions")


def dots(
    labels: Sequence[str],
    values: Sequence[float],
    *,
    across: str,
    alt: str,
    errors: Sequence[float] | None = None,
    line: tuple[float, str] | None = None,
) -> Picture:
    """Draw a number for each row, with its error unless that is NaN."""
    ax = _new(1.0 + 0.28 * len(labels))
    rows = range(len(labels))
    spans = np.nan_to_num(errors) if errors is not None else None
    ax.hlines(rows, 0, values, color=PALETTE.train, linewidth=1.2)
    ax.errorbar(values, rows, xerr=spans, fmt="o", color=PALETTE.train, markersize=6, capsize=3)
    ax.axvline(0, color="#555555", linewidth=1)
    if line is not None:
        ax.axvline(line[0], color=PALETTE.test, linewidth=1.5, linestyle="--", label=line[1])
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    _rows(ax, labels)
    return _picture(ax, alt, across)


def bars(labels: Sequence[str], counts: Sequence[int], *, across: str, alt: str) -> Picture:
    """Draw a horizontal bar for each count, with its number."""
    ax = _new(0.8 + 0.3 * len(labels))
    drawn = ax.barh(range(len(labels)), counts, color=PALETTE.train)
    ax.bar_label(drawn, padding=3)
    _rows(ax, labels)
    ax.xaxis.set_major_locator(MaxNLocator(**_WHOLE_NUMBERS))
    ax.set_xlim(0, max([*counts, 1]) * 1.08)
    return _picture(ax, alt, across)


def _new(height: float) -> Axes:
    ax = Figure(figsize=(WIDTH, height), layout="constrained", facecolor="white").add_subplot()
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    ax.grid(True, axis="both", color="#DDDDDD", linewidth=0.8)
    return ax


def _rows(ax: Axes, labels: Sequence[str]) -> None:
    short = [x if len(x) <= _LONGEST_LABEL else f"{x[: _LONGEST_LABEL - 1]}…" for x in labels]
    ax.set_yticks(range(len(labels)), short, parse_math=False)
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")
    ax.set_ylim(len(labels) - 0.4, -0.6)


def _picture(ax: Axes, alt: str, across: str, up: str = "") -> Picture:
    ax.set_xlabel(across, parse_math=False)
    ax.set_ylabel(up, parse_math=False)
    assert isinstance(ax.figure, Figure)  # not a part of one
    file = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "hw_grading"}), warnings.catch_warnings():
        # The font may lack the script of a name. The table beside the plot shows the name.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        ax.figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return Picture(f"data:image/svg+xml;base64,{base64.b64encode(file.getvalue()).decode()}", alt)
