"""The cell with a student's name and pledge: what it asks for, and what was written.

The released cell itself says what it asks for. Each label is a line that begins in bold::

    **Name:**
    YOUR ANSWER HERE

    **Pledge.** I certify that this work is my own.

What stands behind a label up to the next one is asked for, unless it is text of the instructor's,
such as the pledge. A remark on the label's own line (`**Signed** (and the date):`) counts as part
of the label.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

BLANK = "YOUR ANSWER HERE"
NAME, STUDENT_ID = "Name", "Student id"
_LABEL = r"^\*\*(?P<label>{})[:.]?\*\*:?(?P<rest>.*)$"
_REMARK = re.compile(r"\s*\([^)]*\)\s*[:.]?")


@dataclass(frozen=True)
class Certification:
    """What a certification asks for.

    Attributes
    ----------
    remarks
        For each label, in their order, what stands behind it on its line.
    asked
        The labels that a student writes something to.
    """

    remarks: dict[str, str]
    asked: tuple[str, ...]

    def empty(self, source: str) -> list[str]:
        """Return the labels to which nothing was written in a student's cell."""
        written = dict(self._written(source))
        return [label for label in self.asked if not written.get(label)]

    def written(self, source: str, label: str) -> str:
        """Return what was written to a label, on one line; empty if nothing was."""
        found = {name.casefold(): text for name, text in self._written(source)}
        return " ".join(found.get(label.casefold(), "").split())

    def _written(self, source: str) -> Iterator[tuple[str, str]]:
        for label, rest, below in _labelled(source, "|".join(map(re.escape, self.remarks))):
            text = _behind(rest, self.remarks[label]) + "\n" + below
            yield label, "" if BLANK in text else text.strip().removeprefix(":").strip()


def certification_of(released: str) -> Certification:
    """Read what a certification asks for from its text as it was released."""
    remarks, asked = {}, []
    for label, rest, below in _labelled(released, r"[^*\n]+?"):
        remark = _REMARK.match(rest)
        beside = rest[remark.end() :] if remark else rest
        blank = BLANK in rest + below
        if blank or not (beside.strip(" :.") or below.strip()):
            asked.append(label)
        remarks[label] = rest.partition(BLANK)[0].strip() if blank else ""
    return Certification(remarks, tuple(asked))


def _labelled(source: str, labels: str) -> Iterator[tuple[str, str, str]]:
    """Give each label, the rest of its line, and the lines below it."""
    found = list(re.finditer(_LABEL.format(labels), source, re.MULTILINE)) if labels else []
    for match, following in itertools.zip_longest(found, found[1:]):
        below = source[match.end() : following.start() if following else None]
        yield match["label"], match["rest"], below


def _behind(rest: str, remark: str) -> str:
    """Return what a student wrote on a label's line, behind the instructor's remark."""
    if remark and rest.strip().startswith(remark):
        return rest.strip()[len(remark) :]
    other = _REMARK.match(rest) if "(" in remark else None  # it was edited
    return rest[other.end() :] if other else rest
