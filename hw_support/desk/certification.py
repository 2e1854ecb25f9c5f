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

BLANK = "YOUR ANSWER HERE"
NAME, STUDENT_ID = "Name", "Student id"
_LABEL = re.compile(r"^\*\*([^*\n]+?)[:：.]?\*\*:?(.*)$", re.MULTILINE)
_REMARK = re.compile(r"\([^)]*\)")  # of the instructor's, such as "(your name and today's date)"
_MARKUP = " \t\n*_`:：."


def asked_in(released: str) -> list[str]:
    """Return the labels of a released certification that a student has to fill in, as written."""
    texts = _texts(released)
    labels = [found[1] for found in _LABEL.finditer(released)]
    return [label for label in labels if not texts[label.casefold()]]


def empty_in(source: str, released: str) -> list[str]:
    """Return the labels that a student's cell leaves empty."""
    given = {_words(line) for line in released.splitlines()} | {""}
    asked = asked_in(released)
    if all(_words(line) in given for line in source.splitlines()):
        return asked  # every line is the instructor's
    written = _texts(source)
    return [label for label in asked if not written.get(label.casefold(), "?")]


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
    return " ".join(_texts(source).get(label.casefold(), "").split())


def _texts(source: str) -> dict[str, str]:
    """Return the text behind each label, without remarks in brackets; "" if it has the blank."""
    found = list(_LABEL.finditer(source))
    ends = [match.start() for match in found[1:]] + [len(source)]
    texts = {}
    for match, end in zip(found, ends, strict=False):
        beside = _REMARK.sub("", match[2], count=1)
        text = f"{beside}\n{source[match.end() : end]}"
        texts[match[1].casefold()] = "" if BLANK in text else text.strip(_MARKUP)
    return texts


def _words(line: str) -> str:
    return re.sub(r"[\W_]+", " ", line).casefold().strip()
