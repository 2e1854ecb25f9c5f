"""The changes that the desk's pages make, from a request's JSON to the answer's JSON."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from hw_grading.desk import shapes
from hw_grading.desk.homework_desk import HomeworkDesk, NotThere
from hw_grading.desk.shapes import BadRequest, Json, grading_json
from hw_grading.homework.homework import why_no_id
from hw_grading.pages.comments import comment_markdown
from hw_grading.rubrics.model import Conflict, Grading, Rescored, Rubric

_LONGEST_LOOK = 3600.0  # seconds at one answer; longer times count as this


def written(desk: HomeworkDesk, cell: str, what: str, then: str, body: Json, grader: str) -> Json:
    """Make one change, in a question or, if `cell` is "", in the homework.

    `what` and `then` are the words of the address before and after the question's grade id.
    `NotThere` if there is no such address or no such question.
    """
    book = desk.book
    if cell:
        desk.question(cell)
    match bool(cell), what, then:
        case True, "save", "":  # a mark for one answer or for several
            versions, mark, seen = _versions(desk, body), shapes.mark_in(body), _seen(body, grader)
            seconds = min(max(shapes.number_in(body, "seconds", 0.0), 0.0), _LONGEST_LOOK)
            return _saved(book.save(cell, versions, mark, **seen, seconds=seconds))
        case True, "items", "":  # adds items to several answers
            versions, items = _versions(desk, body), shapes.texts_in(body, "items")
            return _saved(book.add_items(cell, versions, items, **_seen(body, grader)))
        case True, "undo", "":
            undone = book.undo(cell, grader=grader)
            return {"undone": {student: grading_json(one) for student, one in undone.items()}}
        case True, "rubric", "preview":
            return _rescored(desk, book.preview(cell, shapes.rubric_in(body)))
        case True, "rubric", "":
            return _changed(desk, *book.change_rubric(cell, shapes.rubric_in(body), grader=grader))
        case True, "rubric", "undo":
            return _changed(desk, *book.undo_rubric(cell, grader=grader))
        case True, "group", "":
            students = shapes.texts_in(body, "students")
            name = shapes.text_in(body, "name", 128, "").strip()
            book.group(cell, students, name, grader=grader)
            return {"groups": book.groups(cell)}
        case True, "shares", "":
            graders = [name.strip() for name in shapes.texts_in(body, "graders", 100)]
            book.hand_out(cell, list(dict.fromkeys(graders)), grader=grader)
            return {"shares": book.shares(cell)}
        case False, "here", "":  # records where the grader is; returns what others did meanwhile
            cell = shapes.text_in(body, "cell", 200)
            student = shapes.text_in(body, "student", 200, "")
            desk.question(cell)
            if student and why_no_id(student):
                raise BadRequest("'student' must be a student's id.")
            graded = bool(student) and not book.grading(cell, student).waits
            others = book.here(grader, cell, student) if grader else {}
            return {"others": others, "graded": graded}
        case False, "rubrics", "":  # imports rubrics, such as those of another year
            return {"questions": book.import_rubrics(body.get("document"), grader=grader)}
        case False, "preview", "":  # shows a comment as students will read it
            return {"html": desk.renderer.markdown(comment_markdown(shapes.text_in(body, "text")))}
    raise NotThere("This page does not exist.")


def _versions(desk: HomeworkDesk, body: Json) -> dict[str, str]:
    versions = shapes.students_in(body, "versions")
    if not versions:
        raise BadRequest("'versions' must name at least one student.")
    if unknown := versions.keys() - desk.book.names().keys():
        raise NotThere(f"The gradebook has no answers of {min(unknown)!a}. Load the page again.")
    return versions


def _seen(body: Json, grader: str) -> dict[str, Any]:
    """Return who saves, and what the grader saw."""
    revision = shapes.revision_in(body, "rubric_revision")
    digests = shapes.students_in(body, "digests")
    return {"grader": grader, "rubric_revision": revision, "digests": digests}


def _saved(results: Mapping[str, Grading | Conflict]) -> Json:
    saved, refused = {}, {}
    for student, result in results.items():
        if isinstance(result, Conflict):
            refused[student] = {"message": str(result), "theirs": grading_json(result.theirs)}
        else:
            saved[student] = grading_json(result)
    return {"saved": saved, "refused": refused}


def _rescored(desk: HomeworkDesk, rescored: list[Rescored]) -> Json:
    names = desk.book.names()
    return {"rescored": [asdict(one) | {"name": names.get(one.student, "")} for one in rescored]}


def _changed(desk: HomeworkDesk, rubric: Rubric, rescored: list[Rescored]) -> Json:
    return {"rubric": asdict(rubric), **_rescored(desk, rescored)}
