"""Statistics of a class: a page by question, and a table with a line for each student and part.

The page names no student; the table does. While answers need manual grading, the page shows the
points of tests: a total without the answers that people grade says nothing about the class.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from statistics import fmean, median
from typing import NamedTuple

from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.results import Result, Results, read_results
from hw_grading.gradebook.scores import Cell
from hw_grading.homework.course import Course
from hw_grading.outcome import PartResult
from hw_grading.rendering import templates_in
from hw_grading.texts import csv_of, in_digits, write_whole
from hw_support.submission.problems import plain

MAX_BARS = 9


class Row(NamedTuple):
    """A line of the table; a student's lines for one question sum to the student's points."""

    student: str
    question: str
    cell: str
    part: str = ""
    kind: str = "test"  # who gave the points: "test", "person" or "other"
    points: float | None = None  # None: a person has to grade it
    of: float = 0.0
    message: str = ""


@dataclass(frozen=True)
class Question:
    """A cell with points."""

    cell: Cell
    title: str
    rows: list[Row]
    points: list[float]  # while answers wait, without the zeros of empty answers
    failed: list[tuple[str, float, int]]  # parts: name, points, how often
    items: list[tuple[str, float, int]]  # of the rubric: text, points, how often

    @property
    def waiting(self) -> int:
        """How many answers a person has to grade."""
        return sum(row.points is None for row in self.rows)


@dataclass(frozen=True)
class Statistics:
    """The statistics of a class."""

    assignment: str
    students: int  # in the gradebook
    handed_in: int
    graded: int  # by all tests
    waiting: int  # of these, how many need manual grading
    most: float
    points: list[float]  # the totals; of tests only, while a submission waits
    questions: list[Question]
    rows: list[Row]


def write_statistics(course: Path, assignment: str, out: Path) -> tuple[Path, Path]:
    """Write the page, and the table beside it; return their paths. Raises as `statistics_of`."""
    found = statistics_of(course, assignment)
    table = out.with_name(f"{out.stem}.csv")
    for path, text in ((out, page_of(found)), (table, csv_of([Row._fields, *found.rows]))):
        write_whole(path, text.encode("utf-8", "replace"))
    return out, table


def page_of(found: Statistics) -> str:
    """Return the page."""
    templates = templates_in(Path(__file__).parent)
    templates.globals.update(plain=plain, in_digits=in_digits, bars=bars, mean=fmean, median=median)
    made = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    page = templates.get_template("statistics.html.j2")
    return page.render(found=found, made=made)


def statistics_of(course: Path, assignment: str) -> Statistics:
    """Read the statistics of a class; raise as `hw_grading.gradebook.results.read_results`."""
    results = read_results(Course(course), assignment)
    graded = [result for result in results.handed_in if result.known.scored]
    with closing(ManualGrading(results.course, assignment)) as book:
        questions = [_question(results, graded, cell, book) for cell in results.counting]
    rows = chain.from_iterable(question.rows for question in questions)
    rows_by_student = sorted(rows, key=lambda row: row.student)
    waiting = len({row.student for row in rows_by_student if row.points is None})
    most, points = results.max_score, [result.final for result in graded]
    if waiting:
        tests = [cell for cell in results.counting if not cell.by_hand]
        most = sum(cell.max_points for cell in tests)
        points = [sum(result.points(cell.name) for cell in tests) for result in graded]
    return Statistics(
        assignment,
        students=len(results.students),
        handed_in=len(results.handed_in),
        graded=len(graded),
        waiting=waiting,
        most=most,
        points=points,
        questions=questions,
        rows=rows_by_student,
    )


def _question(
    results: Results, graded: Sequence[Result], cell: Cell, book: ManualGrading
) -> Question:
    title = str(results.places[cell.name])
    rows, given, empty, failed = list[Row](), list[float](), list[float](), list[PartResult]()
    for result in graded:
        score = next((one for one in result.known.scores if one.cell == cell), None)
        if score is None:
            continue
        parts = [] if cell.by_hand or not result.run else result.run.parts_of(cell.name)
        failed += [part for part in parts if not part.passed]
        points = None if score.is_open else result.points(cell.name)
        rows += _rows(Row(result.student.id, title, cell.name), cell, points, parts)
        if points is not None:
            (empty if cell.by_hand and score.manual is None else given).append(points)
    if all(row.points is not None for row in rows):
        given += empty
    items = _items(book, cell.name) if cell.by_hand and cell.max_points else []
    return Question(cell, title, rows, given, _by_part(failed), items)


def _rows(
    empty: Row, cell: Cell, points: float | None, parts: Sequence[PartResult]
) -> Iterator[Row]:
    for part in parts:
        name = "" if part.is_whole else part.name
        yield empty._replace(part=name, points=part.earned, of=part.points, message=part.message)
    if not parts:
        kind = "person" if cell.by_hand else "test"
        yield empty._replace(kind=kind, points=points, of=cell.max_points)
    elif other := round((points or 0.0) - sum(part.earned for part in parts), 6):
        yield empty._replace(kind="other", points=other)  # a correction, or a person's points


def _by_part(failed: Sequence[PartResult]) -> list[tuple[str, float, int]]:
    """Count failed parts, the most frequent first."""
    found = Counter("the whole test" if part.is_whole else part.name for part in failed)
    points = {part.name: part.points for part in failed}
    return [(name, points.get(name, 0.0), times) for name, times in found.most_common()]


def _items(book: ManualGrading, cell: str) -> list[tuple[str, float, int]]:
    done = [grading for grading in book.gradings(cell).values() if not grading.waits]
    times = Counter(item for grading in done for item in grading.mark.chosen)
    return [(item.text, item.points, times[item.id]) for item in book.rubric(cell).items]


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
