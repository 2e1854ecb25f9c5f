"""Statistics of a class: a page by question, and a table with a line for each student and part.

The page names no student; the table does. While answers wait for a person, the page shows the
points of tests: a total without the answers that people grade says nothing about the class.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, median
from typing import Any

from markupsafe import Markup

from hw_grading.gradebook.book import GradeBook
from hw_grading.gradebook.graded_notebook import plain
from hw_grading.gradebook.results import Result, Results, read_results
from hw_grading.gradebook.scores import Cell, Score, in_digits
from hw_grading.gradebook.writing import csv_of, write_together
from hw_grading.homework.course import Course
from hw_grading.outcome import Part as PartResult
from hw_grading.rendering.templates import templates_in

COLUMNS = ("student", "question", "cell", "part", "kind", "points", "of", "message")
MARK = 'name="generator" content="hw_grading statistics"'
MOST_PARTS = 6  # of a question, on the page
MOST_BARS = 9
_WHOLE = "the whole test"
_INPUT = re.compile(r"\.? (?:Fresh input|Input): ")  # at the end of a message
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?")

Row = tuple[Any, ...]  # of the table; its values are those of `COLUMNS`


@dataclass(frozen=True)
class Spread:
    """How points are spread: each bar has its lowest points and its number of students."""

    most: float
    points: Sequence[float]

    @property
    def mean(self) -> float:
        """The mean; there must be points."""
        return fmean(self.points)

    @property
    def median(self) -> float:
        """The median; there must be points."""
        return median(self.points)

    @property
    def bars(self) -> list[tuple[float, int]]:
        """The bars from 0 up, of equal width; the last one has full marks alone."""
        steps = (a * 10.0**e for e in range(-2, 6) for a in (1, 2, 5))
        step = next(step for step in steps if self.most / step <= MOST_BARS - 1)
        lower = [n * step for n in range(math.ceil(self.most / step - 1e-9))] + [self.most]
        which = Counter(
            len(lower) - 1 if p >= self.most - 1e-9 else max(0, math.floor(p / step + 1e-9))
            for p in self.points
        )
        return [(low, which[n]) for n, low in enumerate(lower)]


@dataclass(frozen=True)
class Part:
    """A part of a test that students failed."""

    name: str
    points: float
    failed: int
    cause: str  # the most frequent one, without numbers


@dataclass
class Question:
    """A cell with points."""

    cell: Cell
    title: str
    by_person: list[float] = field(default_factory=list)  # the points that people gave
    by_test: list[float] = field(default_factory=list)  # those of tests, and 0 of empty answers
    waiting: int = 0  # answers that a person has to grade
    parts: list[Part] = field(default_factory=list)  # the one that most students failed first
    items: list[tuple[str, float, int]] = field(default_factory=list)  # of the rubric, how often

    @property
    def spread(self) -> Spread | None:
        """How its points are spread; while answers wait, without the zeros of empty answers."""
        points = self.by_person + ([] if self.waiting else self.by_test)
        return Spread(self.cell.max_points, points) if points else None


@dataclass(frozen=True)
class Statistics:
    """The statistics of a class."""

    assignment: str
    students: int  # in the gradebook
    handed_in: int
    graded: int  # by all tests
    waiting: int  # of these, how many wait for a person
    total: Spread | None  # of tests only, while a submission waits
    questions: list[Question]
    rows: list[Row]


def write_statistics(course: Path, assignment: str, out: Path) -> tuple[Path, Path]:
    """Write the page, and the table beside it; return their paths.

    The errors are those of `hw_grading.gradebook.results.read_results`; a `RuntimeError` if one of
    the files exists and this program did not write it.
    """
    found = statistics_of(course, assignment)
    table = out.with_name(f"{out.stem}.csv")
    files = {out: page_of(found), table: csv_of([COLUMNS, *found.rows])}
    write_together(files, {out: MARK, table: ",".join(COLUMNS)})
    return out, table


def page_of(found: Statistics, desk: str = "") -> str:
    """Return the page; `desk` is the address of the homework's desk if the page is part of it."""
    page = templates_in(Path(__file__).parent).get_template("statistics.html.j2")
    return page.render(
        found=found,
        desk=desk,
        mark=Markup(MARK),
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        most_parts=MOST_PARTS,
        plain=plain,
        in_digits=in_digits,
    )


def statistics_of(course: Path, assignment: str) -> Statistics:
    """Read the statistics of a class; raise as `hw_grading.gradebook.results.read_results`."""
    results = read_results(Course(course), assignment)
    questions = {c.name: Question(c, str(results.places[c.name])) for c in results.counting}
    failed: dict[str, list[PartResult]] = defaultdict(list)
    rows: list[Row] = []
    graded = [result for result in results.handed_in if result.known.scored]
    for result in graded:
        for score in result.known.scores:
            name = score.cell.name
            if name not in questions:  # a correction dropped it
                continue
            points = result.points(name)
            parts = [] if score.cell.by_hand or not result.run else result.run.parts_of(name)
            failed[name] += [part for part in parts if not part.passed]
            rows += _rows(result.student.id, questions[name], score, points, parts)
            if score.is_open:
                questions[name].waiting += 1
            else:
                by_person = score.cell.by_hand and score.manual is not None
                (questions[name].by_person if by_person else questions[name].by_test).append(points)
    for name, question in questions.items():
        question.parts = _failed_parts(failed[name])
    _add_items(results.course, assignment, questions)
    waiting = sum(
        any(score.is_open and score.cell.name in questions for score in result.known.scores)
        for result in graded
    )
    return Statistics(
        assignment,
        len(results.students),
        len(results.handed_in),
        len(graded),
        waiting,
        _total(results, graded, tests_only=waiting > 0),
        list(questions.values()),
        rows,
    )


def _total(results: Results, graded: Sequence[Result], *, tests_only: bool) -> Spread | None:
    cells = [cell for cell in results.counting if not (tests_only and cell.by_hand)]
    if tests_only:
        points = [sum(result.points(cell.name) for cell in cells) for result in graded]
    else:
        points = [result.final for result in graded]
    return Spread(sum(cell.max_points for cell in cells), points) if points else None


def _rows(
    student: str,
    question: Question,
    score: Score,
    points: float,
    parts: Sequence[PartResult],
) -> Iterator[Row]:
    """Yield a student's lines for one question, whose points sum to the student's."""
    cell = score.cell
    begin = (student, question.title, cell.name)
    if score.is_open:
        yield (*begin, "", "person", None, cell.max_points, "")
        return
    for part in parts:
        name = "" if part.is_whole else part.name
        yield (*begin, name, "test", part.earned, part.points, part.message)
        points -= part.earned
    if not parts:
        kind = "person" if cell.by_hand else "test"
        yield (*begin, "", kind, points, cell.max_points, "")
    elif abs(points) > 1e-6:  # a correction, a person's points, or a test that stopped
        yield (*begin, "", "other", round(points, 6), 0.0, "")


def _failed_parts(failed: Sequence[PartResult]) -> list[Part]:
    """Count the parts that students failed, each with the cause that was named most often.

    Answers that were left out count, but are the cause only if there is no other one.
    """
    by_name: dict[str, list[PartResult]] = defaultdict(list)
    for part in failed:
        by_name[_WHOLE if part.is_whole else part.name].append(part)
    found = []
    for name, those in by_name.items():
        answered = [part for part in those if "NotImplementedError" not in part.message]
        causes = Counter(cause_in(part.message) for part in answered or those)
        [(cause, times)] = causes.most_common(1)
        cause += f" ({times} of {len(those)})" if cause else ""
        found.append(Part(name, those[0].points, len(those), cause))
    return sorted(found, key=lambda part: -part.failed)


def cause_in(message: str) -> str:
    """Return the cause from a failure's message, without its numbers and input, which vary."""
    said = _INPUT.split(message)[0]
    _, found, cause = said.partition("Likely cause: ")
    return plain(cause if found else _NUMBER.sub("…", said), 160)


def _add_items(course: Course, assignment: str, questions: Mapping[str, Question]) -> None:
    """Count how often each item of a rubric applies."""
    book = GradeBook(course, assignment)
    for one in book.questions():
        if one.cell in questions:
            done = [grading for grading in book.gradings(one.cell).values() if not grading.waits]
            times = Counter(item for grading in done for item in grading.mark.chosen)
            items = book.rubric(one.cell).items
            questions[one.cell].items = [(i.text, i.points, times[i.id]) for i in items]
    book.close()
