"""Several graders for one homework: their shares, their positions, and groups of answers."""

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from hw_grading.rubrics.model import LONGEST_NAME, Refused, expect_text
from hw_grading.rubrics.questions import Questions
from hw_grading.rubrics.tables import GROUPS, PRESENCE, SHARES

SECONDS_SEEN = 30.0  # after this time a grader counts as gone
MOST_GRADERS = 200


class Teamwork(Questions):
    """What the graders of one homework know about each other."""

    def groups(self, cell: str) -> dict[str, tuple[str, ...]]:
        """Return the groups that graders have made: students by group name."""
        found: dict[str, tuple[str, ...]] = {}
        with self._reading(cell) as rows:
            for name, student in sorted((row.name, row.student) for row in rows.all(GROUPS)):
                found[name] = (*found.get(name, ()), student)
        return found

    def group(self, cell: str, students: Sequence[str], name: str, *, grader: str) -> None:
        """Put students into a group. The name "" removes them from their group."""
        expect_name(grader)
        if name:
            expect_name(name, "A group's name")
        if unknown := set(students) - set(self.order(cell)):
            raise Refused(f"The student {min(unknown)!r} has no answer to this question.")
        with self._writing(cell) as rows:
            group_of = {row.student: row.name for row in rows.all(GROUPS)}
            group_of |= dict.fromkeys(students, name)
            rows.replace(GROUPS, [{"student": s, "name": n} for s, n in group_of.items() if n])

    def shares(self, cell: str) -> dict[str, tuple[str, ...]]:
        """Return the students in each grader's share; empty if the question is not shared out."""
        with self._reading(cell) as rows:
            graders = [row.grader for row in sorted(rows.all(SHARES), key=lambda r: r.position)]
        students = self.order(cell) if graders else []
        return {name: tuple(students[n :: len(graders)]) for n, name in enumerate(graders)}

    def hand_out(self, cell: str, graders: Sequence[str], *, grader: str) -> None:
        """Share a question evenly among graders. [] takes the shares back."""
        for name in (grader, *graders):
            expect_name(name)
        if len(graders) > MOST_GRADERS or len(set(graders)) < len(graders):
            raise Refused(f"Type each grader once, at most {MOST_GRADERS} graders.")
        shares = [{"position": n, "grader": name} for n, name in enumerate(graders)]
        with self._writing(cell) as rows:
            rows.replace(SHARES, shares)

    def here(self, grader: str, cell: str, student: str) -> dict[str, str]:
        """Record where a grader is. Return the others' places in this question in the last 30 s."""
        expect_name(grader)
        with self._database.writing() as connection:
            mine = (PRESENCE.c.assignment == self.assignment) & (PRESENCE.c.grader == grader)
            connection.execute(delete(PRESENCE).where(mine))
            row = {"assignment": self.assignment, "grader": grader, "cell": cell}
            connection.execute(insert(PRESENCE).values(**row, student=student, at=time.time()))
            present = self._present(connection)
        others = (row for row in present if row.cell == cell and row.grader != grader)
        return {row.grader: row.student for row in others}

    def who_is_where(self) -> dict[str, list[str]]:
        """Return the graders who were seen in the last 30 s, by question."""
        with self._database.reading() as connection:
            present = self._present(connection)
        found: dict[str, list[str]] = {}
        for row in sorted(present, key=lambda row: row.grader):
            found.setdefault(row.cell, []).append(row.grader)
        return found

    def _present(self, connection: Connection) -> list[Any]:
        query = select(PRESENCE).where(
            PRESENCE.c.assignment == self.assignment, PRESENCE.c.at > time.time() - SECONDS_SEEN
        )
        return list(connection.execute(query))


def expect_name(name: str, what: str = "A grader's name") -> str:
    """Return a name; `Refused` if it is empty, too long, or has invisible characters."""
    expect_text(name)
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise Refused(f"{what} must have 1 to {LONGEST_NAME} printable characters.")
    return name
