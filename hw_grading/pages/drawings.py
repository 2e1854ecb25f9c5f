"""Separates drawings (SVG) that a browser draws at once from those that keep it busy for hours.

An SVG of a few lines can draw a thing twice, draw that result twice, and so on. In an ``<img>`` it
runs no script and loads nothing, but it hangs the browser's tab and the page in it.
"""

import base64
import functools
import math
import re
import xml.etree.ElementTree as ET
import xml.parsers.expat as expat
from typing import NoReturn
from urllib.parse import unquote

from hw_grading.pages import paths, rasters, words

LONGEST = 4_000_000  # bytes
_MOST = 200_000  # see `_Drawing`; a plot of 20,000 points has 100,000
_DEEPEST = 200
_PIXELS = 1_000  # of a picture that a browser shows in the time of an element
_REFERENCE = re.compile(r"#([^\s\"'();,]+)")
_NOT_COUNTED = re.compile(r"[\s\"'();,]")  # in ids, as `_REFERENCE` does not find them
# Things that take a browser long, or that change the drawing later
_REFUSED = words(
    "animate animateColor animateMotion animateTransform discard filter foreignObject set"
)
_SLOW = re.compile(r"filter|blend|inherit|gradient\(|pathLength", re.I)
# other things, references and layers in style sheets
_HIDDEN = re.compile(r"[\\@]|url|dasharray|(?<![-\w])opacity", re.I)
# Of all properties of styles, those of drawings. A browser draws a shadow or a background slowly.
_PROPERTY = re.compile(r"([^\s:;{}]+)\s*:")
_KNOWN_PROPERTY = re.compile(
    r"(?:fill|font|marker|mask|stop|stroke)(?:-[a-z]+)*|clip-(?:path|rule)|(?:image|shape|text)"
    r"-rendering|(?:letter|word)-spacing|line-height|text-(?:align|anchor)|dominant-baseline"
    r"|color|display|opacity|overflow|paint-order|visibility|white-space|writing-mode",
    re.I,
)
_DASHES = re.compile(r"stroke-dasharray\s*:([^;]*)", re.I)
_NUMBERS = re.compile(r"[0-9.,\s]*")
_DASHES_OF_ONE = 10  # dashes that cost as much as an element
_DATA = re.compile(r"data:[^,]*,", re.I)
_PICTURE = re.compile(r"data:(image/(?:png|jpeg|gif));base64,([A-Za-z0-9+/=\s]+)")
_COSTS = {
    "image": 25,
    "linearGradient": 100,
    "mask": 1_000,
    "pattern": 1_000,
    "radialGradient": 100,
    "text": 6,
}
_LAYER = 10  # of a group that is drawn by itself and then made transparent
_CLIP, _CLIP_OF_A_RECT = 20, 3
_OPACITY = re.compile(r"(?<![-\w])opacity\s*:", re.I)
_CHARACTERS = 200  # of an attribute that cost as much as an element
_CHARACTERS_OF_TEXT = 10
_TEXTS = words("text textPath tspan")
_OF_A_SYMBOL = 100  # numbers and crossings that cost nothing: a plot has thousands of symbols
_CROSSINGS = 40  # of a path's lines that cost as much as an element
_SHORT = 80  # characters; the points and crossings of a shorter path cost nothing
_WIDTH = re.compile(r"(?<![-\w])stroke-width\s*:([^;}]*)", re.I)
_PIXEL_WIDTH = re.compile(r"\s*([0-9]+\.?[0-9]*|\.[0-9]+)(?:px)?\s*")
_LONG_TIPS = re.compile(r"vector-effect|miterlimit", re.I)  # or strokes of another scale
_ADDRESSES = ("href", "{http://www.w3.org/1999/xlink}href")
_OF_ONE = ("clip-path", "mask", *_ADDRESSES)  # not inherited


def is_light(svg: bytes) -> bool:
    """Return whether a browser can draw an SVG quickly. Browsers do not draw invalid XML at all."""
    return _size(svg) <= _MOST


def pixels_of(svg: bytes) -> float:
    """Return the pixels that an SVG counts for; those of pictures in it count as the most."""
    return _PIXELS * _size(svg) + (rasters.MAX_PIXELS if b"data:" in svg else 0)


@functools.lru_cache(1)  # both functions are called for a drawing, one after the other
def _size(svg: bytes) -> float:
    """Return how many elements a browser draws for an SVG; infinity if they cannot be counted."""
    if len(svg) > LONGEST:
        return math.inf
    try:
        _expect_no_declarations(svg)
        root = ET.fromstring(svg, ET.XMLParser(target=_Builder()))
        return _Drawing(root).size(root, 0)
    except (ET.ParseError, expat.ExpatError, LookupError, ValueError):
        return math.inf


def _expect_no_declarations(svg: bytes) -> None:
    """Expect that an SVG declares no entities and attributes: browsers read more of them."""

    def begins(name: str, system: str | None, public: str | None, declares: int) -> None:
        if declares:
            raise ValueError("the SVG has declarations")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = begins
    parser.Parse(svg, True)


class _Builder(ET.TreeBuilder):
    """Refuses instructions, which may name style sheets."""

    def pi(self, target: str, text: str | None = None) -> NoReturn:
        """Refuse an instruction."""
        raise ValueError("the SVG has instructions")


class _Drawing:
    """Counts the elements of a drawing. An element counts once each time it is drawn.

    Long paths count as several elements, and so do elements that a browser draws slowly.
    """

    def __init__(self, root: ET.Element) -> None:
        self._by_id: dict[str, ET.Element] = {}
        for element in root.iter():
            self._by_id.setdefault(element.get("id", ""), element)
        self._by_id.pop("", None)
        if any(map(_NOT_COUNTED.search, self._by_id)):
            raise ValueError("the SVG has ids with references that cannot be counted")
        # A browser draws a marker at each point of a path: at most once for each character.
        self._has_markers = any(_name(element) == "marker" for element in root.iter())
        self._reach = max(map(_reach, root.iter()))  # of strokes beyond their lines
        self._sizes: dict[ET.Element, int] = {}
        self._pixels = 0.0  # of the pictures so far
        self._numbers = 0  # of the paths so far

    def size(self, element: ET.Element, depth: int) -> int:
        """Return how many elements the browser draws for this one."""
        if depth > _DEEPEST:
            raise ValueError("the SVG is nested too deeply")
        if element not in self._sizes:
            self._sizes[element] = 0  # an element that refers to itself is not drawn
            once, inherited = self._referred_to(element)
            if inherited and len(element):
                raise ValueError("the children inherit references that cannot be counted")
            texts = [element.text or "", *(part.tail or "" for part in element)]
            length = sum(map(len, [*texts, *element.attrib.values()]))
            characters = _CHARACTERS_OF_TEXT if _name(element) in _TEXTS else _CHARACTERS
            size = _cost(element) + length // (1 if self._has_markers else characters)
            size += self._dashes(element) + self._layers(element) + self._points(element)
            size += sum(self.size(part, depth + 1) for part in [*element, *once])
            times = size if _name(element) == "use" or self._has_markers else 1
            size += times * sum(self.size(part, depth + 1) for part in inherited)
            self._sizes[element] = size
        return self._sizes[element]

    def _referred_to(self, element: ET.Element) -> tuple[list[ET.Element], list[ET.Element]]:
        """Return what is drawn once for an element, and what is drawn for each of its parts."""
        style = "".join(element.itertext()) if _name(element) == "style" else ""
        if _name(element) in _REFUSED or _is_slow(style) or _HIDDEN.search(style):
            raise ValueError("the SVG has elements or styles that cannot be counted")
        once: list[ET.Element] = []
        inherited: list[ET.Element] = []
        for name, value in element.attrib.items():
            css = value if name == "style" else ""
            if _SLOW.search(name) or _SLOW.search(value) or _is_slow(css) or "\\" in css:
                raise ValueError("the element has attributes that cannot be counted")
            self._expect_pictures(value)
            names = map(unquote, _REFERENCE.findall(value))
            found = [self._by_id[one] for one in names if one in self._by_id]
            (once if name in _OF_ONE else inherited).extend(found)
        return once, inherited

    def _layers(self, element: ET.Element) -> int:
        """Return how many elements the layers and clips of an element count for."""
        style = element.get("style", "")
        is_clear = "opacity" in element.attrib or _OPACITY.search(style)
        cost = _LAYER if is_clear and (len(element) or _name(element) == "use") else 0
        clips = element.get("clip-path", "") + (style if "clip-path" in style.lower() else "")
        for name in _REFERENCE.findall(clips):
            parts = [_name(part) for part in self._by_id.get(unquote(name), ())]
            cost += _CLIP_OF_A_RECT if parts == ["rect"] else _CLIP
        return cost

    def _dashes(self, element: ET.Element) -> int:
        """Return how many elements the dashes of a path count for; others may have no dashes."""
        found = _DASHES.findall(element.get("style", ""))
        dashes = {text.strip() for text in (element.get("stroke-dasharray", ""), *found)}
        cost = 0.0
        for text in dashes - {"", "none"}:
            drawn = self._used_by(element) if _name(element) == "use" else element
            has_parts = len(drawn) or len(element)
            if _name(drawn) != "path" or has_parts or not _NUMBERS.fullmatch(text):
                raise ValueError("the dashes cannot be counted")
            if period := sum(map(float, paths.NUMBER.findall(text))):
                cost += (
                    paths.length_of(paths.lines_in(drawn.get("d", ""))) / period / _DASHES_OF_ONE
                )
        return int(min(cost, _MOST + 1))

    def _points(self, element: ET.Element) -> int:
        """Return how many elements the points and crossings of a path or polygon count for."""
        path = element.get("d") or f"M{element.get('points', '')}"
        if len(path) < _SHORT:
            return 0
        numbers = len(paths.NUMBER.findall(path))  # two for a point
        if self._numbers > _MOST or max(numbers, sum(map(str.isalpha, path))) > _MOST:
            raise ValueError("the SVG has too many points")
        try:
            crossings = paths.most_crossings(paths.lines_in(path), self._reach)
        except ValueError:
            crossings = numbers**2 / 2
        count = max(0, int(numbers + crossings / _CROSSINGS) - _OF_A_SYMBOL)
        self._numbers += count
        return count

    def _used_by(self, element: ET.Element) -> ET.Element:
        """Return the only thing that a ``<use>`` draws."""
        (address,) = (element.attrib[name] for name in _ADDRESSES if name in element.attrib)
        (name,) = map(unquote, _REFERENCE.findall(address))
        return self._by_id[name]

    def _expect_pictures(self, value: str) -> None:
        """Expect that all data in an attribute are raster pictures, not too many pixels in all."""
        pictures = _PICTURE.findall(value)
        if len(pictures) != len(_DATA.findall(value)):
            raise ValueError("the SVG has data that is no picture")
        for mime, data in pictures:
            raw = base64.b64decode(data)
            self._pixels += rasters.pixels_of(mime, raw)
            if self._pixels > rasters.MAX_PIXELS or rasters.has_many_scans(mime, raw):
                raise ValueError("the SVG has pictures that take long")


def _name(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _reach(element: ET.Element) -> float:
    """Return how far a stroke reaches beyond a line, by what an element says; else by default."""
    style = element.get("style", "")
    style += "".join(element.itertext()) if _name(element) == "style" else ""
    if any(map(_LONG_TIPS.search, [style, *element.attrib])):
        return math.inf
    widths = ["1", *_WIDTH.findall(style), element.get("stroke-width", "1")]
    found = [_PIXEL_WIDTH.fullmatch(width) for width in widths]
    return max(float(match[1]) / 2 if match else math.inf for match in found)


def _is_slow(style: str) -> bool:
    """Return whether a style has anything that a browser may draw slowly."""
    properties = _PROPERTY.findall(style)
    return bool(_SLOW.search(style)) or not all(map(_KNOWN_PROPERTY.fullmatch, properties))


def _cost(element: ET.Element) -> int:
    """Return how many elements one counts for; `ValueError` for a pattern of tiny tiles."""
    if _name(element) == "pattern":
        sides = [float(element.get(name, "")) for name in ("width", "height")]
        in_pixels = element.get("patternUnits") == "userSpaceOnUse"
        if not in_pixels or "patternTransform" in element.attrib or not min(sides) >= 1:
            raise ValueError("the pattern is too small")
    return _COSTS.get(_name(element), 1)
