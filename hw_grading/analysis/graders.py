"""Whether graders agree: their means, their spreads, and the items that they give."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

from hw_grading.gradebook.second_marks import Marked, Pair

# Standard errors from which a difference is said. By chance alone, one item in 2,000 has it.
_MANY = 3.5


@dataclass(frozen=True)
class Habit:
    """How a grader marks a question."""

    grader: str
    answers: int  # how many
    mean: float  # points
    spread: float  # the standard deviation, in points
    given: dict[str, int]  # in how many answers each item is given, by the item's id


@dataclass(frozen=True)
class Difference:
    """An item that one grader gives more or less often than the others, beyond chance."""

    item: str
    grader: str
    share: float  # of the grader's answers, from 0 to 1
    others: float  # of the answers of all others


def habits(said: Iterable[Marked]) -> list[Habit]:
    """Return the habit of each grader, in alphabetical order."""
    of: dict[str, list[Marked]] = {}
    for one in said:
        of.setdefault(one.grader, []).append(one)
    return [_habit(grader, of[grader]) for grader in sorted(of)]


def on_the_same(pairs: Iterable[Pair]) -> list[list[Habit]]:
    """Return for each two graders their habits on the answers that both have marked."""
    of: dict[tuple[str, ...], list[Marked]] = {}
    for pair in pairs:
        two = (pair.first, pair.second)
        of.setdefault(tuple(sorted(one.grader for one in two)), []).extend(two)
    return [habits(of[two]) for two in sorted(of)]


def differences(found: Sequence[Habit], items: Iterable[str]) -> list[Difference]:
    """Return for each item the grader who differs by most, if that is beyond chance.

    The largest difference comes first. Two shares are compared by the standard error of their
    difference, under the assumption that both graders give the item alike.
    """
    return [one for _, one in sorted(_differences(found, items), key=lambda pair: -pair[0])]


def _differences(
    found: Sequence[Habit], items: Iterable[str]
) -> Iterable[tuple[float, Difference]]:
    total = sum(one.answers for one in found)
    for item in items:
        given = sum(one.given.get(item, 0) for one in found)
        likely = given / total if total else 0
        largest: tuple[float, Difference] | None = None
        for one in found:
            rest = total - one.answers
            if not rest or likely in (0, 1):
                continue
            own = one.given.get(item, 0)
            share, others = own / one.answers, (given - own) / rest
            error = math.sqrt(likely * (1 - likely) * (1 / one.answers + 1 / rest))
            size = abs(share - others) / error
            if size > _MANY and (largest is None or size > largest[0]):
                largest = size, Difference(item, one.grader, share, others)
        if largest:
            yield largest


def _habit(grader: str, said: Sequence[Marked]) -> Habit:
    points = [one.points for one in said]
    given: dict[str, int] = {}
    for one in said:
        for item in one.mark.chosen:
            given[item] = given.get(item, 0) + 1
    return Habit(grader, len(said), fmean(points), pstdev(points), given)
