"""Facts in words: what is missing, one line for people, and conditions that hold or fail.

A condition is one of these. A comma and a blank separate several:

- ``legend``: wherever there are two curves or more, a legend has an entry for each
- ``title``, ``x label``, ``y label``
- ``labels``: both labels, of more than one letter, and none says loss of an accuracy
- ``not swapped``: no curve has the legend's entry of another, or its colour in the title
- ``units``: each curve is said to be a fraction or a percentage, and is what is said
- ``colours``: each curve can be seen, and no two have the same colour, dashes and marker
- ``inside``: the axes cut off no more than a twentieth of a curve's points, and a legend covers no
  more; the curves take a tenth of the height and of the width
- ``text``: the smallest text is one hundredth of the figure's larger side, or more
- ``y log``, ``x linear`` and the like: the scale of an axis
- ``points=605``: what each curve has; ``curves=2``, ``scatters=1``, ``bars=5``, ``images=3``,
  ``axes=2``, ``figures=1``: how many there are; ``images>=3``: at least so many
- ``of=training_loss,test_loss``: a curve shows all of each array, perhaps in percent
- ``starts 0.4 to 0.6``: where each curve starts; ``test_acc ends 0.96 to 1``: where that of an
  array ends; percentages of an array count as fractions
- ``falls``: each curve ends below its start, and never reaches twice its start

They are about what is seen: figures that no output shows, and curves that cannot be seen, do not
count.
"""

import colorsys
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from hw_support.checks.compare import Mismatch
from hw_support.figures.facts import Axes, Curve, Facts, checked

_EMPTY, _NOT_SHOWN, _NOT_SAID = "empty figure", "not shown", "fraction or percent not said"
_WHOLE = ("{}", "100 × {}", "{} / 100")
_SMALL = 1.0  # percent of the figure's larger side
_MOST_OUTSIDE = 0.05  # of a curve's points, outside of the axes or below a legend
_LEAST_FILLED = 0.1  # of the axes' height or width
_MOST_NAMED = 4  # curves in a line
_MOST_WORDS = 8  # of a legend's entry, or of an array's name, that are compared
# Conditions, and what is said where one fails.
_MISSING: Mapping[str, tuple[str, ...]] = {
    "legend": ("no legend", "legend lacks a curve"),
    "not swapped": ("curves swapped",),
    "colours": ("curve not visible", "curves look the same"),
    "units": ("percent called a fraction", "fraction called percent", "percent not said"),
    "title": ("no title",),
    "labels": ("no x label", "no y label", "label of one letter", "label of another quantity"),
    "x label": ("no x label",),
    "y label": ("no y label",),
    "inside": ("curve cut off", "curves fill too little", "legend over a curve"),
    "text": ("small text",),
}
_COUNTS: Mapping[str, Callable[[Sequence[Facts]], Iterable[int]]] = {
    "figures": lambda all_: [len(all_)],
    "axes": lambda all_: [sum(not axis.is_empty for axis in _axes_of(all_))],
    "curves": lambda all_: [sum(c.joined and c.is_seen for c in _curves_of(all_)) + _more(all_)],
    "scatters": lambda all_: [sum(not curve.joined for curve in _curves_of(all_))],
    "bars": lambda all_: [sum(axis.bars for axis in _axes_of(all_))],
    "images": lambda all_: [sum(axis.images for axis in _axes_of(all_))],
    "points": lambda all_: [curve.points for curve in _curves_of(all_)],
}
_COUNTED = re.compile(rf"({'|'.join(_COUNTS)})(=|>=)(\d{{1,9}})")
_SCALE = re.compile(r"([xy]) (linear|log|symlog|logit|asinh)")
_OF = re.compile(r"of=(\w+(?:,\w+)*)")
_NUMBER = r"(-?\d+(?:\.\d+)?)"
_AT = re.compile(rf"(?:(\w+) )?(starts|ends) {_NUMBER} to {_NUMBER}")
_FALLS, _MOST_OF_A_FALL = "falls", 2  # times its start
# Quantities of which an axis shows one: as arrays, labels and titles begin to name them.
_RIVALS = ("loss", "acc")
# Up to which hue, in degrees, a colour has which name.
_HUES = {15: "red", 48: "orange", 70: "yellow", 165: "green", 195: "cyan", 260: "blue"}
_HUES |= {290: "purple", 345: "pink", 360: "red"}


def missing(figures: Sequence[Facts]) -> list[str]:
    """Return what is missing or wrong in some figures, the gravest first: a few words for each."""
    if not figures:
        return []
    found = [] if any(figure.shown for figure in figures) else [_NOT_SHOWN]
    if all(axes.is_empty for axes in _axes_of(figures)):
        return [*found, _EMPTY]
    everywhere = frozenset[str]().union(*map(_missing_in_figure, figures))
    found += [words for kind in _MISSING.values() for words in kind if words in everywhere]
    return list(dict.fromkeys(found))


@lru_cache(maxsize=2_000)  # each condition on a figure asks again
def _missing_in_figure(figure: Facts) -> frozenset[str]:
    found = {words for axes in figure.axes for words in _missing_in(axes)}
    return frozenset(found | {"small text"} if 0 < figure.text < _SMALL else found)


def _missing_in(axes: Axes) -> Iterator[str]:
    entries = [curve.entry for curve in axes.curves]
    if len(entries) > 1 and not all(entries):
        yield "legend lacks a curve" if axes.legend else "no legend"
    if _is_swapped(axes):
        yield "curves swapped"
    if not all(curve.is_seen for curve in axes.curves):
        yield "curve not visible"
    if max(Counter(curve.look for curve in axes.curves).values(), default=0) > 1:
        yield "curves look the same"
    yield from (words for curve in axes.curves if (words := _unit(curve, axes)))
    if not axes.is_empty and not axes.title:
        yield "no title"
    if (axes.curves or axes.bars) and not axes.bare:
        yield from [] if axes.xlabel else ["no x label"]
        yield from [] if all(axes.ylabels or [""]) else ["no y label"]
        if any(len(text.strip()) == 1 for text in (axes.xlabel, *axes.ylabels)):
            yield "label of one letter"
        if _is_of_another_quantity(axes):
            yield "label of another quantity"
    if any(curve.outside > _MOST_OUTSIDE * curve.points for curve in axes.curves):
        yield "curve cut off"
    if any(curve.covered > _MOST_OUTSIDE * curve.points for curve in axes.curves):
        yield "legend over a curve"
    if axes.filled < _LEAST_FILLED:
        yield "curves fill too little"


def _is_swapped(axes: Axes) -> bool:
    """Return whether the legend or the title calls a curve as another's array, not as its own."""
    names = {curve.array: _words(curve.array) for curve in axes.curves if curve.array}
    everywhere = set.intersection(*names.values()) if names else set()
    telling = set[str]().union(*names.values()) - everywhere  # these tell one array from another
    for curve in filter(lambda curve: curve.array, axes.curves):
        for words in (_words(curve.entry), _words_beside(curve, axes)):
            said = {w for w in telling if any(_is_alike(w, word) for word in words)}
            if said and not said & names[curve.array]:
                return True
    return False


def _words_beside(curve: Curve, axes: Axes) -> set[str]:
    """Return the words that stand in the title with the name of a curve's colour, if it has one."""
    colours = [_colour(one) for one in axes.curves]
    colour = _colour(curve)
    for part in re.split(r"[,;/|]|\band\b|\bvs\b", axes.title.lower()):
        if colour in (words := _words(part)) and colours.count(colour) == 1:
            return words
    return set()


def _colour(curve: Curve) -> str:
    """Return the name of a curve's colour, such as "blue"; "grey" of all without a hue."""
    if not (found := re.match(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})\b", curve.look)):
        return ""
    hue, saturation, value = colorsys.rgb_to_hsv(
        *(int(group, 16) / 255 for group in found.groups())
    )
    if value < 0.2:
        return "black"
    return "grey" if saturation < 0.2 else next(n for most, n in _HUES.items() if 360 * hue <= most)


def _is_of_another_quantity(axes: Axes) -> bool:
    """Return whether the one y axis says loss and its curves show accuracies, or the reverse."""
    if len(axes.ylabels) != 1:
        return False
    said = {one for one in _RIVALS if one in axes.ylabels[0].lower()}
    shown = {one for one in _RIVALS for curve in axes.curves if one in curve.array.lower()}
    return bool(said and shown) and not said & shown


def _words(text: str) -> set[str]:
    return {word for word in re.split(r"[\W_]+", text.lower())[:_MOST_WORDS] if len(word) > 1}


def _is_alike(word: str, said: str) -> bool:
    """Return whether a word of a legend stands for one of an array's name: "train", "training"."""
    return said.startswith(word[:4]) or (len(said) > 2 and word.startswith(said))


def _units_said(curve: Curve, axes: Axes) -> tuple[bool, bool]:
    """Return whether the texts say that a curve is a fraction, and that it is a percentage."""
    said = " ".join([axes.title, curve.entry, *axes.ylabels]).lower()
    is_fraction = bool(re.search(r"\b(fraction|share|proportion)s?\b", said))
    return is_fraction, "%" in said or "percent" in said


def _unit(curve: Curve, axes: Axes) -> str:
    is_fraction, is_percent = _units_said(curve, axes)
    if not (is_fraction or is_percent or axes.percent) and curve.how.startswith("100 ×"):
        return "percent not said"
    if curve.high is None or curve.low is None or is_fraction == is_percent:
        return ""
    if is_fraction and curve.high > 1.5:
        return "percent called a fraction"
    is_small = 0 <= curve.low <= curve.high <= 1 and curve.points > 2
    return "fraction called percent" if is_percent and is_small and not axes.percent else ""


# -- one line


def wrong(figures: Sequence[Facts], conditions: str = "") -> list[str]:
    """Return what is missing in the figures of an answer, and which further conditions fail."""
    return list(dict.fromkeys([*missing(figures), *failing(figures, conditions)]))


def summaries(figures: Sequence[Facts]) -> list[str]:
    """Return a line for each figure that says what it shows."""
    lines = [" · ".join(_summary(figure)) for figure in figures]
    is_one = len(lines) == 1
    return lines if is_one else [f"figure {n}: {line}" for n, line in enumerate(lines, 1)]


def _summary(figure: Facts) -> Iterator[str]:
    count = len(figure.axes) + figure.more
    for number, axes in enumerate(figure.axes, 1):
        texts = " · ".join(_of_axes(axes))
        yield f"axes {number} of {count}: {texts}" if count > 1 else texts


def _of_axes(axes: Axes) -> Iterator[str]:
    for joined, what in ((True, "curve"), (False, "scatter")):
        if some := [curve for curve in axes.curves if curve.joined is joined]:
            yield _of_curves(some, what, axes.more if joined else 0)
    for count, what in ((axes.bars, "bar"), (axes.images, "image"), (axes.others, "other shape")):
        yield from [_counted(count, what)] if count else []
    yield from ["nothing drawn"] if axes.is_empty else []
    scales = (("x", axes.xscale), ("y", axes.yscale))
    yield from (f"{name} {scale}" for name, scale in scales if scale != "linear")
    has = [bool(axes.xlabel), bool(axes.ylabels) and all(axes.ylabels)]
    labels = {(True, True): "both labels", (True, False): "x label", (False, True): "y label"}
    texts = ["title" if axes.title else "", labels.get((has[0], has[1]), "")]
    texts += [f"legend of {len(axes.legend)}" if axes.legend else ""]
    texts += [_counted(axes.notes, "text") + " inside" if axes.notes else ""]
    if any(texts):
        yield ", ".join(filter(None, texts))


def _of_curves(curves: Sequence[Curve], what: str, more: int) -> str:
    points = " and ".join(f"{n:,}" for n in sorted({c.points for c in curves}, reverse=True)[:3])
    named = [curve.shows or "another" for curve in curves] if any(c.array for c in curves) else []
    names = [f"{name}{_ends(c)}" for name, c in zip(named, curves, strict=False)][:_MOST_NAMED]
    left = [f"{len(curves) + more - len(names)} more"] if len(curves) + more > len(names) else []
    shown = f": {', '.join([*names, *left])}" if names else ""
    return f"{_counted(len(curves) + more, what)} of {points} points{shown}"


def _ends(curve: Curve) -> str:
    if curve.first is None or curve.last is None:
        return ""
    return f" ({curve.first:.3g} to {curve.last:.3g})"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


# -- conditions


def parsed(conditions: str) -> list[str]:
    """Return the single conditions of a text."""
    return list(filter(None, (" ".join(one.split()) for one in re.split(r",\s+", conditions))))


def unknown(conditions: str, arrays: Iterable[str] | None = None) -> list[str]:
    """Return the conditions of a text that do not exist, or name other arrays than `arrays`."""
    return [one for one in parsed(conditions) if not _exists(one, arrays)]


def _exists(condition: str, arrays: Iterable[str] | None) -> bool:
    if named := _OF.fullmatch(condition):
        return arrays is None or {*named[1].split(",")} <= {*arrays}
    if placed := _AT.fullmatch(condition):
        return arrays is None or placed[1] is None or placed[1] in arrays
    return condition in (*_MISSING, _FALLS) or bool(
        _COUNTED.fullmatch(condition) or _SCALE.fullmatch(condition)
    )


def failing(figures: Sequence[Facts], conditions: str) -> list[str]:
    """Return in words which conditions fail; of figures that show nothing, all do."""
    asked, shown = parsed(conditions), [figure for figure in figures if figure.shown]
    found = [_NOT_SHOWN] if asked and figures and not shown else []
    figures = shown or figures
    if asked and all(axes.is_empty for axes in _axes_of(figures)):
        return [*found, _EMPTY]
    is_missing = {*missing(figures)}
    for one in asked:
        if one in _MISSING:
            found += [words for words in _MISSING[one] if words in is_missing]
            found += [_NOT_SAID] if one == "units" and not _is_unit_said(figures) else []
        elif counted := _COUNTED.fullmatch(one):
            what, sign, most = counted[1], counted[2], int(counted[3])
            numbers = {n if sign == "=" else min(n, most) for n in _COUNTS[what](figures)}
            less = f"fewer than {most} {what}" if sign == ">=" else f"not {most} {what}"
            found += [less] if numbers != {most} else []
        elif scale := _SCALE.fullmatch(one):
            scales = {getattr(axes, f"{scale[1]}scale") for axes in _axes_of(figures)}
            found += [f"{scale[1]} not {scale[2]}"] if scales != {scale[2]} else []
        elif named := _OF.fullmatch(one):
            whole = {c.array for c in _curves_of(figures) if c.is_seen and c.how in _WHOLE}
            found += [f"no curve of {name}" for name in named[1].split(",") if name not in whole]
        elif placed := _AT.fullmatch(one):
            array, *between = placed.groups()
            those = [c for c in _curves_of(figures) if array in (None, c.array)]
            if not those:
                found.append(f"no curve of {array}" if array else "no curve")
            elif not all(_is_between(c, *between) for c in those):
                where, low, high = between
                found.append(f"{f'{array} ' if array else ''}{where} outside {low} to {high}")
        elif one == _FALLS:
            found += [] if all(map(_falls, _curves_of(figures))) else ["not falling"]
        else:
            found.append(f"unknown condition {one}")
    return list(dict.fromkeys(found))


def _is_unit_said(figures: Sequence[Facts]) -> bool:
    pairs = ((curve, axes) for axes in _axes_of(figures) for curve in axes.curves)
    return all(axes.percent or any(_units_said(curve, axes)) for curve, axes in pairs)


def _is_between(curve: Curve, where: str, low: str, high: str) -> bool:
    value = curve.first if where == "starts" else curve.last
    if value is not None and curve.how.startswith("100 ×"):
        value /= 100
    return value is not None and float(low) <= value <= float(high)


def _falls(curve: Curve) -> bool:
    if curve.first is None or curve.last is None or curve.high is None:
        return False
    return curve.last < curve.first and curve.high < _MOST_OF_A_FALL * curve.first


def expect_facts(data: object) -> Facts:
    """Return facts from what a notebook sent; `Mismatch` if it sent anything else."""
    facts = checked(data)
    if facts is None:
        raise Mismatch("expected the facts of a figure, got something else")
    return facts


def expect_figure(figures: Facts | Sequence[Facts], conditions: str) -> None:
    """Raise `Mismatch` with what fails, if conditions on a figure do not hold."""
    all_ = [figures] if isinstance(figures, Facts) else figures
    if wrong := failing(all_, conditions):
        raise Mismatch(f"the figure: expected {conditions}, got: {', '.join(wrong)}")


def _axes_of(figures: Sequence[Facts]) -> Iterator[Axes]:
    return (axes for figure in figures for axes in figure.axes)


def _curves_of(figures: Sequence[Facts]) -> Iterator[Curve]:
    return (curve for axes in _axes_of(figures) for curve in axes.curves)


def _more(figures: Sequence[Facts]) -> int:
    return sum(axes.more for axes in _axes_of(figures))
