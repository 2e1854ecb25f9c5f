"""Reads YAML of any content into dictionaries, lists and texts; it executes nothing.

Tags make no objects. Aliases are not expanded, so a few lines cannot become gigabytes.
"""

from collections.abc import Container, Iterator
from typing import Any

import yaml

from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

_DEEPEST = 100
_MOST_EVENTS = 20_000_000
_MOST_KEPT = 2_000_000  # dictionaries, lists and texts
_LONGEST = 1_000  # characters of a text
# The parser in C is far faster. Neither of them builds objects here.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(content: bytes, wanted: Container[str]) -> Any:
    """Return dictionaries, lists, and texts up to 1,000 characters, or raise `Unreadable`.

    The outermost dictionary keeps all its keys. Dictionaries inside it keep only the keys `wanted`.
    """
    try:
        return _build(yaml.parse(content, Loader=_LOADER), wanted)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        why = getattr(error, "problem", None) or error
        raise Unreadable(f"{where}expected YAML, found something else ({quoted(why)})") from None
    except (UnicodeError, RecursionError, ValueError) as error:
        raise Unreadable(f"expected YAML, found something else ({quoted(error)})") from None


class _Frame:
    """A list or dictionary that is being read; `made` is None if it is not kept."""

    def __init__(self, made: dict[str, Any] | list[Any] | None, is_mapping: bool) -> None:
        self.made, self.is_mapping = made, is_mapping
        self.key: str | None = None
        self.is_key_next = is_mapping


def _build(events: Iterator[Any], wanted: Container[str]) -> Any:
    outermost: list[Any] = []
    stack = [_Frame(outermost, is_mapping=False)]
    anchors: dict[str, Any] = {}
    kept = 0
    for number, event in enumerate(events):
        if number > _MOST_EVENTS or kept > _MOST_KEPT:
            raise Unreadable("it is far too large")
        if len(stack) > _DEEPEST:
            line = event.start_mark.line + 1
            raise Unreadable(f"line {line}: it is nested deeper than {_DEEPEST} levels")
        if isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
        elif isinstance(event, yaml.AliasEvent):
            _put(stack, anchors.get(event.anchor), wanted, event)
        elif isinstance(event, yaml.ScalarEvent):
            text = event.value[:_LONGEST]
            kept += _put(stack, text, wanted, event)
            if event.anchor and len(anchors) < _MOST_KEPT:
                anchors[event.anchor] = text
        elif isinstance(event, yaml.CollectionStartEvent):
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            made: dict[str, Any] | list[Any] = {} if is_mapping else []
            is_kept = _put(stack, made, wanted, event)
            kept += is_kept
            if event.anchor and is_kept:
                anchors[event.anchor] = made
            stack.append(_Frame(made if is_kept else None, is_mapping))
    return outermost[0] if outermost else None


def _put(stack: list[_Frame], value: Any, wanted: Container[str], event: Any) -> bool:
    """Put a value where it belongs, and return whether it is kept."""
    frame = stack[-1]
    if frame.is_key_next:
        frame.key = value if isinstance(value, str) else None
        frame.is_key_next = False
        return False
    frame.is_key_next = frame.is_mapping
    if isinstance(frame.made, list):
        frame.made.append(value)
        return True
    is_outermost = len(stack) == 2
    if frame.made is None or frame.key is None or not (is_outermost or frame.key in wanted):
        return False
    if is_outermost and frame.key in frame.made:
        line = event.start_mark.line + 1
        raise Unreadable(f"line {line}: {quoted(frame.key)} is there twice")
    frame.made[frame.key] = value
    return True
