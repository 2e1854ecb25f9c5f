"""Parts of a test cell, and what a grader keeps of them between their two tries."""

from collections.abc import Sequence
from dataclasses import dataclass

# What messages say of a part that does not count alone, and of a better second try.
COUNTS_ONLY = "counts only if a part that compares values passes"
SECOND_TRY = "passed with correct versions of your earlier functions"
# What they say of a function without an answer, and of one that takes too long.
NOT_ANSWERED = "is not answered yet"
DID_NOT_RETURN = "did not return within"


@dataclass(frozen=True)
class Part:
    """The outcome of a part.

    `message` says why it failed; it is empty if the part passed. `fresh` tells whether a fresh case
    failed, `second_try` whether the part passed only with the reference's functions, and
    `compares_values` whether it compares values. `excused` says why the part counts although one of
    the student's functions raised an error or is not defined: that has cost points already.
    `fingerprint` is that of a failure: see `hw_support.checks.fingerprint`.
    """

    what: str
    points: float
    message: str = ""
    fresh: bool = False
    second_try: bool = False
    excused: str = ""
    compares_values: bool = True
    fingerprint: str = ""

    @property
    def passed(self) -> bool:
        """Whether the part's points were earned."""
        return not self.message


@dataclass(frozen=True)
class FirstTry:
    """The first try of a part: its outcome, what it printed, and what is told from then on."""

    part: Part
    said: str
    unanswered: str
    told: frozenset[str]


class Tries:
    """The tries of a cell that runs twice: `first` are those of its parts, None if it had none.

    The first time no part gets a second try. If one is wanted, the cell runs again with the first
    tries `known`, when no code of the student's follows.
    """

    def __init__(self, known: Sequence[FirstTry | None] = ()) -> None:
        self.first: list[FirstTry | None] = []
        self.is_wanted = False  # whether the cell should run again
        self.is_second = bool(known)
        self._known = known

    def begin(self) -> FirstTry | None:
        """Begin the next part; return its first try if it is known."""
        place = len(self.first)
        self.first.append(None)
        return self._known[place] if place < len(self._known) else None
