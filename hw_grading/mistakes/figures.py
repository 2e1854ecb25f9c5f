"""Figures of a class by question: the points, their spread, who answered, and limits of time.

While answers wait for a person, the total is that of the tests: a total without the answers that
people grade says nothing about the class.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, pstdev

from hw_grading.gradebook.results import Results, StudentResult
from hw_grading.gradebook.scores import ScoredCell
from hw_support.submission.problems import Kind

MAX_BARS = 9


@dataclass(frozen=True)
class Points:
    """The points of a class, all together or for one question; the figures are None without any."""

    most: float
    mean: float | None
    median: float | None
    spread: float | None  # the standard deviation
    bars: tuple[tuple[float, int], ...]  # see `bars`


@dataclass(frozen=True)
class QuestionFigures:
    """A cell with points."""

    cell: str
    title: str
    by_hand: bool
    points: Points
    answered: int  # how many have points, or an answer that waits for a person
    waiting: int  # how many answers a person has to grade
    timed_out: int  # how many submissions reached a limit of time in the cell


@dataclass(frozen=True)
class Figures:
    """The figures of a class."""

    students: int  # in the gradebook
    handed_in: int
    graded: int  # by all tests
    of_tests: bool  # whether the total is that of tests alone
    total: Points
    questions: tuple[QuestionFigures, ...]


def figures_of(results: Results) -> Figures:
    """Return the figures of a class."""
    graded = [result for result in results.handed_in if result.known.scored]
    questions = tuple(_question(results, graded, cell) for cell in results.counting)
    of_tests = any(question.waiting for question in questions)
    most, points = results.max_score, [result.final for result in graded]
    if of_tests:
        tests = [cell for cell in results.counting if not cell.by_hand]
        most = sum(cell.max_points for cell in tests)
        points = [sum(result.points(cell.name) for cell in tests) for result in graded]
    return Figures(
        students=len(results.students),
        handed_in=len(results.handed_in),
        graded=len(graded),
        of_tests=of_tests,
        total=_points(points, most),
        questions=questions,
    )


def _question(
    results: Results, graded: Sequence[StudentResult], cell: ScoredCell
) -> QuestionFigures:
    given, empty, waiting, timed_out = list[float](), list[float](), 0, 0
    stubs = 0
    for result in graded:
        score = next((one for one in result.known.scores if one.cell == cell), None)
        if score is None:
            continue
        if score.is_open:
            waiting += 1
        else:
            is_empty = cell.by_hand and score.manual is None
            (empty if is_empty else given).append(result.points(cell.name))
        problems = result.run.problems if result.run else ()
        parts = result.run.parts_of(cell.name) if result.run and not cell.by_hand else []
        is_stub = any(part.is_unanswered for part in parts)
        stubs += is_stub and not any(part.earned for part in parts)
        timed_out += any(p.kind is Kind.TIME_LIMIT and p.cell == cell.name for p in problems)
    answered = len(given) + waiting - stubs
    if not waiting:  # zeros of empty answers are not the mean of those that people have graded
        given += empty
    return QuestionFigures(
        cell.name,
        str(results.places[cell.name]),
        cell.by_hand,
        _points(given, cell.max_points),
        answered,
        waiting,
        timed_out,
    )


def _points(points: Sequence[float], most: float) -> Points:
    if not points:
        return Points(most, None, None, None, ())
    mean, middle, spread = fmean(points), median(points), pstdev(points)
    return Points(most, mean, middle, spread, tuple(bars(points, most)))


def bars(points: Sequence[float], most: float) -> list[tuple[float, int]]:
    """Return the bars of a histogram: the lowest points of each, and how many students it has.

    They begin at 0 and have equal widths; the last one has full marks alone.
    """
    steps = (a * 10.0**e for e in range(-2, 6) for a in (1, 2, 5))
    step = next(step for step in steps if most / step <= MAX_BARS - 1)
    lower = [n * step for n in range(math.ceil(most / step - 1e-9))] + [most]
    which = Counter(
        len(lower) - 1 if p >= most - 1e-9 else max(0, math.floor(p / step + 1e-9)) for p in points
    )
    return [(low, which[n]) for n, low in enumerate(lower)]
