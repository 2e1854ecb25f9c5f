"""What a terminal shows of a text in the end."""

from __future__ import annotations

import re

# Of bounded length: the time is not to grow fast.
_CODES = re.compile(r"\x1b\[[0-?]{0,40}[ -/]{0,4}[@-~]")


def without_codes(text: str) -> str:
    """Drop what a terminal obeys; of a line that was written over, keep what was written last."""
    lines = _CODES.sub("", text).split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
