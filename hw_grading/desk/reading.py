"""The read requests of the desk's pages. Each function returns the JSON of one address."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from statistics import fmean
from typing import Any

from hw_grading.analysis.words import differences
from hw_grading.desk import hints
from hw_grading.desk.answers import Cells, Glance, Submitted
from hw_grading.desk.desks import HomeworkDesk
from hw_grading.gradebook.model import Grading, Question, Rubric
from hw_grading.gradebook.results import Results, read_results
from hw_grading.homework.notebook import order_in
from hw_grading.mistakes.groups import answers_to_tests
from hw_grading.notebooks import outputs_of
from hw_grading.outcome import Status
from hw_grading.rendering.answers import (
    answer_html,
    code_html,
    note_html,
    outputs_html,
    printed_html,
    text_html,
)
from hw_grading.rendering.cleaning import LONGEST_TYPED, as_text
from hw_grading.rendering.limits import PageLimits
from hw_grading.rendering.markdown import comment_markdown
from hw_grading.rendering.pictures import pictures_of
from hw_support.submission.cells import text_of

_MAX_COMMENTS = 50
_MAX_SIMILAR = 12  # texts compared with one
_OF_A_ROW = ("digest", "empty", "pictures", "excerpt", "error")  # of a `Glance`
LINES_OF_NUMBERS = 15
_MAX_NUMBERS = 20_000  # characters at the end of a printed text

# JSON data, in which objects of `hw_grading.gradebook.model` may stand for themselves.
Json = dict[str, Any]


def question(desk: HomeworkDesk, cell: str) -> Json:
    """Return a question's text, its rubric, and all answers in the question's own order."""
    about = desk.question(cell)
    names = desk.book.names()
    gradings = _counting(desk, desk.book.gradings(cell))
    order = desk.book.order(cell, gradings)
    known = desk.answers.known()
    rubric = desk.book.rubric(cell)
    comments = used_before(desk, cell, gradings)

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
            "chosen": sorted(grading.mark.chosen),
            "grader": _who(grading) if grading.score is not None else "",
            "lacks": _lacks(submission, cell) if submission else [],
            "hints": hints.in_the_grid(about, glance) if glance else [],
            **{name: getattr(glance or Glance(), name) for name in _OF_A_ROW},
        }

    return {
        "question": {
            **_about(about),
            "text_html": markdown(about.text),
            "scheme_html": markdown(about.scheme),
            "scheme_is_rubric": _made_of(rubric, about.scheme),
            "conditions": about.conditions,
        },
        "rubric": rubric,
        "students": [row(student) for student in order],
        "comments": comments,
        "same": _same(order, known, cell),
        "similar": desk.similar(cell),
        "reading": {"read": len(known.keys() & gradings.keys()), "of": len(gradings)},
    }


def used_before(desk: HomeworkDesk, cell: str, gradings: Mapping[str, Grading]) -> list[Json]:
    """Return the comments that students got on a question, the most used first."""
    texts = Counter(grading.mark.comment for grading in gradings.values() if grading.mark.comment)
    texts.update(comment.text for comment in desk.book.comments_on(cell))
    return [{"text": text, "times": times} for text, times in texts.most_common(_MAX_COMMENTS)]


def answer(desk: HomeworkDesk, cell: str, student: str) -> Json:
    """Return one answer, with what is shown beside it and its grading."""
    about, name = desk.question(cell), desk.name_of(student)
    return {"name": name, **_answer(desk, about, *desk.answers.read(student), PageLimits())}


def _answer(
    desk: HomeworkDesk, about: Question, submission: Submitted, cells: Cells, limits: PageLimits
) -> Json:
    cell, student = about.cell, submission.student
    glance = submission.glances.get(cell, Glance())
    missing = cell not in cells
    grading = desk.book.grading(cell, student)
    note = note_html(why_missing(submission)) if missing else ""

    def titled(shown: Mapping[str, str]) -> list[Json]:
        places = desk.answers.roster().places
        return [{"title": str(places[one]), "html": html} for one, html in shown.items() if html]

    return {
        **of_submission(submission),
        "empty": glance.empty,
        "missing": missing,
        "lacks": _lacks(submission, cell),
        "hints": hints.of_an_answer(about, glance),
        "html": note or or_text(answer_html, cells[cell], limits),
        "beside": titled(
            {c: or_text(_beside, cells[c], limits) for c in about.beside if c in cells}
        ),
        "numbers": titled({c: numbers_html(cells.get(c, {})) for c in about.numbers}),
        "digest": glance.digest,
        "given_html": comment_html(grading.comment),
        "grading": grading_json(grading),
    }


def similar(desk: HomeworkDesk, cell: str, student: str) -> Json:
    """Return the texts that are similar to a student's, each once, with the differences marked."""
    cell = desk.question(cell).cell
    desk.expect_student(student)
    group = next((one for one in desk.similar(cell) if student in one), [])
    known = desk.answers.known()
    by_words: dict[str, list[str]] = {}
    for one in filter(known.get, group):
        by_words.setdefault(known[one].glances.get(cell, Glance()).words, []).append(one)
    own = _text(desk, cell, student)
    return {
        "texts": [
            {"students": alike, "html": differences(own, _text(desk, cell, alike[0]))}
            for alike in list(by_words.values())[: _MAX_SIMILAR + 1]
            if student not in alike
        ]
    }


def _text(desk: HomeworkDesk, cell: str, student: str) -> str:
    return text_of(desk.answers.read(student)[1].get(cell, {}).get("source"))


def student(desk: HomeworkDesk, student: str) -> Json:
    """Return all answers of a student with their history, and the points of the tests."""
    name = desk.name_of(student)
    submission, cells = desk.answers.read(student)
    limits = PageLimits()
    answers = [
        _about(question)
        | _answer(desk, question, submission, cells, limits)
        | {"events": desk.book.history(question.cell, student)}
        for question in desk.questions()
    ]
    about = {"name": name, **of_submission(submission)}
    return about | {"answers": answers, "tests": tests_of(desk, results_of(desk, student), student)}


def grading_json(grading: Grading) -> Json:
    """Return an answer's state with its mark in one object; `given_comment` is for students."""
    state = {**vars(grading), **vars(grading.mark), "given_comment": grading.comment}
    del state["mark"]
    return state | {"score": grading.points}


def results_of(desk: HomeworkDesk, student: str) -> Results:
    """Return the results of one student, with parts."""
    return read_results(desk.course, desk.assignment, student, desk.answers.roster().places)


def tests_of(desk: HomeworkDesk, results: Results, student: str) -> list[Json]:
    """Return a student's points for each test, and the correction of this student's alone."""
    places, final = results.places, results.of(student)
    about = answers_to_tests(desk.course, desk.assignment)
    changes = results.rules.changes
    corrections = {
        change.cell: change for change in changes if student in (change.student, *change.who)
    }
    given = {score.cell.name: score.points for score in final.known.scores}
    tests = {cell.name: cell.max_points for cell in results.cells if not cell.by_hand}
    return [
        {
            "cell": name,
            "title": str(places[name]),
            "answers": about.get(name, ()),
            "points": final.points(name),
            "given": given.get(name, 0.0),  # by the test
            "max_points": tests[name],
            "correction": corrections.get(name),
        }
        for name in sorted(tests, key=order_in(places))
    ]


# -- of a class


def summary(desk: HomeworkDesk, about: Question, gradings: Mapping[str, Grading]) -> Json:
    """Return a question's progress, from the state of its answers."""
    gradings = _counting(desk, gradings)
    waiting = sum(grading.waits for grading in gradings.values())
    # The others have no score of a person: the autograder gives 0 to empty answers.
    by_people = [one for one in gradings.values() if not one.waits and one.score is not None]
    scores = [person.score for person in by_people if person.score is not None]
    return {
        **_about(about),
        "graded": len(gradings) - waiting,
        "by_people": len(scores),
        "of": len(gradings),
        "waiting": waiting,
        "flagged": sum(grading.mark.flagged for grading in gradings.values()),
        "mean": round(fmean(scores), 4) if scores else None,
        "graders": sorted(Counter(map(_who, by_people)).items(), key=lambda one: (-one[1], one)),
    }


def _who(grading: Grading) -> str:
    """Return who graded an answer last."""
    return "formgrader" if grading.overridden else grading.grader


def _counting(desk: HomeworkDesk, gradings: Mapping[str, Grading]) -> dict[str, Grading]:
    """Return the answers that count. While `autograde` has to run, only people's scores do."""
    not_run = desk.not_run()
    by_people = {s for s, one in gradings.items() if one.score is not None and not one.waits}
    return {s: one for s, one in gradings.items() if s in by_people or s not in not_run}


def of_submission(one: Submitted) -> Json:
    """Return what is known of a submission."""
    return {name: getattr(one, name) for name in ("student", "status", "reason", "late")}


def _lacks(submission: Submitted, cell: str) -> list[str]:
    """Return the modules whose absence may explain why an answer has an error and no plot."""
    glance = submission.glances.get(cell, Glance())
    return list(submission.lacks) if glance.error and not glance.pictures else []


def _about(question: Question) -> Json:
    return {name: getattr(question, name) for name in ("cell", "title", "max_points", "is_code")}


def _made_of(rubric: Rubric, scheme: str) -> bool:
    """Return whether the rubric shows the lines of the mark scheme, or has replaced them."""
    words = " ".join(scheme.split())
    return rubric.revision > 0 or any(item.text in words for item in rubric.items)


def _same(students: Iterable[str], known: Mapping[str, Submitted], cell: str) -> list[list[str]]:
    """Return groups of the same answers: first the empty ones, then the largest groups.

    Texts are the same if their words are.
    """
    groups: dict[str, list[str]] = {}
    for student in students:
        if student in known and (glance := known[student].glances.get(cell)):
            key = "" if glance.empty else glance.words or glance.digest
            groups.setdefault(key, []).append(student)
    found = [groups.pop("", []), *sorted(groups.values(), key=len, reverse=True)]
    return [group for group in found if len(group) > 1]


def why_missing(submission: Submitted) -> str:
    """Return why there is no such cell."""
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


def comment_html(text: str) -> str:
    """Return a person's words as students read them."""
    return markdown(comment_markdown(text))


def or_text(
    make: Callable[[Mapping[str, Any], PageLimits], str],
    cell: Mapping[str, Any],
    limits: PageLimits,
) -> str:
    """Return a cell as HTML, or its text if that fails."""
    try:
        return str(make(cell, limits))
    except Exception:  # libraries may raise anything on a hostile cell
        source = limits.cut(text_of(cell.get("source")), LONGEST_TYPED)
        return as_text(source, "Shown as text, because it cannot be rendered.")


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


def _beside(cell: Mapping[str, Any], limits: PageLimits) -> str:
    source = text_of(cell.get("source"))
    if cell.get("cell_type") != "code":
        return text_html(source, None, limits)
    if pictures_of(cell):
        return outputs_html(cell, limits)
    return code_html(source, limits) if source.strip() else ""
