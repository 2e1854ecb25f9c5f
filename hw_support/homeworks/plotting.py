"""Pictures of digits, and plots in one style.

Functions that plot draw on the Axes that they are given and return it. None calls ``plt.show()``
or changes a global setting, so a notebook's other plots stay as they are.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The functions import matplotlib.pyplot, because it takes half a second. A notebook that only needs
# the data should not wait for it.

_SIDE = 28
_DIGITS_PER_ROW = 8
_INCHES_PER_DIGIT = 1.3
_POINTS, _LETTER = 10.0, 0.6  # size of captions, and the width of a letter as a part of it


def display_digits(
    images: NDArray[Any] | Sequence[ArrayLike],
    captions: Sequence[object] | NDArray[Any],
    axes: Axes | Sequence[Axes] | NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Draw several digits, each with its caption, in rows of at most eight.

    Parameters
    ----------
    images : array_like, shape (n, 28, 28) or (n, 784), or a sequence of n images
        Finite numbers; n >= 1. If all of an image lie in [0, 1], black is 0 and white is 1. The
        others, such as weights, have one scale: grey is 0, and white and black are the largest size
        in any of them, with either sign. So pictures can be compared.
    captions : sequence of length n
        Texts above the images; labels may be given as numbers. A text that is wider than its image
        is wrapped between words, and a word that is wider is printed smaller.
    axes : Axes, sequence or array of Axes, optional
        Where to draw, at least n; those left over are made blank. A new figure by default. The n
        used ones are returned. ValueError if the numbers do not fit, or an image is none.
    """
    digits = [_as_image(image, f"images[{i}]") for i, image in enumerate(images)]
    count = len(digits)
    if not count or len(captions) != count:
        raise ValueError(
            f"expected at least one image, and a caption for each; got {count} images and "
            f"{len(captions)} captions"
        )
    texts = [str(caption) for caption in captions]
    flat = _new_row(texts) if axes is None else np.atleast_1d(np.asarray(axes)).ravel()
    if len(flat) < count:
        raise ValueError(f"axes: expected at least {count}, got {len(flat)}")
    pixels = [digit.min() >= 0 and digit.max() <= 1 for digit in digits]
    others = [digit for digit, is_pixels in zip(digits, pixels, strict=True) if not is_pixels]
    most = max((np.abs(digit).max() for digit in others), default=1)
    for ax, digit, text, is_pixels in zip(flat, digits, texts, pixels, strict=False):
        low, high = (0, 1) if is_pixels else (-most, most)
        ax.imshow(digit, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        inches = ax.bbox.width / ax.figure.dpi
        lines, points = _fitted(text, inches if axes is not None else _INCHES_PER_DIGIT)
        ax.set_title("\n".join(lines), fontsize=points)
    for ax in flat[count:]:
        ax.set_axis_off()
    return flat[:count]


def label_axes(ax: Axes, *, title: str, xlabel: str, ylabel: str, legend: bool = True) -> Axes:
    """Give a plot that is already drawn its title and labels, a light grid, and a legend.

    Put the unit in brackets where there is one. There is no legend if nothing drawn was given a
    ``label``, or with ``legend=False``.
    """
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    ax.grid(True, color="#DDDDDD", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    if legend and ax.get_legend_handles_labels()[1]:
        ax.legend(frameon=True, framealpha=0.9, edgecolor="none")
    return ax


def _as_image(image: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return the image as float64 of shape (28, 28), or say why it is not one."""
    array = np.asarray(image)
    if array.shape not in {(_SIDE, _SIDE), (_SIDE * _SIDE,)}:
        hint = f". To choose one of {len(array)}, index it: X[0]" if array.ndim > 1 else ""
        raise ValueError(f"{name}: expected shape (28, 28) or (784,), got {array.shape}{hint}")
    if array.dtype.kind not in "buif" or not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got others (dtype {array.dtype})")
    return array.astype(np.float64).reshape(_SIDE, _SIDE)


def _fitted(text: str, inches: float) -> tuple[list[str], float]:
    """Return a caption's lines, and the size of its letters in points, for a width in inches."""
    letters = max(1, int(inches * 72 / (_LETTER * _POINTS)))
    lines = [
        wrapped
        for line in text.split("\n")
        for wrapped in textwrap.wrap(line, letters, break_long_words=False) or [""]
    ]
    longest = max(map(len, lines))
    # Small letters are drawn wider than they should be, by some versions of matplotlib.
    return lines, _POINTS if longest <= letters else 0.9 * _POINTS * letters / longest


def _new_row(captions: Sequence[str]) -> NDArray[Any]:
    """Make Axes for digits with these captions; the last row may have some to spare."""
    import matplotlib.pyplot as plt

    count = len(captions)
    rows = -(-count // _DIGITS_PER_ROW)
    columns = -(-count // rows)  # rows of nearly equal length: 12 digits are 6 + 6, not 8 + 4
    lines = max(len(_fitted(text, _INCHES_PER_DIGIT)[0]) for text in captions)
    size = (columns * _INCHES_PER_DIGIT, rows * (_INCHES_PER_DIGIT + 0.1 + 0.2 * lines))
    _, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    return cast(NDArray[Any], axes.ravel())
