"""The box at the top of the feedback: points by question, what failed, graders' comments.

Points come from the gradebook, names of questions from the instructor's notebook, parts of tests
from the student's last run. Of an error with which a whole test ended, only the name is shown: its
message may quote hidden tests.
"""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup
from nbformat import NotebookNode

from hw_grading.gradebook.given import Told
from hw_grading.gradebook.model import Item, first_conditions
from hw_grading.gradebook.requests import Request
from hw_grading.gradebook.results import StudentResult
from hw_grading.gradebook.runs import Failure, message_of_part
from hw_grading.gradebook.scores import Score, ScoredCell, Student
from hw_grading.homework.homework import Requests
from hw_grading.homework.notebook import Places
from hw_grading.notebooks import error_of, errors_in, outputs_of
from hw_grading.rendering.answers import text_html
from hw_grading.rendering.markdown import comment_markdown
from hw_grading.texts import counted, counted_points, in_digits, signed
from hw_support.figures import facts_in, failing
from hw_support.submission.cells import grade_id_of
from hw_support.submission.problems import Kind, Problem, Severity, plain

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
# A sign or two spaces are required: "3 errors" is not an item.
_POINTS = rf"[+\-\N{{MINUS SIGN}}]{_NUMBER}(?=[ \t])|(?:0 of )?{_NUMBER}(?=[ \t]{{2}})"
_ITEM = re.compile(rf"({_POINTS})\s+(\S.*)")
_MAX_ITEMS = 100
_MAX_PARTS, _LONGEST_PART = 5, 200  # that failed, and their characters, in a few lines
_NOTHING = StudentResult(Student("", "", "", ""))
_TESTS_ALONE = (
    "This page shows what the tests gave. Marks by people, their comments, and what comes off for "
    "a late submission are not in it: they come with the final page."
)
# Above the problems of each kind that grading could not repair.
_NOT_YOURS = "Grading failed. Your notebook is not the cause. Tell your instructor."
_NO_SCORE = "A test gave no score. You lose no points for that: a person has to look at it."
_INCOMPLETE = "Your notebook could not be graded completely."
# Problems that were repaired and may explain a score. Notes on extra files and metadata are for
# staff and mean nothing to a student.
_FOR_STUDENTS = {Kind.UNKNOWN_CELL, Kind.DUPLICATE_CELL, Kind.RETYPED_CELL, Kind.EDITED_CELL}
_FOR_STUDENTS |= {Kind.DELETED_CELL, Kind.MOVED_CELL, Kind.ADDED_CELL, Kind.OUTPUT_LIMIT}


@dataclass(frozen=True)
class Points:
    """The points of one or several cells in words, and their state, a class of `page.css`."""

    words: str
    state: str


@dataclass(frozen=True)
class Remark:
    """What a grader gave and said: items of a rubric, and a text.

    Each item has points, such as ``+1``, or ``0 of 1`` if it was not earned, a text, and what a
    program saw missing in the plot.
    """

    right: tuple[tuple[str, Markup, str], ...]  # the items that gave points
    wrong: tuple[tuple[str, Markup, str], ...]  # the others
    text: Markup


@dataclass(frozen=True)
class PageFacts:
    """The facts about one student's homework that are not in the notebook."""

    student: str = ""
    assignment: str = ""
    cells: tuple[ScoredCell, ...] = ()  # all cells with points, in the notebook's order
    most: float = 0.0  # the total points that count
    result: StudentResult = _NOTHING
    comments: Mapping[str, str] = field(default_factory=dict)  # the graders' comments, by grade id
    # by grade id, in the order of the instructor's notebook
    places: Places = field(default_factory=Places)
    told: Told = field(default_factory=dict)  # of known mistakes
    instructors: frozenset[str] = frozenset()  # the stripped texts of the instructor's cells
    asked: Mapping[str, Request] = field(default_factory=dict)  # by grade id
    versions: Mapping[str, str] = field(default_factory=dict)  # that may be asked about
    rules: Requests = field(default_factory=Requests)
    # The items and the comment of each mark of the desk, by grade id.
    marks: Mapping[str, tuple[Sequence[tuple[str, Item]], str]] = field(default_factory=dict)
    hides_items: bool = False
    # What plots lack, by the id of the rubric's item that asks for it.
    lacks: Mapping[str, str] = field(default_factory=dict)
    of_tests_alone: bool = False  # without marks, comments, corrections and lateness

    @property
    def scores(self) -> dict[str, Score]:
        """The scores by grade id; one that the gradebook lacks is open."""
        none = {cell.name: Score(cell) for cell in self.cells}
        return none | {score.cell.name: score for score in self.result.known.scores}

    def remark(self, name: str) -> Remark | None:
        """Return the grader's comment on a cell, by its grade id."""
        text = self.comments.get(name, "")
        items, comment = self.marks.get(name) or _items_in(text)
        if not text or (self.hides_items and not comment):
            return None
        return _remark(() if self.hides_items else items, comment, self.lacks)

    def points(self, scores: Sequence[Score]) -> Points | None:
        """Return the points of some cells in words, with corrections; None if they have none."""
        scores = [score for score in scores if score.cell.max_points or score.points]
        kept = [score for score in scores if score.cell.name not in self.result.dropped]
        if not kept:
            return Points("does not count", "open") if scores else None
        names = {score.cell.name for score in kept}
        corrected = sum(
            correction.points for correction in self.result.corrections if correction.cell in names
        )
        change = f"corrected by {signed(corrected)}" if corrected else ""
        most = sum(score.cell.max_points for score in kept)
        still = [score for score in kept if score.is_open]
        if len(still) == len(kept):
            why = "not graded yet" if any(score.cell.by_hand for score in still) else "no score yet"
            of = ", ".join(filter(None, [f"of {in_digits(most)}", change]))
            return Points(f"{why} ({of})", "open")
        given = sum(score.points for score in kept) + corrected
        words = f"{in_digits(given)} of {in_digits(most)}"
        if change:
            words += f" ({change})"
        if extra := sum(score.extra for score in kept):
            words += f" (extra credit {in_digits(extra)})"
        if still:
            waiting = in_digits(sum(score.cell.max_points for score in still))
            return Points(f"{words}, {waiting} not graded yet", "open")
        return Points(words, "full" if given >= most else "some" if given > 0 else "none")


def trusted_html(text: str, attachments: Mapping[str, Any] | None = None) -> Markup:
    """Return a text by the instructor or a grader as HTML."""
    return text_html(text, attachments) if attachments else _kept(text)


_kept = functools.lru_cache(maxsize=500)(text_html)  # for the whole class


def comment_html(text: str) -> Markup:
    """Return a person's words, or the sentence of a known mistake, as students read them."""
    return trusted_html(comment_markdown(text)) if text else Markup()


def lacks_in(facts: PageFacts, cells: Iterable[NotebookNode]) -> dict[str, str]:
    """Return what plots lack, by the id of the rubric's item that asks for it.

    A plot's facts come from the student's process, so they are no more than hints. One is shown if
    a person did not give the points of its item.
    """
    by_hand = [cell for cell in facts.cells if cell.by_hand]
    found = {grade_id_of(one): facts_in(outputs_of(one)) for one in cells}
    return {
        item: ", ".join(failing(plots, condition))
        for cell in by_hand
        if (plots := found.get(cell.name))
        for item, condition in first_conditions(cell, by_hand, facts.places).items()
    }


def _items_in(text: str) -> tuple[list[tuple[str, Item]], str]:
    """Read a comment that was typed: lines such as ``+1  names the cache``, then a text."""
    items: list[tuple[str, list[str]]] = []
    lines = text.strip().splitlines()
    while lines and lines[0].strip() and len(items) < _MAX_ITEMS:
        if item := _ITEM.fullmatch(lines[0].strip()):
            items.append((item[1], [item[2]]))
        elif items:
            items[-1][1].append(lines[0])  # an item may have several lines
        else:
            break
        del lines[0]
    said = [(points, Item("", 0.0, "\n".join(words))) for points, words in items]
    return said, "\n".join(lines).strip()


def _remark(items: Iterable[tuple[str, Item]], text: str, lacks: Mapping[str, str]) -> Remark:
    right: list[tuple[str, Markup, str]] = []
    wrong: list[tuple[str, Markup, str]] = []
    for points, item in items:
        said = comment_html(item.text)
        if points.startswith("+"):
            right.append((points, said, ""))
        else:
            lack = lacks.get(item.id, "") if points.startswith("0 of ") else ""
            wrong.append((points.replace("-", "\N{MINUS SIGN}"), said, lack))
    return Remark(tuple(right), tuple(wrong), comment_html(text))


@dataclass(frozen=True)
class SummaryLine:
    """A sentence, the number of its cell (None: no cell), and its points."""

    text: str
    cell: int | None = None
    points: str = ""
    place: str = ""
    told: tuple[Markup, ...] = ()  # of known mistakes


@dataclass(frozen=True)
class ShownPart:
    """A part of a question, with everything that the box says about its cells."""

    title: str
    points: Points | None
    cell: int | None
    lines: tuple[SummaryLine, ...]
    remarks: tuple[Remark, ...]

    @property
    def is_told(self) -> bool:
        """Whether the part lost points or has remarks."""
        return bool(self.lines or self.remarks or (self.points and self.points.state != "full"))


@dataclass(frozen=True)
class QuestionBox:
    """A question by its name; `points` is the sum over its parts."""

    name: str
    points: Points | None
    parts: tuple[ShownPart, ...]
    cells: tuple[str, ...] = ()  # the grade ids of its cells with points


@dataclass(frozen=True)
class Summary:
    """The box. `page.html.j2` shows the position of each field."""

    total: str
    most: str
    is_final: bool
    remarks: tuple[str, ...]
    corrections: tuple[SummaryLine, ...]
    failures: tuple[tuple[str, list[SummaryLine]], ...]
    questions: tuple[QuestionBox, ...]
    repaired: tuple[SummaryLine, ...]


def summary_of(
    facts: PageFacts, cells: Sequence[NotebookNode], problems: Iterable[Problem]
) -> Summary:
    """Make the box at the top, from the student's cells without hidden content.

    `problems` are those that grading noted.
    """
    numbers = {name: n for n, cell in enumerate(cells) if (name := grade_id_of(cell))}
    count = [score for name, score in facts.scores.items() if name not in facts.result.dropped]
    open_points = sum(score.cell.max_points for score in count if score.is_open)
    any_given = any(not score.is_open for score in facts.result.known.scores)
    remarks = [*_remarks(facts.result, any_given, open_points), *_lateness(facts.result)]
    if facts.of_tests_alone:
        remarks.insert(0, _TESTS_ALONE)
    failures: dict[str, list[SummaryLine]] = {}
    repaired = []
    for problem in problems:
        name = problem.cell or ""
        place = str(facts.places[name]) if name in facts.places else ""
        line = SummaryLine(problem.message, numbers.get(name), place=place)
        if problem.kind is Kind.OTHER_NOTEBOOK:
            remarks.append(problem.message)
        elif problem.severity is Severity.FAILED:
            what = {Kind.GRADER: _NOT_YOURS, Kind.SCORE: _NO_SCORE}.get(problem.kind, _INCOMPLETE)
            failures.setdefault(what, []).append(line)
        elif problem.kind in _FOR_STUDENTS:
            repaired.append(line)
    corrections = (
        SummaryLine(
            f"{facts.places[correction.cell]}, "
            f"{'you alone' if correction.is_own else correction.whom}: {correction.reason}",
            numbers.get(correction.cell),
            "does not count:" if correction.drops else signed(correction.points),
        )
        for correction in facts.result.corrections
    )
    return Summary(
        total=in_digits(facts.result.final) if any_given else "",
        most=in_digits(facts.most),
        is_final=not open_points,
        remarks=tuple(remarks),
        corrections=tuple(corrections),
        failures=tuple(failures.items()),
        questions=tuple(_questions(facts, cells, numbers)),
        repaired=tuple(repaired),
    )


def _remarks(result: StudentResult, any_given: bool, open_points: float) -> Iterable[str]:
    if not any_given:
        yield "Nothing has a score yet. If you expected one, ask your instructor."
    elif open_points:
        are = f"{counted_points(open_points)} {'is' if open_points == 1 else 'are'}"
        yield f"{are} not graded yet: a person still has to grade these answers."
    if any(score.manual is not None and score.waits for score in result.known.scores):
        yield "A person will look at some of your answers again."


def _lateness(result: StudentResult) -> Iterable[str]:
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


def in_short(result: StudentResult, most: float, places: Places) -> list[str]:
    """Return a result in a few lines: the total of `most` points, lateness, what failed.

    They are texts that a student wrote in part, each on one line.
    """
    total = f"{in_digits(result.final)} of {in_digits(most)} points"
    if still := sum(score.cell.max_points for score in result.counting if score.is_open):
        total += f", not final: {counted_points(still)} not graded yet"
    if result.status is None:
        return [total, "Nothing was submitted."]
    dropped = result.dropped
    failures = result.run.failures if result.run else ()
    failed = [
        f"{places[failure.cell]}: {line.points} {line.text}"
        for failure in failures
        if failure.lost and failure.cell not in dropped
        for line in [_of_failure(failure, None, {})]
    ]
    lines = [total, *_lateness(result), *(plain(one, _LONGEST_PART) for one in failed[:_MAX_PARTS])]
    if len(failed) > _MAX_PARTS:
        lines.append(f"and {len(failed) - _MAX_PARTS} more: see your page of feedback")
    return lines


def _questions(
    facts: PageFacts,
    cells: Sequence[NotebookNode],
    numbers: Mapping[str, int],
) -> Iterable[QuestionBox]:
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
            remarks = [remark for name in names if (remark := facts.remark(name))]
            points = facts.points(given)
            if points or said or remarks:
                where = next((numbers[name] for name in names if name in numbers), None)
                parts.append(ShownPart(title, points, where, tuple(_merged(said)), tuple(remarks)))
                counting += given
        if parts:
            scored = tuple(one.cell.name for one in counting)
            yield QuestionBox(question, facts.points(counting), tuple(parts), scored)


def _lines(
    facts: PageFacts, cells: Sequence[NotebookNode], numbers: Mapping[str, int]
) -> dict[str, list[SummaryLine]]:
    """Return what failed and what is empty, by the grade id that it belongs to.

    Cells without a grade id have no rows. Errors of the student's own belong to the cell with one
    above. Those of the homework, such as a check that is not graded, cost nothing: the error stands
    at the cell alone.
    """
    lines: dict[str, list[SummaryLine]] = {}
    for failure in facts.result.run.failures if facts.result.run else ():
        cell = cells[numbers[failure.cell]] if failure.cell in numbers else None
        line = replace(_of_failure(failure, cell, numbers), told=_told(failure, facts.told))
        said = [one for other in lines.get(failure.cell, ()) for one in other.told]
        line = replace(line, told=tuple(one for one in line.told if one not in said))
        lines.setdefault(failure.cell, []).append(line)
    above = ""
    for number, cell in enumerate(cells):
        name = grade_id_of(cell)
        above = name or above
        is_own = name is None and cell.source.strip() not in facts.instructors
        if errors := errors_in(cell) if is_own else []:
            lines.setdefault(above, []).extend(
                SummaryLine(error_of(error), number) for error in errors
            )
    for name, score in facts.scores.items():
        unchanged = score.auto == 0 and score.manual is None and not score.waits
        if unchanged and score.cell.by_hand and score.cell.max_points:  # so nbgrader gave 0
            lines.setdefault(name, []).append(SummaryLine("you gave no answer", numbers.get(name)))
    for name, count in Counter(comment.cell for comment in facts.result.comments).items():
        by_grader = f"{counted(count, 'comment')} by your grader, at your answer"
        lines.setdefault(name, []).append(SummaryLine(by_grader, numbers.get(name)))
    return lines


def _told(failure: Failure, told: Told) -> tuple[Markup, ...]:
    """Return what is told of the mistakes behind a failure."""
    sentences = told.get(failure.cell, {})
    those = (sentences.get(part.fingerprint, "") for part in failure.parts)
    return tuple(comment_html(one) for one in dict.fromkeys(filter(None, those)))


def _of_failure(
    failure: Failure, cell: NotebookNode | None, numbers: Mapping[str, int]
) -> SummaryLine:
    what = failure.what
    if len(failure.parts) > 1:
        said = f"{failure.message} ({what} of the test)"
    else:
        said = message_of_part(failure.parts[0], cell)
        said = f"{what}: {said}" if what else said
    return SummaryLine(
        said, numbers.get(failure.cell), signed(-failure.lost) if failure.lost else ""
    )


def _merged(lines: Iterable[SummaryLine]) -> Iterable[SummaryLine]:
    """Merge equal lines into the first one: one missing name makes many cells fail."""
    alike: dict[tuple[str, str], list[SummaryLine]] = {}
    for line in lines:
        alike.setdefault((line.text, line.points), []).append(line)
    for first, *others in alike.values():
        times = f" ({len(others) + 1} times)" if others else ""
        yield replace(first, text=first.text + times)
