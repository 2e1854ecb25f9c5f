"""Takes the facts of a figure of matplotlib, and finds the arrays that its curves show.

It changes nothing of the figure and draws nothing, within a few milliseconds: of hundreds of
curves, only the first ones are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.colors import to_hex, to_rgb, to_rgba
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from hw_support.checks.failures import one_line
from hw_support.figures.facts import LONGEST_TEXT, Axes, Curve, Facts, fits, plain

Array = NDArray[np.float64]
Known = list[tuple[str, str, Array]]  # what a curve may show: how, the name of an array, numbers

_MOST_NUMBERS = 200_000  # of an array that is compared
_MOST_AXES, _MOST_CURVES, _MOST_ENTRIES = 24, 36, 60  # of one figure
_POINTS_OF_AN_INCH = 72
_FAINTEST = 0.05  # of the way from a black background to a white curve
_FORMS: Mapping[str, Callable[[Array], Array]] = {
    "{}": lambda a: a,
    "100 × {}": lambda a: 100 * a,
    "{} / 100": lambda a: a / 100,
    "1 - {}": lambda a: 1 - a,
    "ln {}": np.log,
    "log10 {}": np.log10,
}


def take(figure: Any, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a Figure as JSON data; see `hw_support.figures.facts_of`."""
    places: dict[tuple[float, ...], list[Any]] = {}
    for ax in figure.get_axes():
        if ax.get_visible() and ax.get_label() != "<colorbar>":
            place = np.round(ax.get_position(original=True).bounds, 6)
            places.setdefault(tuple(place), []).append(ax)
    groups = list(places.values())[:_MOST_AXES]
    width, height = map(float, figure.get_size_inches())
    sizes = [size for group in groups for ax in group for size in _sizes(ax)]
    text = 100 * min(sizes, default=0.0) / _POINTS_OF_AN_INCH / max(width, height)
    with np.errstate(all="ignore"):
        known, most = list(_known(arrays)), _MOST_CURVES // max(len(groups), 1)
        axes = tuple(_axes(figure, group, known, most) for group in groups)
    facts = Facts(
        axes,
        more=len(places) - len(groups),
        width=_short(width),
        height=_short(height),
        text=_short(text),
    )
    most = max([len(axes), *(len(axis.curves) for axis in axes)])
    while most and not fits(plain(facts)):
        most = most // 2
        facts = _with_at_most(facts, most)
    data: dict[str, Any] = plain(facts)
    return data


def _with_at_most(facts: Facts, most: int) -> Facts:
    """Return facts with fewer axes, and fewer curves of each."""
    axes = tuple(
        replace(
            axis,
            curves=axis.curves[:most],
            more=axis.more + len(axis.curves[most:]),
            legend=axis.legend[:most],
        )
        for axis in facts.axes[:most]
    )
    return replace(facts, axes=axes, more=facts.more + len(facts.axes[most:]))


def _axes(figure: Any, group: Sequence[Any], known: Known, most: int) -> Axes:
    """Return the facts of the axes at one place."""
    first, over = group[0], group[0].get_figure()
    boxes = {id(box): box for one in (figure, over) for box in one.legends}
    boxes |= {id(box): box for ax in group if (box := ax.get_legend())}
    entries = list(
        islice((entry for box in boxes.values() for entry in _entries(box)), _MOST_ENTRIES)
    )
    drawn = [one for ax in group for one in _drawn(ax)]
    places = [place for box in boxes.values() if (place := _place(box))]
    curves = [_curve(*one, known, places) for one in drawn[:most]]
    patches = sum(len(ax.patches) for ax in group)
    bars = sum(len(b) for ax in group for b in ax.containers if isinstance(b, BarContainer))
    areas = [
        collection
        for ax in group
        for collection in ax.collections
        if not isinstance(collection, PathCollection)
    ]
    meshes = sum(isinstance(one, QuadMesh) for one in areas)
    own = [ax for ax in group if ax is first or not ax.get_shared_y_axes().joined(ax, first)]
    titles = [ax.get_title(where) for ax in group for where in ("center", "left", "right")]
    return Axes(
        curves=tuple(_with_entries(curves, entries)),
        more=len(drawn) - len(curves),
        bars=bars,
        images=meshes + sum(len(ax.images) for ax in group),
        others=patches - bars + len(areas) - meshes,
        notes=sum(bool(text.get_text()) for ax in group for text in ax.texts),
        title=_first_of(*titles, over.get_suptitle(), figure.get_suptitle()),
        xlabel=_first_of(*_labels(first, "x"), figure.get_supxlabel()),
        ylabels=tuple(_first_of(*_labels(ax, "y"), figure.get_supylabel()) for ax in own),
        xscale=_text(first.get_xscale()),
        yscale=_text(first.get_yscale()),
        xlim=tuple(map(_short, first.get_xlim())),
        ylim=tuple(map(_short, first.get_ylim())),
        legend=tuple(text for _, text in entries),
        percent=type(first.yaxis.get_major_formatter()).__name__ == "PercentFormatter",
        bare=not first.axison,
        filled=_filled(drawn[:most]),
    )


# -- texts and numbers


def _text(text: object) -> str:
    return one_line(str(text), LONGEST_TEXT)


def _first_of(*texts: str) -> str:
    return _text(next(filter(str.strip, texts), ""))


def _labels(ax: Any, which: str) -> Iterator[str]:
    """Yield the label of an axis, then those of the axes that share it."""
    shared = getattr(ax, f"get_shared_{which}_axes")().get_siblings(ax)
    return (getattr(one, f"get_{which}label")() for one in (ax, *shared))


def _sizes(ax: Any) -> Iterator[float]:
    """Yield the sizes of the texts of some axes, in points."""
    box = ax.get_legend()
    texts = (ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts, *(box.get_texts() if box else ()))
    yield from (text.get_size() for text in texts if text.get_text())
    if ax.axison:
        yield from (axis.get_major_ticks(1)[0].label1.get_size() for axis in (ax.xaxis, ax.yaxis))


def _short(number: float) -> float:
    """Return a number with six digits, for fewer bytes."""
    return float(f"{number:.6g}")


def _or_none(number: float) -> float | None:
    return _short(number) if np.isfinite(number) else None


# -- curves


def _drawn(ax: Any) -> list[tuple[Any, Any, Any, Any]]:
    """Return the curves and scatter plots of some axes: axes, artist, x and y.

    Guides are left out: lines across the axes, and lines of two points beside longer ones.
    """
    bars = [container for container in ax.containers if isinstance(container, ErrorbarContainer)]
    caps = {id(line) for bar in bars for line in bar[1]}
    found = []
    for line in ax.lines:
        if line.get_visible() and line.get_transform() is ax.transData and id(line) not in caps:
            found.append((ax, line, *line.get_data(orig=False)))
    for cloud in ax.collections:
        if isinstance(cloud, PathCollection) and cloud.get_visible():
            found.append((ax, cloud, *np.ma.asarray(cloud.get_offsets()).T))
    least = min(3, max((len(y) for *_, y in found), default=0))
    return [one for one in found if len(one[3]) >= max(least, 1)]


def _plain(values: Any) -> Array:
    return np.ma.filled(np.ma.asarray(values, float), np.nan)


def _curve(ax: Any, artist: Any, xs: Any, ys: Any, known: Known, legends: Sequence[Bbox]) -> Curve:
    x, y = _plain(xs), _plain(ys)
    finite = y[np.isfinite(y)]
    inside = [(min(ends) <= v) & (v <= max(ends)) for v, ends in _limits(ax, x, y)]
    within = inside[0] & inside[1]
    covered = np.zeros(len(y), bool)
    for place in legends:
        across, up = ax.transData.transform(np.column_stack([x, y])).T
        covered |= (place.x0 <= across) & (across <= place.x1) & (place.y0 <= up) & (up <= place.y1)
    array, how = _shown(y, known)
    label = str(artist.get_label())
    return Curve(
        points=len(y),
        first=_or_none(y[0]),
        last=_or_none(y[-1]),
        low=_short(finite.min()) if len(finite) else None,
        high=_short(finite.max()) if len(finite) else None,
        outside=int((np.isfinite(x) & np.isfinite(y) & ~within).sum()),
        covered=int((within & covered).sum()),
        joined=bool(_dashes(artist)),
        faint=_is_faint(ax, artist),
        array=array,
        how=how,
        label="" if label.startswith("_") else _text(label),
        look=_look(artist),
    )


def _limits(ax: Any, x: Array, y: Array) -> Iterable[tuple[Array, tuple[float, float]]]:
    return (x, ax.get_xlim()), (y, ax.get_ylim())


def _filled(drawn: Sequence[tuple[Any, Any, Any, Any]]) -> float:
    """Return the share of the axes' height, or of their width if less, that the curves take.

    It is 1 for curves that do not change, such as a single point.
    """
    ends = []
    for ax, _, xs, ys in drawn:
        points = np.column_stack([_plain(xs), _plain(ys)])
        places = (ax.transData - ax.transAxes).transform(points)
        places = places[np.isfinite(places).all(axis=1)].clip(0, 1)
        ends += [places.min(axis=0), places.max(axis=0)] if len(places) else []
    shares = np.ptp(ends, axis=0) if ends else np.zeros(2)
    return _short(min(1.0, *shares[shares > 0]) if (shares > 0).any() else 1.0)


def _is_faint(ax: Any, artist: Any) -> bool:
    """Return whether a curve cannot be told from the background of its axes."""
    with suppress(AttributeError, TypeError, ValueError):
        if isinstance(artist, Line2D):
            *colour, opacity = to_rgba(artist.get_color(), artist.get_alpha())
        else:
            colours = [*artist.get_facecolor(), *artist.get_edgecolor()]
            *colour, opacity = max(colours, key=lambda one: one[3])
        behind = ax.get_facecolor() if to_rgba(ax.get_facecolor())[3] else "white"
        return bool(opacity * np.abs(np.subtract(colour, to_rgb(behind))).max() < _FAINTEST)
    return False


def _dashes(artist: Any) -> str:
    """Return the kind of line that joins points; "" if none does."""
    dashes = str(artist.get_linestyle()).strip() if isinstance(artist, Line2D) else ""
    return "" if dashes.lower() == "none" else dashes


def _look(artist: Any) -> str:
    """Return colour, dashes and marker of an artist; a colour of several is "various"."""
    if isinstance(artist, Line2D):
        marker = artist.get_marker()
        marker = marker if isinstance(marker, str) and marker.lower() != "none" else ""
        return " ".join(filter(None, (to_hex(artist.get_color()), _dashes(artist), marker)))
    with suppress(AttributeError, TypeError, ValueError):
        colours = np.atleast_2d(artist.get_facecolor())
        colours = colours if colours.size else np.atleast_2d(artist.get_edgecolor())
        return to_hex(colours[0]) if (colours == colours[0]).all() else "various"
    return ""


# -- legends


def _place(box: Any) -> Bbox | None:
    """Return a legend's place in pixels; None if one would have to draw for it."""
    if not box.get_visible() or not hasattr(box.get_figure().canvas, "get_renderer"):
        return None
    place: Bbox = box.get_window_extent()
    return place


def _entries(box: Any) -> Iterator[tuple[str, str]]:
    """Yield look and text of each entry of a legend."""
    for handle, text in zip(box.legend_handles, box.get_texts(), strict=False):
        yield _look(handle), _text(text.get_text())


def _with_entries(curves: list[Curve], entries: Sequence[tuple[str, str]]) -> list[Curve]:
    """Give each curve its entry in the legend.

    It is the one with the same look, or at least the same colour, or with the curve's own label.
    """
    left, given = list(entries), list(curves)
    for is_of in (
        lambda curve, entry: curve.look == entry[0],
        lambda curve, entry: curve.look.split(" ")[0] == entry[0].split(" ")[0],
        lambda curve, entry: curve.label == entry[1],
    ):
        for place, curve in enumerate(given):
            mine = [] if curve.entry else [entry for entry in left if is_of(curve, entry)]
            if mine:
                entry = next((one for one in mine if one[1] == curve.label), mine[0])
                left.remove(entry)
                given[place] = replace(curve, entry=entry[1])
    return given


# -- which array a curve shows


def _known(arrays: Mapping[str, Any]) -> Iterator[tuple[str, str, Array]]:
    """Yield what curves are compared with: each array of numbers, then forms of all of them."""
    numbers: dict[str, Array] = {}
    for name, value in arrays.items():
        with suppress(Exception):  # it may be anything
            if 1 < len(value) <= _MOST_NUMBERS:
                array = np.squeeze(np.asarray(value, float))
                numbers |= {name: array} if array.ndim == 1 else {}
    for how, form in _FORMS.items():
        yield from ((how, name, form(array)) for name, array in numbers.items())


def _shown(values: Array, known: Known) -> tuple[str, str]:
    """Return the name of the array that a curve shows, and how; ("", "{}") if none is known."""
    if len(values) > 1:
        for how, name, array in known:
            if _same(values, array):
                return name, how
    if len(values) > 2 and np.ptp(values) > 0:  # otherwise a part may be the same by chance
        for how, name, array in known:
            for part, some, others in _parts(values, array):
                if _same(some, others):
                    return name, how.replace("{}", part)
    return "", "{}"


def _same(one: Array, other: Array) -> bool:
    if len(one) != len(other) or abs(one[-1] - other[-1]) > 1e-5 * abs(other[-1]) + 1e-9:
        return False  # at once, as most are; NaN is looked at
    return bool(np.allclose(one, other, rtol=1e-5, atol=1e-9, equal_nan=True))


def _parts(values: Array, array: Array) -> Iterator[tuple[str, Array, Array]]:
    """Yield how a curve may show a part of an array, and what would have to be the same."""
    n, of = len(values), len(array)
    if n > of:
        yield f"{{}} and {n - of} more", values[n - of :], array
        yield f"{{}} and {n - of} more", values[:of], array
    if n >= of:
        return
    yield f"{{}}[:{n}]", values, array[:n]
    yield f"{{}}[-{n}:]", values, array[of - n :]
    for step in {of // n, -(-of // n)} - {1}:
        yield f"{{}}[::{step}]", values, array[::step]
        yield f"{{}}[{step - 1}::{step}]", values, array[step - 1 :: step]
    if of % n == 0:
        yield f"{{}} in means of {of // n}", values, array.reshape(n, -1).mean(axis=1)
    for start in np.flatnonzero(array[: of - n + 1] == values[0])[:10]:
        yield f"{{}}[{start}:{start + n}]", values, array[start : start + n]
