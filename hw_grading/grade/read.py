"""Reads a submission: the one reader, whoever runs the submission, and whenever."""

import functools
import json
import os
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

from hw_grading.grade.bounded import read_within_limits
from hw_grading.grade.job import Conditions, Job
from hw_grading.grade.submissions import beside, submission_digest
from hw_grading.homework.cells import instructor_cells, plain_cells
from hw_grading.homework.course import Course
from hw_grading.homework.notebook import read_places
from hw_grading.homework.notes import limited, put_notes_on_top
from hw_grading.outcome import GraderFault
from hw_support.submission.cells import InstructorCell
from hw_support.submission.file import UserError
from hw_support.submission.problems import Kind, Problem, Severity
from hw_support.submission.released import grade_ids_in
from hw_support.submission.repairing import repair

SMALL = 2_000_000  # bytes of a file that costs at most 0.2 s, wherever it is read


@dataclass(frozen=True)
class _Instructors:
    """What a notebook of the homework has."""

    cells: list[InstructorCell]
    kernelspec: Any
    plain: list[str] | None  # sources of cells without a grade id


class Reader:
    """Reads the submissions of a homework, for one command: the instructor's cells do not change.

    It takes the place of nbgrader's `sanitize_preprocessors`. `beside` makes a call in another
    process, where files that are not `SMALL` are read; without it they are read here.
    """

    def __init__(
        self,
        course: Course,
        assignment: str,
        db_url: str,
        conditions: Conditions,
        beside: Callable[..., Any] | None = None,
    ) -> None:
        self._course, self._assignment = course, assignment
        self._names = [f"{name}.ipynb" for name in course.notebooks(assignment)]
        self._given = course.files(assignment)
        self._db_url, self._conditions, self._beside = db_url, conditions, beside
        self._instructors = functools.cache(self._read_instructors)

    def read(self, student: str, path: Path, name: str = "") -> Job:
        """Read a student's notebook, and restore the instructor's cells, their order and kernel.

        With `name`, the file is that notebook of the homework, in any folder and under any name:
        nothing beside it was handed in. Raise `GraderFault` if there is no notebook that can be
        read.
        """
        digest = submission_digest(path)
        is_large = os.path.lexists(path) and path.lstat().st_size > SMALL
        if self._beside and is_large:
            notebook = self._beside(read_within_limits, path)
        else:
            notebook = read_within_limits(path)
        if isinstance(notebook, str):
            raise GraderFault(f"{notebook[0].upper()}{notebook[1:]}")
        problems = [] if name else self._beside_it(path)
        name = name or path.stem
        own = self._instructors(name)
        ids = {cell.grade_id for cell in own.cells}
        mistaken = mistaken_for(grade_ids_in(notebook), ids, self._others)
        repaired = repair(notebook, own.cells, own.plain)
        if own.kernelspec:
            notebook.metadata["kernelspec"] = own.kernelspec
        if mistaken is not None:  # instead of a list of all its cells
            repaired = [_other_homework(mistaken, self._assignment)]
        put_notes_on_top(notebook, ())  # none that the student wrote
        about = {"problems": limited([*problems, *repaired]), "name": name, "file": digest}
        return self._conditions.job(student, notebook, **about)

    def cells(self, name: str) -> list[InstructorCell]:
        """Return the instructor's cells of a notebook."""
        return self._instructors(name).cells

    def _beside_it(self, path: Path) -> list[Problem]:
        missing = [name for name in self._names if not os.path.lexists(path.with_name(name))]
        return [*beside(path, self._names, self._given), *map(_not_submitted, missing)]

    def _read_instructors(self, name: str) -> _Instructors:
        source = self._course.source(self._assignment) / f"{name}.ipynb"
        places = self._course.release(self._assignment) / source.name, source
        with Gradebook(self._db_url) as gradebook:
            cells = instructor_cells(gradebook, self._assignment, name, *places)
            kernelspec = gradebook.find_notebook(name, self._assignment).kernelspec
        return _Instructors(cells, json.loads(kernelspec or "null"), plain_cells(source))

    @functools.cached_property
    def _others(self) -> dict[str, frozenset[str]]:
        """The grade ids of the course's other assignments, by name; of sources, if not released."""
        found: dict[str, frozenset[str]] = {}
        for name in {*self._course.homeworks()} - {self._assignment}:
            with suppress(OSError, UserError):
                found[name] = frozenset(read_places(*self._course.sources(name)))
        with Gradebook(self._db_url) as gradebook:
            found |= {
                other.name: frozenset(cell.name for n in other.notebooks for cell in n.source_cells)
                for other in gradebook.assignments
            }
        found.pop(self._assignment, None)
        return found


def mistaken_for(
    found: AbstractSet[str], own: AbstractSet[str], others: Mapping[str, AbstractSet[str]]
) -> str | None:
    """Return the other homework to which a notebook with these grade ids belongs.

    It has more than half of the cells that only the other homework has, and a smaller share of
    those that only its `own` has, the one as which it was submitted. "" is a homework of another
    course: the notebook has cells of a homework, and none of its own. None if it belongs here.
    """

    def share(ids: AbstractSet[str]) -> float:
        return len(found & ids) / len(ids) if ids else 0.0

    shares = {name: share(theirs - own) for name, theirs in sorted(others.items())}
    most = max(shares, key=shares.__getitem__, default="")
    if most and shares[most] > max(0.5, share(own - others[most])):
        return most
    return "" if found and found.isdisjoint(own) else None


def _not_submitted(name: str) -> Problem:
    said = f"{name} was not submitted: expected it beside this notebook. Its questions score 0."
    return Problem(Kind.OTHER_NOTEBOOK, Severity.FAILED, said)


def _other_homework(other: str, assignment: str) -> Problem:
    """Return the problem of a notebook; its first sentence says to which homework it belongs."""
    if other:
        message = (
            f"This is the notebook of {other}, not of {assignment}. It has most of the cells that "
            f"only {other} has, and less of those that only {assignment} has. It was graded as "
            f"{assignment}. Submit the notebook of {assignment}, and submit this one as {other}."
        )
    else:
        message = (
            f"This is the notebook of another homework, not of {assignment}. None of its cells is "
            f"one of {assignment}. It was graded as {assignment}. Submit the notebook of "
            f"{assignment}."
        )
    return Problem(Kind.OTHER_HOMEWORK, Severity.FAILED, message)
