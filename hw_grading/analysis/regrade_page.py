"""Shows what a regrading changed: lines for a terminal, a CSV, a page."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from hw_grading.analysis.changes import ARROW, Change, Comparison
from hw_grading.analysis.report import clipped, fit
from hw_grading.gradebook.graded_notebook import plain
from hw_grading.gradebook.scores import counted, in_digits, named
from hw_grading.gradebook.writing import aligned, csv_of
from hw_grading.rendering.templates import templates_in

_MOST_NAMED = 8
_MOST_SHOWN = 60  # changes in a terminal
_WIDEST_NAME = 24
_WIDEST_PLACE = 36


def in_words(found: Comparison, width: int) -> str:
    """Return the lines for a terminal, none wider than `width` columns."""
    lines = [f"{found.assignment}: scores of {_moment(found.since)}, and of {_moment(found.at)}"]
    if found.changes:
        lines += ["", *(fit(line, width) for line in _by_part(found)), ""]
        lines += (_fit_keeping(line, width) for line in _table(found))
    lines += ["", *(fit(line, width) for line in summary(found))]
    return "\n".join(lines)


def summary(found: Comparison) -> Iterator[str]:
    """Yield sentences about the whole class."""
    compared = f"{counted(found.compared, 'student')} compared"
    if found.changes:
        tests = [changes[0] for changes in found.by_test]
        scores = [c for c in tests if abs(c.points_after - c.points_before) > 1e-9]
        up = sum(change.points_after > change.points_before for change in scores)
        changed = f"{counted(len(scores), 'score')} changed"
        changed += f", of {counted(len({change.student for change in scores}), 'student')}"
        yield f"{changed}: {up} up, {len(scores) - up} down. {compared}."
        if same := len(tests) - len(scores):
            yield f"{same} more with other test results but the same score."
    else:
        yield f"No score changed. {compared}."
    if found.kept:
        kept = "score that a person gave is" if found.kept == 1 else "scores that people gave are"
        yield f"{found.kept:,} {kept} kept."
    if found.waiting:
        yield f"A person has to look at {counted(len(found.waiting), 'answer')} again:"
        yield from (f"  {student}, {place}: {why}" for student, place, why in found.waiting)
    if found.new:
        new = named(found.new, _MOST_NAMED)
        yield f"Not compared, since this version graded them for the first time: {new}."
    for student, why in found.not_graded:
        yield f"NOT GRADED: {student}: {why}."


def _by_part(found: Comparison) -> Iterator[str]:
    for place, name, passes, fails in found.by_part:
        counts = [f"passes now for {passes}"] * (passes > 0) + [f"fails now for {fails}"] * (
            fails > 0
        )
        yield f"{place}, {name}: {', '.join(counts)}"


def _table(found: Comparison) -> Iterator[str]:
    tests = found.by_test
    shown = tests[:_MOST_SHOWN]
    rows = [("student", "question", "points", "of", "why")]
    for one, *_ in shown:
        who, where = fit(one.student, _WIDEST_NAME), fit(one.place, _WIDEST_PLACE)
        rows.append((who, where, points_of(one), in_digits(one.points_possible), one.why[:1000]))
    heads, *lines = aligned(rows)
    yield heads
    for line, changes in zip(lines, shown, strict=True):
        yield line
        for one in changes:
            if one.part:
                message = f" ({one.message_after})" if one.message_after else ""
                yield f"    {part_of(one)}{message}"
    if len(tests) > len(shown):
        yield f"... and {len(tests) - len(shown)} more: see the table and the page"


def _fit_keeping(text: str, width: int) -> str:
    """Cut a line to a width, and keep the blanks of its layout."""
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return clipped(line, width).rstrip()


def points_of(change: Change) -> str:
    """Return points such as "1 → 2", with the tests' points if a person's score counts."""
    words = f"{_digits(change.points_before)} {ARROW} {_digits(change.points_after)}"
    if change.by_hand:
        tests = f"{_digits(change.tests_before)} {ARROW} {_digits(change.tests_after)}"
        words += f" (by hand; tests {tests})"
    return words


def part_of(change: Change) -> str:
    """Return a part with its results, such as "values at 1: failed → passed"."""
    return f"{change.part}: {change.part_before or 'none'} {ARROW} {change.part_after or 'none'}"


def as_csv(found: Comparison) -> str:
    """Return the table: one row for each changed part, or for a score without changed parts."""
    return csv_of(row[:-1] for row in (Change._fields, *found.changes))


def as_page(found: Comparison) -> str:
    """Return the page. It is self-contained and has no script."""
    templates = templates_in(Path(__file__).parent)
    templates.globals.update(points_of=points_of, part_of=part_of, in_digits=in_digits)
    templates.globals.update(moment=_moment, plain=plain)
    page = templates.get_template("regrade_page.html.j2")
    return page.render(found=found, sentences=list(summary(found)))


def _digits(points: float | None) -> str:
    return "\N{EN DASH}" if points is None else in_digits(points)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
