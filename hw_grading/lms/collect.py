"""Collects submissions from any learning platform's download: plans, asks, writes."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC
from pathlib import Path, PurePosixPath
from typing import Any

from nbgrader.plugins import ExtractorPlugin

from hw_grading.gradebook.absences import absences_in
from hw_grading.gradebook.collected import (
    CollectedRecord,
    keep_aside,
    read_collected,
    write_collected,
)
from hw_grading.gradebook.database import Unavailable
from hw_grading.gradebook.extensions import Extension, extensions_by_student
from hw_grading.gradebook.lateness import zone_of
from hw_grading.gradebook.scores import open_gradebook, record_by
from hw_grading.homework.course import Course
from hw_grading.homework.folders import TIMESTAMP
from hw_grading.homework.homework import manifest_of
from hw_grading.lms.canvas import found_on_canvas
from hw_grading.lms.downloads import NOTEBOOK, ZIP, content_of, files_in
from hw_grading.lms.plan import (
    REPLACES,
    THERE,
    Entry,
    Late,
    Plan,
    Told,
    decide,
    plan_text,
)
from hw_grading.lms.platforms import (
    CANVAS,
    MOODLE,
    Accounts,
    Found,
    accounts_in,
    found_by,
    is_of_one_student,
    read_metadata,
)
from hw_grading.lms.requests import Inbox
from hw_grading.lms.roster import read_roster
from hw_grading.texts import agreed, message_of, say, typed
from hw_support.in_one_step import in_one_step
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted


class UseCollect(ExtractorPlugin):
    """Refuses `nbgrader zip_collect`: names inside an archive would decide who submitted it."""

    def __init__(self, parent: Any, **settings: Any) -> None:
        assignment = parent.coursedir.assignment_id
        parent.fail(
            "Nothing was collected: names inside a student's archive could hand in for another "
            f"student, so type: {typed('hw-grading collect', assignment, 'DOWNLOAD')}"
        )


def collect(
    folder: Path,
    assignment: str,
    downloads: Sequence[Path],
    *,
    roster: Path | None = None,
    canvas_gradebook: Path | None = None,
    moodle_worksheets: Sequence[Path] = (),
    canvas: bool = False,
    dry_run: bool = False,
    yes: bool = False,
) -> bool:
    """Show the submissions in downloads or on Canvas, and write them if you agree.

    They go into ``submitted/``. `downloads` are zips, folders or notebooks; with `canvas` there are
    none. The gradebook and the worksheet say whose files they are, the worksheet also when they
    were submitted: one for all downloads, or one for each. With `dry_run` nothing is written, with
    `yes` nobody is asked. Returns whether there was something to collect and nothing was left out.
    """
    course = Course(folder)
    course.expect_homework(assignment)
    if (names := course.notebooks(assignment)) != [assignment]:
        raise UserError(
            f"collect takes one notebook, {assignment}.ipynb, and {assignment} has "
            f"{', '.join(f'{name}.ipynb' for name in names)}. Put each student's notebooks into "
            f"{course.directory.submitted_directory}/STUDENT/{assignment}/"
        )
    if len(moodle_worksheets) not in (0, 1, len(downloads)):
        raise UserError(
            f"expected one --moodle-worksheet, or one for each of the {len(downloads)} downloads, "
            f"in their order; found {len(moodle_worksheets)}"
        )
    people = read_roster(course, roster, canvas_gradebook)
    zone = zone_of(course, manifest_of(course.root, assignment))
    accounts = {}
    if canvas_gradebook:
        accounts[CANVAS.name] = accounts_in(CANVAS, canvas_gradebook, zone)
    of_moodle = [accounts_in(MOODLE, sheet, zone) for sheet in moodle_worksheets]
    by_download = [accounts] * len(downloads)
    if of_moodle:
        of_moodle = of_moodle if len(of_moodle) > 1 else of_moodle * len(downloads)
        by_download = [{**accounts, MOODLE.name: one} for one in of_moodle]
    collected = read_collected(course, assignment)
    records = collected.students
    with ExitStack() as stack:
        groups: Iterable[Sequence[Found]]
        if canvas:
            groups, left_out = found_on_canvas(course, assignment, records, stack)
        else:
            of_each = zip(downloads, by_download, strict=True)
            groups, left_out = _found_in(of_each, assignment, stack)
        found, asking = _counting_in(groups, assignment, left_out)
        left_out = [*dict.fromkeys(left_out)]
        late, left = _lateness(course, assignment)
        plan = decide(course, assignment, people, found, left_out, records, left)
        inbox = Inbox(course, assignment, people, asking)
        plan.sections.update(inbox.sections())
        say(plan_text(plan, zone, late))
        if dry_run:
            print("Nothing was written (--dry-run).")
            return bool(plan.entries or asking) and plan.is_whole
        if (plan.to_write or inbox.is_new) and not (yes or agreed("Write these?")):
            print("Nothing was written.")
            return False
        failed = _write(course, plan, records)
        if inbox.is_new:
            say(inbox.store())
    if not plan.platforms:
        return bool(asking) and plan.is_whole
    path = write_collected(course, assignment, plan.collected(collected))
    if not plan.entries:
        return False
    people.store(course.db_url)
    written = len(plan.to_write) - len(failed)
    say(
        f"Submissions written to {course.directory.submitted_directory}/: {written}. "
        f"Their files are listed in {path}"
    )
    if failed:
        say("\n".join([f"NOT WRITTEN ({len(failed)}):", *failed]))
    return plan.is_whole and not failed


def _lateness(course: Course, assignment: str) -> tuple[Late, list[str]]:
    """Return what says how late a submission is, by the gradebook, and who left the course.

    Without a gradebook, the due date is the manifest's.
    """
    moment, granted = manifest_of(course.root, assignment).due_moment, dict[str, Extension]()
    left = list[str]()
    due = moment.astimezone(UTC).replace(tzinfo=None) if moment else None
    with suppress(Unavailable), open_gradebook(course.db_url, assignment) as (db, dates):
        granted = extensions_by_student(db, assignment)
        left = [student for student, one in absences_in(db, assignment).items() if one.has_left]
        due = dates[assignment]
    return lambda student, when: record_by(student, when, due, granted.get(student)).late, left


def _found_in(
    downloads: Iterable[tuple[Path, Mapping[str, Accounts]]], assignment: str, stack: ExitStack
) -> tuple[list[list[Found]], list[Told]]:
    """Return the files of each submission in downloads, and the files that are left out.

    Beside each download are the accounts in it, by the platform's name. Zips stay open until the
    stack is closed.
    """
    found: list[list[Found]] = []
    left_out: list[Told] = []
    for path, accounts in downloads:
        groups: defaultdict[str, list[Found]] = defaultdict(list)
        try:
            files = files_in(path, is_of_one_student(path.name, assignment), stack)
            metadata = read_metadata(files)
        except (UserError, OSError) as why:
            left_out.append((str(path), message_of(why)))
            continue
        for upload in files:
            try:
                for one in found_by(upload, assignment, metadata, accounts):
                    groups[one.group].append(one)
            except UserError as why:
                is_lost = upload.is_work or upload.is_request
                left_out += [(upload.file, str(why))] if is_lost else []
        found += groups.values()
    return found, left_out


def _counting_in(
    groups: Iterable[Sequence[Found]], assignment: str, left_out: list[Told]
) -> tuple[list[Found], list[Found]]:
    """Return the files to grade, and the requests; add those of unclear submissions to `left_out`.

    What is beside a request is no submission, unless there is work.
    """
    found: list[Found] = []
    asking: list[Found] = []
    for group in groups:
        asks = [one for one in group if one.upload.is_request]
        asking += asks
        others = [replace(one, asks=bool(asks)) for one in group if one not in asks]
        if asks and not any(one.upload.is_work for one in others):
            continue
        try:
            found += _counting(others, assignment)
        except UserError as why:
            left_out += [(one.upload.file, str(why)) for one in _work(others)]
    return found, asking


def _work(group: Sequence[Found]) -> Sequence[Found]:
    """Return the files that can be work; all if none can."""
    return [one for one in group if one.upload.is_work] or group


def _counting(group: Sequence[Found], assignment: str) -> list[Found]:
    """Return a submission's file to grade, a zip only without a notebook; `UserError` if unclear.

    If several have the homework's name, they are uploads one after the other.
    """
    found = [one for one in group if one.upload.suffix == NOTEBOOK]
    found = found or [one for one in group if one.upload.suffix == ZIP]
    named = [one for one in found if PurePosixPath(one.own).stem == assignment]
    if not named and len({one.own for one in found}) != 1:
        names = dict.fromkeys(quoted(PurePosixPath(one.own).name) for one in _work(group))
        raise UserError(
            f"expected one notebook or zip, or one named {assignment}, found "
            f"{', '.join([*names][:5])}. Keep only the one that counts"
        )
    counts = named or found
    beside = tuple(one.own for one in group if one.upload.is_work and one not in counts)
    return [replace(one, beside=beside) for one in counts]


def _write(course: Course, plan: Plan, records: dict[str, CollectedRecord]) -> list[str]:
    """Write a plan's submissions, add their records, and return a line for each that failed."""
    failed: list[str] = []
    for entry in plan.entries:
        try:
            if entry.state != THERE:
                folder = course.submitted(entry.person.id, plan.assignment)
                if entry.state == REPLACES:
                    keep_aside(course, plan.assignment, entry.person.id, folder)
                _write_one(folder, plan.assignment, entry)
            records[entry.person.id] = entry.record
        except (UserError, OSError) as why:
            failed.append(f"  {entry.found.upload.file}: {why}")
    return failed


def _write_one(folder: Path, assignment: str, entry: Entry) -> None:
    """Write the notebook and its time. If it is killed between them, the next run writes both."""
    (content, _), when = content_of(entry.found.upload, assignment), entry.found.when
    if hashlib.sha256(content).hexdigest() != entry.record.sha256:
        raise UserError("it has changed since the table was shown. Collect again")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as parts:  # both are complete before the first one is put in place
        if when:
            text = f"{when:%Y-%m-%d %H:%M:%S.%f} UTC\n"
            parts.enter_context(in_one_step(folder / TIMESTAMP)).write_text(text, encoding="ascii")
        parts.enter_context(in_one_step(folder / f"{assignment}.ipynb")).write_bytes(content)
    if not when:
        (folder / TIMESTAMP).unlink(missing_ok=True)
