"""The box at the top of a student's feedback: points by question, what failed, what graders wrote.

Points are the gradebook's, names of questions the instructor's notebook's. What failed is read from
the notebook as the student gets it, so that nothing hidden gets into the box.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from markupsafe import Markup
from nbformat import NotebookNode

from hw_grading.records.graded_notebook import Fault, error_of, faults_of, outputs_of
from hw_grading.records.questions import Place
from hw_grading.records.scores import Cell, Record, Score, in_digits
from hw_support.submission.mending import grade_id_of
from hw_support.submission.problems import Kind, Problem, Severity

_PART = re.compile(r"(.*) \[([0-9.]+) pt\]")
_ITEM = re.compile(r"([+\-\N{MINUS SIGN}]?[0-9]+(?:\.[0-9]+)?)[ \t]+(\S.*)")

# What a failure is to a student; the grader's own sentence follows.
_FAILURES = {
    Kind.FILE: "Your file could not be read as a notebook.",
    Kind.FORMAT: "A part of your file was left out.",
    Kind.OTHER_HOMEWORK: "You handed in the notebook of another homework.",
    Kind.TIME_LIMIT: "Your notebook took too long.",
    Kind.MEMORY_LIMIT: "Your notebook needed too much memory.",
    Kind.DISK_LIMIT: "Your notebook wrote too many files, or too large ones.",
    Kind.OUTPUT_LIMIT: "Your notebook printed too much.",
    Kind.PROTOCOL: "Your notebook stopped answering the tests.",
    Kind.KERNEL: "Running your notebook broke off.",
    Kind.GRADER: "Grading failed. It is not your notebook's fault: tell your instructor.",
    Kind.SCORE: "A test could not be scored: tell your instructor.",
}
# What was mended and may explain a score. Of files left behind, formats and metadata a student
# knows nothing: those notes are for staff.
_TOLD = {
    Kind.UNKNOWN_CELL,
    Kind.DUPLICATE_CELL,
    Kind.RETYPED_CELL,
    Kind.EDITED_CELL,
    Kind.DELETED_CELL,
    Kind.MOVED_CELL,
    Kind.OUTPUT_LIMIT,
}


@dataclass(frozen=True)
class Facts:
    """What is known of one student's homework besides the notebook.

    Attributes
    ----------
    student, homework
        Their names.
    cells
        All cells with points.
    record
        The student's scores; None if the gradebook has none.
    comments
        What graders wrote, by grade id.
    places
        Where cells stand in the instructor's notebook, by grade id, in its order.
    instructors
        The texts of the instructor's cells, stripped.
    trouble
        Why there is no notebook to show; "" if there is one.
    """

    student: str = ""
    homework: str = ""
    cells: tuple[Cell, ...] = ()
    record: Record | None = None
    comments: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    instructors: frozenset[str] = frozenset()
    trouble: str = ""

    def place(self, name: str) -> Place:
        """Return where a cell stands; its own name has to do if the notebook lacks it."""
        return self.places.get(name) or Place(name, name)


@dataclass(frozen=True)
class Points:
    """The points for one or several cells, in words, and what they mean: a class of `page.css`."""

    words: str
    state: str


@dataclass(frozen=True)
class Remark:
    """What a grader wrote: items of a rubric with their points, and a text."""

    items: tuple[tuple[str, Markup], ...]
    text: Markup


@dataclass(frozen=True)
class Line:
    """One sentence, the number of the cell that it is about (None: of none), and its points."""

    text: str
    cell: int | None = None
    points: str = ""
    place: str = ""


@dataclass(frozen=True)
class Part:
    """A part of a question: all that is to be said of its cells."""

    title: str
    points: Points | None
    cell: int | None
    lines: tuple[Line, ...]
    remarks: tuple[Remark, ...]

    @property
    def is_told(self) -> bool:
        """Whether there is more to say of it than that it has its points."""
        return bool(self.lines or self.remarks or (self.points and self.points.state != "full"))


@dataclass(frozen=True)
class Question:
    """A question by its name; `points` are those of its parts together."""

    name: str
    points: Points | None
    parts: tuple[Part, ...]

    @property
    def is_one(self) -> bool:
        """Whether its name says as much as that of its only part."""
        return len(self.parts) == 1


@dataclass(frozen=True)
class Summary:
    """The box: see `page.html.j2` for what stands where."""

    total: str
    most: str
    is_final: bool
    remarks: tuple[str, ...]
    failures: tuple[tuple[str, tuple[Line, ...]], ...]
    questions: tuple[Question, ...]
    mended: tuple[Line, ...]


def summary_of(
    facts: Facts,
    cells: Sequence[NotebookNode],
    problems: Iterable[Problem],
    markdown: Callable[[str], Markup],
) -> Summary:
    """Make the box.

    Parameters
    ----------
    facts
        What the gradebook and the instructor's notebook say.
    cells
        The student's cells, cleared of what is hidden.
    problems
        What the grader noted.
    markdown
        Renders what graders wrote.
    """
    problems = list(problems)
    numbers = {name: n for n, cell in enumerate(cells) if (name := grade_id_of(cell))}
    failures: dict[str, list[Line]] = {}
    for problem in problems:
        if problem.severity is Severity.FAILED:
            said = failures.setdefault(_FAILURES.get(problem.kind, "Something failed."), [])
            said.append(_line(problem, facts, numbers))
    told = [p for p in problems if p.severity is Severity.MENDED and p.kind in _TOLD]
    others = [p.message for p in problems if p.kind is Kind.OTHER_NOTEBOOK]
    record = facts.record or Record(facts.student)
    open_points = sum(score.cell.max_points for score in _scores(facts) if score.is_open)
    any_given = any(not score.is_open for score in record.scores)
    return Summary(
        total=in_digits(record.total) if any_given else "",
        most=in_digits(sum(cell.max_points for cell in facts.cells)),
        is_final=not open_points,
        remarks=(*_remarks(record, open_points if any_given else 0.0), *others),
        failures=tuple((what, tuple(lines)) for what, lines in failures.items()),
        questions=tuple(_questions(facts, cells, numbers, markdown)),
        mended=tuple(_line(problem, facts, numbers) for problem in told),
    )


def points_of(scores: Sequence[Score]) -> Points:
    """Put the points of some cells into words."""
    most = in_digits(sum(score.cell.max_points for score in scores))
    still = [score for score in scores if score.is_open]
    by_hand = any(score.cell.by_hand for score in still)
    if scores and len(still) == len(scores):
        return Points(f"{'not graded yet' if by_hand else 'no score yet'}, of {most}", "open")
    given = sum(score.points for score in scores)
    words = f"{in_digits(given)} of {most}"
    if extra := sum(score.extra for score in scores):
        words += f" (extra credit {in_digits(extra)})"
    if still:
        waiting = in_digits(sum(score.cell.max_points for score in still))
        return Points(f"{words}, {waiting} not graded yet", "open")
    full = given >= sum(score.cell.max_points for score in scores)
    return Points(words, "full" if full else "some" if given > 0 else "none")


def remark_of(text: str, markdown: Callable[[str], Markup]) -> Remark:
    """Take what a grader wrote apart: lines such as ``+1  names the cache``, then a text."""
    items = []
    lines = text.strip().splitlines()
    while lines and (item := _ITEM.fullmatch(lines[0].strip())):
        items.append((item[1].replace("-", "\N{MINUS SIGN}"), markdown(item[2])))
        del lines[0]
    # Graders end a line where they mean it, which markdown does not take for its end.
    rest = "  \n".join(lines).strip()
    return Remark(tuple(items), markdown(rest) if rest else Markup())


def _remarks(record: Record, open_points: float) -> Iterable[str]:
    if not any(not score.is_open for score in record.scores):
        yield "Nothing has a score yet. If you expected one, ask your instructor."
    if open_points:
        yield f"{_points(open_points)} not graded yet: nobody has looked at those answers."
    if any(score.manual is not None and score.waits for score in record.scores):
        yield "Some answers will be looked at once more."
    late = f"You handed in {record.late} after the due date" if record.late else ""
    if record.penalty:
        why = f": {late[0].lower()}{late[1:]}" if late else ""
        lost = in_digits(record.penalty)
        yield f"{lost} {'point was' if lost == '1' else 'points were'} taken off for lateness{why}."
    elif late:
        yield f"{late}. No points were taken off for it."


def _points(points: float) -> str:
    return f"{in_digits(points)} {'point is' if points == 1 else 'points are'}"


def _scores(facts: Facts) -> list[Score]:
    """Return a score for every cell with points; an open one where the gradebook has none."""
    held = {score.cell.name: score for score in facts.record.scores} if facts.record else {}
    order = {name: number for number, name in enumerate(facts.places)}
    cells = sorted(facts.cells, key=lambda cell: (order.get(cell.name, len(order)), cell.name))
    return [held.get(cell.name) or Score(cell) for cell in cells]


def _questions(
    facts: Facts,
    cells: Sequence[NotebookNode],
    numbers: Mapping[str, int],
    markdown: Callable[[str], Markup],
) -> Iterable[Question]:
    scores = {score.cell.name: score for score in _scores(facts)}
    lines: dict[str, list[Line]] = {}
    for number, (cell, name) in enumerate(zip(cells, _owners(cells), strict=True)):
        if cell.cell_type == "code":
            lines.setdefault(name, []).extend(_what_failed(cell, number))
    names = [n for n in facts.places if n in scores or n in facts.comments or lines.get(n)]
    names += [n for n in (*scores, *lines) if n not in facts.places and (n in scores or lines[n])]
    questions: dict[str, dict[str, list[str]]] = {}
    for name in names:
        place = facts.place(name)
        question = f"{place.question} {place.heading}".strip() or "Before the first question"
        questions.setdefault(question, {}).setdefault(place.title, []).append(name)
    for question, titles in questions.items():
        parts = []
        for title, of_it in titles.items():
            given = [scores[n] for n in of_it if n in scores and counts(scores[n])]
            said = [line for n in of_it for line in lines.get(n, ())]
            said += [
                Line("nothing was answered", numbers.get(n))
                for n in of_it
                if n in scores and _is_blank(scores[n])
            ]
            remarks = [remark_of(facts.comments[n], markdown) for n in of_it if n in facts.comments]
            if given or said or remarks:
                where = next((numbers[n] for n in of_it if n in numbers), None)
                points = points_of(given) if given else None
                parts.append(Part(title, points, where, tuple(_each_once(said)), tuple(remarks)))
        counted = [scores[n] for ns in titles.values() for n in ns if n in scores]
        counted = [score for score in counted if counts(score)]
        if parts:
            yield Question(question, points_of(counted) if counted else None, tuple(parts))


def _owners(cells: Sequence[NotebookNode]) -> list[str]:
    """Return for each cell its grade id; for one without, that of the answer which it belongs to.

    That is the one above, or the next one below if there is a heading in between.
    """
    owners, above, waiting = list[str](), "", 0
    for cell in cells:
        name = grade_id_of(cell)
        if name is not None:
            owners += [name] * (waiting + 1)
            above, waiting = name, 0
        elif waiting or (cell.cell_type == "markdown" and cell.source.lstrip().startswith("#")):
            waiting += 1
        else:
            owners.append(above)
    return owners + [above] * waiting


def counts(score: Score) -> bool:
    """Whether there is a number to tell."""
    return bool(score.cell.max_points or score.points)


def _is_blank(score: Score) -> bool:
    """Whether nbgrader gave 0, because the answer is as it was released."""
    return score.cell.by_hand and score.auto == 0 and score.manual is None and not score.waits


def _what_failed(cell: NotebookNode, number: int) -> Iterable[Line]:
    """Say what failed in one cell; parts that failed alike are one line."""
    if name := grade_id_of(cell):
        faults = faults_of(name, cell)
    else:
        errors = (o for o in outputs_of(cell) if o.get("output_type") == "error")
        faults = [Fault("", "", error_of(o)) for o in errors]
    alike: dict[str, list[Fault]] = {}
    for fault in faults:
        alike.setdefault(fault.message or fault.part, []).append(fault)
    for message, these in alike.items():
        parts = [match for fault in these if (match := _PART.fullmatch(fault.part))]
        lost = sum(float(part[2]) for part in parts if part[2].count(".") < 2)
        points = f"\N{MINUS SIGN}{in_digits(lost)}" if lost else ""
        if message == "NotScored":
            message = "the test was not run to its end"
        if len(these) > 1:
            yield Line(f"{message} ({len(these)} parts of the test)", number, points)
        elif parts and message != these[0].part:
            yield Line(f"{parts[0][1]}: {message}", number, points)
        else:
            yield Line(parts[0][1] if parts else message, number, points)


def _each_once(lines: Iterable[Line]) -> Iterable[Line]:
    """Give lines that say the same once, with the first cell: one missing name fails many."""
    alike: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        alike.setdefault((line.text, line.points), []).append(line)
    for first, *others in alike.values():
        times = f" ({len(others) + 1} times)" if others else ""
        yield replace(first, text=first.text + times)


def _line(problem: Problem, facts: Facts, numbers: Mapping[str, int]) -> Line:
    name = problem.cell or ""
    place = str(facts.places[name]) if name in facts.places else ""
    return Line(problem.message, numbers.get(name), place=place)
