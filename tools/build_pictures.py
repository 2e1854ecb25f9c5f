"""Draw the pictures in the text of ``source/hw2/hw2.ipynb``, and put them into its cells.

    python -m tools.build_pictures

Each is an attachment of a text cell. It carries a digest of the code that draws it, so that a
picture that was drawn by an older version is noticed, whatever version of matplotlib draws.
"""

from __future__ import annotations

import base64
import hashlib
import inspect
import io
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import nbformat
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.texts import write_whole
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


def version(picture: Picture) -> str:
    """Return a digest of the code that draws a picture (16 hexadecimal digits)."""
    functions: tuple[Callable[..., Any], ...] = (picture.draw, display_digits, label_axes)
    code = "".join(inspect.getsource(function) for function in functions)
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def png(picture: Picture) -> bytes:
    """Draw a picture as a PNG, which says what drew it."""
    stream = io.BytesIO()
    FigureCanvasAgg(picture.draw()).print_figure(
        stream,
        dpi=_DOTS_PER_INCH,
        format="png",
        metadata={"Comment": version(picture), "Software": None},
    )
    return stream.getvalue()


def is_current(cell: Any, picture: Picture) -> bool:
    """Whether a cell holds this picture as this file draws it."""
    data = cell.get("attachments", {}).get(picture.name, {}).get("image/png", "")
    return version(picture).encode() in base64.b64decode(data)


def main() -> None:
    """Draw the pictures that are old, and write the notebook."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    cells = {cell.id: cell for cell in notebook.cells}
    for picture in PICTURES:
        if not is_current(cells[picture.cell], picture):
            data = base64.b64encode(png(picture)).decode()
            cells[picture.cell].setdefault("attachments", {})[picture.name] = {"image/png": data}
    write_whole(NOTEBOOK, (nbformat.writes(notebook) + "\n").encode())


if __name__ == "__main__":
    main()
