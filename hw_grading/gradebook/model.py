"""What the desk shows and saves, as plain data, and the first rubric of a question.

The first rubric is made from the mark scheme. A line such as ``- 1: both curves, with a legend.``
becomes an item of one point. Two answers to one question share its mark scheme. Then each line
names its answer, as in ``- Images, 1: …`` and ``- Text, 1: …``, in the order of the answers.
A line may end in conditions on the facts of a plot, such as ``[facts: legend, title]``, which
suggest its item. Points are in the units of nbgrader's cells. A grader is a name of at most 128
characters.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from hw_grading.gradebook.scores import ScoredCell
from hw_grading.gradebook.tables import MAX_IN_A_NAME
from hw_grading.homework.homework import unknown_condition
from hw_grading.homework.notebook import Places
from hw_grading.texts import in_digits, signed
from hw_support import figures
from hw_support.submission.file import UserError

LONGEST_TEXT = 20_000  # characters in a comment or an item
MAX_ITEMS = 60  # in one rubric


@dataclass(frozen=True)
class Question:
    """A question that people grade."""

    cell: str  # the question's grade id
    title: str  # a title such as ``"1.3e Loss"``
    max_points: float  # the maximum points
    is_code: bool  # whether the answer is a code cell, which has outputs
    text: str = ""  # the question as students read it, in markdown, without the mark scheme
    scheme: str = ""  # the mark scheme, in markdown; "" if there is none
    beside: tuple[str, ...] = ()  # grade ids of the answers with the code that it is about
    numbers: tuple[str, ...] = ()  # grade ids of cells whose printed text is shown beside it
    # Conditions on the facts of its plots, by the ids of the rubric's items that they suggest.
    conditions: Mapping[str, str] = field(default_factory=dict)
    expected: str = ""  # further conditions, which the manifest has and which suggest nothing


@dataclass(frozen=True)
class Item:
    """One item of a rubric."""

    id: str  # stays the same when the item is reworded; "" for an item that is not saved yet
    points: float  # positive or negative points, added to the score
    text: str  # text for students
    note: str = ""  # note for graders only


@dataclass(frozen=True)
class Rubric:
    """The ordered items of one question. Points begin at 0 and stay within the question's."""

    items: tuple[Item, ...]
    revision: int = 0  # grows by 1 with each change of the rubric from the mark scheme

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all items."""
        return frozenset(item.id for item in self.items)

    def score(self, mark: Mark, max_points: float) -> float:
        """Return the points of a mark in a question of `max_points`."""
        given = sum(item.points for item in self.items if item.id in mark.chosen)
        return min(max(round(given + mark.adjustment, 6), 0.0), max_points)

    def told(self, mark: Mark, max_points: float) -> Iterator[tuple[str, Item]]:
        """Yield what a student reads of a mark: points such as ``+1`` or ``0 of 1``, and an item.

        If points are missing, items that were not earned stand beside those that were.
        """
        tells_lost = self.score(mark, max_points) < max_points
        for item in self.items:
            if item.id in mark.chosen:
                yield signed(item.points), item
            elif tells_lost and item.points > 0:
                yield f"0 of {in_digits(item.points)}", item
        if mark.adjustment:
            yield signed(mark.adjustment), Item("", mark.adjustment, "adjustment")

    def comment(self, mark: Mark, max_points: float) -> str:
        """Return a mark's text for students: the items with their points, then the comment."""
        lines = [f"{points}  {item.text}" for points, item in self.told(mark, max_points)]
        return "\n\n".join(filter(None, ["\n".join(lines), mark.comment]))


@dataclass(frozen=True)
class Mark:
    """A grader's mark for one answer, as the desk saves it."""

    chosen: frozenset[str] = frozenset()  # ids of the items that apply
    adjustment: float = 0.0  # extra points, positive or negative
    comment: str = ""  # text that the student reads after the items
    done: bool = False  # whether the answer counts as graded
    # Whether somebody should look again, and why. Students do not see this.
    flagged: bool = False
    flag_note: str = ""

    def plain(self) -> dict[str, Any]:
        """Return the mark as JSON data."""
        return {**asdict(self), "chosen": sorted(self.chosen)}


@dataclass(frozen=True)
class Grading:
    """The state of one answer, from the gradebook and the desk's own tables."""

    student: str
    version: str  # changes with the grading, also in formgrader; a save must name it
    mark: Mark = field(default_factory=Mark)  # the one that the desk saved last
    score: float | None = None  # the manual score in the gradebook, or None
    waits: bool = True  # whether the gradebook has the answer queued for manual grading
    comment: str = ""  # what students get: the items, then the grader's comment
    overridden: bool = False  # whether changed in formgrader after the desk's last save
    changed: bool = False  # whether the answer has changed since it was graded
    grader: str = ""  # who saved it last on the desk
    at: datetime | None = None  # when, UTC

    @property
    def points(self) -> float | None:
        """The answer's current points; 0 if it is empty and nobody had to look at it."""
        return 0.0 if self.score is None and not self.waits else self.score


@dataclass(frozen=True)
class Rescored:
    """An answer whose score changes with the rubric."""

    student: str
    before: float
    after: float


@dataclass(frozen=True)
class Event:
    """One event of the history; `student` is "" for a change of the rubric."""

    at: datetime
    grader: str
    cell: str
    student: str
    action: str
    score_before: float | None = None
    score_after: float | None = None
    what: str = ""


class Refused(UserError):
    """Nothing was saved. The text says why, and what to do."""


class Conflict(Refused):
    """Somebody else saved the same answer in the meantime; `theirs` is the saved state."""

    def __init__(self, theirs: Grading) -> None:
        who = theirs.grader or "somebody"
        where = "in formgrader" if theirs.overridden else f"by {who}"
        super().__init__(
            f"In the meantime this answer was graded {where}. Your version was not saved. "
            "Compare the two, and save one of them."
        )
        self.theirs = theirs


class RubricChanged(Refused):
    """The rubric changed after the grader loaded it; `rubric` is the current one."""

    def __init__(self, rubric: Rubric, by: str = "") -> None:
        super().__init__(
            f"{by or 'Somebody'} changed the rubric in the meantime. Nothing was saved. Look at "
            "the new rubric, and save again."
        )
        self.rubric = rubric


def checked(mark: Mark, rubric: Rubric) -> Mark:
    """Return a mark, ready to be saved; `Refused` if an item, a number or a text is invalid."""
    if unknown := mark.chosen - rubric.ids:
        raise Refused(f"The rubric has no item {sorted(unknown)[0]!r}. Load the page again.")
    if not math.isfinite(mark.adjustment) or abs(mark.adjustment) > 1e6:
        raise Refused("The adjustment must be a number of points, such as -0.5.")
    expect_text(mark.comment)
    expect_text(mark.flag_note)
    return replace(mark, comment=mark.comment.strip(), flag_note=mark.flag_note.strip())


def checked_rubric(rubric: Rubric) -> Rubric:
    """Return a rubric; `Refused` if it has too many items, or invalid texts or numbers."""
    if (count := len(rubric.items)) > MAX_ITEMS:
        raise Refused(f"The rubric has {count} items; at most {MAX_ITEMS} are allowed.")
    ids = [item.id for item in rubric.items if item.id]
    if len(set(ids)) < len(ids):
        raise Refused("The rubric has the same item twice. Load the page again.")
    for item in rubric.items:
        if not item.text.strip():
            raise Refused("Each item needs a text for students.")
        expect_text(item.text)
        expect_text(item.note)
        if not math.isfinite(item.points) or abs(item.points) > 1e6:
            raise Refused(f"The points of “{item.text[:60]}” must be a number, such as 1 or -0.5.")
    return rubric


def expect_text(text: str) -> None:
    """Raise `Refused` if a text cannot be saved."""
    if (length := len(text)) > LONGEST_TEXT:
        raise Refused(f"The text has {length:,} characters; at most {LONGEST_TEXT:,} are allowed.")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise Refused(
            "The text has a character that a database cannot store: NUL, or half of a surrogate "
            "pair. Remove it."
        )


def expect_name(name: str) -> str:
    """Return a grader's name; `Refused` if it is empty, too long, or has invisible characters."""
    expect_text(name)
    if not name.strip() or len(name) > MAX_IN_A_NAME or not name.isprintable():
        raise Refused(f"A grader's name must have 1 to {MAX_IN_A_NAME} printable characters.")
    return name


# -- rubrics from mark schemes and from JSON

_ITEM = re.compile(
    r"^[-*] +(?:(?P<label>[^:,\n]{1,40}), +)?(?P<points>[+-]?\d+(?:\.\d+)?): +"
    r"(?P<text>.+(?:\n(?:[ \t]+\S.*))*)",
    re.MULTILINE,
)
_CONDITIONS = re.compile(r" *\[facts: *([^\]]*)\]$")


def first_rubric(cell: ScoredCell, cells: Sequence[ScoredCell], places: Places) -> Rubric:
    """Return a question's rubric before any change; `cells` are all cells that people grade."""
    return Rubric(tuple(item for item, _ in _first_items(cell, cells, places)))


def first_conditions(
    cell: ScoredCell, cells: Sequence[ScoredCell], places: Places
) -> dict[str, str]:
    """Return the conditions of the mark scheme's lines, by the ids of their items."""
    items = _first_items(cell, cells, places)
    return {item.id: conditions for item, conditions in items if conditions}


def _first_items(
    cell: ScoredCell, cells: Sequence[ScoredCell], places: Places
) -> Iterator[tuple[Item, str]]:
    items = _items(cell, cells, places)
    if _sum(items) != cell.max_points:
        items = [(cell.max_points, "Right and complete.", "")]
    items.append((0.0, "No answer, or none of the above.", ""))
    for n, (points, text, conditions) in enumerate(items):
        # The id is always the same, because graders may use an item before it is saved.
        key = hashlib.sha256(f"{cell.name}\n{n}\n{text}".encode()).hexdigest()[:32]
        yield Item(key, points, text), conditions


def wrong_sums(cells: Sequence[ScoredCell], places: Places) -> Iterator[str]:
    """Yield a sentence for each answer whose mark scheme does not become its first rubric."""
    for cell in cells:
        items = _items(cell, cells, places)
        if items and _sum(items) != cell.max_points:
            yield (
                f"cell {cell.name}: the lines of its mark scheme sum to {_sum(items):g} points, "
                f"but the cell has {cell.max_points:g}. Change one of the two."
            )


def wrong_conditions(
    cells: Sequence[ScoredCell], places: Places, arrays: Sequence[str]
) -> Iterator[str]:
    """Yield a sentence for each condition in a mark scheme that does not exist."""
    for cell in cells:
        for _, _, conditions in _items(cell, cells, places):
            for one in figures.unknown(conditions, arrays):
                yield f"cell {cell.name}: its mark scheme: {unknown_condition(one)}."


def _items(
    cell: ScoredCell, cells: Sequence[ScoredCell], places: Places
) -> list[tuple[float, str, str]]:
    """Return points, texts and conditions of the mark scheme's lines for one answer."""
    scheme = places[cell.name].scheme
    found = [match.groupdict() for match in _ITEM.finditer(scheme)]
    together = [one.name for one in cells if places[one.name].scheme == scheme]
    parts = [list(part) for _, part in itertools.groupby(found, key=lambda item: item["label"])]
    if len(together) > 1 and len(parts) == len(together):
        found = parts[together.index(cell.name)]
    lines = [(float(item["points"]), " ".join(item["text"].split())) for item in found]
    ends = [_CONDITIONS.search(text) for _, text in lines]
    return [
        (points, text[: end.start()], end[1]) if end else (points, text, "")
        for (points, text), end in zip(lines, ends, strict=True)
    ]


def _sum(items: Sequence[tuple[float, str, str]]) -> float:
    return sum(points for points, *_ in items)


def rubric_of(values: Mapping[str, Any]) -> Rubric:
    """Return a rubric from JSON data: of a row or an event."""
    items = [
        Item(str(i.get("id", "")), float(i["points"]), str(i["text"]), str(i.get("note", "")))
        for i in values["items"]
    ]
    return Rubric(tuple(items), values.get("revision", 0))
