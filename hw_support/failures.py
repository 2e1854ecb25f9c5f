"""Describe an exception that a student's function raised, and the place.

Student code controls an exception's text, the name of its type, and even the names of functions. So
these are cut to one short line. If inputs are hidden, messages leave the text out, because a
function could write the inputs into it.
"""

import dis
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import CodeType, TracebackType
from typing import Any

LONGEST_NAME = 60  # characters of a function's or type's name
_LONGEST_TEXT = 1000  # characters of an exception's text
_LONGEST_LINE = 100  # characters of a line of code
_OF_A_CELL = re.compile(r" ?\(\d+\.py, line (\d+)\)$")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_MOST_LINES = 1_000_000
# Unicode calls these printable: fillers of Hangul, and the empty pattern of Braille.
_LOOK_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
# NumPy's type names for text, and the grader's for values that stay in another process.
_DTYPE_OF_TEXT = re.compile(r"(?:numpy\.)?dtype\('[<>|=]?[US]\d+'\)|'[<>|=][US]\d+'")


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
        text = _DTYPE_OF_TEXT.sub("text", one_line(str(error)))
        return re.sub(r"\bRemote\b", "object", re.sub(r"\bRemoteFunction\b", "function", text))
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


def in_a_stand_in(error: BaseException, names: object = None, *, but: str = "") -> bool:
    """Whether an exception was raised in the instructor's code, called by the student's.

    Its text would describe functions that the student has not written. See `place_of`.
    """
    if getattr(error, "raised_in_a_stand_in", False) is True:
        return True
    found = False
    for step in steps_of(error):
        frame = step.tb_frame
        if frame.f_globals is names:
            found = found and frame.f_code.co_filename == but
        found = found or _is_of_staff(frame.f_globals)
    return found


def _is_of_staff(scope: Mapping[str, Any]) -> bool:
    return str(scope.get("__name__", "")).startswith("staff.")


def _place(function: object, line: object) -> Place | None:
    if type(line) is int and 0 < line <= _MOST_LINES:
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


def raised_by(error: BaseException) -> str:
    """Return the name of the function that raised an exception; "" outside functions."""
    if elsewhere := getattr(error, "raised_by", ""):
        return plain_name(elsewhere)
    name = ""
    for step in steps_of(error):
        name = step.tb_frame.f_code.co_name
    return "" if name == "<module>" else plain_name(name)


def described(
    error: BaseException,
    place: Place | None,
    *,
    hidden: bool,
    in_a_stand_in: bool = False,
    why: str = "",
) -> str:
    """Return the description of an exception for a message.

    `place` is None if no student's function raised it. If `hidden`, its text is left out. `why`
    says why a name is missing, if that is known.
    """
    kind, text = type_of(error), "" if hidden else text_of(error)
    at = f"{place}: " if place else ""
    if in_a_stand_in and place and not hidden:
        return f"{at}a function that it calls there cannot take these arguments ({kind})"
    if not text:
        return f"{at}{kind} was raised"
    because = f". {one_line(why)}" if why else ""
    if place and kind == "NameError" and text.endswith("is not defined"):
        return f"{text}: {place}{because}"
    return f"{at}{kind}: {text}{because}"


def not_taken_apart(error: BaseException, names: object, *, hidden: bool) -> str:
    """Say that a function returned one result instead of several; "" for other errors.

    `names` are those of the test cell, which has raised the exception; if `hidden`, the message
    tells none of them.
    """
    if not isinstance(error, TypeError | ValueError):
        return ""
    for step in steps_of(error):
        frame = step.tb_frame
        if (frame.f_globals is names or _is_of_staff(frame.f_globals)) and (
            found := _taken_apart(frame.f_code, step.tb_lasti)
        ):
            function, count, targets = found
            what = _what_came(text_of(error), hidden)
            many = _NUMBERS.get(count, str(count))
            wanted = f": ({', '.join(targets)})" if targets and not hidden else ""
            missing = ". Is a `return` missing?" if what == "None" else ""
            return f"{function} returned {what}; {many} results were expected{wanted}{missing}"
    return ""


def _what_came(text: str, hidden: bool) -> str:
    kind = re.search(r"non-iterable (\S+) object|'(\S+)' object is not iterable", text)
    if not kind:
        return "one array, or another number of results (it does not unpack)"
    name = plain_name((kind[1] or kind[2]).rpartition(".")[2])
    if name == "NoneType":
        return "None"
    if re.fullmatch(r"(?:int|float|bool|uint)\d*_?", name):
        return f"one number ({name})"
    return "something else" if hidden else f"one {name}"


def _taken_apart(code: CodeType, at: int) -> tuple[str, int, list[str]] | None:
    """Return what the byte code unpacks at a place, if anything.

    The values are the function that gave the result, the number of results, and their names.
    """
    steps = list(dis.get_instructions(code))
    place = next((n for n, one in enumerate(steps) if one.offset == at), len(steps))
    if place == len(steps) or steps[place].opname not in ("UNPACK_SEQUENCE", "UNPACK_EX"):
        return None
    count = (steps[place].arg or 0) & 0xFF  # before a star
    stored = [one for one in steps[place + 1 :][:count] if one.opname.startswith("STORE_")]
    targets = [str(one.argval) for one in stored] if len(stored) == count else []
    return (_called(steps[:place]) or "what was called", count, targets) if count else None


def _called(before: list[dis.Instruction]) -> str:
    """Return the name of the function that the last of some instructions calls."""
    real = [one for one in before if one.opname not in ("CACHE", "NOP", "EXTENDED_ARG")]
    if not real or not real[-1].opname.startswith("CALL") or not real[-1].positions:
        return ""
    start = real[-1].positions.lineno, real[-1].positions.col_offset
    for one in reversed(real):
        here = one.positions and (one.positions.lineno, one.positions.col_offset)
        if one.opname in ("LOAD_NAME", "LOAD_GLOBAL") and here == start:
            return str(one.argval)
    return ""
