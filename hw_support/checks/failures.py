"""Describe an exception that a student's function raised, and the place.

Student code controls an exception's text, the name of its type, and even the names of functions. So
these are cut to one short line.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType

_LONGEST_NAME = 60  # characters of a function's or type's name
_LONGEST_TEXT = 1000  # characters of an exception's text
_MOST_CALLS = 3  # that a place names
_OF_A_CELL = re.compile(r" ?\(\d+\.py, (line \d+)\)$")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_FIT = "as many columns on the left as rows on the right"
_ASK = "Is the order wrong, is one to be transposed, or is one not the array that you mean?"
_NO_RETURN = "Does a function without `return` give None?"
# What errors of Python and NumPy say, and what stands there instead: the shapes, and what usually
# helps. `\\g<0>` is the text that was found.
_ADVICE = {
    r"\. Use a\.any\(\) or a\.all\(\)": (
        ". `if`, `and`, `not`, `max` and `min` take one number; np.where and np.maximum take arrays"
    ),
    r"matmul: .*\(size (\d+) is different from (\d+)\)": (
        rf"`@` needs {_FIT}, and got \2 and \1. {_ASK}"
    ),
    r"matmul: .* does not have enough dimensions.*": (
        "`@` multiplies arrays, and one of these is a number. For a number take `*`"
    ),
    r"shapes (\([\d,]*\)) and (\([\d,]*\)) not aligned: .*": (
        rf"np.dot needs {_FIT}, and got the shapes \1 and \2. {_ASK}"
    ),
    r"could not be broadcast together with shapes.*": (
        r"\g<0>. From the last axis on, both lengths must be equal, or one of them 1. "
        "(`*` works entry by entry, `@` multiplies matrices)"
    ),
    r"non-broadcastable output operand.*": (
        r"\g<0>. Were arrays of shapes (n,) and (n, 1) combined? Reshape one of them first"
    ),
    r"only (?:length-1|0-dimensional|size-1) arrays can be converted.*": (
        r"\g<0>. `math` and float() take one number; np.exp, np.log, ... take arrays"
    ),
    r"math range error|Result too large|Numerical result out of range": (
        r"\g<0>. An exponential is too large: choose a form in which it is small"
    ),
    r".*(?:NoneType' object|non-iterable NoneType|operand.*'NoneType').*": rf"\g<0>. {_NO_RETURN}",
    r".*(?:operand|has no attribute|by non-int).*'tuple'.*|'tuple' object has no attribute.*": (
        r"\g<0>. A function with several results returns a tuple: take it apart, `a, b = ...`"
    ),
    r".*operand.*'list'.*|'list' object has no attribute.*|can't multiply sequence by non-int.*": (
        r"\g<0>. A list does not compute: make an array of it, `np.array(...)`"
    ),
    r"'(?:numpy\.ndarray|list|tuple)' object is not callable": (
        r"\g<0>. `x[0]` takes an entry, and x(0) calls x. Or does an array have a function's name?"
    ),
    r"could not broadcast input array from shape.*": (
        r"\g<0>: what you store has the first shape, and its place has the second"
    ),
    r"too many indices for array.*": (
        r"\g<0>. The array has fewer axes than you use: look where it is made"
    ),
    r"(?:too many|not enough) values to unpack.*": (
        r"\g<0>. Left and right of `=`, or in a `for`, are not as many values"
    ),
    r"(?:index out of range|is out of bounds for axis).*": (
        r"\g<0>. Indices begin at 0: the last one is the length - 1"
    ),
    r"setting an array element with a sequence\.?$": (
        "one entry of an array takes one number, and it got several"
    ),
    r"setting an array element with a sequence.*inhomogeneous.*": (
        "entries of different shapes make no array. If they are results of one function, such as "
        "`out, cache`, take them apart"
    ),
    r"[Cc]annot cast ufunc .* from dtype\('float\d+'\) to dtype\('u?int\d+'\).*": (
        "an array of integers cannot hold fractions. Make one of floats first, `x.astype(float)`"
    ),
    r"cannot access local variable.*": (
        r"\g<0>. It has one only in a branch or a loop that did not run, or further down"
    ),
    r"maximum recursion depth exceeded.*": r"\g<0>. The function calls itself without end",
}
# Unicode calls these printable: fillers of Hangul, and the empty pattern of Braille.
_LOOK_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")


@dataclass(frozen=True)
class Place:
    """A student's function, a line (from 1) of the cell that defines it, and who called it."""

    function: str
    line: int
    callers: Sequence["Place"] = ()  # the innermost first

    def __str__(self) -> str:
        calls = "".join(f", called from {caller}" for caller in self.callers)
        return f"line {self.line} of {self.function}{calls}"

    @classmethod
    def of_calls(cls, calls: Sequence[tuple[str, int]]) -> "Place | None":
        """Return the place of calls, functions and lines, of which the innermost is the first."""
        made = [cls(plain_name(function), int(line)) for function, line in calls[:_MOST_CALLS]]
        return cls(made[0].function, made[0].line, made[1:]) if made else None


def one_line(text: str, limit: int = _LONGEST_TEXT) -> str:
    """Return the beginning of a text on one line, made safe by `visible`.

    Every text that student code controls passes through this function into a report.
    """
    return visible(" ".join(text[:limit].split()))[:limit]


def without_colours(text: str) -> str:
    """Return a text without the codes with which IPython colours its tracebacks."""
    return _COLOURS.sub("", text)


def without_its_file(message: str) -> str:
    """Return a message about code that is no Python without the number that IPython gave its cell.

    For example, "invalid syntax (1589703292.py, line 1)" names a file that nobody knows.
    """
    return _OF_A_CELL.sub(r" (\1)", message)


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
    return re.sub(r"[^\w.]", "", name[:_LONGEST_NAME]) or otherwise


def place_of(error: BaseException, names: object, *, but: str = "") -> Place | None:
    """Return the last place in the student's code that an exception passed through.

    The student's functions have the globals `names`; those of the test cell, from the file `but`,
    are ignored. Of a function that calls itself, the innermost call counts. An exception from
    another process has the calls in an attribute.
    """
    if calls := getattr(error, "raised_in", ()):
        return Place.of_calls(calls)
    found: dict[str, int] = {}
    for step in steps_of(error):
        code = step.tb_frame.f_code
        if step.tb_frame.f_globals is names and code.co_filename != but:
            # Lambdas and comprehensions are named by the function around them.
            name = re.sub(r"\.?<\w+>", "", code.co_qualname)
            found.pop(name, None)
            found[name] = step.tb_lineno
    return Place.of_calls([*reversed(found.items())])


def steps_of(error: BaseException) -> Iterator[TracebackType]:
    """Yield the steps of an exception's traceback, the outermost first."""
    step = error.__traceback__
    while step:
        yield step
        step = step.tb_next


def error_message(error: BaseException, place: Place | None) -> str:
    """Describe an exception for a message; `place` is None if no student's function raised it.

    Reading its text runs student code, which may raise.
    """
    kind, text = plain_name(type(error).__name__, "an exception"), one_line(str(error))
    for pattern, advice in _ADVICE.items() if place else ():
        if found := re.search(pattern, text):
            text = text[: found.start()] + found.expand(advice) + text[found.end() :]
            break
    at = f"{place}: " if place else ""
    return f"{at}{kind}: {text}" if text else f"{at}{kind} was raised"
