"""Draw the pictures in the text of ``source/hw2/hw2.ipynb``, and put them into its cells.

    python -m tools.build_pictures            # write the notebook
    python -m tools.build_pictures --check    # only look whether its pictures are current

Each is an attachment of a text cell. It carries a digest of this file, so that a picture that was
drawn by an older version is noticed, whatever version of matplotlib draws.

Exit status: 0 done, or current; 1 ``--check`` found an older picture.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import itertools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hw_grading.gradebook.writing import write_whole
from hw_grading.homework.course import REPOSITORY, Course
from hw_support import display_digits, get_mnist_threes_nines, label_axes

NOTEBOOK = Course(REPOSITORY).source("hw2") / "hw2.ipynb"
_DOTS_PER_INCH = 110
_INK = "#222222"
_BLUE, _ORANGE, _GREEN = "#0072B2", "#D55E00", "#009E73"  # of Okabe and Ito


@dataclass(frozen=True)
class Picture:
    """A picture in a text cell.

    Attributes
    ----------
    cell
        The cell's id.
    name
        Of the attachment.
    draw
        Draws it.
    """

    cell: str
    name: str
    draw: Callable[[], Figure]


def network() -> Figure:
    """Draw the 4-2-1 network with the shapes of its arrays."""
    figure = Figure(figsize=(6.4, 3.1), layout="constrained")
    ax = figure.add_subplot()
    ax.set(xlim=(-0.7, 4.9), ylim=(-2.35, 2.25), aspect="equal")
    ax.set_axis_off()
    columns = [(0.0, [1.5, 0.5, -0.5, -1.5]), (2.0, [0.7, -0.7]), (4.0, [0.0])]
    for (x, before), (next_x, after) in itertools.pairwise(columns):
        for y in before:
            for next_y in after:
                ax.plot([x, next_x], [y, next_y], color="#999999", linewidth=0.9, zorder=1)
    colours = [_BLUE, _GREEN, _ORANGE]
    for (x, heights), colour in zip(columns, colours, strict=True):
        ax.scatter([x] * len(heights), heights, s=330, color=colour, zorder=2)
    below = ["input X\n(n, 4)", "relu\n(n, 2)", "sigmoid: g\n(n, 1)"]
    for (x, _), text in zip(columns, below, strict=True):
        ax.text(x, -2.3, text, ha="center", va="bottom", color=_INK, fontsize=10)
    for x, text in ((1.0, "W₁ (4, 2)\nb₁ (1, 2)"), (3.0, "W₂ (2, 1)\nb₂ (1, 1)")):
        ax.text(x, 2.2, text, ha="center", va="top", color=_INK, fontsize=10)
    return figure


def plots() -> Figure:
    """Sketch the pictures that Q1.3e asks for, with invented numbers."""
    figure = Figure(figsize=(9.0, 2.1), layout="constrained")
    places: Any = figure.subfigures(1, 3, width_ratios=[1, 1, 1.25])
    left, middle, right = places
    draw = np.random.default_rng(0)
    steps = np.arange(120)
    fall = 0.69 * np.exp(-steps / 25) + 0.06
    for place, title, ylabel, test in (
        (left, "loss (sketch)", "mean loss (nats)", fall),
        (middle, "accuracy (sketch)", "fraction right", 1 - 0.7 * fall),
    ):
        ax = place.subplots()
        noise = draw.normal(0, 0.15, len(steps)) * fall
        ax.plot(steps, test + noise, color=_BLUE, linewidth=0.8, label="training")
        ax.plot(steps, test, color=_ORANGE, linewidth=1.8, label="test")
        label_axes(ax, title=title, xlabel="iteration", ylabel=ylabel)
        ax.set(xticks=[], yticks=[])
    (_, _), (images, labels) = get_mnist_threes_nines()
    axes = right.subplots(1, 3)
    chosen = [np.flatnonzero(labels == 0)[0], *np.flatnonzero(labels == 1)[:2]]
    captions = [f"is a {9 if labels[i] else 3},\nsaid {3 if labels[i] else 9}" for i in chosen]
    display_digits(images[chosen], captions, axes)
    return figure


PICTURES = (
    Picture("q1-1", "network.png", network),
    Picture("q1-3e", "plots.png", plots),
)


def version() -> str:
    """Return a digest of what draws (16 hexadecimal digits)."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG, which says what drew it."""
    stream = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(
        stream, dpi=_DOTS_PER_INCH, format="png", metadata={"Comment": version(), "Software": None}
    )
    return stream.getvalue()


def is_current(cell: Any, picture: Picture) -> bool:
    """Whether a cell holds this picture as this file draws it."""
    data = cell.get("attachments", {}).get(picture.name, {}).get("image/png", "")
    return version().encode() in base64.b64decode(data)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.build_pictures", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(words)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    cells = {cell.id: cell for cell in notebook.cells}
    old = [picture for picture in PICTURES if not is_current(cells[picture.cell], picture)]
    if options.check:
        for picture in old:
            print(f"{picture.name} in cell {picture.cell} is old: python -m tools.build_pictures")
        return 1 if old else 0
    for picture in old:
        data = base64.b64encode(png(picture.draw())).decode()
        cells[picture.cell].setdefault("attachments", {})[picture.name] = {"image/png": data}
    write_whole(NOTEBOOK, (nbformat.writes(notebook) + "\n").encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
