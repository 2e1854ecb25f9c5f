"""Where the instructor's cells are in the notebook: question, title, mark scheme."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hw_grading.homework.points import filled, worth_of
from hw_grading.notebooks import cells_by_id, open_notebook
from hw_support.submission.cells import marks_of, text_of
from hw_support.submission.file import UserError

_HEADING = re.compile(r"^(#{2,4}) +(.+?)(?: +\([^()]*points?\))? *$", re.MULTILINE)
_SCHEME = re.compile(r"^.*BEGIN MARK SCHEME.*\n((?s:.*?))^.*END MARK SCHEME.*", re.MULTILINE)


@dataclass(frozen=True)
class Place:
    """Where a cell is in the instructor's notebook."""

    question: str  # the heading that names the cell's question: "1.3e", "Q0.6", "Certification"
    title: str  # the innermost heading, without its points
    scheme: str = ""  # the mark scheme of the question that the cell answers
    text: str = ""  # that question in markdown, without its mark scheme
    heading: str = field(default="", compare=False)  # after the number

    def __str__(self) -> str:
        return self.title if self.title == self.question else f"{self.question} {self.title}"


class Places(dict[str, Place]):
    """The places of cells by grade id; a cell that the notebook lacks is called by its grade id."""

    def __missing__(self, name: str) -> Place:
        return Place(name, name)

    def matching(self, label: str, names: Iterable[str]) -> list[str]:
        """Return those of some cells that a label means.

        It is a grade id, or the beginning of what people see, such as ``"Q1.3b iv. Why"``. Case and
        punctuation do not matter, nor does the "test_" of an id.
        """
        names, asked = list(names), _words(label)
        if label in names:
            return [label]
        return [name for name in names if label == name.removeprefix("test_")] or [
            name
            for name in names
            for shown in [(str(self[name]), self[name].title)]
            if asked and any(_words(text).startswith(asked) for text in shown)
        ]


def _words(label: str) -> str:
    """Return a label's words: ``"Q1.3b iv."`` and ``"1.3 b iv"`` give ``" 1.3 b iv "``."""
    numbered = re.sub(r"\bq(?=\d)", "", label.casefold())
    words = [word.strip(".") for word in re.findall(r"\d[\d.]*|[^\W\d]+", numbered)]
    return f" {' '.join(words)} " if words else ""


def order_in(places: Iterable[str]) -> Callable[[str], tuple[int, str]]:
    """Return a sort key for grade ids: as in the notebook, then those that it lacks."""
    order = {name: number for number, name in enumerate(places)}
    return lambda name: (order.get(name, len(order)), name)


def read_places(*paths: Path) -> Places:
    """Return where the cells of a homework's notebooks are, by grade id.

    A question and its mark scheme apply until the next heading. A file that is missing has no
    places; `UserError` if one is damaged.
    """
    places = Places()
    for path in filter(Path.exists, paths):
        try:
            places.update(_places_in(open_notebook(path)))
        except UserError as why:
            raise UserError(f"{path}: {why}") from None
    return places


def _places_in(document: Mapping[str, Any]) -> Places:
    places = Places()
    headings = {2: "", 3: "", 4: ""}
    scheme, question = "", ""
    worth = worth_of(document["cells"])
    for cell in document["cells"]:
        if cell.get("cell_type") == "markdown" and marks_of(cell).get("solution") is not True:
            text = filled(text_of(cell.get("source")), worth)
            for marks, heading in _HEADING.findall(text):
                level = len(marks)
                headings |= {n: heading if n == level else "" for n in range(level, 5)}
                scheme, question = "", ""
            question = f"{question}\n\n{_SCHEME.sub('', text)}".strip()
            if region := _SCHEME.search(text):
                scheme = region[1].strip()
        for name in cells_by_id({"cells": [cell]}):
            places[name] = _place(name, headings, scheme, question)
    return places


def _place(name: str, headings: dict[int, str], scheme: str, text: str) -> Place:
    """Name a place by the innermost heading that begins with a number, such as "1.3e" or "Q0.6".

    Without one, the innermost heading of levels 2 and 3 counts.
    """
    for level in (4, 3, 2):
        first, _, rest = headings[level].partition(" ")
        if rest and any(character.isdigit() for character in first):
            below = [headings[n] for n in range(level + 1, 5) if headings[n]]
            return Place(first, " ".join(below) or rest, scheme, text, rest)
    counted = headings[3] or headings[2] or name
    return Place(counted, headings[4] or counted, scheme, text)
