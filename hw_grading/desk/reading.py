"""The read requests of the desk's pages. Each function returns the JSON of one address."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from statistics import fmean
from typing import Any

from hw_grading.desk.answers import Cells, Glance, Submission
from hw_grading.desk.desks import HomeworkDesk
from hw_grading.gradebook.graded_notebook import order_in, outputs_of
from hw_grading.gradebook.model import Grading, Question, Rubric
from hw_grading.gradebook.results import read_results
from hw_grading.homework.homework import manifest_of
from hw_grading.outcome import Status
from hw_grading.rendering.answers import (
    answer_html,
    code_html,
    note_html,
    outputs_html,
    printed_html,
    text_html,
)
from hw_grading.rendering.cleaning import as_text
from hw_grading.rendering.markdown import comment_markdown
from hw_grading.rendering.pictures import pictures_of
from hw_support.submission.cells import text_of

_MAX_COMMENTS = 50
LINES_OF_NUMBERS = 15
_MAX_NUMBERS = 20_000  # characters at the end of a printed text

# JSON data, in which objects of `hw_grading.gradebook.model` may stand for themselves.
Json = dict[str, Any]


def overview(desk: HomeworkDesk, grader: str) -> Json:
    """Return the progress of each question, and the students who need attention."""
    names = desk.book.names()
    known = desk.answers.known()
    records = [one.known for one in desk.answers.roster().handed_in]
    # The certification needs only a look, so it comes after the questions.
    last = manifest_of(desk.course.root, desk.assignment).certification
    questions = [_summary(desk, q, grader) for q in desk.questions()]
    questions.sort(key=lambda one: bool(one["cell"] == last))

    def person(student: str) -> Json:
        return {"student": student, "name": names.get(student, "")}

    def those(status: Status) -> list[Json]:
        return [
            person(student) | {"reason": one.reason or status, "has_page": student in names}
            for student, one in sorted(known.items())
            if one.status is status
        ]

    return {
        "grader": grader,
        "questions": questions,
        "students": [person(student) for student in names],
        "class": {
            "students": len(records),
            "waiting": sum(question["waiting"] for question in questions),
            "failed": those(Status.SUBMISSION_FAILED),
            "not_run": those(Status.NOT_GRADED),
            "late": [person(one.student) | {"late": one.late} for one in records if one.late],
        },
        "reading": {"read": len(known), "of": len(records)},
    }


def question(desk: HomeworkDesk, cell: str, grader: str) -> Json:
    """Return a question's text, its rubric, and all answers in the question's own order."""
    about = desk.question(cell)
    names = desk.book.names()
    gradings = _counting(desk, desk.book.gradings(cell))
    order = desk.book.order(cell, gradings)
    known = desk.answers.known()
    rubric = desk.book.rubric(cell)
    marks = (grading.mark for grading in gradings.values())
    comments = Counter(mark.comment for mark in marks if mark.comment)

    def row(student: str) -> Json:
        grading, submission = gradings[student], known.get(student)
        glance = submission.glances.get(cell) if submission else None
        return {
            "student": student,
            "name": names.get(student, ""),
            "graded": not grading.waits,
            "flagged": grading.mark.flagged,
            "score": grading.points,
            "changed": grading.changed,
            "overridden": grading.overridden,
            "version": grading.version,
            "missing": submission is not None and glance is None,
            "failed": submission is not None and submission.status is Status.SUBMISSION_FAILED,
            **{name: getattr(glance or Glance(), name) for name in Glance.__slots__},
        }

    return {
        "question": {
            **_about(about),
            "text_html": markdown(about.text),
            "scheme_html": markdown(about.scheme),
            "scheme_is_rubric": _made_of(rubric, about.scheme),
        },
        "rubric": rubric,
        "students": [row(student) for student in order],
        "comments": [
            {"text": text, "times": times} for text, times in comments.most_common(_MAX_COMMENTS)
        ],
        "same": _same(order, known, cell),
        "next": _next(order, gradings, grader),
        "reading": {"read": len(known.keys() & gradings.keys()), "of": len(gradings)},
    }


def answer(desk: HomeworkDesk, cell: str, student: str) -> Json:
    """Return one answer, with what is shown beside it and its grading."""
    about, name = desk.question(cell), desk.name_of(student)
    return {"name": name, **_answer(desk, about, *desk.answers.read(student))}


def _answer(desk: HomeworkDesk, about: Question, submission: Submission, cells: Cells) -> Json:
    cell, student = about.cell, submission.student
    glance = submission.glances.get(cell, Glance())
    missing = cell not in cells
    grading = desk.book.grading(cell, student)
    note = note_html(_why_missing(submission)) if missing else ""

    def titled(shown: Mapping[str, str]) -> list[Json]:
        places = desk.answers.roster().places
        return [{"title": str(places[one]), "html": html} for one, html in shown.items() if html]

    return {
        **_of_submission(submission),
        "empty": glance.empty,
        "missing": missing,
        "html": note or _or_text(answer_html, cells[cell]),
        "beside": titled({c: _or_text(_beside, cells[c]) for c in about.beside if c in cells}),
        "numbers": titled({c: numbers_html(cells.get(c, {})) for c in about.numbers}),
        "digest": glance.digest,
        "given_html": markdown(comment_markdown(grading.comment)),
        "grading": grading_json(grading),
    }


def student(desk: HomeworkDesk, student: str) -> Json:
    """Return all answers of a student with their history, and the points of the tests."""
    name = desk.name_of(student)
    submission, cells = desk.answers.read(student)
    answers = [
        _about(question)
        | _answer(desk, question, submission, cells)
        | {"events": desk.book.history(question.cell, student)}
        for question in desk.questions()
    ]
    about = {"name": name, **_of_submission(submission)}
    return about | {"answers": answers, "tests": _tests(desk, student)}


def flagged(desk: HomeworkDesk) -> Json:
    """Return the answers that are flagged for another look."""
    names = desk.book.names()
    found = []
    for about in desk.questions():
        gradings = desk.book.gradings(about.cell)
        if those := [grading for grading in gradings.values() if grading.mark.flagged]:
            order = desk.book.order(about.cell, _counting(desk, gradings))
            numbers = {student: number for number, student in enumerate(order, 1)}
            found += [
                {
                    "cell": about.cell,
                    "title": about.title,
                    "student": grading.student,
                    "name": names.get(grading.student, ""),
                    "number": numbers.get(grading.student),
                    "note": grading.mark.flag_note,
                    "grader": grading.grader,
                }
                for grading in those
            ]
    return {"flagged": found}


def grading_json(grading: Grading) -> Json:
    """Return an answer's state with its mark in one object; `given_comment` is for students."""
    state = {**vars(grading), **vars(grading.mark), "given_comment": grading.comment}
    del state["mark"]
    return state | {"score": grading.points}


def _tests(desk: HomeworkDesk, student: str) -> list[Json]:
    """Return a student's points for each test, and the correction of this student's alone."""
    places = desk.answers.roster().places
    results = read_results(desk.course, desk.assignment, student, places)
    final = results.of(student)
    corrections = {one.cell: one for one in results.rules.changes if one.student == student}
    given = {score.cell.name: score.points for score in final.known.scores}
    tests = {cell.name: cell.max_points for cell in results.cells if not cell.by_hand}
    return [
        {
            "cell": name,
            "title": str(places[name]),
            "points": final.points(name),
            "given": given.get(name, 0.0),  # by the test
            "max_points": tests[name],
            "correction": corrections.get(name),
        }
        for name in sorted(tests, key=order_in(places))
    ]


# -- of a class


def _summary(desk: HomeworkDesk, about: Question, grader: str) -> Json:
    gradings = _counting(desk, desk.book.gradings(about.cell))
    waiting = sum(grading.waits for grading in gradings.values())
    # The points that people gave. For empty answers, the autograder gives 0.
    scores = [one.score for one in gradings.values() if not one.waits and one.score is not None]
    return {
        **_about(about),
        "graded": len(gradings) - waiting,
        "by_people": len(scores),
        "of": len(gradings),
        "waiting": waiting,
        "flagged": sum(grading.mark.flagged for grading in gradings.values()),
        "mean": round(fmean(scores), 4) if scores else None,
        "next": _next(desk.book.order(about.cell, gradings), gradings, grader),
    }


def _next(order: Sequence[str], gradings: Mapping[str, Grading], grader: str) -> str | None:
    """Return the student with whom a grader goes on; None if every answer is graded.

    Graders begin at different places in the order, so that they rarely meet.
    """
    digest = hashlib.sha256(grader.encode()).digest()
    start = int.from_bytes(digest, "big") % max(1, len(order))
    circle = (*order[start:], *order[:start])
    return next((student for student in circle if gradings[student].waits), None)


def _counting(desk: HomeworkDesk, gradings: Mapping[str, Grading]) -> dict[str, Grading]:
    """Return the answers that count. While `autograde` has to run, only people's scores do."""
    known = desk.answers.known()
    not_run = {student for student, one in known.items() if one.status is Status.NOT_GRADED}
    by_people = {s for s, one in gradings.items() if one.score is not None and not one.waits}
    return {s: one for s, one in gradings.items() if s in by_people or s not in not_run}


def _of_submission(one: Submission) -> Json:
    return {name: getattr(one, name) for name in ("student", "status", "reason", "late")}


def _about(question: Question) -> Json:
    return {name: getattr(question, name) for name in ("cell", "title", "max_points", "is_code")}


def _made_of(rubric: Rubric, scheme: str) -> bool:
    """Return whether the rubric shows the lines of the mark scheme, or has replaced them."""
    words = " ".join(scheme.split())
    return rubric.revision > 0 or any(item.text in words for item in rubric.items)


def _same(students: Iterable[str], known: Mapping[str, Submission], cell: str) -> list[list[str]]:
    """Return groups of identical answers: first the empty ones, then the largest groups."""
    groups: dict[str, list[str]] = {}
    for student in students:
        if student in known and (glance := known[student].glances.get(cell)):
            groups.setdefault("" if glance.empty else glance.digest, []).append(student)
    found = [groups.pop("", []), *sorted(groups.values(), key=len, reverse=True)]
    return [group for group in found if len(group) > 1]


def _why_missing(submission: Submission) -> str:
    if not submission.found:
        return "This student has no graded notebook."
    if submission.glances:
        return "The graded notebook lacks this cell."
    return submission.reason or "The graded notebook cannot be read."


# -- as HTML


@lru_cache(maxsize=200)
def markdown(text: str) -> str:
    """Return markdown with TeX as HTML: a question, a mark scheme or a comment."""
    return str(text_html(text)) if text else ""


def _or_text(make: Callable[[Mapping[str, Any]], str], cell: Mapping[str, Any]) -> str:
    try:
        return str(make(cell))
    except Exception:  # libraries may raise anything on a hostile cell
        return as_text(text_of(cell.get("source")), "Shown as text, because it cannot be rendered.")


def numbers_html(cell: Mapping[str, Any]) -> str:
    """Return the last printed lines of a cell, such as the numbers of a training; "" if none."""
    printed, results = "", []
    for output in outputs_of(cell):
        if output.get("output_type") == "stream" and output.get("name") != "stderr":
            printed += text_of(output.get("text"))
        elif output.get("output_type") == "execute_result":
            data = output.get("data")
            results.append(text_of(data.get("text/plain")) if isinstance(data, dict) else "")
    text = "\n".join(filter(None, [printed.rstrip(), *results]))[-_MAX_NUMBERS:]
    lines = text.rstrip().split("\n")[-LINES_OF_NUMBERS:]
    return str(printed_html("\n".join(line[:500] for line in lines)))


def _beside(cell: Mapping[str, Any]) -> str:
    source = text_of(cell.get("source"))
    if cell.get("cell_type") != "code":
        return text_html(source)
    if pictures_of(cell):
        return outputs_html(cell)
    return code_html(source) if source.strip() else ""
