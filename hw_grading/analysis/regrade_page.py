"""Shows what a regrading changed: lines for a terminal, a CSV, a page."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

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
HEADS = (
    *("student", "question", "title", "cell", "points_before", "points_after", "points_possible"),
    *("tests_before", "tests_after", "part", "part_before", "part_after", "message_before"),
    *("message_after", "why", "total_before", "total_after"),
)


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
        scores = [c for c in found.changes if abs(c.after - c.before) > 1e-9]
        up = sum(change.after > change.before for change in scores)
        changed = f"{counted(len(scores), 'score')} changed"
        changed += f", of {counted(len({change.student for change in scores}), 'student')}"
        yield f"{changed}: {up} up, {len(scores) - up} down. {compared}."
        if same := len(found.changes) - len(scores):
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
    shown = found.changes[:_MOST_SHOWN]
    rows = [("student", "question", "points", "of", "why")]
    for one in shown:
        who, where = fit(one.student, _WIDEST_NAME), fit(str(one.place), _WIDEST_PLACE)
        why = plain("; ".join(one.why), 1000)
        rows.append((who, where, points_in_words(one), in_digits(one.most), why))
    heads, *lines = aligned(rows)
    yield heads
    for line, change in zip(lines, shown, strict=True):
        yield line
        for part in change.parts:
            message = part.after.message if part.after else ""
            yield f"    {part.in_words}{f' ({message})' if message else ''}"
    if len(found.changes) > len(shown):
        yield f"... and {len(found.changes) - len(shown)} more: see the table and the page"


def _fit_keeping(text: str, width: int) -> str:
    """Cut a line to a width, and keep the blanks of its layout."""
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return clipped(line, width).rstrip()


def points_in_words(change: Change) -> str:
    """Return points such as "1 → 2", with the tests' points if a person's score counts."""
    words = f"{_digits(change.before)} {ARROW} {_digits(change.after)}"
    if change.overridden:
        one, other = map(_digits, change.tests)
        words += f" (by hand; tests {one} {ARROW} {other})"
    return words


def as_csv(found: Comparison) -> str:
    """Return the table: one row for each changed part, or for a score without changed parts."""
    rows: list[Sequence[Any]] = [HEADS]
    for change in found.changes:
        totals = found.totals.get(change.student, (None, None))
        about = (change.student, change.place.question, change.place.title, change.cell)
        points = (change.before, change.after, change.most, *change.tests)
        why = "; ".join(change.why)
        if not change.parts:
            rows.append((*about, *points, *[""] * 5, why, *totals))
        for part in change.parts:
            messages = [one.message if one else "" for one in (part.before, part.after)]
            rows.append((*about, *points, part.name, *part.results, *messages, why, *totals))
    return csv_of(rows)


def as_page(found: Comparison) -> str:
    """Return the page. It is self-contained and has no script."""
    templates = templates_in(Path(__file__).parent)
    templates.globals.update(points_in_words=points_in_words, moment=_moment, plain=plain)
    templates.globals.update(in_digits=in_digits)
    page = templates.get_template("regrade_page.html.j2")
    return page.render(found=found, sentences=list(summary(found)))


def _digits(points: float | None) -> str:
    return "\N{EN DASH}" if points is None else in_digits(points)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
