"""Converts between the saved data and the JSON of the server's pages, in both directions.

A request may contain anything. Each function that reads one returns a value of the right type, or
raises `BadRequest` with what was expected.
"""

import json
import math
import sys
from dataclasses import asdict
from datetime import UTC
from typing import Any

from hw_grading.homework.homework import why_no_id
from hw_grading.rubrics import model
from hw_grading.rubrics.model import Event, Grading, Mark, Refused, Rubric

LONGEST_BODY = 4_000_000  # bytes
_MOST_ANSWERS = 20_000  # in one request

Json = dict[str, Any]


class BadRequest(Exception):
    """A request that no page of the desk sends. The text says what was expected."""


# -- to a page


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
