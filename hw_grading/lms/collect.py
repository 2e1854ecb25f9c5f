"""Collects submissions from any learning platform's download: plans, asks, writes."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

from nbgrader.plugins import ExtractorPlugin

from hw_grading.gradebook.folders import TIMESTAMP
from hw_grading.gradebook.writing import in_words, say
from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.lms.downloads import NOTEBOOK, ZIP, content_of, files_in
from hw_grading.lms.plan import (
    THERE,
    Entry,
    LeftOut,
    Plan,
    Record,
    decide,
    plan_in_words,
    read_records,
    write_records,
)
from hw_grading.lms.platforms import (
    CANVAS,
    MOODLE,
    Accounts,
    Found,
    found_by,
    is_of_one_student,
    read_metadata,
    read_sheet,
)
from hw_grading.lms.roster import read_roster
from hw_support.in_one_step import in_one_step
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted


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
    collect and nothing was left out.
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
    for platform, sheet in ((CANVAS, canvas_gradebook), (MOODLE, moodle_worksheet)):
        if sheet:
            _, students = read_sheet(platform, sheet, columns if platform is MOODLE else {})
            accounts[platform.name] = {who.account: who.keys for who in students.values()}
    records = read_records(course, homework)
    with ExitStack() as stack:
        found, left_out = _found_in(downloads, homework, accounts, stack)
        plan = decide(course, homework, people, found, left_out, records, accept_names)
        say(plan_in_words(plan, ZoneInfo(manifest_of(course.root, homework).time_zone)))
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


def _found_in(
    paths: Sequence[Path], homework: str, accounts: Mapping[str, Accounts], stack: ExitStack
) -> tuple[list[Found], list[LeftOut]]:
    """Return the submissions in downloads, and the files that are left out.

    `accounts` are by the platform's name. Zips stay open until the stack is closed.
    """
    found: list[Found] = []
    left_out: list[LeftOut] = []
    for path in paths:
        groups: defaultdict[str, list[Found]] = defaultdict(list)
        try:
            files = files_in(path, is_of_one_student(path.name, homework), stack)
            metadata = read_metadata(files)
        except (UserError, OSError) as why:
            left_out.append((str(path), in_words(why)))
            continue
        for upload in files:
            try:
                for one in found_by(upload, homework, metadata, accounts):
                    groups[one.group].append(one)
            except UserError as why:
                left_out += [(upload.file, str(why))] if upload.is_work else []
        for group in groups.values():
            try:
                found += _counting(group, homework)
            except UserError as why:
                left_out += [(one.upload.file, str(why)) for one in _work(group)]
    return found, list(dict.fromkeys(left_out))


def _work(group: Sequence[Found]) -> Sequence[Found]:
    """Return the files that can be work; all if none can."""
    return [one for one in group if one.upload.is_work] or group


def _counting(group: Sequence[Found], homework: str) -> list[Found]:
    """Return a submission's file to grade, a zip only without a notebook; `UserError` if unclear.

    If several have the homework's name, they are uploads one after the other.
    """
    found = [one for one in group if one.upload.suffix == NOTEBOOK]
    found = found or [one for one in group if one.upload.suffix == ZIP]
    named = [one for one in found if PurePosixPath(one.own).stem == homework]
    if not named and len({one.own for one in found}) != 1:
        names = dict.fromkeys(quoted(PurePosixPath(one.own).name) for one in _work(group))
        raise UserError(
            f"expected one notebook or zip, or one named {homework}, found "
            f"{', '.join([*names][:5])}. Keep only the one that counts"
        )
    return named or found


def _agreed() -> bool:
    try:
        return input("Write these? [y/N] ").strip().casefold() in ("y", "yes")
    except EOFError:
        raise UserError("\nNothing was written, since nobody can answer. Add --yes") from None


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
    content, when = content_of(entry.found.upload, homework), entry.found.when
    if hashlib.sha256(content).hexdigest() != entry.record.sha256:
        raise UserError("it has changed since the table was shown. Collect again")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as parts:  # both are complete before the first one is put in place
        if when:
            text = f"{when:%Y-%m-%d %H:%M:%S.%f} UTC\n"
            parts.enter_context(in_one_step(folder / TIMESTAMP)).write_text(text, encoding="ascii")
        parts.enter_context(in_one_step(folder / f"{homework}.ipynb")).write_bytes(content)
    if not when:
        (folder / TIMESTAMP).unlink(missing_ok=True)
