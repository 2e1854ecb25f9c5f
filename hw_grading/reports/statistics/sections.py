"""The sections of the instructor's page."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from hw_grading.records.scores import counted, in_digits
from hw_grading.reports.statistics import events, figures, numbers
from hw_grading.reports.statistics.gathering import ClassData, Item
from hw_grading.reports.statistics.numbers import BANDS, LEAST_TO_CORRELATE
from hw_grading.reports.statistics.section import NONE, Section, Table, per_cent, shown

_WEAK = 0.2  # a lower correlation: the item measures little, or something else


def sections_of(data: ClassData) -> list[Section]:
    """Return the sections of the page."""
    of_points = (total, questions, item_against_rest, events.failed_parts)
    others = (events.handing_in, events.computing, events.mended, events.by_grader)
    return [section(data) for section in (*of_points, *others)]


def about(data: ClassData) -> list[str]:
    """Return the sentences at the top: how many there are, and what the figures leave out."""
    said = [
        f"{counted(data.students, 'student')} in the gradebook; {data.handed_in} submitted, "
        f"{data.graded} graded by tests, {len(data.finals)} graded completely."
    ]
    if waiting := data.graded - len(data.finals):
        said.append(
            f"{counted(waiting, 'submission')} still {'waits' if waiting == 1 else 'wait'} for a "
            "person's points. Totals leave these submissions out, and questions leave out the "
            "ungraded answers."
        )
    return said


def labels_of(items: tuple[Item, ...]) -> list[str]:
    """Return items' labels for a plot: place and title, and the cell's name if needed."""
    names = [i.title if i.title.startswith(i.place) else f"{i.place} {i.title}" for i in items]
    twice = {name for name in names if names.count(name) > 1}
    return [
        f"{item.place} {item.name}" if name in twice else name
        for item, name in zip(items, names, strict=True)
    ]


def total(data: ClassData) -> Section:
    """Show the distribution of the total: the final scores, less lateness."""
    title, values, most = "Total", data.finals, data.most
    what = "These are the final points, after corrections and late penalties."
    if not values.size:  # grading by hand is not finished
        tests = [n for n, item in enumerate(data.items) if not item.by_hand]
        values = data.points[:, tests].sum(axis=1)
        most = sum(data.items[n].max_points for n in tests)
        what = "These are the points of tests only: no submission is graded completely yet."
    found = numbers.spread(values)
    if not found.count:
        return Section(title, ("No submission is graded yet.",))
    edges = numbers.edges_for(most)
    counts = numbers.counts_in(values, edges)
    said = (
        f"Mean {shown(found.mean)} and median {shown(found.median)} of {in_digits(most)}, "
        f"standard deviation {shown(found.deviation)}, from {shown(found.least)} to "
        f"{shown(found.most)}. {what}"
    )
    picture = figures.histogram(
        edges,
        counts,
        across="points",
        lines=[(found.median, "median"), (found.mean, "mean")],
        alt=f"Histogram of the total: median {shown(found.median)}, mean {shown(found.mean)}.",
    )
    rows = [
        (f"{in_digits(a)} to {in_digits(b)}", str(n), per_cent(n, found.count))
        for a, b, n in numbers.filled(edges, counts)
    ]
    table = Table("Submissions by total", ("points", "submissions", "share"), rows)
    return Section(title, [said], picture, [table])


def questions(data: ClassData) -> Section:
    """Show the distribution of the points of each item."""
    title = "Questions"
    some = [n for n, item in enumerate(data.items) if item.max_points > 0]
    if not data.graded or not some:
        return Section(title, ("No submission is graded yet.",))
    items = tuple(data.items[n] for n in some)
    names = labels_of(items)
    counts = np.array([numbers.bands(data.points[:, n], data.items[n].max_points) for n in some])
    picture = figures.stacked(
        names,
        counts,
        alt="For each question, the shares of submissions with 0, below half, half and more, and "
        "full points; the table below has the numbers.",
    )
    rows = []
    for n, item, name, four in zip(some, items, names, counts, strict=True):
        found = numbers.spread(data.points[:, n])
        mean, median, deviation = (shown(x, 2) for x in found.three)
        share = per_cent(found.mean, item.max_points) if found.count else NONE
        whole = (in_digits(item.max_points), str(found.count))
        rows.append((name, item.name, *whole, mean, share, median, deviation, *map(str, four)))
    heads = ("question", "cell", "of", "graded", "mean", "in %", "median", "deviation", *BANDS)
    table = Table("Points by question", heads, rows, range(2))
    said = "Answers that a person still has to grade are not counted."
    return Section(title, [said], picture, [table])


def correlations(data: ClassData) -> tuple[list[float], int, bool]:
    """Return item-rest correlations, the number of students, and whether of tests only."""
    table, which = numbers.comparable(data.points, [item.by_hand for item in data.items])
    found = [math.nan] * len(data.items)
    for n, value in zip(which, numbers.item_rest(table), strict=True):
        found[n] = float(value)
    return found, len(table), len(which) < len(data.items)


def item_against_rest(data: ClassData) -> Section:
    """Show which questions correlate with the rest of the homework."""
    title = "Correlation of each question with the rest"
    values, count, tests_only = correlations(data)
    if count < LEAST_TO_CORRELATE:
        few = f"A correlation needs {LEAST_TO_CORRELATE} graded submissions or more."
        return Section(title, (few,))
    said = [
        "Pearson's correlation of a question's points with the points of all other questions "
        f"together, over {counted(count, 'submission')}. "
        "Near 1: students who do well elsewhere do well here. Near 0 or below: check the "
        "question or its test. If all have the same points, there is no correlation (–)."
    ]
    if tests_only:
        said.append(
            f"Only points of tests are used: fewer than {LEAST_TO_CORRELATE} submissions are "
            "graded completely."
        )
    order = [n for n, value in enumerate(values) if not math.isnan(value)]
    items = tuple(data.items[n] for n in order)
    picture = None
    if order:
        picture = figures.dots(
            labels_of(items),
            [values[n] for n in order],
            across="correlation with the rest",
            line=(_WEAK, f"{_WEAK:g}: check questions below it"),
            alt="For each question, its correlation with the rest; the table has the numbers.",
        )
    rows = [
        (name, item.name, shown(value, 2))
        for name, item, value in zip(labels_of(data.items), data.items, values, strict=True)
        if item.max_points > 0
    ]
    table = Table("Correlation with the rest", ("question", "cell", "correlation"), rows, range(2))
    return Section(title, said, picture, [table])


def sheets_of(data: ClassData) -> dict[str, list[Sequence[Any]]]:
    """Return the tables for a spreadsheet: of items (""), and of failed parts ("_parts")."""
    values = correlations(data)[0]
    rows = []
    for n, item in enumerate(data.items):
        four: list[int | None] = [None] * 4
        if item.max_points > 0:
            four = numbers.bands(data.points[:, n], item.max_points).tolist()
        by = "person" if item.by_hand else "test"
        about_it = (item.name, item.place, item.title, by, item.max_points)
        found = numbers.spread(data.points[:, n])
        shown_numbers = (found.count, *map(_rounded, found.three), _rounded(values[n]))
        rows.append((*about_it, *shown_numbers, *four))
    found = numbers.spread(data.finals)
    whole = ("total", "", "", "", data.most, found.count, *map(_rounded, found.three))
    rows.append((*whole, None, None, None, None, None))
    heads = (
        *("cell", "question", "title", "graded_by", "points", "graded", "mean", "median"),
        *("deviation", "item_rest", "zero", "below_half", "half_and_more", "full"),
    )
    parts = []
    for part in data.parts:
        seen = "hidden" if part.hidden else "visible"
        cause = part.causes[0] if part.causes else ("", None)
        counts = (part.points, part.failed, data.graded)
        parts.append((data.items[part.item].name, part.name, seen, *counts, *cause))
    of_parts = ("cell", "part", "seen", "points", "failed", "of", "likely_cause", "said_of")
    return {"": [heads, *rows], "_parts": [of_parts, *parts]}


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 3)
