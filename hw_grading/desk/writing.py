"""The changes that the desk's pages make. Each function takes a request's JSON and returns JSON.

All have the same parameters: `cell` is the grade id of a question, "" for all of the homework.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from hw_grading.desk import shapes
from hw_grading.desk.homework_desk import HomeworkDesk, NotThere
from hw_grading.desk.shapes import BadRequest, Json, grading_json
from hw_grading.homework.homework import why_no_id
from hw_grading.rubrics.model import Conflict, Grading, Rescored, Rubric

_LONGEST_LOOK = 3600.0  # seconds at one answer; longer times count as this


def save(desk: HomeworkDesk, cell: str, body: Json, grader: str) -> Json:
    """Save a mark for one answer or for several."""
    versions, mark, seen = _versions(desk, body), shapes.mark_in(body), _seen(body, grader)
    seconds = min(max(shapes.number_in(body, "seconds", 0.0), 0.0), _LONGEST_LOOK)
    return _saved(desk.book.save(cell, versions, mark, **seen, seconds=seconds))


def give_items(desk: HomeworkDesk, cell: str, body: Json, grader: str) -> Json:
    """Add the same items to what each of several answers has."""
    versions, items = _versions(desk, body), shapes.texts_in(body, "items")
    return _saved(desk.book.add_items(cell, versions, items, **_seen(body, grader)))


def undo(desk: HomeworkDesk, cell: str, body: Json, grader: str) -> Json:
    """Take back this grader's latest save."""
    undone = desk.book.undo(cell, grader=grader)
    return {"undone": {student: grading_json(grading) for student, grading in undone.items()}}


def preview_rubric(desk: HomeworkDesk, cell: str, body: Json, grader: str) -> Json:
    """Return the scores that a changed rubric would change."""
    return _rescored(desk, desk.book.preview(cell, shapes.rubric_in(body)))


def change_rubric(desk: HomeworkDesk, cell: str, body: Json, grader: str) -> Json:
    """Save a rubric and the scores that follow from it."""
    return _changed(desk, *desk.book.change_rubric(cell, shapes.rubric_in(body), grader=grader))


def undo_rubric(desk: HomeworkDesk, cell: str, body: Json, grader: str) -> Json:
    """Take back the latest change of a rubric."""
    return _changed(desk, *desk.book.undo_rubric(cell, grader=grader))


def group(desk: HomeworkDesk, cell: str, body: Json, grader: str) -> Json:
    """Put answers into a group."""
    students = shapes.texts_in(body, "students")
    name = shapes.text_in(body, "name", 128, "")
    desk.book.group(cell, students, shapes.name_in(name) if name.strip() else "", grader=grader)
    return {"groups": desk.book.groups(cell)}


def hand_out(desk: HomeworkDesk, cell: str, body: Json, grader: str) -> Json:
    """Share a question out to graders, with an equal share for each."""
    graders = [shapes.name_in(name) for name in shapes.texts_in(body, "graders", 100)]
    desk.book.hand_out(cell, list(dict.fromkeys(graders)), grader=grader)
    return {"shares": desk.book.shares(cell)}


def here(desk: HomeworkDesk, cell: str, body: Json, grader: str) -> Json:
    """Record where a grader is, and return where the others are."""
    cell, student = shapes.text_in(body, "cell", 200), shapes.text_in(body, "student", 200, "")
    desk.question(cell)
    if student and why_no_id(student):
        raise BadRequest("'student' must be a student's id.")
    return {"others": desk.book.here(grader, cell, student) if grader else {}}


def import_rubrics(desk: HomeworkDesk, cell: str, body: Json, grader: str) -> Json:
    """Import the rubrics of another year."""
    return {"questions": desk.book.import_rubrics(body.get("document"), grader=grader)}


def preview_comment(desk: HomeworkDesk, cell: str, body: Json, grader: str) -> Json:
    """Return a comment as students will read it."""
    return {"html": desk.renderer.markdown(shapes.text_in(body, "text"))}


OF_HOMEWORK = {"here": here, "preview": preview_comment, "rubrics": import_rubrics}
# By the words of the address before and after the question.
OF_QUESTION = {
    ("save", ""): save,
    ("items", ""): give_items,
    ("undo", ""): undo,
    ("rubric", ""): change_rubric,
    ("rubric", "preview"): preview_rubric,
    ("rubric", "undo"): undo_rubric,
    ("group", ""): group,
    ("shares", ""): hand_out,
}


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
