"""The changes that the desk's pages make. Each function takes a request's JSON and returns JSON."""

from __future__ import annotations

from collections.abc import Mapping

from hw_grading.desk.homework_desk import HomeworkDesk, NotThere
from hw_grading.desk.shapes import (
    BadRequest,
    Json,
    grading_json,
    mark_in,
    name_in,
    number_in,
    rescored_json,
    revision_in,
    rubric_in,
    rubric_json,
    students_in,
    text_in,
    texts_in,
)
from hw_grading.homework.homework import why_no_id
from hw_grading.rubrics.model import Conflict, Grading

_LONGEST_LOOK = 3600.0  # seconds at one answer; longer times count as this


def save(desk: HomeworkDesk, cell: str, body: Json, grader: str) -> Json:
    """Save a mark for one answer or for several."""
    versions = _versions(desk, cell, body)
    saved = desk.book.save(
        cell,
        versions,
        mark_in(body),
        grader=grader,
        rubric_revision=revision_in(body, "rubric_revision"),
        digests=students_in(body, "digests"),
        seconds=min(max(number_in(body, "seconds", 0.0), 0.0), _LONGEST_LOOK),
    )
    return _saved(saved)


def give_items(desk: HomeworkDesk, cell: str, body: Json, grader: str) -> Json:
    """Add the same items to what each of several answers has."""
    versions = _versions(desk, cell, body)
    saved = desk.book.add_items(
        cell,
        versions,
        texts_in(body, "items"),
        grader=grader,
        rubric_revision=revision_in(body, "rubric_revision"),
        digests=students_in(body, "digests"),
    )
    return _saved(saved)


def undo(desk: HomeworkDesk, cell: str, grader: str) -> Json:
    """Take back this grader's latest save."""
    desk.question(cell)
    undone = desk.book.undo(cell, grader=grader)
    return {"undone": {student: grading_json(grading) for student, grading in undone.items()}}


def preview_rubric(desk: HomeworkDesk, cell: str, body: Json) -> Json:
    """Return the scores that a changed rubric would change."""
    desk.question(cell)
    rescored = desk.book.preview(cell, rubric_in(body))
    return {"rescored": rescored_json(rescored, desk.book.names())}


def change_rubric(desk: HomeworkDesk, cell: str, body: Json, grader: str) -> Json:
    """Save a rubric and the scores that follow from it."""
    desk.question(cell)
    rubric, rescored = desk.book.change_rubric(cell, rubric_in(body), grader=grader)
    return {
        "rubric": rubric_json(rubric),
        "rescored": rescored_json(rescored, desk.book.names()),
    }


def undo_rubric(desk: HomeworkDesk, cell: str, grader: str) -> Json:
    """Take back the latest change of a rubric."""
    desk.question(cell)
    rubric, rescored = desk.book.undo_rubric(cell, grader=grader)
    return {
        "rubric": rubric_json(rubric),
        "rescored": rescored_json(rescored, desk.book.names()),
    }


def group(desk: HomeworkDesk, cell: str, body: Json, grader: str) -> Json:
    """Put answers into a group."""
    desk.question(cell)
    students = texts_in(body, "students")
    _expect_students(desk, students)
    name = text_in(body, "name", 128, "")
    desk.book.group(cell, students, name_in(name) if name.strip() else "", grader=grader)
    groups = desk.book.groups(cell)
    return {"groups": {name: list(members) for name, members in groups.items()}}


def hand_out(desk: HomeworkDesk, cell: str, body: Json, grader: str) -> Json:
    """Share a question out to graders, with an equal share for each."""
    desk.question(cell)
    graders = [name_in(name) for name in texts_in(body, "graders", 100)]
    desk.book.hand_out(cell, list(dict.fromkeys(graders)), grader=grader)
    shares = desk.book.shares(cell)
    return {"shares": {name: list(share) for name, share in shares.items()}}


def here(desk: HomeworkDesk, body: Json, grader: str) -> Json:
    """Record where a grader is, and return where the others are."""
    cell, student = text_in(body, "cell", 200), text_in(body, "student", 200, "")
    desk.question(cell)
    if student and why_no_id(student):
        raise BadRequest("'student' must be a student's id.")
    return {"others": desk.book.here(grader, cell, student) if grader else {}}


def import_rubrics(desk: HomeworkDesk, body: Json, grader: str) -> Json:
    """Import the rubrics of another year."""
    return {"questions": desk.book.import_rubrics(body.get("document"), grader=grader)}


def preview_comment(desk: HomeworkDesk, body: Json) -> Json:
    """Return a comment as students will read it."""
    return {"html": desk.renderer.markdown(text_in(body, "text"))}


def _versions(desk: HomeworkDesk, cell: str, body: Json) -> dict[str, str]:
    desk.question(cell)
    versions = students_in(body, "versions")
    if not versions:
        raise BadRequest("'versions' must name at least one student.")
    _expect_students(desk, versions)
    return versions


def _expect_students(desk: HomeworkDesk, students: Mapping[str, str] | list[str]) -> None:
    known = desk.book.names()
    if unknown := [student for student in students if student not in known]:
        raise NotThere(f"The gradebook has no answers of {unknown[0]!a}. Load the page again.")


def _saved(results: Mapping[str, Grading | Conflict]) -> Json:
    saved, refused = {}, {}
    for student, result in results.items():
        if isinstance(result, Conflict):
            refused[student] = {"message": str(result), "theirs": grading_json(result.theirs)}
        else:
            saved[student] = grading_json(result)
    return {"saved": saved, "refused": refused}
