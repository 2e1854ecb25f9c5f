"""Decides whether a picture in SVG is shown: if it has what plots are made of, and not too much.

A page shows it as an ``<img>``, in which nothing runs and nothing is loaded. But a few lines of SVG
can draw for hours: by filters, by animations, or by elements that use others that use others.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator

MAX_CHARACTERS = 3_000_000
# What may be drawn, with each element as often as it is used; the unit is a character of a path.
# The slowest picture that was found within it takes Chromium some ten seconds.
_MOST = 8_000_000
_OF_AN_ELEMENT, _OF_A_CURVE, _OF_AN_IMAGE = 100, 60, 40_000
_TIMES_DASHED = 30
_DEEPEST = 20
_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_ELEMENTS = re.compile(
    "circle|clipPath|defs|desc|ellipse|g|image|line|linearGradient|path|pattern|polygon|polyline|"
    "radialGradient|rect|stop|style|svg|text|title|tspan|use"
)
_FORBIDDEN = re.compile(r"filter|mask|anim|blend|transition|path\(|[@\\]", re.IGNORECASE)
_SHEET = re.compile(r"\s*\*\s*\{[\w\s:;-]*\}\s*")  # the only style sheet, as matplotlib writes it
_DASHED = re.compile(r"stroke-dasharray\s*:([^;]*)")
_DASHES = re.compile(r"\s*(?:none|(?:(?:0?\.[5-9]|[1-9])[\d.]*[\s,]*)+)\s*")  # 0.5 or longer
_REFERENCE = re.compile(r"url\(\s*[\"']?#([^\"')\s]+)")
_CURVE = re.compile("[AaCcQqSsTt]")

ET.register_namespace("", _SVG)
ET.register_namespace("xlink", _XLINK)


class Unsafe(ValueError):
    """The picture is not shown. The text says why, as the end of a sentence."""


def checked_svg(text: str, is_shown: Callable[[str], bool]) -> str:
    """Return a picture in SVG that draws in a bounded time, written anew; `Unsafe` if it would not.

    `is_shown` says of a data URI in it whether that picture may be shown.
    """
    if len(text) > MAX_CHARACTERS:
        raise Unsafe(f"it has more than {MAX_CHARACTERS / 1e6:.0f} million characters")
    if "<!ENTITY" in text:
        raise Unsafe("it defines entities")
    try:
        root = ET.fromstring(text)
    except (ET.ParseError, ValueError):
        raise Unsafe("it is not SVG") from None
    if root.tag != f"{{{_SVG}}}svg":
        raise Unsafe("it is not SVG")
    for about in root.findall(f"{{{_SVG}}}metadata"):
        root.remove(about)
    picture = _Picture(is_shown)
    if picture.cost_of(root) + picture.cost_of_references() > _MOST:
        raise Unsafe("drawing it takes too long")
    return ET.tostring(root, encoding="unicode")


class _Picture:
    """Checks the elements of a picture, and counts what drawing them costs."""

    def __init__(self, is_shown: Callable[[str], bool]) -> None:
        self._is_shown = is_shown
        self._costs: dict[str, int] = {}  # of the elements with an id
        self._references: list[tuple[str, int]] = []  # to an id, and how often it is drawn
        self._referring: set[str] = set()  # ids of the elements that refer to others

    def cost_of(self, element: ET.Element, inside: tuple[str, ...] = (), times: int = 1) -> int:
        """Return what an element costs without what it refers to; `inside` are ids around it."""
        if len(inside) > _DEEPEST:
            raise Unsafe(f"elements are nested deeper than {_DEEPEST}")
        name = element.tag.removeprefix(f"{{{_SVG}}}")
        if not _ELEMENTS.fullmatch(name):
            raise Unsafe(f"it has an element {name[:40]!a}")
        if name == "style" and not _SHEET.fullmatch(element.text or ""):
            raise Unsafe("it has a style sheet")
        own, inside = element.get("id", ""), (*inside, element.get("id", ""))
        if any(self._has_dashes(key, value) for key, value in element.items()):
            times = _TIMES_DASHED
        for target in self._references_in(element, name):
            self._references.append((target, times))
            self._referring.update(inside)
        cost = _OF_AN_ELEMENT + times * sum(map(len, element.attrib.values()))
        cost += _OF_A_CURVE * len(_CURVE.findall(element.get("d", "")))
        cost += _OF_AN_IMAGE * (name == "image") + len(element.text or "")
        cost += sum(self.cost_of(child, inside, times) for child in element)
        self._costs[own] = max(cost, self._costs.get(own, 0))
        return cost

    def cost_of_references(self) -> int:
        """Return what the elements cost that others refer to, each time again."""
        if any(target in self._referring for target, _ in self._references):
            raise Unsafe("it uses an element that uses others")
        return sum(times * self._costs.get(target, 0) for target, times in self._references)

    def _references_in(self, element: ET.Element, name: str) -> Iterator[str]:
        """Yield the ids to which an element refers; `Unsafe` if an attribute is forbidden."""
        for key, value in element.items():
            attribute = key.rpartition("}")[2]
            if attribute == "href":
                address = "".join(value.split())
                if name == "image" and not self._is_shown(address):
                    raise Unsafe("it has a picture that is no PNG or JPEG in itself")
                yield address.removeprefix("#")
            elif _FORBIDDEN.search(attribute) or _FORBIDDEN.search(value):
                raise Unsafe(f"an element has {attribute}={value[:60]!a}")
            yield from _REFERENCE.findall(value)

    def _has_dashes(self, key: str, value: str) -> bool:
        dashes = [value] if key == "stroke-dasharray" else _DASHED.findall(value)
        if not all(map(_DASHES.fullmatch, dashes)):
            raise Unsafe("its dashes are too short")
        return any("none" not in one for one in dashes)
