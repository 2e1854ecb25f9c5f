"""Collects submissions from any learning platform's download."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from zoneinfo import ZoneInfo

from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.records.handed_in import extended
from hw_grading.records.writing import say
from hw_grading.term.decide import Plan, decide
from hw_grading.term.manifest import path_of, read_manifest, write_manifest
from hw_grading.term.other_homework import without_others
from hw_grading.term.platforms import found_in
from hw_grading.term.roster import Roster, read_roster
from hw_grading.term.showing import files_in_words, plan_in_words
from hw_grading.term.write import put_back, write
from hw_support.submission.file import Unreadable


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
        plan, zone = plan_of(course, homework, downloads, stack, people, dry_run=dry_run)
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


def plan_of(
    course: Course,
    homework: str,
    downloads: Sequence[Path],
    stack: ExitStack,
    people: Roster,
    *,
    dry_run: bool = False,
) -> tuple[Plan, ZoneInfo]:
    """Return the plan, and the time zone of the homework's due date; raise as `collect`.

    Without `dry_run`, half-finished steps of a killed run are undone.
    """
    course.expect_homework(homework)
    settings = manifest_of(course.root, homework)
    zone = ZoneInfo(settings.time_zone)
    collected = read_manifest(path_of(course.root, homework))
    found, left_out = found_in(downloads, homework, zone, stack)
    found, others = without_others(course, homework, found)
    if not dry_run:
        put_back(course, homework, {*collected, *(person.id for person in people.people)})
    due = settings.due_moment
    own = extended(course.db_url, homework, due) if due else {}
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
