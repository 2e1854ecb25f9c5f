"""Two HTML pages for graders without a server: plots and written answers beside the scores.

One goes student by student, the other question by question. `hw_grading.reports.answers` makes the
students' answers safe. The Content-Security-Policy allows no scripts and only ``data:`` addresses.

Students are read and written one after another, so memory holds only one notebook. Their answers to
each question are kept in a file until the second page is written.
"""

import contextlib
import functools
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from markupsafe import Markup

from hw_grading.final_scores.scores import FinalScore, FinalScores, final_scores
from hw_grading.outcome import Status
from hw_grading.pages import FORMULAS
from hw_grading.pages.mathematics import Budget
from hw_grading.pages.templates import templates_in
from hw_grading.records.graded_notebook import plain
from hw_grading.records.questions import Place, order_in
from hw_grading.records.results import Roster, StudentResult, read_roster, read_student
from hw_grading.records.scores import Record, Score, in_digits
from hw_grading.records.writing import replaced
from hw_grading.reports.answers import Answer, answer_in, escaped, prose


@dataclass(frozen=True)
class Question:
    """A cell that graders read."""

    number: int  # its place on the pages, from 1
    name: str  # the cell's grade id
    place: Place
    scheme: Markup
    scheme_number: int  # the number of the first question with the same mark scheme
    has_points: bool
    waiting: int  # the number of answers to grade


@dataclass(frozen=True)
class Card:
    """A student's answer to one question; None if the graded notebook lacks the cell."""

    question: Question
    score: Score | None  # None if it has none
    answer: Answer | None


@dataclass(frozen=True)
class Student:
    """A student on the pages."""

    number: int  # the student's place on the pages, from 1
    name: str  # the student id
    in_formgrader: str  # the name in formgrader, such as ``"Submission #3"``; "" if it has none
    result: StudentResult
    final: FinalScore | None  # None if there is no score
    said: tuple[str, ...]  # reasons and problems
    cards: tuple[Card, ...]  # empty if there is no graded notebook


def by_question(out: Path) -> Path:
    """Return the path of the page by question, given that of the page by student."""
    return out.with_name(f"{out.stem}_by_question{out.suffix}")


def write_plots_page(course: Path, assignment: str, out: Path) -> Path:
    """Write both pages, sorted by the points of the tests, lowest first. Return `out`.

    `out` is the page by student; the page by question is beside it. Both are replaced only when
    they are complete. The errors are those of `hw_grading.records.results.read_results`.
    """
    roster = read_roster(course, assignment)
    records = sorted(roster.records, key=lambda r: (r.auto_total if r.scored else -1.0, r.student))
    finals = final_scores(roster.course, assignment)
    questions = _questions(roster)
    templates = templates_in(Path(__file__).parent, finalize=_escaped)
    templates.globals.update(
        title=f"{plain(roster.assignment, 200)}: plots and written answers",
        formulas=Markup(FORMULAS.read_text(encoding="utf-8")),
        by_student=quote(out.name),
        by_question=quote(by_question(out).name),
        questions=questions,
        records=records,
        auto_max=roster.auto_max,
        by_hand_max=roster.max_total - roster.auto_max,
        final_max=finals.max_score,
        graded=Status.GRADED,
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        name_of=lambda record: plain(record.student, 200),
        in_digits=in_digits,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as files:
        first, second = (files.enter_context(replaced(path)) for path in (out, by_question(out)))
        new_file = functools.partial(tempfile.TemporaryFile, "w+", encoding="utf-8", newline="\n")
        answers = [files.enter_context(new_file()) for _ in questions]

        def articles() -> Iterator[Markup]:
            """Yield the students, and write their answers to the questions' files."""
            article = templates.get_template("plots_student.html.j2")
            of_question = templates.get_template("plots_answer.html.j2")
            for student in _students(roster, records, finals, questions):
                yield Markup(article.render(student=student))
                for card in student.cards:
                    file = answers[card.question.number - 1]
                    file.write(of_question.render(student=student, card=card))

        page = templates.get_template("plots_by_student.html.j2")
        first.writelines(page.generate(articles=articles()))
        page = templates.get_template("plots_by_question.html.j2")
        second.writelines(page.generate(answers=map(_read, answers)))
    return out


def _students(
    roster: Roster, records: Iterable[Record], finals: FinalScores, questions: Sequence[Question]
) -> Iterator[Student]:
    numbers = _numbers_in_formgrader(roster)
    for number, record in enumerate(records, start=1):
        result, cells = read_student(roster, record)
        scores = {s.cell.name: s for s in record.scores} if record.scored else {}
        budget = Budget()
        answers = [answer_in(cells[q.name], budget) if q.name in cells else None for q in questions]
        cards = (Card(q, scores.get(q.name), a) for q, a in zip(questions, answers, strict=True))
        not_graded = [result.reason] if result.status is Status.NOT_GRADED else []
        yield Student(
            number,
            plain(record.student, 200),
            numbers.get(record.student, ""),
            result,
            finals.students.get(record.student) if record.scored else None,
            (*not_graded, *(problem.message for problem in result.problems)),
            tuple(cards) if cells else (),
        )


def _questions(roster: Roster) -> list[Question]:
    names = [cell.name for cell in roster.cells if cell.by_hand]
    names += [name for name in roster.without_points if name in roster.places]
    names.sort(key=order_in(roster.places))
    waiting = Counter(s.cell.name for r in roster.records if r.scored for s in r.scores if s.waits)
    budget = Budget()
    first: dict[Place, int] = {}
    questions = []
    for number, name in enumerate(names, start=1):
        place = roster.places[name]
        scheme = prose(place.scheme, budget) if place.scheme else Markup()
        about = (scheme, first.setdefault(place, number), name not in roster.without_points)
        questions.append(Question(number, name, place, *about, waiting[name]))
    return questions


def _numbers_in_formgrader(roster: Roster) -> dict[str, str]:
    """Return the names that formgrader gives to submissions, by student id.

    It numbers the submissions with a graded notebook, by their keys in the gradebook.
    """
    name = roster.assignment
    keys = sorted((record.key, record.student) for record in roster.records if record.key)
    folders = ((student, roster.course.autograded(student, name)) for _, student in keys)
    shown = (student for student, folder in folders if (folder / f"{name}.ipynb").exists())
    return {student: f"Submission #{number}" for number, student in enumerate(shown, start=1)}


def _escaped(value: Any) -> Any:
    """Escape a value in a template, unless it is this project's own HTML."""
    return value if isinstance(value, Markup) else escaped(str(value))


def _read(file: IO[str]) -> Iterator[Markup]:
    file.seek(0)
    while some := file.read(1 << 20):
        yield Markup(some)
