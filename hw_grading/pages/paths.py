"""The lines of a path in a drawing (SVG): their length, and how many of them may cross."""

import bisect
import math
import re
from collections.abc import Iterable

NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_COMMAND = re.compile(r"([A-Za-z])([^A-Za-z]*)")

Line = tuple[complex, complex]


def lines_in(path: str) -> list[Line]:
    """Return the lines of a path with absolute coordinates; around a curve, those that bound it.

    A browser fills a part that is not closed as if it were.
    """
    lines: list[Line] = []
    here = start = 0j
    for command, text in _COMMAND.findall(path):
        numbers = list(map(float, NUMBER.findall(text)))
        points = [complex(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
        if command not in "MLCQZz":
            raise ValueError("the path has commands that cannot be counted")
        if command in "MZz":
            lines.append((here, start))
            here = start = points.pop(0) if points else start
        for point in points:
            lines.append((here, point))
            here = point
    return [*lines, (here, start)]


def length_of(lines: Iterable[Line]) -> float:
    """Return the length of all lines."""
    return sum(abs(end - begin) for begin, end in lines)


def most_crossings(lines: list[Line], reach: float) -> float:
    """Return at most how many pairs of lines cross, if each reaches this far to all sides."""
    if not math.isfinite(reach):
        return len(lines) ** 2 / 2
    sides = ([(a.real, b.real) for a, b in lines], [(a.imag, b.imag) for a, b in lines])
    return min(_overlapping(pairs, 2 * reach) for pairs in sides)


def _overlapping(pairs: list[tuple[float, float]], between: float) -> int:
    """Return how many pairs of intervals overlap or are this close to each other."""
    ends = sorted(map(max, pairs))
    apart = sum(bisect.bisect_left(ends, min(pair) - between) for pair in pairs)
    return len(pairs) * (len(pairs) - 1) // 2 - apart
