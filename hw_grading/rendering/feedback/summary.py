"""The box at the top of the feedback: points by question, what failed, graders' comments.

Points come from the gradebook, names of questions from the instructor's notebook, parts of tests
from the student's last run. Of an error with which a whole test ended, only the name is shown: its
message may quote hidden tests.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup
from nbformat import NotebookNode

from hw_grading.gradebook.graded_notebook import error_of, errors_in
from hw_grading.gradebook.results import Result
from hw_grading.gradebook.runs import Failure
from hw_grading.gradebook.scores import Score, counted, counted_points, in_digits, signed
from hw_grading.homework.cells import is_test
from hw_grading.rendering.feedback.facts import Facts, Points, Remark, remark_of
from hw_support.submission.cells import grade_id_of
from hw_support.submission.problems import Kind, Problem, Severity

# A failure in words for a student. The grader's own sentence follows it.
_FAILURES = {
    Kind.OTHER_HOMEWORK: "You submitted the notebook of another homework.",
    Kind.TIME_LIMIT: "Your notebook took too long.",
    Kind.MEMORY_LIMIT: "Your notebook needed too much memory.",
    Kind.DISK_LIMIT: "Your notebook wrote too many or too large files.",
    Kind.OUTPUT_LIMIT: "Your notebook printed too much.",
    Kind.PROTOCOL: "Your notebook stopped answering the tests.",
    Kind.KERNEL: "Your notebook's kernel failed.",
    Kind.GRADER: "Grading failed. Your notebook is not the cause. Tell your instructor.",
    Kind.SCORE: "A test could not be scored. Tell your instructor.",
}
# Problems that were mended and may explain a score. Notes on extra files and metadata are for
# staff and mean nothing to a student.
_FOR_STUDENTS = {Kind.UNKNOWN_CELL, Kind.DUPLICATE_CELL, Kind.RETYPED_CELL, Kind.EDITED_CELL}
_FOR_STUDENTS |= {Kind.DELETED_CELL, Kind.MOVED_CELL, Kind.ADDED_CELL, Kind.OUTPUT_LIMIT}


@dataclass(frozen=True)
class Line:
    """A sentence, the number of its cell (None: no cell), and its points."""

    text: str
    cell: int | None = None
    points: str = ""
    place: str = ""


@dataclass(frozen=True)
class Part:
    """A part of a question, with everything that the box says about its cells."""

    title: str
    points: Points | None
    cell: int | None
    lines: tuple[Line, ...]
    remarks: tuple[Remark, ...]

    @property
    def is_told(self) -> bool:
        """Whether there is more to say than that the part has full points."""
        return bool(self.lines or self.remarks or (self.points and self.points.state != "full"))


@dataclass(frozen=True)
class Question:
    """A question by its name; `points` is the sum over its parts."""

    name: str
    points: Points | None
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Summary:
    """The box. `page.html.j2` shows the position of each field."""

    total: str
    most: str
    is_final: bool
    remarks: tuple[str, ...]
    corrections: tuple[Line, ...]
    failures: tuple[tuple[str, list[Line]], ...]
    questions: tuple[Question, ...]
    mended: tuple[Line, ...]


def summary_of(
    facts: Facts,
    cells: Sequence[NotebookNode],
    problems: Iterable[Problem],
    markdown: Callable[[str], Markup],
) -> Summary:
    """Make the box at the top, from the student's cells without hidden content.

    `problems` are those that grading noted; `markdown` renders graders' comments.
    """
    numbers = {name: n for n, cell in enumerate(cells) if (name := grade_id_of(cell))}
    count = [score for name, score in facts.scores.items() if name not in facts.dropped]
    open_points = sum(score.cell.max_points for score in count if score.is_open)
    any_given = any(not score.is_open for score in facts.result.known.scores)
    remarks = [*_remarks(facts.result, any_given, open_points), *_lateness(facts.result)]
    failures: dict[str, list[Line]] = {}
    mended = []
    for problem in problems:
        name = problem.cell or ""
        place = str(facts.places[name]) if name in facts.places else ""
        line = Line(problem.message, numbers.get(name), place=place)
        if problem.kind is Kind.OTHER_NOTEBOOK:
            remarks.append(problem.message)
        elif problem.severity is Severity.FAILED:
            failures.setdefault(_FAILURES.get(problem.kind, "Something failed."), []).append(line)
        elif problem.kind in _FOR_STUDENTS:
            mended.append(line)
    corrections = (
        Line(
            f"{facts.places[one.cell]}, {'you alone' if one.is_own else 'everybody'}: {one.reason}",
            numbers.get(one.cell),
            "does not count:" if one.drops else signed(one.points),
        )
        for one in facts.result.corrections
    )
    return Summary(
        total=in_digits(facts.result.final) if any_given else "",
        most=in_digits(facts.most),
        is_final=not open_points,
        remarks=tuple(remarks),
        corrections=tuple(corrections),
        failures=tuple(failures.items()),
        questions=tuple(_questions(facts, cells, numbers, markdown)),
        mended=tuple(mended),
    )


def _remarks(result: Result, any_given: bool, open_points: float) -> Iterable[str]:
    if not any_given:
        yield "Nothing has a score yet. If you expected one, ask your instructor."
    elif open_points:
        are = f"{counted_points(open_points)} {'is' if open_points == 1 else 'are'}"
        yield f"{are} not graded yet: a person still has to grade these answers."
    if any(score.manual is not None and score.waits for score in result.known.scores):
        yield "A person will look at some of your answers again."


def _lateness(result: Result) -> Iterable[str]:
    if result.slip_days:
        days = counted(result.slip_days, "slip day")
        were = "was" if result.slip_days == 1 else "were"
        yield f"{days} {were} used for this homework. You have {result.slip_days_left} left."
    if result.penalty:
        off = in_digits(result.penalty)
        why = f" ({result.why_penalty})" if result.why_penalty else ""
        were = "was" if off == "1" else "were"
        earned = f"Your answers earned {counted_points(result.score)}."
        yield f"{earned} {off} {were} taken off for lateness{why}."
    elif result.why_penalty:
        yield f"You submitted {result.why_penalty}."
    elif result.known.late:
        yield f"You submitted {result.known.late} after the due date. You lost no points for it."


def _questions(
    facts: Facts,
    cells: Sequence[NotebookNode],
    numbers: Mapping[str, int],
    markdown: Callable[[str], Markup],
) -> Iterable[Question]:
    scores, lines = facts.scores, _lines(facts, cells, numbers)
    mentioned = {**scores, **lines, **facts.comments}
    questions: dict[str, dict[str, list[str]]] = {}
    for name in [*facts.places, *(name for name in mentioned if name not in facts.places)]:
        if name in mentioned:
            place = facts.places[name]
            question = f"{place.question} {place.heading}".strip() or "Before the first question"
            questions.setdefault(question, {}).setdefault(place.title, []).append(name)
    for question, titles in questions.items():
        parts, counting = [], list[Score]()
        for title, names in titles.items():
            given = [scores[name] for name in names if name in scores]
            said = [line for name in names for line in lines.get(name, ())]
            remarks = [remark_of(facts.comments[n], markdown) for n in names if n in facts.comments]
            points = facts.points(given)
            if points or said or remarks:
                where = next((numbers[name] for name in names if name in numbers), None)
                parts.append(Part(title, points, where, tuple(_merged(said)), tuple(remarks)))
                counting += given
        if parts:
            yield Question(question, facts.points(counting), tuple(parts))


def _lines(
    facts: Facts, cells: Sequence[NotebookNode], numbers: Mapping[str, int]
) -> dict[str, list[Line]]:
    """Return what failed and what is empty, by the grade id that it belongs to.

    Cells without a grade id have no rows. Their errors belong to the answer above, or after a
    heading to the next answer below.
    """
    lines: dict[str, list[Line]] = {}
    for failure in facts.result.run.failures if facts.result.run else ():
        cell = cells[numbers[failure.cell]] if failure.cell in numbers else None
        lines.setdefault(failure.cell, []).append(_of_failure(failure, cell, numbers))
    above, below = "", list[Line]()
    is_below = False
    for number, cell in enumerate(cells):
        if (name := grade_id_of(cell)) is not None:
            if below:
                lines.setdefault(name, []).extend(below)
            above, below, is_below = name, [], False
        elif cell.cell_type == "code":
            errors = [Line(error_of(error), number) for error in errors_in(cell)]
            if is_below:
                below += errors
            elif errors:
                lines.setdefault(above, []).extend(errors)
        elif cell.source.lstrip().startswith("#"):
            is_below = True
    if below:
        lines.setdefault(above, []).extend(below)
    for name, score in facts.scores.items():
        unchanged = score.auto == 0 and score.manual is None and not score.waits
        if unchanged and score.cell.by_hand and score.cell.max_points:  # so nbgrader gave 0
            lines.setdefault(name, []).append(Line("you gave no answer", numbers.get(name)))
    return lines


def _of_failure(failure: Failure, cell: NotebookNode | None, numbers: Mapping[str, int]) -> Line:
    said, what = failure.message, failure.what
    if len(failure.parts) > 1:
        said += f" ({what} of the test)"
    elif what:
        said = f"{what}: {said}"
    elif cell is None or is_test(cell):  # the error is in the outputs too, without its details
        errors = errors_in(cell) if cell else []
        name = error_of(errors[0]) if errors else "NotScored"
        said = "the test did not finish" if name == "NotScored" else name
    return Line(said, numbers.get(failure.cell), signed(-failure.lost) if failure.lost else "")


def _merged(lines: Iterable[Line]) -> Iterable[Line]:
    """Merge equal lines into the first one: one missing name makes many cells fail."""
    alike: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        alike.setdefault((line.text, line.points), []).append(line)
    for first, *others in alike.values():
        times = f" ({len(others) + 1} times)" if others else ""
        yield replace(first, text=first.text + times)
