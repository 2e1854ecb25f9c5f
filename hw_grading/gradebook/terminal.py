"""Printed text as a terminal would finally show it."""

import re

# With bounded lengths, a search takes little time.
_CODES = re.compile(r"\x1b\[[0-?]{0,40}[ -/]{0,4}[@-~]")
# Also characters that change the direction of writing.
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]"
)


def without_controls(text: str) -> str:
    """Replace control characters, surrogates, and those that change the direction of writing."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def without_codes(text: str) -> str:
    """Drop terminal control codes. Keep only the last state of a line that was overwritten."""
    lines = _CODES.sub("", text).split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def cut(text: str, limit: int) -> str:
    """Return at most `limit` characters of a text, and how many more there are."""
    more = len(text) - limit
    return text if more <= 0 else f"{text[:limit]}\n… and {more:,} more characters"
