"""Say what an exception was that a student's function raised, and where.

What an exception tells is student code: its text, its type's name, even the names of functions. All
of it is cut to one short line (`one_line`, `plain_name`). Where inputs are hidden nothing of its
text is told, since a function could write the inputs into it.
"""

from __future__ import annotations

import dis
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, TracebackType
from typing import Any

LONGEST_NAME = 60  # characters of a function's or a type's
_LONGEST_TEXT = 1000  # characters of an exception's
_MOST_LINES = 1_000_000
# Printable, says Unicode: fillers of Hangul, and the empty pattern of Braille.
_LOOK_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
# NumPy's names of text, and the grader's of what stays in another process.
_DTYPE_OF_TEXT = re.compile(r"(?:numpy\.)?dtype\('[<>|=]?[US]\d+'\)|'[<>|=][US]\d+'")


@dataclass(frozen=True)
class Place:
    """A function of the student's and a line of the cell in which it stands, counted from 1."""

    function: str
    line: int

    def __str__(self) -> str:
        return f"line {self.line} of {self.function}"


def one_line(text: str, limit: int = _LONGEST_TEXT) -> str:
    """Return the beginning of a text on one line, as `visible` shows it.

    Every text that student code can determine goes into a report through this function.
    """
    return visible(" ".join(text[:limit].split()))[:limit]


def visible(text: str) -> str:
    """Return a text that no terminal and no browser obeys.

    Control and format characters (of colours, of the direction of writing), halves of characters
    and letters that look like a space are shown as their escapes; lines and tabs are kept.
    """
    on_one_line = text.replace("\n", "").replace("\t", "")
    if on_one_line.isprintable() and not _LOOK_BLANK.intersection(text):
        return text
    return "".join(c if _is_seen(c) else c.encode("unicode_escape").decode() for c in text)


def _is_seen(character: str) -> bool:
    return character in "\n\t" or (character.isprintable() and character not in _LOOK_BLANK)


def plain_name(name: object, otherwise: str = "a function") -> str:
    """Return a name that student code gave, if it looks like one."""
    if not isinstance(name, str):
        return otherwise
    return re.sub(r"[^\w.]", "", name[:LONGEST_NAME]) or otherwise


def text_of(error: BaseException) -> str:
    """Return an exception's text on one line; it is student code and may raise in turn."""
    try:
        text = _DTYPE_OF_TEXT.sub("text", one_line(str(error)))
        return re.sub(r"\bRemote\b", "object", re.sub(r"\bRemoteFunction\b", "function", text))
    except Exception:
        return ""


def type_of(error: BaseException) -> str:
    """Return the name of an exception's type."""
    try:
        return plain_name(type.__dict__["__name__"].__get__(type(error)), "an exception")
    except Exception:
        return "an exception"


def place_of(error: BaseException, names: object, *, but: str = "") -> Place | None:
    """Return where in a notebook an exception was raised: the last place that is the student's.

    Parameters
    ----------
    error
        The exception; one of another process says it itself, by attributes `raised_by` and
        `raised_in_line`.
    names
        The names of the notebook, which all its functions have as their globals.
    but
        The file name of the test cell, whose own functions do not count.
    """
    if line := getattr(error, "raised_in_line", 0):
        return _place(getattr(error, "raised_by", ""), line)
    found = None
    for step in _steps(error):
        code = step.tb_frame.f_code
        if step.tb_frame.f_globals is names and code.co_filename != but:
            found = _place(_name_of(code), step.tb_lineno)
    return found


def in_a_stand_in(error: BaseException, names: object = None, *, but: str = "") -> bool:
    """Whether an exception was raised in the instructor's code that the student's called last.

    Its text would tell of functions that the student has not written. For the parameters see
    `place_of`.
    """
    if getattr(error, "raised_in_a_stand_in", False) is True:
        return True
    found = False
    for step in _steps(error):
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


def _steps(error: BaseException) -> Iterator[TracebackType]:
    step = error.__traceback__
    while step:
        yield step
        step = step.tb_next


def _name_of(code: CodeType) -> str:
    """Return a function's name; for a lambda or a comprehension that of the function around it."""
    if not code.co_name.startswith("<"):
        return code.co_name
    around = [part for part in code.co_qualname.split(".") if not part.startswith("<")]
    return around[-1] if around else ""


def raised_by(error: BaseException) -> str:
    """Return the name of the function in which an exception was raised; "" outside of all."""
    if elsewhere := getattr(error, "raised_by", ""):
        return plain_name(elsewhere)
    name = ""
    for step in _steps(error):
        name = step.tb_frame.f_code.co_name
    return "" if name == "<module>" else plain_name(name)


# -- what is told of an exception


def described(
    error: BaseException,
    place: Place | None,
    *,
    hidden: bool,
    in_a_stand_in: bool = False,
    why: str = "",
) -> str:
    """Return what a message says of an exception.

    Parameters
    ----------
    error
        The exception.
    place
        Where it was raised, if that was in a function of the student's.
    hidden
        Whether nothing of its text may be told.
    in_a_stand_in
        Whether it was raised in a right function in the place of one of the student's.
    why
        Why a name is missing, if anything is known of it.
    """
    kind, text = type_of(error), "" if hidden else text_of(error)
    at = f"{place}: " if place else ""
    if in_a_stand_in and place and not hidden:
        return f"{at}what it calls there cannot take such arguments ({kind})"
    if not text:
        return f"{at}{kind} was raised"
    because = f". {one_line(why)}" if why else ""
    if place and kind == "NameError" and text.endswith("is not defined"):
        return f"{text}: {place}{because}"
    return f"{at}{kind}: {text}{because}"


# -- results that cannot be taken apart


def not_taken_apart(error: BaseException, names: object, *, hidden: bool) -> str:
    """Say that a function returned one result where a test cell takes several; "" if it did not.

    Parameters
    ----------
    error
        What was raised, outside of the student's functions.
    names
        The names of the test cell.
    hidden
        Whether names of the test cell are not to be told.
    """
    if not isinstance(error, TypeError | ValueError):
        return ""
    for step in _steps(error):
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
    """Return what is taken apart at a place in the byte code, if something is.

    That is: the function whose result it is, how many results are taken, and their names.
    """
    before: list[dis.Instruction] = []
    following = iter(dis.get_instructions(code))
    for instruction in following:
        if instruction.offset == at:
            break
        before.append(instruction)
    else:
        return None
    if instruction.opname != "UNPACK_SEQUENCE" or not instruction.arg:
        return None
    targets = [str(one.argval) for one, _ in zip(following, range(instruction.arg), strict=False)
               if one.opname.startswith("STORE_")]  # fmt: skip
    function = _called(before) or "what was called"
    return function, instruction.arg, targets if len(targets) == instruction.arg else []


def _called(before: list[dis.Instruction]) -> str:
    """Return the name of the function whose call is the last of some instructions."""
    real = [one for one in before if one.opname not in ("CACHE", "NOP", "EXTENDED_ARG")]
    if not real or not real[-1].opname.startswith("CALL") or not real[-1].positions:
        return ""
    start = real[-1].positions.lineno, real[-1].positions.col_offset
    for one in reversed(real):
        here = one.positions and (one.positions.lineno, one.positions.col_offset)
        if one.opname in ("LOAD_NAME", "LOAD_GLOBAL") and here == start:
            return str(one.argval)
    return ""
