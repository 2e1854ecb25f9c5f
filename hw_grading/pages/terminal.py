"""What a terminal shows of a text in the end."""

from __future__ import annotations

import re

# Bounded lengths keep the time of a search short.
_CODES = re.compile(r"\x1b\[[0-?]{0,40}[ -/]{0,4}[@-~]")


def without_codes(text: str) -> str:
    """Drop terminal control codes. Keep only the last state of a line that was overwritten."""
    lines = _CODES.sub("", text).split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
