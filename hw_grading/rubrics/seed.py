"""Makes the first rubric of a question from its mark scheme.

A line of a mark scheme such as ``- 1: both curves, with a legend.`` becomes an item of one point.
Two answers to one question share its mark scheme. Then each line names its answer, as in
``- Images, 1: …`` and ``- Text, 1: …``, in the order of the answers.
"""

import hashlib
import itertools
import re
from collections.abc import Iterator, Sequence

from hw_grading.records.questions import Places
from hw_grading.records.scores import Cell
from hw_grading.rubrics.model import Item, Rubric

_ITEM = re.compile(
    r"^[-*] +(?:(?P<label>[^:,\n]{1,40}), +)?(?P<points>[+-]?\d+(?:\.\d+)?): +"
    r"(?P<text>.+(?:\n(?:[ \t]+\S.*))*)",
    re.MULTILINE,
)


def first_rubric(cell: Cell, cells: Sequence[Cell], places: Places) -> Rubric:
    """Return a question's rubric before any change; `cells` are all cells that people grade."""
    items = _items(cell, cells, places)
    if _sum(items) != cell.max_points:
        items = [(cell.max_points, "Right and complete.")]
    items.append((0.0, "No answer, or nothing of the above."))
    first = []
    for n, (points, text) in enumerate(items):
        # The id is always the same, because graders may use an item before it is saved.
        key = hashlib.sha256(f"{cell.name}\n{n}\n{text}".encode()).hexdigest()[:32]
        first.append(Item(key, points, text))
    return Rubric(tuple(first), upper=cell.max_points)


def wrong_sums(cells: Sequence[Cell], places: Places) -> Iterator[str]:
    """Yield a sentence for each answer whose mark scheme does not become its first rubric."""
    for cell in cells:
        items = _items(cell, cells, places)
        if items and _sum(items) != cell.max_points:
            yield (
                f"cell {cell.name}: the lines of its mark scheme sum to {_sum(items):g} points, "
                f"but the cell has {cell.max_points:g}. Change one of the two."
            )


def _items(cell: Cell, cells: Sequence[Cell], places: Places) -> list[tuple[float, str]]:
    """Return points and texts of the mark scheme's lines for one answer."""
    scheme = places[cell.name].scheme
    found = [match.groupdict() for match in _ITEM.finditer(scheme)]
    together = [one.name for one in cells if places[one.name].scheme == scheme]
    parts = [list(part) for _, part in itertools.groupby(found, key=lambda item: item["label"])]
    if len(together) > 1 and len(parts) == len(together):
        found = parts[together.index(cell.name)]
    return [(float(item["points"]), " ".join(item["text"].split())) for item in found]


def _sum(items: Sequence[tuple[float, str]]) -> float:
    return sum(points for points, _ in items)
