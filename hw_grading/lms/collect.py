"""Collects submissions from any learning platform's download: plans, asks, writes."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nbgrader.plugins import ExtractorPlugin

from hw_grading.gradebook.folders import TIMESTAMP
from hw_grading.gradebook.writing import say
from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.lms.downloads import content_of, found_in
from hw_grading.lms.plan import (
    LEFT_OUT,
    THERE,
    Entry,
    Plan,
    Record,
    decide,
    plan_in_words,
    read_records,
    write_records,
)
from hw_grading.lms.platforms import CANVAS, MOODLE, read_sheet
from hw_grading.lms.roster import read_roster
from hw_support.in_one_step import in_one_step
from hw_support.submission.file import UserError


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
    roster: Path | None = None,
    canvas_gradebook: Path | None = None,
    moodle_worksheet: Path | None = None,
    columns: Mapping[str, str],
    accept_names: bool = False,
    dry_run: bool = False,
    yes: bool = False,
) -> bool:
    """Show the submissions in downloads, and write them into ``submitted/`` if you agree.

    `downloads` are zips, folders or notebooks; the gradebook and the worksheet say whose files they
    are, and `columns` are titles in the worksheet. With `accept_names` a name says it too, with
    `dry_run` nothing is written, with `yes` nobody is asked. Returns whether there was something to
    collect and nothing was left out. Raises `UserError` if nothing can be collected.
    """
    course = Course(folder)
    course.expect_homework(homework)
    if (names := course.notebooks(homework)) != [homework]:
        raise UserError(
            f"collect takes one notebook, {homework}.ipynb, and {homework} has "
            f"{', '.join(f'{name}.ipynb' for name in names)}. Put each student's notebooks into "
            f"{course.directory.submitted_directory}/STUDENT/{homework}/"
        )
    people = read_roster(course, roster, canvas_gradebook)
    accounts = {}
    if canvas_gradebook:
        accounts["canvas"] = read_sheet(CANVAS, canvas_gradebook, {}).accounts
    if moodle_worksheet:
        accounts["moodle"] = read_sheet(MOODLE, moodle_worksheet, columns).accounts
    zone = ZoneInfo(manifest_of(course.root, homework).time_zone)
    records = read_records(course, homework)
    with ExitStack() as stack:
        found, left_out = found_in(downloads, homework, zone, accounts, stack)
        plan = decide(course, homework, people, found, records, accept_names)
        plan.sections[LEFT_OUT][:0] = left_out
        say(plan_in_words(plan, zone))
        if dry_run:
            print("Nothing was written (--dry-run).")
        if dry_run or not plan.entries:
            return bool(plan.entries) and not plan.left_out
        if plan.to_write and not (yes or _agreed()):
            print("Nothing was written.")
            return False
        failed = _write(course, plan, records)
    people.store(course.db_url)
    path = write_records(course, homework, records)
    written = len(plan.to_write) - len(failed)
    say(
        f"Submissions written to {course.directory.submitted_directory}/: {written}. "
        f"Their files are listed in {path}"
    )
    if failed:
        say("\n".join([f"NOT WRITTEN ({len(failed)}):", *failed]))
    return not (plan.left_out or failed)


def _agreed() -> bool:
    try:
        answer = input("Write these? [y/N] ")
    except EOFError:
        raise UserError(
            "\nNothing was written: the command cannot ask you, because this is not a terminal. To "
            "write without being asked, add --yes"
        ) from None
    return answer.strip().casefold() in ("y", "yes")


def _write(course: Course, plan: Plan, records: dict[str, Record]) -> list[str]:
    """Write a plan's submissions, add their records, and return a line for each that failed."""
    failed: list[str] = []
    for entry in plan.entries:
        try:
            if entry.state != THERE:
                _write_one(course.submitted(entry.person.id, plan.homework), plan.homework, entry)
            records[entry.person.id] = entry.record
        except (UserError, OSError) as why:
            failed.append(f"  {entry.found.upload.file}: {why}")
    return failed


def _write_one(folder: Path, homework: str, entry: Entry) -> None:
    """Write the notebook and its time. If it is killed between them, the next run writes both."""
    content, when = content_of(entry.found, homework), entry.found.when
    if hashlib.sha256(content).hexdigest() != entry.record.sha256:
        raise UserError("it has changed since the table was shown. Collect again")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as parts:  # both are complete before the first one is put in place
        if when:
            text = f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC\n"
            parts.enter_context(in_one_step(folder / TIMESTAMP)).write_text(text, encoding="ascii")
        parts.enter_context(in_one_step(folder / f"{homework}.ipynb")).write_bytes(content)
    if not when:
        (folder / TIMESTAMP).unlink(missing_ok=True)
