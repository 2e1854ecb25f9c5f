"""Sections of the instructor's page, other than points: failed parts, times, repairs, graders."""

import math

import numpy as np

from hw_grading.records.scores import counted, in_digits
from hw_grading.reports.statistics import figures
from hw_grading.reports.statistics.gathering import ClassData, Numbers
from hw_grading.reports.statistics.numbers import counts_in, edges_for, filled, graders, spread
from hw_grading.reports.statistics.section import Section, Table, duration, per_cent, shown

MOST_PARTS_DRAWN, MOST_PARTS = 12, 30
_NOT_KNOWN = "not known"


def failed_parts(data: ClassData) -> Section:
    """Show which parts of tests fail most, and why."""
    title = "Parts of tests that fail most"
    if not data.parts:
        nobody = "No part of a test failed." if data.graded else "No submission is graded yet."
        return Section(title, (nobody,))
    drawn = data.parts[:MOST_PARTS_DRAWN]
    picture = figures.bars(
        [f"{data.items[part.item].place} {part.name}" for part in drawn],
        [part.failed for part in drawn],
        across=f"submissions that fail it, of {data.graded}",
        alt=f"The {len(drawn)} parts that fail most; the table below names them.",
    )
    rows = []
    for part in data.parts[:MOST_PARTS]:
        item = data.items[part.item]
        cause, times = part.causes[0] if part.causes else ("–", 0)
        cause = f"{cause} ({times} of {part.failed})" if times else cause
        seen = "hidden" if part.hidden else "visible"
        share = per_cent(part.failed, data.graded)
        rows.append((item.place, part.name, seen, cause, part.points, str(part.failed), share))
    said = ["The last column has its most frequent message; numbers are left out (…)."]
    if len(data.parts) > MOST_PARTS:
        said.append(f"The CSV has all {len(data.parts)}.")
    heads = ("question", "part", "in the notebook", "likely cause", "points", "failed", "share")
    return Section(title, said, picture, [Table("Failed parts", heads, rows, range(4))])


def handing_in(data: ClassData) -> Section:
    """Show when students submitted."""
    title = "Times of submission"
    if not data.hours.size:
        return Section(title, ("There are no times of submission, or there is no due date.",))
    edges, unit = time_classes(data.hours)
    counts = counts_in(data.hours, edges)
    scale = 24.0 if unit == "days" else 1.0
    after = int((data.hours > 0).sum())
    median = float(np.median(data.hours))
    side = "after" if median > 0 else "before"
    said = (
        f"Submissions with a time: {data.hours.size}. The median is "
        f"{duration(median)} {side} the due date. After it came {after}. Late, with extensions "
        f"counted: {data.late}."
    )
    picture = figures.histogram(
        edges / scale,
        counts,
        across=f"{unit} after the due date",
        lines=[(0.0, "due")] if edges[0] <= 0 <= edges[-1] else [],
        alt=f"Histogram of times of submission, in {unit} after the due date.",
    )
    rows = [
        (moment(a, first=a == edges[0]), moment(b), str(count))
        for a, b, count in filled(edges, counts)
    ]
    table = Table("Submissions by time", ("from", "to", "submissions"), rows, range(2))
    return Section(title, [said], picture, [table])


def time_classes(hours: Numbers) -> tuple[Numbers, str]:
    """Return bin edges in hours, one of them at the due date, and the unit for the plot.

    Times more than 30 days off count in the first and the last bin.
    """
    low = min(max(float(hours.min()), -720.0), 0.0)
    high = max(min(float(hours.max()), 720.0), 0.0)
    step = next(s for s in (1, 3, 6, 12, 24, 48) if (high - low) / s <= 30 or s == 48)
    first, last = math.floor(low / step), math.ceil(high / step)
    edges: Numbers = np.arange(first, last + 1, dtype=np.float64) * step
    if len(edges) == 1:
        edges = np.array([-float(step), 0.0])
    return edges, "days" if step >= 12 else "hours"


def moment(hours: float, first: bool = False) -> str:
    """Return a time after the due date in words."""
    if not hours:
        return "due"
    said = f"{duration(hours)} {'after' if hours > 0 else 'before'}"
    return f"{said}, or earlier" if first and hours <= -720 else said


def computing(data: ClassData) -> Section:
    """Show the CPU times of submissions."""
    title = "Computing time"
    found = spread(data.cpu_seconds)
    if not found.count:
        return Section(title, ("There are no CPU times: no submission was graded here.",))
    edges = edges_for(found.most, 24)
    counts = counts_in(data.cpu_seconds, edges)
    high = float(np.quantile(data.cpu_seconds, 0.9))
    said = (
        f"CPU seconds of the student's processes, of {counted(found.count, 'submission')}: "
        f"median {shown(found.median)}, nine of ten below {shown(high)}, longest "
        f"{shown(found.most)}."
    )
    picture = figures.histogram(
        edges,
        counts,
        across="CPU seconds",
        lines=[(found.median, "median")],
        alt=f"Histogram of CPU times: median {shown(found.median)} s.",
    )
    rows = [(f"{in_digits(a)} to {in_digits(b)} s", str(n)) for a, b, n in filled(edges, counts)]
    table = Table("Submissions by CPU time", ("seconds", "submissions"), rows)
    return Section(title, [said], picture, [table])


def mended(data: ClassData) -> Section:
    """Show how many cells were mended."""
    title = "Repaired cells"
    if not data.graded:
        return Section(title, ("No submission is graded yet.",))
    cells, some = int(data.mended.sum()), int((data.mended > 0).sum())
    said = (
        f"{counted(cells, 'cell')} of {counted(some, 'submission')} had to be repaired before "
        "they ran: edited locked text, moved or deleted cells, damaged metadata."
    )
    if not data.mended_kinds:
        return Section(title, (said,))
    kinds = [(kind.replace("-", " "), count) for kind, count in data.mended_kinds]
    picture = figures.bars(
        [kind for kind, _ in kinds],
        [count for _, count in kinds],
        across=f"submissions, of {data.graded}",
        alt="Submissions by the kind of repair; the table below has the numbers.",
    )
    rows = [(kind, str(n), per_cent(n, data.graded)) for kind, n in kinds]
    table = Table("Repairs", ("repair", "submissions", "share"), rows)
    return Section(title, [said], picture, [table])


def by_grader(data: ClassData) -> Section:
    """Compare the points that graders gave."""
    title = "Graders"
    if not data.given:
        return Section(title, ("No person has given points yet.",))
    found = graders(data.given, [item.max_points for item in data.items])
    said = [
        "How much more a grader gave than the other graders on the same questions, in percent of "
        "the points, with two standard errors. Graders have different students, so a difference "
        "alone proves nothing: look at these answers together."
    ]
    if not all(grader.name for grader in found):
        said.append("Points given or changed in formgrader have no grader and are left out.")
    drawn = [grader for grader in found if not math.isnan(grader.difference)]
    picture = None
    if len(drawn) > 1:
        picture = figures.dots(
            [grader.name or _NOT_KNOWN for grader in drawn],
            [100 * grader.difference for grader in drawn],
            errors=[200 * grader.error for grader in drawn],
            across="% of the points more than others",
            alt="For each grader, the difference from the others; the table below has the numbers.",
        )
    elif len(found) > 1:
        said.append("No two people graded the same question, so they cannot be compared.")
    heads = ("grader", "answers", "difference in %", "two standard errors")
    rows = []
    for one in found:
        difference, error = shown(100 * one.difference), shown(200 * one.error)
        rows.append((one.name or _NOT_KNOWN, str(one.answers), difference, error))
    return Section(title, said, picture, [Table("Graders", heads, rows), _means_by_grader(data)])


def _means_by_grader(data: ClassData) -> Table:
    held: dict[tuple[int, str], list[float]] = {}
    for one in data.given:
        held.setdefault((one.item, one.grader), []).append(one.points)
    rows = []
    for (n, grader), given in sorted(held.items()):
        item = data.items[n]
        mean, of = shown(float(np.mean(given)), 2), in_digits(item.max_points)
        name = grader or _NOT_KNOWN
        rows.append((item.place, item.title, item.name, name, str(len(given)), mean, of))
    heads = ("question", "title", "cell", "grader", "answers", "mean", "of")
    return Table("Means by grader and question", heads, rows, range(4))
