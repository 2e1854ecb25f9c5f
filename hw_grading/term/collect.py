"""Collects submissions from any learning platform's download."""

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nbgrader.plugins import ExtractorPlugin

from hw_grading.gradebook.database import Unavailable
from hw_grading.gradebook.extensions import extensions_in
from hw_grading.gradebook.scores import open_gradebook
from hw_grading.gradebook.writing import say
from hw_grading.homework.cells import grade_ids_by_assignment
from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.term.decide import Plan, decide
from hw_grading.term.downloads import found_in
from hw_grading.term.found import Found, LeftOut
from hw_grading.term.roster import Roster, read_roster
from hw_grading.term.showing import files_in_words, plan_in_words
from hw_grading.term.write import path_of, put_back, read_manifest, write, write_manifest
from hw_support.submission.belonging import closest, mistaken_for
from hw_support.submission.file import Unreadable

# In a JSON text, quotation marks of a cell's source have a backslash in front of them.
_GRADE_ID = re.compile(rb'"grade_id"\s*:\s*"([^"\\]+)"')


class UseCollect(ExtractorPlugin):
    """Refuses `nbgrader zip_collect`: names inside an archive would decide who submitted it."""

    def __init__(self, parent: Any, **settings: Any) -> None:
        parent.fail(
            "Nothing was collected: names inside a student's archive could hand in for another "
            f"student, so type: hw-grading collect {parent.coursedir.assignment_id} "
            "DOWNLOAD"
        )


def collect(
    folder: Path,
    homework: str,
    downloads: Sequence[Path],
    *,
    roster: Path | None,
    canvas_gradebook: Path | None,
    dry_run: bool,
    yes: bool,
) -> bool:
    """Show the submissions in downloads, and write them into ``submitted/`` if you agree.

    `downloads` are zips, folders or notebooks. With `dry_run` nothing is written; with `yes`
    nobody is asked. Returns whether there was something to collect and nothing was left out.
    Raises `Unreadable` if nothing can be collected.
    """
    course = Course(folder)
    people = read_roster(course, homework, roster, canvas_gradebook)
    with ExitStack() as stack:
        plan, zone = _plan(course, homework, downloads, stack, people, dry_run)
        say(plan_in_words(plan, zone))
        if dry_run:
            print("Nothing was written (--dry-run).")
        if dry_run or not plan.entries:
            return plan.is_all_well and bool(plan.entries)
        if plan.to_write and not (yes or _agreed()):
            print("Nothing was written.")
            return False
        records, failed = write(course, plan)
    people.store(course.db_url)
    manifest = path_of(course.root, homework)
    write_manifest(manifest, homework, {**read_manifest(manifest), **records})
    written = sum(entry.person.id in records for entry in plan.to_write)
    say(
        f"Submissions written to {course.directory.submitted_directory}/: {written}. "
        f"Their files and times are listed in {manifest}"
    )
    if failed:
        say(f"NOT WRITTEN ({len(failed)}):\n{files_in_words(failed)}")
    return plan.is_all_well and not failed


def _plan(
    course: Course,
    homework: str,
    downloads: Sequence[Path],
    stack: ExitStack,
    people: Roster,
    dry_run: bool,
) -> tuple[Plan, ZoneInfo]:
    """Return the plan, and the time zone of the homework's due date; raise as `collect`.

    Without `dry_run`, half-finished steps of a killed run are undone.
    """
    course.expect_homework(homework)
    settings = manifest_of(course.root, homework)
    zone = ZoneInfo(settings.time_zone)
    collected = read_manifest(path_of(course.root, homework))
    found, left_out = found_in(downloads, homework, zone, stack)
    found, others = _without_others(course, homework, found)
    if not dry_run:
        put_back(course, homework, {*collected, *(person.id for person in people.people)})
    due = settings.due_moment
    own = _extended(course.db_url, homework, due) if due else {}
    return decide(course, homework, due, people, found, [*left_out, *others], collected, own), zone


def _agreed() -> bool:
    try:
        answer = input("Write these? [y/N] ")
    except EOFError:
        raise Unreadable(
            "\nNothing was written: the command cannot ask you, because this is not a terminal. To "
            "write without being asked, add --yes"
        ) from None
    return answer.strip().casefold() in ("y", "yes")


def _without_others(
    course: Course, homework: str, found: Sequence[Found]
) -> tuple[list[Found], list[LeftOut]]:
    """Return the submissions of a homework, and the files of other homeworks.

    The grade ids in a notebook decide. If they do not, the end of its file's name decides.
    """
    ids = _grade_ids_in_sources(course)
    with suppress(Unavailable), open_gradebook(course.db_url, homework) as (db, _):
        ids |= grade_ids_by_assignment(db)
    names = "|".join(map(re.escape, sorted(course.homeworks(), key=len, reverse=True)))
    # Canvas and browsers number files of the same name.
    ending = re.compile(rf"(?<![A-Za-z0-9])({names})(?:-\d+| ?\(\d+\))?\.\w+$")
    others: dict[str, str] = {}
    for one in found:
        other, why = _by_grade_ids(one, homework, ids) if homework in ids else ("", "")
        named = ending.search(one.file)
        if not other and named and named[1] != homework:
            other = named[1]
            why = f"its name ends in {other}. If it is {homework}, rename it; otherwise collect it"
        if other not in ("", homework):
            others[one.file] = f"{why}: hw-grading collect {other} …"
    kept = [one for one in found if one.file not in others]
    return kept, [LeftOut(file, why) for file, why in others.items()]


def _grade_ids_in_sources(course: Course) -> dict[str, frozenset[str]]:
    """Return the grade ids of each homework, also of those that the gradebook does not have yet."""
    ids = {}
    for name in course.homeworks():
        with suppress(OSError):
            files = [path.read_bytes() for path in course.source(name).glob("*.ipynb")]
            ids[name] = _grade_ids(b"\n".join(files))
    return {name: found for name, found in ids.items() if found}


def _grade_ids(content: bytes) -> frozenset[str]:
    return frozenset(name.decode(errors="replace") for name in _GRADE_ID.findall(content))


def _by_grade_ids(
    found: Found, homework: str, ids: Mapping[str, frozenset[str]]
) -> tuple[str, str]:
    """Return the homework to which a notebook belongs, and why it is another one; "" if unclear."""
    with suppress(Unreadable, OSError):  # `decide` reports them
        here = _grade_ids(found.read())
        others = {name: theirs for name, theirs in ids.items() if name != homework}
        if mistaken := mistaken_for(here, ids[homework], others):
            of = f"it has {mistaken.found} of the {mistaken.of} cells that only {mistaken.homework}"
            return mistaken.homework, f"{of} has. Collect it as {mistaken.homework}"
        if closest(here, ids) == [homework]:
            return homework, ""
    return "", ""


def _extended(db_url: str, assignment: str, due: datetime) -> dict[str, datetime]:
    """Return due dates of students with an extension, by id, in the time zone of `due`."""
    try:
        with open_gradebook(db_url, assignment) as (db, _):
            granted = extensions_in(db, assignment)
    except Unavailable:
        return {}
    for_all = due.astimezone(UTC).replace(tzinfo=None)
    return {
        student: own.replace(tzinfo=UTC).astimezone(due.tzinfo)
        for (_, student), one in granted.items()
        if (own := one.due(for_all)) > for_all
    }
