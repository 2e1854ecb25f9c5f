"""The box at the top of the feedback: points by question, failures, graders' comments.

Points come from the gradebook, names of questions from the instructor's notebook.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from nbformat import NotebookNode

from hw_grading.gradebook.questions import order_in
from hw_grading.gradebook.results import Result
from hw_grading.gradebook.scores import Record, Score, counted, counted_points, in_digits, signed
from hw_grading.rendering.feedback.facts import Facts, Points, Remark, counts, remark_of
from hw_grading.rendering.feedback.failures import Line, failures_of, lines_of, mended_in, merged
from hw_support.submission.cells import grade_id_of
from hw_support.submission.problems import Kind, Problem


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
    problems = list(problems)
    numbers = {name: n for n, cell in enumerate(cells) if (name := grade_id_of(cell))}
    others = [p.message for p in problems if p.kind is Kind.OTHER_NOTEBOOK]
    record = facts.record or Record(facts.student)
    count = [score for score in _scores(facts) if score.cell.name not in facts.dropped]
    open_points = sum(score.cell.max_points for score in count if score.is_open)
    most = sum(cell.max_points for cell in facts.cells) if facts.most is None else facts.most
    any_given = any(not score.is_open for score in record.scores)
    corrections = (
        Line(
            f"{facts.places[one.cell]}, {'you alone' if one.is_own else 'everybody'}: {one.reason}",
            numbers.get(one.cell),
            "does not count:" if one.drops else signed(one.points),
        )
        for one in facts.corrections
    )
    return Summary(
        total=in_digits(facts.final.final if facts.final else record.total) if any_given else "",
        most=in_digits(most),
        is_final=not open_points,
        remarks=(
            *_remarks(record, any_given, open_points),
            *_lateness(record, facts.final),
            *others,
        ),
        corrections=tuple(corrections),
        failures=tuple(failures_of(problems, facts, numbers).items()),
        questions=tuple(_questions(facts, cells, numbers, markdown)),
        mended=tuple(mended_in(problems, facts, numbers)),
    )


def _remarks(record: Record, any_given: bool, open_points: float) -> Iterable[str]:
    if not any_given:
        yield "Nothing has a score yet. If you expected one, ask your instructor."
    elif open_points:
        are = f"{counted_points(open_points)} {'is' if open_points == 1 else 'are'}"
        yield f"{are} not graded yet: a person still has to grade these answers."
    if any(score.manual is not None and score.waits for score in record.scores):
        yield "A person will look at some of your answers again."


def _lateness(record: Record, final: Result | None) -> Iterable[str]:
    if final and final.slip_days:
        days = counted(final.slip_days, "slip day")
        were = "was" if final.slip_days == 1 else "were"
        yield f"{days} {were} used for this homework. You have {final.slip_days_left} left."
    if final and final.penalty:
        off = in_digits(final.penalty)
        why = f" ({final.why_penalty})" if final.why_penalty else ""
        were = "was" if off == "1" else "were"
        earned = f"Your answers earned {counted_points(final.score)}."
        yield f"{earned} {off} {were} taken off for lateness{why}."
    elif final and final.why_penalty:
        yield f"You submitted {final.why_penalty}."
    elif record.late:
        yield f"You submitted {record.late} after the due date. You lost no points for it."


def _scores(facts: Facts) -> list[Score]:
    """Return a score for each cell with points. If the gradebook has none, the score is open."""
    held = {score.cell.name: score for score in facts.record.scores} if facts.record else {}
    order = order_in(facts.places)
    cells = sorted(facts.cells, key=lambda cell: order(cell.name))
    return [held.get(cell.name) or Score(cell) for cell in cells]


def _questions(
    facts: Facts,
    cells: Sequence[NotebookNode],
    numbers: Mapping[str, int],
    markdown: Callable[[str], Markup],
) -> Iterable[Question]:
    scores = {score.cell.name: score for score in _scores(facts)}
    lines = {name: said for name, said in lines_of(cells, facts, numbers).items() if said}
    mentioned = scores.keys() | lines.keys() | facts.comments.keys()
    names = [name for name in facts.places if name in mentioned]
    names += [name for name in {**scores, **lines} if name not in facts.places]
    questions: dict[str, dict[str, list[str]]] = {}
    for name in names:
        place = facts.places[name]
        question = f"{place.question} {place.heading}".strip() or "Before the first question"
        questions.setdefault(question, {}).setdefault(place.title, []).append(name)
    for question, titles in questions.items():
        parts, counting = [], list[Score]()
        for title, of_it in titles.items():
            given = [scores[n] for n in of_it if n in scores and counts(scores[n])]
            said = [line for n in of_it for line in lines.get(n, ())]
            blank = (score.cell.name for score in given if _is_blank(score))
            said += [Line("you gave no answer", numbers.get(name)) for name in blank]
            remarks = [remark_of(facts.comments[n], markdown) for n in of_it if n in facts.comments]
            if given or said or remarks:
                where = next((numbers[n] for n in of_it if n in numbers), None)
                points = facts.points(given) if given else None
                parts.append(Part(title, points, where, tuple(merged(said)), tuple(remarks)))
                counting += given
        if parts:
            yield Question(question, facts.points(counting) if counting else None, tuple(parts))


def _is_blank(score: Score) -> bool:
    """Return whether nbgrader gave 0 because the answer is unchanged from the release."""
    nothing_given = score.auto == 0 and score.manual is None and not score.waits
    return score.cell.by_hand and nothing_given
