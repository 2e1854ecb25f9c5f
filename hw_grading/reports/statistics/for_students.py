"""The page for students: counts of five or more, and nothing about a single student.

Neighbouring bins are joined until each has five students. No bin is left out, so nobody can compute
a smaller count by subtraction. A single group would reveal everybody's result, so it is not shown.
Means and medians are whole numbers, so two pages, before and after one more submission, do not
reveal its points. The share of students who fail a part is shown in steps of ten percent, and only
for 40 submissions or more: exact counts for two parts would reveal how many failed both.
"""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hw_grading.records.scores import in_digits
from hw_grading.reports.statistics import figures, numbers
from hw_grading.reports.statistics.events import moment, time_classes
from hw_grading.reports.statistics.gathering import ClassData, Part
from hw_grading.reports.statistics.numbers import BANDS, LEAST_IN_A_GROUP
from hw_grading.reports.statistics.section import NONE, Section, Table, per_cent, shown

LEAST_FOR_PARTS, _STEP = 40, 10  # submissions; percent (10% of 40 are four submissions)
_NAMES = {
    (0, 1): "less than half",
    (0, 2): "not full",
    (1, 2): "some, not full",
    (1, 3): "more than 0",
    (2, 3): "half and more",
}
_TOO_ALIKE = f"Not shown: the submissions do not form two groups of {LEAST_IN_A_GROUP} or more."


def sections_of(data: ClassData) -> list[Section]:
    """Return the sections of the page."""
    whole = of_whole(data)
    return [total(whole), questions(whole), failed_parts(data), handing_in(whole)]


def of_whole(data: ClassData) -> ClassData:
    """Return the wholly graded submissions, so that all counts are of the same ones.

    Times are left out if only some of these submissions have them.
    """
    hours = data.hours_of_graded[data.whole]
    hours = hours if not np.isnan(hours).any() else hours[:0]
    return replace(data, points=data.points[data.whole], hours=hours)


def about(data: ClassData) -> list[str]:
    """Return the sentences at the top."""
    return [
        f"Each group has {LEAST_IN_A_GROUP} submissions or more; smaller groups are joined with "
        "their neighbours. Means and medians are rounded to whole numbers."
    ]


def total(data: ClassData) -> Section:
    """Show the distribution of the total, in groups."""
    title = "Total"
    found = numbers.spread(data.finals)
    edges = numbers.edges_for(data.most, 10)
    joined = numbers.groups(numbers.counts_in(data.finals, edges))
    if not joined:
        return Section(title, (_TOO_ALIKE,))
    rows = [
        (f"{in_digits(edges[first])} to {in_digits(edges[last + 1])}", str(count))
        for first, last, count in joined
    ]
    middle = f"Mean {shown(found.mean, 0)} and median {shown(found.median, 0)}"
    picture = figures.bars(
        [f"{name} points" for name, _ in rows],
        [count for _, _, count in joined],
        across="submissions",
        alt="Submissions by total, in groups; the table below has the numbers.",
    )
    table = Table("Submissions by total", ("points", "submissions"), rows)
    return Section(title, [f"{middle} of {in_digits(data.most)}."], picture, [table])


def questions(data: ClassData) -> Section:
    """Show for each question how many students have which share of its points."""
    rows = []
    for item, there in zip(data.items, data.points.T, strict=True):
        if item.max_points <= 0:
            continue
        joined = numbers.groups(numbers.bands(there, item.max_points))
        mean = per_cent(numbers.spread(there).mean, item.max_points) if joined else NONE
        sizes = (f"{_NAMES.get((a, b), BANDS[a])}: {n}" for a, b, n in joined)
        about = (item.place, item.title, in_digits(item.max_points))
        rows.append((*about, mean, "; ".join(sizes) or NONE))  # "less than half: 7; full: 33"
    if not any(row[3] != NONE for row in rows):
        return Section("Questions", (_TOO_ALIKE,))
    said = f"{NONE}: nearly all have the same points, or too few are graded."
    heads = ("question", "title", "of", "mean", "submissions with")
    return Section("Questions", [said], None, [Table("Points by question", heads, rows, (0, 1, 4))])


def is_shown(data: ClassData, part: Part) -> bool:
    """Whether to show how many failed a part: it is visible, and both counts are large enough."""
    passed = data.graded - part.failed
    return not part.hidden and min(part.failed, passed) >= LEAST_IN_A_GROUP


def cause_shown(part: Part) -> str:
    """Return the main cause if five or more failures have it, and five or more, or none, do not."""
    if not part.causes:
        return NONE
    cause, count = part.causes[0]
    others = part.failed - count
    few = count < LEAST_IN_A_GROUP or 0 < others < LEAST_IN_A_GROUP
    return NONE if few else cause


def failed_parts(data: ClassData) -> Section:
    """Show which visible parts of tests fail most."""
    title = "Parts of tests that fail most"
    if data.graded < LEAST_FOR_PARTS:
        return Section(title, (f"Not shown for fewer than {LEAST_FOR_PARTS} submissions.",))
    listed = [part for part in data.parts if is_shown(data, part)][:20]
    if not listed:
        none = f"No part that can be shown failed {LEAST_IN_A_GROUP} times or more."
        return Section(title, (none,))
    shares = [_STEP * round(100 * part.failed / data.graded / _STEP) for part in listed]
    rows = [
        (data.items[part.item].place, part.name, cause_shown(part), f"{share} %")
        for part, share in zip(listed, shares, strict=True)
    ]
    picture = figures.bars(
        [f"{data.items[part.item].place} {part.name}" for part in listed],
        shares,
        across=f"% of the submissions that fail it, in steps of {_STEP}",
        alt="The parts that fail most; the table below names them.",
    )
    heads = ("question", "part", "likely cause", "about")
    return Section(title, (), picture, [Table("Failed parts", heads, rows, range(3))])


def handing_in(data: ClassData) -> Section:
    """Show when students submitted, in groups."""
    title = "Times of submission"
    if not data.hours.size:
        return Section(title, (_TOO_ALIKE,))
    # Choose narrow bins for most times. The first and the last bin hold the few others.
    edges, _ = time_classes(np.clip(data.hours, *np.quantile(data.hours, (0.05, 0.95))))
    joined = numbers.groups(numbers.counts_in(data.hours, edges))
    if not joined:
        return Section(title, (_TOO_ALIKE,))
    # The first and the last time belong to single students, so both ends are open.
    inner = [moment(edges[first]) for first, _, _ in joined[1:]]
    counts = [count for _, _, count in joined]
    begins, ends = ["any time before", *inner], [*inner, "any time after"]
    rows = [(a, b, str(n)) for a, b, n in zip(begins, ends, counts, strict=True)]
    between = [f"from {a} to {b}" for a, b in itertools.pairwise(inner)]
    picture = figures.bars(
        [f"to {inner[0]}", *between, f"from {inner[-1]}"],
        counts,
        across="submissions",
        alt="Submissions by time, in groups; the table below has the numbers.",
    )
    table = Table("Submissions by time", ("from", "to", "submissions"), rows, range(2))
    return Section(title, (), picture, [table])


def sheets_of(data: ClassData) -> dict[str, list[Sequence[Any]]]:
    """Return the tables for a spreadsheet, with the content of the page's tables."""
    heads = ("question", "title", "points", "mean", "submissions_with")
    of_parts = ("question", "part", "likely_cause", "about")
    tables, parts = questions(of_whole(data)).tables, failed_parts(data).tables
    rows, rows_of_parts = (found[0].rows if found else () for found in (tables, parts))
    return {"": [heads, *rows], "_parts": [of_parts, *rows_of_parts]}
