"""Fingerprints of failures: texts that are equal if two answers very likely have the same mistake.

A fingerprint only groups answers and names their mistake. It decides no points, so a student gains
nothing by forging one. It is one line of at most `LONGEST` characters without control characters,
and holds no value that fresh inputs have given.
"""

import builtins
import math
import re
from collections.abc import Mapping

from hw_support.checks import failures

Checksum = tuple[float, float]  # see `hw_support.checks.causes.checksum_of`

LONGEST = 200  # characters
_RESULTS = "results: "  # how one of results begins
_NUMBER = re.compile(r"[-+]?\d[\d_]*(?:\.\d*)?(?:e[-+]?\d+)?", re.IGNORECASE)
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"|`([^`]*)`")
_CALLED = re.compile(r"[\w.<>]+\(\)")
_TYPES = {name for name, value in vars(builtins).items() if isinstance(value, type)}
_TYPES |= {"NoneType", "function", "builtin_function_or_method", "numpy.ndarray"}
_SMALL = 100  # of whole numbers
_DIGITS = 3  # of numbers that are the same for everybody with the mistake


def of_checksums(checksums: Mapping[str, Checksum]) -> str:
    """Return the fingerprint of wrong results by their names; "" if one of them has no checksum.

    A checksum is rounded to a power of ten near the error that two forms of a mistake may have.
    Without the factor, results made up by hand, whose sizes sum to 1 or 10, would be between two
    powers.
    """
    said = []
    for name, (checksum, error) in sorted(checksums.items()):
        if not error:
            return ""
        power = math.ceil(math.log10(error / math.pi))
        rounded = round(checksum, -power) + 0.0  # 0.0 in the place of -0.0
        said.append(f"{name}: {rounded:.{max(0, -power)}f}")
    return of_results("; ".join(said)) if said else ""


def of_results(what: str) -> str:
    """Return the fingerprint of what is known of wrong results."""
    return f"{_RESULTS}{what}"[:LONGEST]


def is_of_results(fingerprint: str) -> bool:
    """Whether it is one of wrong results, which hardly any other mistake gives."""
    return fingerprint.startswith(_RESULTS)


def of_values(message: str) -> str:
    """Return the fingerprint of a message on visible values, in which the numbers count."""
    return _NUMBER.sub(_few_digits, failures.one_line(message))[:LONGEST]


def of_message(message: str, *, sizes: bool = False) -> str:
    """Return the fingerprint of a message: without numbers and names, apart from those of types.

    With `sizes` it has the sizes of the numbers. These are alike in two runs of a random function.
    """
    said = _CALLED.sub("…()", _QUOTED.sub(_type_or_dots, failures.one_line(message)))
    return _NUMBER.sub(_size if sizes else "#", said)[:LONGEST]


def of_error(kind: str, message: str, function: str = "") -> str:
    """Return the fingerprint of an exception of this type, raised in a student's function."""
    where = f" in {function}" if function else ""
    return f"raises {kind}{where}: {of_message(message)}"[:LONGEST]


def _few_digits(number: re.Match[str]) -> str:
    return f"{float(number[0].replace('_', '')):.{_DIGITS}g}"


def _size(number: re.Match[str]) -> str:
    """Return a small whole number, and of any other number the nearest power of two."""
    value = float(number[0].replace("_", ""))
    if not math.isfinite(value):
        return "inf"
    if value.is_integer() and abs(value) < _SMALL:
        return f"{value:g}"
    return f"2**{round(math.log2(abs(value)))}"


def _type_or_dots(quoted: re.Match[str]) -> str:
    return quoted[0] if {*quoted.groups()} & _TYPES else "'…'"
