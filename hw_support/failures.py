"""Describe an exception that a student's function raised, and the place.

Student code controls an exception's text, the name of its type, and even the names of functions. So
these are cut to one short line.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from types import CodeType, TracebackType

LONGEST_NAME = 60  # characters of a function's or type's name
_LONGEST_TEXT = 1000  # characters of an exception's text
_LONGEST_LINE = 100  # characters of a line of code
_OF_A_CELL = re.compile(r" ?\(\d+\.py, line (\d+)\)$")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_MAX_LINES = 1_000_000
# Unicode calls these printable: fillers of Hangul, and the empty pattern of Braille.
_LOOK_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")


@dataclass(frozen=True)
class Place:
    """A student's function, and a line (from 1) of the cell that defines it."""

    function: str
    line: int

    def __str__(self) -> str:
        return f"line {self.line} of {self.function}"


def one_line(text: str, limit: int = _LONGEST_TEXT) -> str:
    """Return the beginning of a text on one line, made safe by `visible`.

    Every text that student code controls passes through this function into a report.
    """
    return visible(" ".join(text[:limit].split()))[:limit]


def without_colours(text: str) -> str:
    """Return a text without the codes with which IPython colours its tracebacks."""
    return _COLOURS.sub("", text)


def with_its_line(message: str, traceback: Iterable[object]) -> str:
    """Return a message about code that is no Python, with its line instead of IPython's file.

    IPython names a cell by a number, as in "invalid syntax (1589703292.py, line 1)". Its traceback
    shows the line, and a mark below it.
    """
    found = _OF_A_CELL.search(message)
    lines = without_colours("\n".join(map(str, traceback))).splitlines() if found else []
    shown = next((a for a, b in pairwise(lines) if b.strip() and not b.strip(" ^")), "")
    if not found or not shown.strip():
        return message
    return f"{message[: found.start()]}; line {found[1]}: {one_line(shown, _LONGEST_LINE)}"


def visible(text: str) -> str:
    """Return a text with escapes for characters that control a terminal or browser.

    These are control and format characters (for colours or the direction of writing), surrogates,
    and letters that look like a space. Newlines and tabs stay.
    """
    on_one_line = text.replace("\n", "").replace("\t", "")
    if on_one_line.isprintable() and not _LOOK_BLANK.intersection(text):
        return text  # at once, as nearly all are

    def is_seen(character: str) -> bool:
        return character in "\n\t" or (character.isprintable() and character not in _LOOK_BLANK)

    return "".join(c if is_seen(c) else c.encode("unicode_escape").decode() for c in text)


def plain_name(name: object, otherwise: str = "a function") -> str:
    """Return a name from student code if it looks like a name, else `otherwise`."""
    if not isinstance(name, str):
        return otherwise
    return re.sub(r"[^\w.]", "", name[:LONGEST_NAME]) or otherwise


def text_of(error: BaseException) -> str:
    """Return an exception's text on one line; reading it runs student code, which may raise."""
    try:
        return one_line(str(error))
    except Exception:
        return ""


def type_of(error: BaseException) -> str:
    """Return the name of an exception's type; a student's metaclass may lie about it."""
    try:
        return plain_name(type.__dict__["__name__"].__get__(type(error)), "an exception")
    except Exception:
        return "an exception"


def place_of(error: BaseException, names: object, *, but: str = "") -> Place | None:
    """Return the last place in the student's code that an exception passed through.

    The student's functions have the globals `names`; those of the test cell, from the file `but`,
    are ignored. An exception from another process has the place in its attributes.
    """
    if line := getattr(error, "raised_in_line", 0):
        return _place(getattr(error, "raised_by", ""), line)
    found = None
    for step in steps_of(error):
        code = step.tb_frame.f_code
        if step.tb_frame.f_globals is names and code.co_filename != but:
            found = _place(_name_of(code), step.tb_lineno)
    return found


def _place(function: object, line: object) -> Place | None:
    if type(line) is int and 0 < line <= _MAX_LINES:
        return Place(plain_name(function), line)
    return None


def steps_of(error: BaseException) -> Iterator[TracebackType]:
    """Yield the steps of an exception's traceback, the outermost first."""
    step = error.__traceback__
    while step:
        yield step
        step = step.tb_next


def _name_of(code: CodeType) -> str:
    """Return a function's name; for a lambda or comprehension, that of the enclosing function."""
    if not code.co_name.startswith("<"):
        return code.co_name
    around = [part for part in code.co_qualname.split(".") if not part.startswith("<")]
    return around[-1] if around else ""


def described(error: BaseException, place: Place | None) -> str:
    """Describe an exception for a message; `place` is None if no student's function raised it."""
    kind, text = type_of(error), text_of(error)
    at = f"{place}: " if place else ""
    return f"{at}{kind}: {text}" if text else f"{at}{kind} was raised"
