"""Describes what regrading a class would do."""

import os
from collections.abc import Iterator, Sequence

from hw_grading.batch.snapshot import Conditions, Snapshot
from hw_grading.homework.course import Course
from hw_grading.homework.homework import homework_of
from hw_grading.records.scores import counted, named
from hw_grading.records.timestamp import read_time
from hw_grading.regrading.reasons import of_conditions
from hw_grading.regrading.unreleased import Edits
from hw_grading.run.execution import ExecuteSubmission
from hw_support.submission.file import Unreadable

MOST_NAMED = 8


def plan(
    course: Course, assignment: str, students: Sequence[str], now: Snapshot, edits: Edits
) -> Iterator[str]:
    """Yield the sentences of the plan for regrading these students' submissions."""
    if edits.added or edits.removed:
        both = named(edits.added + edits.removed, MOST_NAMED)
        yield f"A regrade is not possible: cells were added or removed: {both}."
    if edits.changed:
        changed = named(edits.changed, MOST_NAMED)
        yield (
            f"These cells were edited since the release: {changed}. A regrade would release the "
            "notebook again."
        )
        yield f"It would run {counted(len(students), 'submission')} again, each with all tests."
        return
    settings = ExecuteSubmission(config=course.config)
    conditions = Conditions.of(settings, homework_of(course.root, assignment))
    anew = [s for s in students if now.conditions_of(s) != conditions]
    newer = [s for s in students if s not in anew and _handed_in_again(course, assignment, s)]
    yield "The notebook is unchanged since the release."
    if anew:
        known = [now.conditions_of(student) for student in anew]
        why = dict.fromkeys(text for c in known if c for text in of_conditions(c, conditions))
        not_known = ["the conditions of their grading were not recorded"] * (None in known)
        number = counted(len(anew), "submission")
        yield f"A regrade would run {number} again: {'; '.join([*why, *not_known])}."
    if newer:
        number = counted(len(newer), "submission")
        yield (
            f"A regrade would run {number} again because the students submitted again: "
            f"{named(newer, MOST_NAMED)}."
        )
    if not anew and not newer:
        yield "A regrade would run no submission again: all results are up to date."


def _handed_in_again(course: Course, assignment: str, student: str) -> bool:
    folders = [course.submitted(student, assignment), course.autograded(student, assignment)]
    try:
        times = [read_time(folder) for folder in folders]
        modified = [os.lstat(folder / f"{assignment}.ipynb").st_mtime for folder in folders]
    except (Unreadable, OSError):
        return True
    return times[0] != times[1] or modified[0] > modified[1]
