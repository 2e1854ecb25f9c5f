"""What the desk shows and saves, as plain data.

Points are points of nbgrader's cells. A grader is a name, at most 128 characters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from hw_grading.records.scores import in_digits

LONGEST_TEXT = 20_000  # characters of a comment or of an item
MOST_ITEMS = 60  # of one rubric
LONGEST_NAME = 128  # characters of a grader's name or a group's


class Kind(StrEnum):
    """Where a rubric begins to count: at nothing, or at all points of the question."""

    ADDING = "adding"
    SUBTRACTING = "subtracting"


@dataclass(frozen=True)
class Question:
    """A question that people grade.

    Attributes
    ----------
    cell
        Its grade id.
    title
        Such as ``"1.3e Loss"``.
    max_points
        What it is worth.
    is_code
        Whether the answer is a code cell, which has outputs.
    text
        The question as students read it, in markdown, without the mark scheme.
    scheme
        The mark scheme, in markdown; "" if there is none.
    beside
        Grade ids of answers that are shown beside it: the code that it is about.
    numbers
        Grade ids of cells whose printed text is shown beside it.
    """

    cell: str
    title: str
    max_points: float
    is_code: bool
    text: str = ""
    scheme: str = ""
    beside: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Item:
    """One item of a rubric.

    Attributes
    ----------
    id
        It stays when the item is reworded; "" for one that is not saved yet.
    points
        Positive or negative; they are added to the sum.
    text
        What students read.
    note
        What only graders read.
    """

    id: str
    points: float
    text: str
    note: str = ""


@dataclass(frozen=True)
class Rubric:
    """The items of one question, in order, and how their points are counted.

    Attributes
    ----------
    revision
        Grows by 1 with each change; 0 for the one that the mark scheme gave, before any change.
    lower, upper
        The bounds of the sum.
    """

    items: tuple[Item, ...]
    kind: Kind = Kind.ADDING
    lower: float = 0.0
    upper: float = 0.0
    revision: int = 0

    def within(self, max_points: float) -> Rubric:
        """Return the rubric with bounds that are not above what the question is worth."""
        upper = min(self.upper, max_points)
        return replace(self, lower=min(self.lower, upper), upper=upper)

    def score(self, chosen: frozenset[str], adjustment: float, max_points: float) -> float:
        """Return the points of an answer that has these items."""
        start = max_points if self.kind is Kind.SUBTRACTING else 0.0
        given = sum(item.points for item in self.items if item.id in chosen)
        return round(min(max(start + given + adjustment, self.lower), self.upper), 6)

    def full_marks(self, max_points: float) -> tuple[frozenset[str], float]:
        """Return the items that earn everything, and the adjustment that this takes."""
        if self.kind is Kind.SUBTRACTING:
            chosen = frozenset[str]()
            start = max_points
        else:
            chosen = frozenset(item.id for item in self.items if item.points > 0)
            start = sum(item.points for item in self.items if item.points > 0)
        return chosen, 0.0 if start >= self.upper else self.upper - start

    def comment(self, mark: Mark) -> str:
        """Return what students read of a mark: the items with their points, then the comment."""
        lines = [
            f"{in_words(item.points)}  {item.text}" for item in self.items if item.id in mark.chosen
        ]
        if mark.adjustment:
            lines.append(f"{in_words(mark.adjustment)}  adjustment")
        return "\n\n".join(filter(None, ["\n".join(lines), mark.comment]))


@dataclass(frozen=True)
class Mark:
    """What a grader says of one answer: what the desk saves.

    Attributes
    ----------
    chosen
        The ids of the items that apply.
    adjustment
        Points on top, of either sign.
    comment
        What the student reads after the items.
    done
        Whether the answer counts as graded.
    flagged, flag_note
        Whether somebody is to look again, and why; no student reads it.
    """

    chosen: frozenset[str] = frozenset()
    adjustment: float = 0.0
    comment: str = ""
    done: bool = False
    flagged: bool = False
    flag_note: str = ""


@dataclass(frozen=True)
class Grading:
    """The state of one answer, from the gradebook and the desk's own tables.

    Attributes
    ----------
    version
        Changes whenever the answer's grading changes, also in formgrader: what a save has to name.
    mark
        What the desk saved last; an empty one if nothing.
    score
        The manual score in the gradebook, or None.
    waits
        Whether the gradebook says that a person has still to look at it.
    comment
        The comment in the gradebook, which students get: items, then the grader's comment.
    overridden
        Whether score or comment were changed elsewhere since (in formgrader). Re-scoring leaves
        such an answer alone.
    changed
        Whether the answer is another one than the one that was graded.
    grader, at, seconds
        Who saved it last on the desk, when (UTC), and how long graders looked at it in all.
    """

    student: str
    version: str
    mark: Mark = field(default_factory=Mark)
    score: float | None = None
    waits: bool = True
    comment: str = ""
    overridden: bool = False
    changed: bool = False
    grader: str = ""
    at: datetime | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Rescored:
    """An answer whose score a change of the rubric changes."""

    student: str
    before: float
    after: float


@dataclass(frozen=True)
class Event:
    """One line of the history; `student` is "" for a change of the rubric."""

    at: datetime
    grader: str
    cell: str
    student: str
    action: str
    score_before: float | None = None
    score_after: float | None = None
    what: str = ""


class Refused(Exception):
    """Nothing was saved; the text says why, and what to do."""


class Conflict(Refused):
    """Somebody else saved the same answer in the meantime: `theirs` is what is saved now."""

    def __init__(self, theirs: Grading) -> None:
        who = theirs.grader or "somebody"
        where = "in formgrader" if theirs.overridden else f"by {who}"
        super().__init__(
            f"This answer was graded {where} in the meantime. Yours was not saved: compare the "
            "two, and save one of them."
        )
        self.theirs = theirs


class RubricChanged(Refused):
    """The rubric is another one than the one that the grader saw: `rubric` is the one of now."""

    def __init__(self, rubric: Rubric, by: str = "") -> None:
        super().__init__(
            f"{by or 'Somebody'} changed the rubric in the meantime. Nothing was saved: look at "
            "the rubric as it is now, and save again."
        )
        self.rubric = rubric


def checked(mark: Mark, rubric: Rubric) -> Mark:
    """Return a mark as it can be saved.

    Raises
    ------
    Refused
        It names items that the rubric does not have, or numbers and texts that cannot be saved.
    """
    known = {item.id for item in rubric.items}
    if unknown := mark.chosen - known:
        raise Refused(f"The rubric has no item {sorted(unknown)[0]!r}. Load the page again.")
    if not math.isfinite(mark.adjustment) or abs(mark.adjustment) > 1e6:
        raise Refused("An adjustment is a number of points, such as -0.5.")
    for text in (mark.comment, mark.flag_note):
        expect_text(text)
    return replace(mark, comment=mark.comment.strip(), flag_note=mark.flag_note.strip())


def checked_rubric(rubric: Rubric, max_points: float) -> Rubric:
    """Return a rubric as it can be saved.

    Raises
    ------
    Refused
        It has too many items, an item without a text, or numbers that are none.
    """
    if len(rubric.items) > MOST_ITEMS:
        raise Refused(f"A rubric has at most {MOST_ITEMS} items; this one has {len(rubric.items)}.")
    ids = [item.id for item in rubric.items if item.id]
    if len(set(ids)) < len(ids):
        raise Refused("The rubric has one item twice. Load the page again.")
    for item in rubric.items:
        if not item.text.strip():
            raise Refused("An item needs a text that students can read.")
        expect_text(item.text)
        expect_text(item.note)
        if not math.isfinite(item.points) or abs(item.points) > 1e6:
            raise Refused(f"The points of “{item.text[:60]}” are a number, such as 1 or -0.5.")
    bounds = (rubric.lower, rubric.upper)
    if not all(map(math.isfinite, bounds)) or not 0 <= rubric.lower <= rubric.upper <= max_points:
        raise Refused(
            f"The bounds are {rubric.lower:g} and {rubric.upper:g}. Allowed are two numbers from 0 "
            f"to {max_points:g}, the lower one first."
        )
    return rubric


def expect_text(text: str) -> None:
    """Raise `Refused` if a text cannot be saved."""
    if len(text) > LONGEST_TEXT:
        raise Refused(
            f"A text has at most {LONGEST_TEXT:,} characters; this one has {len(text):,}."
        )
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise Refused("The text has a character that no database keeps: NUL, or half of a pair.")


def in_words(points: float) -> str:
    """Return points with a sign, as students read them: ``"+1"``, ``"−0.5"``, ``"0"``."""
    sign = "+" if points > 0 else "\N{MINUS SIGN}" if points < 0 else ""
    return sign + in_digits(abs(points))
