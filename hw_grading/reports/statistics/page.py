"""Writes the page of statistics and the tables beside it.

Everything is escaped. The page has no script. Its Content-Security-Policy allows no scripts and
only ``data:`` addresses.
"""

from datetime import UTC, datetime
from pathlib import Path

from markupsafe import Markup

from hw_grading.pages.templates import templates_in
from hw_grading.records.graded_notebook import plain
from hw_grading.records.writing import csv_of, write_together
from hw_grading.reports.statistics import for_students, sections
from hw_grading.reports.statistics.gathering import ClassData, gather

MARK = 'name="generator" content="hw_grading statistics"'


def write_statistics(course: Path, assignment: str, out: Path, *, students: bool) -> list[Path]:
    """Write the page, for students or for staff, and the tables beside it. Return their paths.

    The errors are those of `hw_grading.records.results.read_results`; a `RuntimeError` if one of
    the files exists and this program did not write it.
    """
    data = gather(course, assignment)
    files = {out: page_of(data, students=students)}
    marks = {out: MARK}
    for name, rows in (for_students if students else sections).sheets_of(data).items():
        path = out.with_name(f"{out.stem}{name}.csv")
        files[path], marks[path] = csv_of(rows), ",".join(rows[0])
    write_together(files, marks)
    return list(files)


def page_of(data: ClassData, *, students: bool) -> str:
    """Return the page."""
    templates = templates_in(Path(__file__).parent)
    content = for_students if students else sections
    return templates.get_template("statistics.html.j2").render(
        assignment=plain(data.assignment, 200),
        mark=Markup(MARK),
        made=format(datetime.now(UTC), "%Y-%m-%d" if students else "%Y-%m-%d %H:%M UTC"),
        about=content.about(data),
        sections=content.sections_of(data),
    )
