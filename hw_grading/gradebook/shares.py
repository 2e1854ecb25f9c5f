"""Whose answers a grader grades: shares of a question, by section or in equal parts.

A share only steers, as a lease does: it decides where `n` leads. Everybody may grade any answer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, insert, select
from traitlets import Float, List, Unicode
from traitlets.config import Configurable

from hw_grading.gradebook.tables import SHARES, matching


class Graders(Configurable):
    """Who grades together; ``c.Graders``."""

    heads = List(
        Unicode(),
        help="The head graders, by their names on the desk. They share answers out, decide between "
        "two marks, and put back a grader's marks. Empty: everybody does.",
    ).tag(config=True)
    second_percent = Float(
        5.0,
        min=0,
        max=100,
        help="Percent of the answers to each question that a second grader marks too.",
    ).tag(config=True)


@dataclass(frozen=True, order=True)
class Share:
    """A part of a question's answers."""

    grader: str
    section: str = ""  # whose answers; "" for the whole class. Several graders share it equally


def shares_in(connection: Connection, assignment: str) -> dict[str, list[Share]]:
    """Return the shares of each question that is shared out."""
    found: dict[str, list[Share]] = {}
    for row in connection.execute(
        select(SHARES).where(matching(SHARES, {"assignment": assignment}))
    ):
        found.setdefault(row.cell, []).append(Share(row.grader, row.section))
    return found


def share_out(connection: Connection, assignment: str, cell: str, shares: Iterable[Share]) -> None:
    """Share a question out, in the place of its shares until now."""
    key = {"assignment": assignment, "cell": cell}
    connection.execute(delete(SHARES).where(matching(SHARES, key)))
    for share in sorted(set(shares)):
        connection.execute(insert(SHARES).values(key | asdict(share)))


def owners(
    shares: Iterable[Share], order: Sequence[str], sections: Callable[[], Mapping[str, str]]
) -> dict[str, str]:
    """Return whose share each student's answer is in; an answer in none is everybody's.

    Equal parts follow each other in the question's `order`, so a student who joins moves few.
    `sections` returns the students' sections, and is called only if a share has one.
    """
    graders: dict[str, list[str]] = {}
    for share in sorted(shares):
        graders.setdefault(share.section, []).append(share.grader)
    section_of = sections() if any(graders) else {}
    found = {}
    for section, several in sorted(graders.items()):
        here = [one for one in order if section in ("", section_of.get(one))]
        for place, student in enumerate(here):
            found[student] = several[place * len(several) // len(here)]
    return found
