"""Our tables of runs: what grading found in each submission, part by part.

The truth about points is in nbgrader's tables. These rows say how a test gave its points, and with
what a submission was graded. They can be made again by grading again. A student's last runs are
kept, so that two of them can be compared.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from nbformat import NotebookNode
from sqlalchemy import Table, delete, func, insert, select
from sqlalchemy.engine import Connection

from hw_grading.gradebook.tables import ANSWERS, PARTS, RUNS, matching, now, upsert
from hw_grading.homework.notebook import is_test
from hw_grading.homework.notes import problems_in
from hw_grading.notebooks import error_of, errors_in
from hw_grading.outcome import PartResult, Status, reason_in, status_of
from hw_support.submission.problems import Problem, Severity, encodable

MAX_RUNS = 10  # that are kept of one student
# What a submission is graded with, as texts by kind and name: "cells" (digests of the instructor's
# cells), "code" (digests of staff code), "limits", "packages" (versions and the grader's digest).
GradedWith = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Failure:
    """Parts of one cell that failed alike, or the error with which the cell ended."""

    cell: str
    message: str
    parts: tuple[PartResult, ...]

    @property
    def lost(self) -> float:
        """The points that they cost."""
        return sum(part.points - part.earned for part in self.parts)

    @property
    def what(self) -> str:
        """The part's name, or the number of parts; "" for the whole cell."""
        if len(self.parts) > 1:
            return f"{len(self.parts)} parts"
        return "" if self.parts[0].is_whole else self.parts[0].name


@dataclass(frozen=True)
class Run:
    """One grading of a submission."""

    digest: str  # of the submitted file; "" if it could not be read
    answers: Mapping[str, str]  # digests of the student's cells; "": of those without a grade id
    graded_with: GradedWith
    seed: str
    problems: tuple[Problem, ...]
    cpu_seconds: float
    wall_seconds: float
    parts: tuple[PartResult, ...] = ()  # in the notebook's order
    number: int = 0  # from 1 on; 0: it is not stored yet
    at: datetime = field(default_factory=now)  # UTC

    @property
    def status(self) -> Status:
        """The outcome in one word."""
        return status_of(self.problems)

    @property
    def reason(self) -> str:
        """What has failed; "" if nothing has."""
        return reason_in(self.problems)

    def parts_of(self, cell: str) -> list[PartResult]:
        """Return the parts of one cell."""
        return [part for part in self.parts if part.cell == cell]

    @property
    def failures(self) -> list[Failure]:
        """What failed for a known reason, in the notebook's order.

        A cell that ended in an error because it has no answer yet is left out.
        """
        alike: dict[tuple[str, str], list[PartResult]] = {}
        for part in self.parts:
            is_stub = part.is_whole and part.message.startswith("NotImplementedError")
            if part.message and not (part.passed or is_stub):
                alike.setdefault((part.cell, part.message), []).append(part)
        return [Failure(cell, message, tuple(parts)) for (cell, message), parts in alike.items()]

    def joined(self, other: Run) -> Run:
        """Return this run of one notebook of a submission, together with that of the next."""
        cells = {**self.graded_with["cells"], **other.graded_with["cells"]}
        ours, others = self.answers.get("", ""), other.answers.get("", "")
        return replace(
            self,
            digest=joined_digest([self.digest, other.digest]),
            answers={**self.answers, **other.answers, "": joined_digest([ours, others])[:16]},
            graded_with={**other.graded_with, "cells": cells},
            problems=(*self.problems, *other.problems),
            cpu_seconds=self.cpu_seconds + other.cpu_seconds,
            wall_seconds=self.wall_seconds + other.wall_seconds,
            parts=(*self.parts, *other.parts),
        )

    @property
    def repairs(self) -> list[Problem]:
        """What the grader repaired in the notebook."""
        return [problem for problem in self.problems if problem.severity is Severity.REPAIRED]


def source_digest(source: str) -> str:
    """Return the digest of a cell's source, as a `Run` has it."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def joined_digest(digests: Sequence[str]) -> str:
    """Return the digest of a submission, given those of its notebooks in order."""
    joined, *others = digests
    for digest in others:
        joined = hashlib.sha256(f"{joined}{digest}".encode()).hexdigest()
    return joined


def save_run(connection: Connection, assignment: str, student: str, run: Run) -> int:
    """Store a run in the caller's transaction, and remove the oldest; return its number."""
    whose = {"assignment": assignment, "student": student}
    last = connection.scalar(select(func.max(RUNS.c.number)).where(matching(RUNS, whose)))
    number = (last or 0) + 1
    values = (
        vars(run)
        | whose
        | {
            "number": number,
            "answers": json.dumps(run.answers),
            "graded_with": json.dumps(run.graded_with, sort_keys=True),
            "status": str(run.status),
            "reason": encodable(run.reason),
            "problems": json.dumps([asdict(problem) for problem in run.problems]),
        }
    )
    del values["parts"]
    for table in (RUNS, PARTS):
        old = table.c.number <= number - MAX_RUNS
        connection.execute(delete(table).where(matching(table, whose), old))
    connection.execute(insert(RUNS).values(values))
    parts = [
        {**whose, "number": number, "position": position, **asdict(part)}
        for position, part in enumerate(run.parts)
    ]
    if parts:
        connection.execute(insert(PARTS), parts)
    return number


def read_runs(
    db: Connection,
    assignment: str,
    student: str | None = None,
    numbers: Mapping[str, int] | None = None,
    *,
    with_parts: bool = True,
) -> dict[str, Run]:
    """Return each student's last run, or that of one student, by student.

    With `numbers`, return the runs of these numbers; a run that is gone is left out. Reading the
    parts of a large class takes most of the time.
    """
    whose = {"assignment": assignment, "student": student}
    if numbers is None:
        last = select(RUNS.c.student, func.max(RUNS.c.number)).group_by(RUNS.c.student)
        found = db.execute(last.where(matching(RUNS, whose)))
        numbers = {row[0]: row[1] for row in found}
    numbered = set(numbers.values())

    def rows(table: Table, *order: str) -> Iterator[Any]:
        query = select(table).where(matching(table, whose))
        query = query.where(table.c.number.in_(numbered)).order_by(*order)
        return (row for row in db.execute(query) if numbers.get(row.student) == row.number)

    parts: defaultdict[str, list[PartResult]] = defaultdict(list)
    for row in rows(PARTS, "position") if with_parts else ():
        part = PartResult(
            cell=row.cell,
            name=row.name,
            points=row.points,
            earned=row.earned,
            passed=row.passed,
            message=row.message,
            fresh=row.fresh,
            fingerprint=row.fingerprint,
        )
        parts[row.student].append(part)
    read = functools.cache(json.loads)  # most runs of a class were graded with the same
    return {
        row.student: Run(
            row.digest,
            json.loads(row.answers),
            read(row.graded_with),
            row.seed,
            tuple(problems_in(json.loads(row.problems))),
            row.cpu_seconds,
            row.wall_seconds,
            tuple(parts[row.student]),
            row.number,
            row.at,
        )
        for row in rows(RUNS)
    }


def runs_before(db: Connection, assignment: str) -> dict[str, Run]:
    """Return the run with which each student's last one is compared, by student.

    It is the newest one of another file or graded with something else, or else the last but one.
    """
    columns = (RUNS.c.student, RUNS.c.number, RUNS.c.digest, RUNS.c.graded_with)
    query = select(*columns).where(matching(RUNS, {"assignment": assignment}))
    last: dict[str, tuple[str, str]] = {}
    before: dict[str, int] = {}
    different: dict[str, int] = {}
    for row in db.execute(query.order_by(RUNS.c.number.desc())):
        inputs = row.digest, row.graded_with
        if row.student not in last:
            last[row.student] = inputs
            continue
        before.setdefault(row.student, row.number)
        if inputs != last[row.student]:
            different.setdefault(row.student, row.number)
    return read_runs(db, assignment, numbers=before | different)


def unanswered_in(
    db: Connection, assignment: str, cells: Collection[str], student: str | None = None
) -> dict[str, set[str]]:
    """Return which of these tests met no answer in each student's last run, by student.

    Such a test gave no point, and an answer raised NotImplementedError.
    """
    whose = {"assignment": assignment, "student": student}
    last = select(RUNS.c.student, func.max(RUNS.c.number)).where(matching(RUNS, whose))
    numbers = {row[0]: row[1] for row in db.execute(last.group_by(RUNS.c.student))}
    parts = select(PARTS).where(matching(PARTS, whose), PARTS.c.cell.in_(cells))
    earned: defaultdict[tuple[str, str], float] = defaultdict(float)
    stubs = set()
    for row in db.execute(parts):
        if row.number == numbers.get(row.student):
            earned[row.student, row.cell] += row.earned
            if "NotImplementedError" in row.message:
                stubs.add((row.student, row.cell))
    found: defaultdict[str, set[str]] = defaultdict(set)
    for who, cell in stubs:
        if not earned[who, cell]:
            found[who].add(cell)
    return found


def digests_before(connection: Connection, assignment: str, student: str) -> dict[str, str]:
    """Return the digests of a student's answers at the last autograding, by grade id."""
    key = {"assignment": assignment, "student": student}
    query = select(ANSWERS.c.cell, ANSWERS.c.digest).where(matching(ANSWERS, key))
    return {row.cell: row.digest for row in connection.execute(query)}


def remember(
    connection: Connection,
    assignment: str,
    student: str,
    digests: Mapping[str, str],
    cells: Collection[str] = (),
) -> None:
    """Store the digests of a student's answers as they are now, and remove those of these cells."""
    key = {"assignment": assignment, "student": student}
    connection.execute(delete(ANSWERS).where(matching(ANSWERS, key), ANSWERS.c.cell.in_(cells)))
    for cell, digest in digests.items():
        upsert(connection, ANSWERS, key | {"cell": cell}, digest=digest)


def message_of_part(part: PartResult, cell: NotebookNode | None) -> str:
    """Return what a student reads of a part that failed, whose cell is known or not."""
    if not part.is_whole:
        return part.message
    if cell is None:
        return "the test did not pass"
    if not is_test(cell):
        return part.message
    errors = errors_in(cell)  # in the outputs, without their details
    name = error_of(errors[0]) if errors else "NotScored"
    return "the test did not finish" if name == "NotScored" else name
