"""The notebook of a homework: what kind each cell is, its points, and the question that it answers.

Every package asks here what a cell is: of the instructor's notebook and of a student's. A student
may have written the latter's metadata, until the instructor's cells are restored in it.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from hw_grading.homework.layout import ANSWER, LOCKED, PLAIN, SOLUTIONS, TEST
from hw_grading.homework.points import filled, worth_of
from hw_grading.notebooks import open_notebook
from hw_support.source import bound_by, checks_in
from hw_support.submission.cells import InstructorCell, grade_id_of, nbgrader_metadata, text_of
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted

_REGIONS = "HIDDEN TESTS", "MARK SCHEME"
_HEADING = re.compile(r"^(#{2,4}) +(.+?)( +\([^()]*points?\))? *$", re.MULTILINE)
_SCHEME = re.compile(r"^.*BEGIN MARK SCHEME.*\n((?s:.*?))^.*END MARK SCHEME.*", re.MULTILINE)


def kind_of(cell: Mapping[str, Any]) -> str:
    """Return the kind of a cell."""
    marks = nbgrader_metadata(cell)
    if marks.get("solution") or marks.get("task"):
        return ANSWER
    if marks.get("grade") and cell.get("cell_type") == "code":
        return TEST
    return LOCKED if marks.get("grade") or marks.get("locked") else PLAIN


def is_test(cell: Mapping[str, Any]) -> bool:
    """Return whether a cell is a test cell, whose outputs are a score."""
    return kind_of(cell) == TEST


def is_trusted(cell: Mapping[str, Any]) -> bool:
    """Return whether a cell is an unchanged code cell of the instructor, and not a test."""
    return cell.get("cell_type") == "code" and kind_of(cell) == LOCKED


def uses_checks(cell: NotebookNode | InstructorCell | Cell) -> bool:
    """Whether a test cell is written with `hw_support.Checks`."""
    return _calls_checks(cell.source)


@functools.lru_cache(1000)  # asked of each test cell of each submission, more than once
def _calls_checks(source: str) -> bool:
    return bool(checks_in(source))


@functools.lru_cache(1000)
def as_released(source: str) -> str:
    """Return a cell's text as students got it: without hidden tests and without the mark scheme.

    It is what nbgrader's preprocessors return, which take long to import. RuntimeError if a region
    begins inside another one of its kind, or does not end.
    """
    for region in _REGIONS:
        source = _without(region, source)
    return source


def _without(region: str, source: str) -> str:
    kept, is_inside = [], False
    for line in source.split("\n"):
        if f"BEGIN {region}" in line:
            if is_inside:
                raise RuntimeError(f"BEGIN {region} is inside another one")
            is_inside = True
        elif f"END {region}" in line:
            is_inside = False
        elif not is_inside:
            kept.append(line)
    if is_inside:
        raise RuntimeError(f"BEGIN {region} has no END {region}")
    return "\n".join(kept)


def instructors_first_cells(nb: NotebookNode) -> dict[str, str]:
    """Return the instructor's code cells before the first answer or test, by grade id.

    They bind the same names in every submission, so the examiner runs them only once.
    """
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    first = itertools.takewhile(lambda cell: kind_of(cell) not in (ANSWER, TEST), code)
    return {grade_id_of(cell) or "": cell.source for cell in filter(is_trusted, first)}


def instructors_names(nb: NotebookNode) -> set[str]:
    """Return the names that the instructor's cells bind, other than test cells."""
    return {name for cell in filter(is_trusted, nb.cells) for name in bound_by(cell.source)}


def name_of(cell: NotebookNode) -> str:
    """Return a name for a cell, for the middle of a sentence."""
    if grade_id := grade_id_of(cell):
        return f"cell {quoted(grade_id)}"
    return f"the cell that begins with {quoted(cell.source.strip().partition(chr(10))[0], 40)}"


def at_start(cell: NotebookNode) -> str:
    """Return a name for a cell, for the start of a sentence."""
    name = name_of(cell)
    return name[0].upper() + name[1:]


# -- the instructor's notebook


@dataclass(frozen=True)
class Place:
    """Where a cell is in the instructor's notebook."""

    question: str  # the heading that names the cell's question: "1.3e", "Q0.6", "Certification"
    title: str  # the innermost heading, without its points
    scheme: str = ""  # the mark scheme of the question that the cell answers
    text: str = ""  # that question in markdown, without its mark scheme
    heading: str = field(default="", compare=False)  # after the number
    section: str = field(default="", compare=False)  # the last heading of level 2 or 3, whole

    def __str__(self) -> str:
        return self.title if self.title == self.question else f"{self.question} {self.title}"


@dataclass(frozen=True)
class Cell:
    """A cell of the instructor's notebook."""

    kind: str
    cell_type: str  # "code", "markdown" or "raw"
    grade_id: str  # "" without one
    points: float  # of a test, the sum of its parts
    source: str  # its points are filled in
    place: Place

    @property
    def is_code(self) -> bool:
        """Whether it is a code cell."""
        return self.cell_type == "code"

    @property
    def released(self) -> str:
        """The source as students have it, which may still contain the solution."""
        return as_released(self.source)

    @property
    def uses_checks(self) -> bool:
        """Whether it is a test that uses `hw_support.Checks`."""
        return self.kind == TEST and uses_checks(self)


@dataclass(frozen=True)
class Notebook:
    """The instructor's notebook, or a release of it."""

    cells: tuple[Cell, ...]

    @classmethod
    def read(cls, path: Path) -> Notebook:
        """Read a notebook; `UserError` or OSError if that fails."""
        try:
            return cls.of(open_notebook(path))
        except UserError as why:
            raise UserError(f"{path}: {why}") from None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Notebook:
        """Return the notebook in a document, such as a NotebookNode."""
        return cls(tuple(_cells_in([one for one in document["cells"] if isinstance(one, dict)])))

    @property
    def code(self) -> list[Cell]:
        """The code cells."""
        return [cell for cell in self.cells if cell.is_code]

    @property
    def places(self) -> Places:
        """The places of the cells with a grade id."""
        return Places({cell.grade_id: cell.place for cell in self.cells if cell.grade_id})


def _cells_in(cells: Iterable[Mapping[str, Any]]) -> Iterator[Cell]:
    """Yield the cells. A question and its mark scheme apply until the next heading."""
    headings, section, scheme, question = {2: "", 3: "", 4: ""}, "", "", ""
    worth = worth_of(cells)
    for cell in cells:
        kind, name, text = kind_of(cell), grade_id_of(cell) or "", text_of(cell.get("source"))
        cell_type = str(cell.get("cell_type"))
        if cell_type == "markdown":
            text = filled(text, worth)
        if cell_type == "markdown" and not nbgrader_metadata(cell).get("solution"):
            for marks, heading, points in _HEADING.findall(text):
                level = len(marks)
                headings |= {n: heading if n == level else "" for n in range(level, 5)}
                section = heading + points if level < 4 else section
                scheme, question = "", ""
            question = f"{question}\n\n{_SCHEME.sub('', text)}".strip()
            if region := _SCHEME.search(text):
                scheme = region[1].strip()
        place = _place(name, headings, scheme, question, section)
        yield Cell(kind, cell_type, name, worth.get(name, 0.0), text, place)


def _place(name: str, headings: dict[int, str], scheme: str, text: str, section: str) -> Place:
    """Name a place by the innermost heading that begins with a number, such as "1.3e" or "Q0.6".

    Without one, the innermost heading of levels 2 and 3 counts.
    """
    for level in (4, 3, 2):
        first, _, rest = headings[level].partition(" ")
        if rest and any(character.isdigit() for character in first):
            below = [headings[n] for n in range(level + 1, 5) if headings[n]]
            return Place(first, " ".join(below) or rest, scheme, text, rest, section)
    counted = headings[3] or headings[2] or name
    return Place(counted, headings[4] or counted, scheme, text, section=section)


# -- where a homework's cells are


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


def order_in(names: Iterable[str]) -> Callable[[str], tuple[int, str]]:
    """Return a sort key for grade ids: as in the notebook, then those that it lacks."""
    order = {name: number for number, name in enumerate(names)}
    return lambda name: (order.get(name, len(order)), name)


def read_places(*paths: Path) -> Places:
    """Return where the cells of a homework's notebooks are, by grade id.

    A file that is missing has no places; `UserError` if one is damaged.
    """
    places = Places()
    for path in filter(Path.exists, paths):
        places |= Notebook.read(path).places
    return places


# -- the solutions as data, which go to the examiner alone; `examiner.reference` runs them


def solutions_of(notebooks: Iterable[Path]) -> dict[str, bytes]:
    """Return the code cells of source notebooks, (kind, grade id, source), as JSON by path.

    Notebooks without a test cell that uses `Checks` are left out, since nobody asks what is right;
    also those that cannot be read, which a release names.
    """
    found = {}
    for path in notebooks:
        with suppress(OSError, UserError):
            code = Notebook.read(path).code
            if any(cell.uses_checks for cell in code):
                cells = [(cell.kind, cell.grade_id, cell.source) for cell in code]
                found[f"{SOLUTIONS}/{path.stem}.json"] = json.dumps(cells).encode()
    return found


def in_source(grade_id: str) -> str:
    """Return what a message calls a cell of the source notebook."""
    return f"cell {grade_id}" if grade_id else "cells without a grade id"


def sources_in(solutions: bytes) -> dict[str, str]:
    """Return the texts of the cells in a file of solutions, by what messages call them."""
    found: dict[str, str] = {}
    for _, grade_id, source in json.loads(solutions):
        name = in_source(grade_id)
        found[name] = f"{found.get(name, '')}{source}\n"
    return found
