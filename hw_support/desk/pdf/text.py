"""Prepare text from any source for a page.

Text from a student or a program reaches typst only as a string literal from `literal`, and never as
typst code. So nothing in a notebook is run while its PDF is made.
"""

import json
import re

# Markers within a cell's text. `clean` escapes them if a student typed them.
OPEN, CLOSE, BORDER = "\ue000", "\ue001", "\ue002"
FORMULA = re.compile(f"{OPEN}(\\d+){CLOSE}")

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
# Control characters except tab and newline, surrogates, characters that reorder the text around
# them (so that code looks like other code), the markers above, and non-characters.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
    "\ue000-\ue002\ufdd0-\ufdef\ufffe\uffff]"
)


def clean(text: str) -> str:
    r"""Return the text with newlines as ``\n`` and unprintable characters as escapes."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def terminal_text(text: str) -> str:
    """Remove colours, and keep only the last state of a progress bar, as on a terminal."""
    lines = _ANSI.sub("", text).replace("\r\n", "\n").split("\n")
    return clean("\n".join(map(_overwritten, lines))).expandtabs(8)


def _overwritten(line: str) -> str:
    shown = ""
    for part in line.split("\r"):
        written = ""
        for piece in re.split("(\b)", part):
            written = written[:-1] if piece == "\b" else written + piece
        shown = written + shown[len(written) :]
    return shown.rstrip(" ") if "\r" in line else shown


def literal(text: str) -> str:
    """Return a typst string literal on one line, with the escapes of JSON."""
    return json.dumps(clean(text), ensure_ascii=False)


def broken(text: str, longest: int) -> str:
    """Allow line breaks within words longer than `longest` characters."""
    return re.sub(rf"(\S{{{longest}}})(?=\S)", "\\1\u200b", text)


def first_line(text: str) -> str:
    """Return the first non-empty line without heading marks; ``""`` if there is none."""
    without_comments = re.sub(r"<!--.*?-->", "", text[:5000], flags=re.DOTALL)
    lines = (line.strip().strip("#*").strip() for line in without_comments.split("\n"))
    return next((line for line in lines if line), "")


def excerpt(text: str, longest: int = 60) -> str:
    """Return the text on one line, cut after `longest` characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
