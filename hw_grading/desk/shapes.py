"""Converts between the saved data and the JSON of the server's pages, in both directions.

A request may contain anything. Each function that reads one returns a value of the right type, or
raises `BadRequest` with what was expected.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from hw_grading.homework.homework import why_no_id
from hw_grading.rubrics.model import (
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_ITEMS,
    Event,
    Grading,
    Item,
    Kind,
    Mark,
    Refused,
    Rescored,
    Rubric,
)

LONGEST_BODY = 4_000_000  # bytes
_MOST_ANSWERS = 20_000  # in one request

Json = dict[str, Any]


class BadRequest(Exception):
    """A request that no page of the desk sends. The text says what was expected."""


# -- to a page


def grading_json(grading: Grading) -> Json:
    """Return the JSON of an answer's state."""
    mark = grading.mark
    at = grading.at
    return {
        "version": grading.version,
        "chosen": sorted(mark.chosen),
        "adjustment": mark.adjustment,
        "comment": mark.comment,
        "done": mark.done,
        "flagged": mark.flagged,
        "flag_note": mark.flag_note,
        "score": grading.points,
        "waits": grading.waits,
        "overridden": grading.overridden,
        "changed": grading.changed,
        "grader": grading.grader,
        "at": None if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat(),
        "seconds": grading.seconds,
        "given_comment": grading.comment,
    }


def rubric_json(rubric: Rubric) -> Json:
    """Return the JSON of a rubric, with private notes: only graders see it."""
    items = [
        {"id": item.id, "points": item.points, "text": item.text, "note": item.note}
        for item in rubric.items
    ]
    return {
        "items": items,
        "kind": str(rubric.kind),
        "lower": rubric.lower,
        "upper": rubric.upper,
        "revision": rubric.revision,
    }


def rescored_json(rescored: list[Rescored], names: Mapping[str, str]) -> list[Json]:
    """Return the JSON of the answers whose score changes."""
    return [
        {
            "student": one.student,
            "name": names.get(one.student, ""),
            "before": one.before,
            "after": one.after,
        }
        for one in rescored
    ]


def event_json(event: Event) -> Json:
    """Return the JSON of one event in the history."""
    at = event.at if event.at.tzinfo else event.at.replace(tzinfo=UTC)
    return {
        "at": at.isoformat(),
        "grader": event.grader,
        "action": event.action,
        "score_before": event.score_before,
        "score_after": event.score_after,
        "what": event.what,
    }


def dumped(answer: Json) -> str:
    """Return JSON text that a page can parse. NaN is not valid JSON and becomes null."""
    try:
        return json.dumps(answer, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(answer))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


# -- from a page


def body_of(raw: bytes) -> Json:
    """Return the JSON object in a request."""
    if len(raw) > LONGEST_BODY:
        raise BadRequest(
            f"The request has {len(raw):,} bytes; at most {LONGEST_BODY:,} are allowed."
        )
    try:
        body = json.loads(raw or b"{}", parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise BadRequest("The request must be JSON in UTF-8, with finite numbers only.") from None
    if not isinstance(body, dict):
        raise BadRequest("The request must be a JSON object.")
    return body


def text_in(body: Json, name: str, limit: int = LONGEST_TEXT, default: str | None = None) -> str:
    """Return a text from a request."""
    value = body.get(name, default)
    if not isinstance(value, str):
        raise BadRequest(f"{name!r} must be text.")
    if len(value) > limit:
        raise Refused(f"The text has {len(value):,} characters; at most {limit:,} are allowed.")
    return value


def number_in(body: Json, name: str, default: float | None = None) -> float:
    """Return a finite number from a request."""
    value = body.get(name, default)
    if type(value) not in (int, float):
        raise BadRequest(f"{name!r} must be a number.")
    try:
        number = float(value)  # type: ignore[arg-type]
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise BadRequest(f"{name!r} must be a finite number.")
    return number


def revision_in(body: Json, name: str) -> int:
    """Return the revision of a rubric from a request."""
    value = body.get(name)
    if type(value) is not int or not 0 <= value < 2**31:
        raise BadRequest(f"{name!r} must be the number that came with the rubric.")
    return value


def flag_in(body: Json, name: str) -> bool:
    """Return true or false from a request; false if the name is missing."""
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise BadRequest(f"{name!r} must be true or false.")
    return value


def texts_in(body: Json, name: str, most: int = _MOST_ANSWERS) -> list[str]:
    """Return a list of texts from a request."""
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise BadRequest(f"{name!r} must be a list of texts.")
    if len(value) > most:
        raise BadRequest(f"{name!r} has {len(value):,} entries; at most {most:,} are allowed.")
    return value


def students_in(body: Json, name: str) -> dict[str, str]:
    """Return texts by student from a request; an empty object if the name is missing."""
    value = body.get(name, {})
    if not isinstance(value, dict) or len(value) > _MOST_ANSWERS:
        raise BadRequest(f"{name!r} must be an object with one text for each student.")
    for student, text in value.items():
        if why_no_id(student) or not isinstance(text, str) or len(text) > 200:
            raise BadRequest(f"{name!r} must be an object with one text for each student.")
    return value


def mark_in(body: Json) -> Mark:
    """Return a grader's mark from a request."""
    mark = _object_in(body, "mark")
    return Mark(
        frozenset(texts_in(mark, "chosen", MOST_ITEMS)),
        number_in(mark, "adjustment", 0.0),
        text_in(mark, "comment", default=""),
        flag_in(mark, "done"),
        flag_in(mark, "flagged"),
        text_in(mark, "flag_note", default=""),
    )


def rubric_in(body: Json) -> Rubric:
    """Return a rubric from a request. An item without an id is a new one."""
    rubric = _object_in(body, "rubric")
    items = rubric.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise BadRequest("'items' must be a list of objects.")
    try:
        kind = Kind(str(rubric.get("kind")))
    except ValueError:
        raise BadRequest("'kind' must be 'adding' or 'subtracting'.") from None
    return Rubric(
        tuple(
            Item(
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


def name_in(text: str) -> str:
    """Return a grader's name, after checking it.

    Raises
    ------
    Refused
        The name is empty, too long, or has invisible characters.
    """
    name = " ".join(text.split(" ")).strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Refused(f"Type a name of 1 to {LONGEST_NAME} printable characters.")
    return name


def _object_in(body: Json, name: str) -> Json:
    value = body.get(name)
    if not isinstance(value, dict):
        raise BadRequest(f"{name!r} must be an object.")
    return value


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number")
