"""Separates drawings (SVG) that a browser draws at once from those that keep it busy for hours.

An SVG of a few lines can draw a thing twice, draw that result twice, and so on. In an ``<img>`` it
runs no script and loads nothing, but it hangs the browser's tab and the page in it.
"""

import re
import xml.etree.ElementTree as ET
from urllib.parse import unquote

LONGEST = 4_000_000  # bytes
_MOST = 200_000  # elements, counted each time they are drawn; a plot of 20,000 points has 60,000
_DEEPEST = 200
_REFERENCE = re.compile(r"#([^\s\"'();,]+)")


def is_light(svg: bytes) -> bool:
    """Return whether a browser can draw an SVG quickly. Browsers do not draw invalid XML at all."""
    if len(svg) > LONGEST:
        return False
    try:
        root = ET.fromstring(svg)  # expat limits the expansion of entities
        return _Drawing(root).size(root, 0) <= _MOST
    except (ET.ParseError, LookupError, ValueError):
        return False


class _Drawing:
    """Counts the elements of a drawing. An element counts once for each reference to it."""

    def __init__(self, root: ET.Element) -> None:
        self._by_id: dict[str, ET.Element] = {}
        for element in root.iter():
            self._by_id.setdefault(element.get("id", ""), element)
        self._by_id.pop("", None)
        self._sizes: dict[ET.Element, int] = {}

    def size(self, element: ET.Element, depth: int) -> int:
        """Return how many elements the browser draws for this one."""
        if depth > _DEEPEST:
            raise ValueError("the SVG is nested too deeply")
        if element not in self._sizes:
            self._sizes[element] = 0  # an element that refers to itself is not drawn
            parts = [*element, *self._referred_to(element)]
            self._sizes[element] = 1 + sum(self.size(part, depth + 1) for part in parts)
        return self._sizes[element]

    def _referred_to(self, element: ET.Element) -> list[ET.Element]:
        style = element.text or "" if str(element.tag).endswith("}style") else ""
        if "url" in style.lower() or "\\" in style or "@import" in style:
            raise ValueError("the style has references that cannot be counted")
        found = []
        for name, value in element.attrib.items():
            if "data:image/svg" in value.lower() or (name == "style" and "\\" in value):
                raise ValueError("the element has references that cannot be counted")
            names = map(unquote, _REFERENCE.findall(value))
            found += [self._by_id[one] for one in names if one in self._by_id]
        return found
