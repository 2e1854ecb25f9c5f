"""Fingerprints of failures: texts that are equal if two answers very likely have the same mistake.

A fingerprint only groups answers and names their mistake. It decides no points.
"""

import math
import re
from collections.abc import Mapping

from hw_support.checks import failures

Mark = tuple[float, float]  # see `hw_support.checks.causes.mark_of`

LONGEST = 200  # characters
_RESULTS = "results: "  # how one of results begins
_NUMBER = re.compile(r"[-+]?\d[\d_]*(?:\.\d*)?(?:e[-+]?\d+)?", re.IGNORECASE)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")


def of_marks(marks: Mapping[str, Mark]) -> str:
    """Return the fingerprint of wrong results by their names; "" if one of them has no mark.

    A mark is rounded to a power of ten that is larger than the error of its computation. The factor
    keeps sizes that sum to 1 or 10, as those made up by hand do, away from the next power.
    """
    said = []
    for name, (mark, error) in sorted(marks.items()):
        if not error:
            return ""
        power = math.ceil(math.log10(math.pi * error))
        rounded = round(mark, -power) + 0.0  # 0.0 in the place of -0.0
        said.append(f"{name}: {rounded:.{max(0, -power)}f}")
    return (_RESULTS + "; ".join(said))[:LONGEST] if said else ""


def is_of_results(fingerprint: str) -> bool:
    """Whether it is one of wrong results, which hardly any other mistake gives."""
    return fingerprint.startswith(_RESULTS)


def of_message(message: str) -> str:
    """Return the fingerprint of a message: the text without its numbers and quoted names."""
    said = _QUOTED.sub("'…'", failures.one_line(message))
    return _NUMBER.sub("#", said)[:LONGEST]
