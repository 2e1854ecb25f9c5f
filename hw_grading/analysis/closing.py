"""What is open before the grades of a homework may go out, in the order in which to do it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from hw_grading.gradebook.collected import Collected, read_collected
from hw_grading.gradebook.given import (
    NBGRADERS,
    Feedback,
    feedback_of,
    outdated_exports,
)
from hw_grading.gradebook.requests import requests_in
from hw_grading.gradebook.results import Results
from hw_grading.gradebook.scores import comments_in, open_gradebook
from hw_grading.gradebook.tables import MARKS, matching
from hw_grading.lms.platforms import PLATFORMS
from hw_grading.lms.roster import read_roster
from hw_grading.lms.tables import folded
from hw_grading.mistakes.groups import told_in
from hw_grading.outcome import Status
from hw_grading.texts import counted, named, typed
from hw_support.checks.failures import one_line
from hw_support.submission.file import UserError

_MAX_NAMED = 12  # students in a line


@dataclass(frozen=True)
class Open:
    """One thing that is open: what, for whom, and what to type."""

    what: str
    who: tuple[str, ...]  # ids of students, or files
    command: str


def still_open(results: Results) -> list[Open]:
    """Return what is open, in the order in which to do it."""
    return [Open(what, tuple(who), how) for what, who, how in _found(results) if who]


def _found(results: Results) -> Iterator[tuple[str, list[str], str]]:
    """Yield each thing that may be open, for whom it is, and what to type."""
    course, name = results.course, results.assignment
    left = {*results.left}
    handed_in = {s: result for result in results.handed_in if (s := result.student.id) not in left}
    try:
        listed = [person.id for person in read_roster(course).people]
    except UserError as why:
        yield "the list of students cannot be read", [str(why)], "hw-grading doctor"
        listed = []
    there = set(map(folded, [*handed_in, *results.absent]))
    missing = [student for student in listed if folded(student) not in there]
    again = typed("hw-grading collect", name, "DOWNLOAD")
    how = f"{again} or, if there is none: {typed('hw-grading absent', name, '--student', 'ID')}"
    yield "submitted nothing", missing, how
    collected = Collected()
    try:
        collected = read_collected(course, name)
    except UserError as why:
        yield "what was collected is not known", [str(why)], again
    yield "left out by collect", [one.file for one in collected.left_out], again
    grade = typed("hw-grading grade", name)
    how = f"write it into submitted/STUDENT/{name}/timestamp.txt, and type: {grade}"
    not_proven = [s for s in collected.without_proof(results) if s in handed_in]
    yield "the time of submission is not proven", not_proven, how
    not_graded = [s for s, one in handed_in.items() if one.status is Status.NOT_GRADED]
    yield "not graded", not_graded, f"{grade} (it says why a submission cannot be graded)"
    open_tests = [
        student
        for student, one in handed_in.items()
        if one.status is not Status.NOT_GRADED and one.unscored - one.dropped
    ]
    yield "tests without a score", open_tests, grade
    waiting = {
        student: sum(score.waits for score in one.counting)
        for student, one in handed_in.items()
        if one.known.scored or one.status is Status.SUBMISSION_FAILED
    }
    answers = counted(sum(waiting.values()), "answer")
    desk = typed("hw-grading desk", name)
    yield f"{answers} to be graded by a person (+)", [s for s in waiting if waiting[s]], desk
    too_high = [student for student, one in handed_in.items() if one.too_high]
    yield "a person gave more than the question's points", too_high, desk
    with open_gradebook(course.db_url, name) as (db, _):
        flagged = select(MARKS.c.student).where(
            matching(MARKS, {"assignment": name}), MARKS.c.flagged
        )
        marked = sorted({student for (student,) in db.execute(flagged)} - left)
        asked = requests_in(db, name)
        pages = feedback_of(results, comments_in(db, name), told_in(results), asked)
    yield "flagged answers", marked, desk
    asking = [s for s in asked if s not in left and any(one.is_open for one in asked[s].values())]
    count = sum(one.is_open for s in asking for one in asked[s].values())
    yield f"{counted(count, 'request')} about points without a reply", asking, desk
    old = [
        s
        for s, page in pages.items()
        if page is not Feedback.CURRENT and s in handed_in and handed_in[s].known.scored
    ]
    if all(page is Feedback.MISSING for page in pages.values()):
        old = []
    how = typed("hw-grading feedback", name)
    yield "feedback that is missing or older than its scores and sentences", old, how
    for kind, file, students in outdated_exports(results):
        fill = ["--fill", "FILE"] if kind in PLATFORMS else []
        how = typed("hw-grading export", name, "--format", kind, *fill, "--output", file)
        how = typed("nbgrader export", f"--to={file}") if kind == NBGRADERS else how
        how = typed("hw-grading export", name, "--canvas", "--send") if "://" in file else how
        yield f"scores that the export {file} does not have", students, how


def open_lines(found: Sequence[Open]) -> Iterator[str]:
    """Yield what is open in lines; one that says so if nothing is."""
    yield "Open, before grades go out:" if found else "Nothing is open."
    for one in found:
        who = named([one_line(name) for name in one.who], _MAX_NAMED)
        yield f"  {one.what} ({len(one.who)}): {who}"
        yield f"      {one.command}"
