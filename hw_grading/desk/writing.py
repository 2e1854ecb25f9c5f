"""The changes that the desk's pages make, from a request's JSON to the answer's JSON.

A request may contain anything. Each function that reads a value from one returns a value of the
right type, or raises `BadRequest` with what was expected.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from hw_grading.desk.desks import HomeworkDesk, NotThere
from hw_grading.desk.reading import Json, grading_json
from hw_grading.gradebook import model
from hw_grading.gradebook.model import Conflict, Grading, Mark, Refused, Rescored, Rubric
from hw_grading.homework.homework import why_no_id
from hw_grading.rendering.comments import comment_markdown

LONGEST_BODY = 4_000_000  # bytes
_MOST_ANSWERS = 20_000  # in one request
_LONGEST_LOOK = 3600.0  # seconds at one answer; longer times count as this


class BadRequest(Exception):
    """A request that no page of the desk sends. The text says what was expected."""


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
            versions, mark, seen = _versions(desk, body), mark_in(body), _seen(body, grader)
            seconds = min(max(number_in(body, "seconds", 0.0), 0.0), _LONGEST_LOOK)
            return _saved(book.save(cell, versions, mark, **seen, seconds=seconds))
        case True, "items", "":  # adds items to several answers
            versions, items = _versions(desk, body), texts_in(body, "items")
            return _saved(book.add_items(cell, versions, items, **_seen(body, grader)))
        case True, "undo", "":
            undone = book.undo(cell, grader=grader)
            return {"undone": {student: grading_json(one) for student, one in undone.items()}}
        case True, "rubric", "preview":
            return _rescored(desk, book.preview(cell, rubric_in(body)))
        case True, "rubric", "":
            return _changed(desk, *book.change_rubric(cell, rubric_in(body), grader=grader))
        case True, "rubric", "undo":
            return _changed(desk, *book.undo_rubric(cell, grader=grader))
        case False, "rubrics", "":  # imports rubrics, such as those of another year
            return {"questions": book.import_rubrics(body.get("document"), grader=grader)}
        case False, "preview", "":  # shows a comment as students will read it
            return {"html": desk.renderer.markdown(comment_markdown(text_in(body, "text")))}
    raise NotThere("This page does not exist.")


def _versions(desk: HomeworkDesk, body: Json) -> dict[str, str]:
    versions = students_in(body, "versions")
    if not versions:
        raise BadRequest("'versions' must name at least one student.")
    if unknown := versions.keys() - desk.book.names().keys():
        raise NotThere(f"The gradebook has no answers of {min(unknown)!a}. Load the page again.")
    return versions


def _seen(body: Json, grader: str) -> dict[str, Any]:
    """Return who saves, and what the grader saw."""
    revision = revision_in(body, "rubric_revision")
    digests = students_in(body, "digests")
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


# -- values of a request


def body_of(raw: bytes) -> Json:
    """Return the JSON object in a request."""
    if (size := len(raw)) > LONGEST_BODY:
        raise BadRequest(f"The request has {size:,} bytes; at most {LONGEST_BODY:,} are allowed.")
    try:
        body = json.loads(raw or b"{}", parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise BadRequest("The request must be JSON in UTF-8, with finite numbers only.") from None
    if not isinstance(body, dict):
        raise BadRequest("The request must be a JSON object.")
    return body


def text_in(
    body: Json, name: str, limit: int = model.LONGEST_TEXT, default: str | None = None
) -> str:
    """Return a text from a request."""
    value: str = _in(body, name, str, "text", default)
    if len(value) > limit:
        raise Refused(f"The text has {len(value):,} characters; at most {limit:,} are allowed.")
    model.expect_text(value)
    return value


def number_in(body: Json, name: str, default: float | None = None) -> float:
    """Return a finite number from a request."""
    value: Any = body.get(name, default)
    if type(value) not in (int, float):
        raise BadRequest(f"{name!r} must be a number.")
    if not abs(value) <= sys.float_info.max:
        raise BadRequest(f"{name!r} must be a finite number.")
    return float(value)


def revision_in(body: Json, name: str) -> int:
    """Return the revision of a rubric from a request."""
    value = body.get(name)
    if type(value) is not int or not 0 <= value < 2**31:
        raise BadRequest(f"{name!r} must be the number that came with the rubric.")
    return value


def texts_in(body: Json, name: str, most: int = _MOST_ANSWERS) -> list[str]:
    """Return a list of texts from a request."""
    value: list[str] = _in(body, name, list, "a list of texts", of=str)
    if len(value) > most:
        raise BadRequest(f"{name!r} has {len(value):,} entries; at most {most:,} are allowed.")
    return value


def students_in(body: Json, name: str) -> dict[str, str]:
    """Return texts by student from a request; an empty object if the name is missing."""
    what = "an object with one text for each student"
    value: dict[str, str] = _in(body, name, dict, what, {}, of=str)
    unfit = any(why_no_id(s) or len(t) > 200 or not t.isprintable() for s, t in value.items())
    if len(value) > _MOST_ANSWERS or unfit:
        raise BadRequest(f"{name!r} must be {what}.")
    return value


def mark_in(body: Json) -> Mark:
    """Return a grader's mark from a request."""
    mark = _in(body, "mark", dict, "an object")
    return Mark(
        frozenset(texts_in(mark, "chosen", model.MOST_ITEMS)),
        number_in(mark, "adjustment", 0.0),
        text_in(mark, "comment", default=""),
        _in(mark, "done", bool, "true or false", False),
        _in(mark, "flagged", bool, "true or false", False),
        text_in(mark, "flag_note", default=""),
    )


def rubric_in(body: Json) -> Rubric:
    """Return a rubric from a request. An item without an id is a new one."""
    rubric = _in(body, "rubric", dict, "an object")
    items = _in(rubric, "items", list, "a list of objects", of=dict)
    try:
        kind = model.Kind(str(rubric.get("kind")))
    except ValueError:
        raise BadRequest("'kind' must be 'adding' or 'subtracting'.") from None
    return Rubric(
        tuple(
            model.Item(
                text_in(item, "id", 32, ""),
                number_in(item, "points"),
                text_in(item, "text"),
                text_in(item, "note", default=""),
            )
            for item in items
        ),
        kind,
        number_in(rubric, "lower"),
        number_in(rubric, "upper"),
        revision_in(rubric, "revision"),
    )


def _in(
    body: Json, name: str, kind: type, what: str, default: Any = None, of: type = object
) -> Any:
    """Return a value of a request, if it and its inner values are of the right types."""
    value = body.get(name, default)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if not isinstance(value, kind) or not all(isinstance(one, of) for one in inner):
        raise BadRequest(f"{name!r} must be {what}.")
    return value


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number")
