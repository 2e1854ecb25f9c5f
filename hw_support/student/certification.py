"""The certification cell with a student's name and pledge: its labels and what was filled in.

The released cell defines the labels. Each label is a line that begins in bold::

    **Name:**
    YOUR ANSWER HERE

    **Pledge.** I certify that this work is my own.

A student fills in the text up to the next label, unless the instructor's own text, such as the
pledge, is there. If a student has changed a label, it is not reported as empty: people read the
cell too.
"""

import re
from collections.abc import Iterator

BLANK = "YOUR ANSWER HERE"
NAME, STUDENT_ID = "Name", "Student id"
_LABEL = re.compile(r"^\*\*([^*\n]+?)[:：.]?\*\*:?(.*)$", re.MULTILINE)
_REMARK = re.compile(r"\([^)]*\)")  # of the instructor's, such as "(your name and today's date)"
_MARKUP = " \t\n*_`:：."


def asked_in(released: str) -> list[str]:
    """Return the labels of a released certification that a student has to fill in, as written."""
    return [label for label, text in _texts(released) if not text]


def empty_in(source: str, released: str) -> list[str]:
    """Return the labels that a student's cell leaves empty."""
    given = {_words(line) for line in released.splitlines()} | {""}
    asked = asked_in(released)
    if all(_words(line) in given for line in source.splitlines()):
        return asked  # every line is the instructor's
    written = {label.casefold(): text for label, text in _texts(source)}
    return [label for label in asked if not written.get(label.casefold(), "?").strip()]


def missing_in(source: str, released: str) -> str:
    """Say what a student has to fill in; "" if nothing."""
    asked, empty = asked_in(released), empty_in(source, released)
    if not asked:  # it has no labels
        return "fill it in" if BLANK in source or not source.strip() else ""
    if empty == asked:
        return "fill it in"
    return f"fill in: {', '.join(empty)}" if empty else ""


def written_in(source: str, label: str) -> str:
    """Return what the student wrote for a label, on one line; "" if nothing."""
    texts = {each.casefold(): text for each, text in _texts(source)}
    return " ".join(texts.get(label.casefold(), "").split())


def _texts(source: str) -> Iterator[tuple[str, str]]:
    """Yield each label and the text behind it, without a remark in brackets; "" for the blank."""
    found = list(_LABEL.finditer(source))
    ends = [match.start() for match in found[1:]] + [len(source)]
    for match, end in zip(found, ends, strict=False):
        text = f"{_REMARK.sub('', match[2], count=1)}\n{source[match.end() : end]}"
        yield match[1], "" if BLANK in text else text.strip(_MARKUP)


def _words(line: str) -> str:
    return re.sub(r"[\W_]+", " ", line).casefold().strip()
