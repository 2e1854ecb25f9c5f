"""The read requests of the desk's pages. Each function returns the JSON of one address."""

import hashlib
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC
from statistics import fmean
from typing import Any

from hw_grading.desk.answers import Glance, Submission
from hw_grading.desk.desks import HomeworkDesk
from hw_grading.desk.rendering import Part, as_html
from hw_grading.desk.showing import beside_html, printed_html
from hw_grading.gradebook.marks import answer_digest
from hw_grading.gradebook.model import Event, Grading, Question
from hw_grading.outcome import Status
from hw_grading.rendering.comments import comment_markdown

_MOST_COMMENTS = 50

Json = dict[str, Any]


def overview(desk: HomeworkDesk, grader: str) -> Json:
    """Return the progress of each question, and the students who need attention."""
    names = desk.book.names()
    known = desk.answers.known()
    records = desk.answers.roster().records
    questions = [_summary(desk, q, grader) for q in desk.questions()]

    def person(student: str) -> Json:
        return {"student": student, "name": names.get(student, "")}

    def those(status: Status) -> list[Json]:
        return [
            person(student)
            | {"status": str(status), "reason": one.reason, "has_page": student in names}
            for student, one in sorted(known.items())
            if one.status is status
        ]

    return {
        "assignment": desk.assignment,
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
    gradings = _gradings(desk, cell)
    order = _order(desk, cell, gradings)
    known = desk.answers.known()
    students = []
    for student in order:
        grading, submission = gradings[student], known.get(student)
        found = submission.glances.get(cell) if submission else None
        glance = found or Glance()
        students.append(
            {
                "student": student,
                "name": names.get(student, ""),
                "graded": not grading.waits,
                "flagged": grading.mark.flagged,
                "score": grading.points,
                "empty": glance.empty,
                "missing": submission is not None and found is None,
                "failed": submission is not None and submission.status is Status.SUBMISSION_FAILED,
                "error": glance.error,
                "changed": grading.changed,
                "overridden": grading.overridden,
                "digest": glance.digest,
                "version": grading.version,
                "picture": bool(glance.pictures),
                "excerpt": glance.excerpt,
                "read": submission is not None,
            }
        )
    comments = desk.book.comments_used(cell)[:_MOST_COMMENTS]
    return {
        "question": {
            **_about(about),
            "text_html": desk.renderer.markdown(about.text),
            "scheme_html": desk.renderer.markdown(about.scheme),
        },
        "rubric": asdict(desk.book.rubric(cell)),
        "students": students,
        "comments": [{"text": text, "times": times} for text, times in comments],
        "same": _same(order, known, cell),
        "next": _next(order, gradings, grader),
        "reading": {"read": len(known.keys() & gradings.keys()), "of": len(gradings)},
    }


def answer(desk: HomeworkDesk, cell: str, student: str) -> Json:
    """Return one answer, with what is shown beside it and its grading."""
    about = desk.question(cell)
    name = desk.name_of(student)
    cells = desk.answers.cells(student)
    submission = desk.answers.submission(student)
    desk.soon(cell, student)
    known = desk.answers.known()
    missing = cell not in cells
    grading = desk.book.grading(cell, student)
    note = as_html([Part("note", _why_missing(submission))]) if missing else ""

    def titled(shown: Mapping[str, str]) -> list[Json]:
        places = desk.answers.roster().places
        return [{"title": str(places[one]), "html": html} for one, html in shown.items() if html]

    return {
        "student": student,
        "name": name,
        "status": str(submission.status),
        "reason": submission.reason,
        "late": submission.late,
        "empty": submission.glances.get(cell, Glance()).empty,
        "missing": missing,
        "html": note or desk.html(cell, student, cells),
        "beside": titled({c: desk.html(c, student, cells, beside_html) for c in about.beside}),
        "numbers": titled({c: printed_html(cells.get(c, {})) for c in about.numbers}),
        "digest": "" if missing else answer_digest(cells[cell]),
        "same": next((group for group in _same(known, known, cell) if student in group), []),
        "given_html": desk.renderer.markdown(comment_markdown(grading.comment)),
        "grading": grading_json(grading),
    }


def history(desk: HomeworkDesk, cell: str, student: str) -> Json:
    """Return the history of one answer's grading, the newest event first."""
    desk.question(cell)
    desk.name_of(student)
    return {"events": [event_json(event) for event in desk.book.history(cell, student)]}


def flagged(desk: HomeworkDesk) -> Json:
    """Return the answers that are flagged for another look."""
    names = desk.book.names()
    titles = {q.cell: q.title for q in desk.questions()}
    found = desk.book.flagged()
    orders = {cell: _order(desk, cell, _gradings(desk, cell)) for cell in {c for c, _ in found}}
    numbers = {(cell, s): n for cell, order in orders.items() for n, s in enumerate(order, 1)}
    return {
        "flagged": [
            {
                "cell": cell,
                "title": titles.get(cell, cell),
                "student": grading.student,
                "name": names.get(grading.student, ""),
                "number": numbers.get((cell, grading.student)),
                "note": grading.mark.flag_note,
                "grader": grading.grader,
            }
            for cell, grading in found
        ]
    }


def _summary(desk: HomeworkDesk, about: Question, grader: str) -> Json:
    gradings = _gradings(desk, about.cell)
    waiting = sum(grading.waits for grading in gradings.values())
    scores = _scores(gradings.values())
    return {
        **_about(about),
        "graded": len(gradings) - waiting,
        "by_people": len(scores),
        "of": len(gradings),
        "waiting": waiting,
        "flagged": sum(grading.mark.flagged for grading in gradings.values()),
        "mean": _mean(scores),
        "next": _next(_order(desk, about.cell, gradings), gradings, grader),
    }


def _next(order: Sequence[str], gradings: Mapping[str, Grading], grader: str) -> str | None:
    """Return the student with whom a grader goes on; None if every answer is graded.

    Graders begin at different places in the order, so that they rarely meet.
    """
    digest = hashlib.sha256(grader.encode()).digest()
    start = int.from_bytes(digest, "big") % max(1, len(order))
    circle = (*order[start:], *order[:start])
    return next((student for student in circle if gradings[student].waits), None)


# -- as JSON


def grading_json(grading: Grading) -> Json:
    """Return the JSON of an answer's state."""
    state = {**asdict(grading), **grading.mark.plain()}
    del state["mark"], state["student"]
    return state | {
        "at": grading.at.replace(tzinfo=UTC).isoformat() if grading.at else None,
        "score": grading.points,
        "given_comment": grading.comment,
    }


def event_json(event: Event) -> Json:
    """Return the JSON of one event in the history."""
    return asdict(event) | {"at": event.at.replace(tzinfo=UTC).isoformat()}


# -- of a class


def _gradings(desk: HomeworkDesk, cell: str) -> dict[str, Grading]:
    """Return the state of each answer. While `autograde` has to run, only people's scores count."""
    known = desk.answers.known()
    not_run = {student for student, one in known.items() if one.status is Status.NOT_GRADED}
    gradings = desk.book.gradings(cell)
    by_people = {s for s, one in gradings.items() if one.score is not None and not one.waits}
    return {s: one for s, one in gradings.items() if s in by_people or s not in not_run}


def _order(desk: HomeworkDesk, cell: str, students: Container[str]) -> list[str]:
    """Return some students in the question's own order."""
    return [student for student in desk.book.order(cell) if student in students]


def _about(question: Question) -> Json:
    return {name: getattr(question, name) for name in ("cell", "title", "max_points", "is_code")}


def _scores(gradings: Iterable[Grading]) -> list[float]:
    """Return the points that people gave. For empty answers, the autograder gives 0."""
    return [one.score for one in gradings if not one.waits and one.score is not None]


def _mean(values: list[float]) -> float | None:
    return round(fmean(values), 4) if values else None


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
