"""The certification cell with a student's name and pledge: its labels and what was filled in.

The released cell defines the labels. Each label is a line that begins in bold::

    **Name:**
    YOUR ANSWER HERE

    **Pledge.** I certify that this work is my own.

A student fills in the text up to the next label, unless the instructor's own text, such as the
pledge, is there. If a student changes the form of the cell (no bold, a table, one line), the labels
are read as well as possible, and none is reported as missing, because people read the cell too.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

BLANK = "YOUR ANSWER HERE"
NAME, STUDENT_ID = "Name", "Student id"
_LABEL = r"^\*\*(?P<label>{})[:：.]?\*\*:?(?P<rest>.*)$"
# A label in another form: at the start of a line, or behind a comma and the like.
_ELSEWHERE = (
    r"(?:^|[,;，；。.|])[\s#>*_+\-]*(?P<label>{})(?!\w)[\s*_]*(?:\([^)]*\))?[\s*_]*(?=[:：.|=]|$)"
)
_LONGEST = 20_000  # search at most so many characters for labels in another form
_MARKUP = " \t*_`|:：=#>"
_REMARK = re.compile(r"\s*\([^)]*\)\s*[:.]?")


@dataclass(frozen=True)
class Certification:
    """The labels of a certification."""

    remarks: dict[str, str]  # for each label, in order, the text after it on the same line
    asked: tuple[str, ...]  # the labels that a student has to fill in
    released: str  # the source of the released cell

    def empty(self, source: str) -> list[str]:
        """Return the labels that a student's cell leaves empty."""
        given = {_words(line) for line in [*self.released.splitlines(), *self.remarks, BLANK, ""]}
        if all(_words(line) in given for line in source.splitlines()):
            return list(self.asked)  # every line is the instructor's
        written = dict(self._written(source))
        kept = bool(written)  # if some label still has its form, a missing one was deleted
        written = {**self._in_another_form(source), **written}
        return [label for label in self.asked if not written.get(label, "" if kept else "?")]

    def written(self, source: str, label: str) -> str:
        """Return what the student wrote for a label, on one line; "" if nothing."""
        every = {**self._in_another_form(source), **dict(self._written(source))}
        found = {name.casefold(): text for name, text in every.items()}
        return " ".join(found.get(label.casefold(), "").split()).strip(_MARKUP)

    def _written(self, source: str) -> Iterator[tuple[str, str]]:
        for label, rest, below in _labelled(source, "|".join(map(re.escape, self.remarks))):
            text = _behind(rest, self.remarks[label]) + "\n" + below
            yield label, "" if BLANK in text else text.strip().lstrip(":：").strip()

    def _in_another_form(self, source: str) -> dict[str, str]:
        """Return the text for labels that are found without their bold lines."""
        if not self.remarks:
            return {}
        source = source[:_LONGEST]
        names = {label.casefold(): label for label in self.remarks}
        labels = "|".join(map(re.escape, self.remarks))
        found = {}
        for match, below in _split(_ELSEWHERE.format(labels), source, re.IGNORECASE):
            if label := names.get(match["label"].casefold()):
                found[label] = below.strip(_MARKUP + ",;，；。.\r\n")
        found |= _table(source, names)
        return {label: "" if BLANK in text else text for label, text in found.items()}


def certification_of(released: str) -> Certification:
    """Read the labels from a certification's released text."""
    remarks, asked = {}, []
    for label, rest, below in _labelled(released, r"[^*\n]+?"):
        remark = _REMARK.match(rest)
        beside = rest[remark.end() :] if remark else rest
        blank = BLANK in rest + below
        if blank or not (beside.strip(" :.") or below.strip()):
            asked.append(label)
        remarks[label] = rest.partition(BLANK)[0].strip() if blank else ""
    return Certification(remarks, tuple(asked), released)


def _labelled(source: str, labels: str) -> Iterator[tuple[str, str, str]]:
    """Yield each label, the rest of its line, and the lines below it."""
    if labels:
        for match, below in _split(_LABEL.format(labels), source):
            yield match["label"], match["rest"], below


def _split(pattern: str, source: str, flags: int = 0) -> Iterator[tuple[re.Match[str], str]]:
    """Yield each match, and the text from there to the next one."""
    found = list(re.finditer(pattern, source, re.MULTILINE | flags))
    for match, following in itertools.zip_longest(found, found[1:]):
        yield match, source[match.end() : following.start() if following else None]


def _words(line: str) -> str:
    return re.sub(r"[\W_]+", " ", line).casefold().strip()


def _table(source: str, names: dict[str, str]) -> dict[str, str]:
    """Return the table cells beside labels, or below them if a whole row consists of labels."""
    rows = [
        [cell.strip(_MARKUP) for cell in line.strip().strip("|").split("|")]
        for line in source.splitlines()
        if "|" in line and line.strip(" |:-")
    ]
    found = {}
    for row, below in itertools.pairwise([*rows, []]):
        labels = [names.get(_REMARK.sub("", cell).strip().casefold(), "") for cell in row]
        for place, label in enumerate(labels):
            next_one = slice(place + 1, place + 2)
            beside = "" if any(labels[next_one]) else "".join(row[next_one])
            if label:
                found[label] = beside or "".join(below[place : place + 1])
    return found


def _behind(rest: str, remark: str) -> str:
    """Return what a student wrote on a label's line after the instructor's remark."""
    if remark and rest.strip().startswith(remark):
        return rest.strip()[len(remark) :]
    other = _REMARK.match(rest) if "(" in remark else None  # it was edited
    return rest[other.end() :] if other else rest
