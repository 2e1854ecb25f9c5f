"""Collects submissions from any learning platform's download: plans, asks, writes."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nbgrader.plugins import ExtractorPlugin

from hw_grading.gradebook.database import Unavailable
from hw_grading.gradebook.extensions import extensions_in
from hw_grading.gradebook.folders import TIMESTAMP
from hw_grading.gradebook.scores import open_gradebook
from hw_grading.gradebook.writing import say
from hw_grading.homework.cells import mistaken_for
from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.lms import canvas, moodle
from hw_grading.lms.downloads import found_in
from hw_grading.lms.plan import THERE, Entry, Plan, decide, plan_in_words
from hw_grading.lms.records import Record, read_records, write_records
from hw_grading.lms.roster import read_roster
from hw_grading.lms.uploads import Found, LeftOut
from hw_support.in_one_step import in_one_step
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
    roster: Path | None = None,
    canvas_gradebook: Path | None = None,
    moodle_worksheet: Path | None = None,
    columns: moodle.Columns,
    accept_names: bool = False,
    dry_run: bool = False,
    yes: bool = False,
) -> bool:
    """Show the submissions in downloads, and write them into ``submitted/`` if you agree.

    `downloads` are zips, folders or notebooks; the gradebook and the worksheet say whose files they
    are. With `accept_names` a name says it too, with `dry_run` nothing is written, with `yes`
    nobody is asked. Returns whether there was something to collect and nothing was left out.
    Raises `Unreadable` if nothing can be collected.
    """
    course = Course(folder)
    course.expect_homework(homework)
    people = read_roster(course, roster, canvas_gradebook)
    accounts = {}
    if canvas_gradebook:
        accounts["Canvas"] = canvas.accounts_in(canvas_gradebook)
    if moodle_worksheet:
        accounts["Moodle"] = moodle.accounts_in(moodle_worksheet, columns)
    settings, records = manifest_of(course.root, homework), read_records(course, homework)
    zone, due = ZoneInfo(settings.time_zone), settings.due_moment
    with ExitStack() as stack:
        found, left_out = found_in(downloads, homework, zone, accounts, stack)
        others = dict(_others(course, homework, found))
        left_out += [LeftOut(file, why) for file, why in others.items()]
        found = [one for one in found if one.file not in others]
        plan = Plan(homework, due, left_out)
        own = _extended(course.db_url, homework, due) if due else {}
        decide(plan, course, people, found, records, own, accept_names)
        say(plan_in_words(plan, zone))
        if dry_run:
            print("Nothing was written (--dry-run).")
        if dry_run or not plan.entries:
            return plan.is_all_well and bool(plan.entries)
        if plan.to_write and not (yes or _agreed()):
            print("Nothing was written.")
            return False
        failed = _write(course, plan, records)
    people.store(course.db_url)
    path = write_records(course, homework, records)
    written = len(plan.to_write) - len(failed)
    say(
        f"Submissions written to {course.directory.submitted_directory}/: {written}. "
        f"Their files and times are listed in {path}"
    )
    if failed:
        say("\n".join([f"NOT WRITTEN ({len(failed)}):", *failed]))
    return plan.is_all_well and not failed


def _agreed() -> bool:
    try:
        answer = input("Write these? [y/N] ")
    except EOFError:
        raise Unreadable(
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
        except (Unreadable, OSError) as why:
            failed.append(f"  {entry.found.file}: {why}")
    return failed


def _write_one(folder: Path, homework: str, entry: Entry) -> None:
    """Write the notebook and its time. If it is killed between them, the next run writes both."""
    content, when, place = entry.found.read(), entry.found.named.when, folder / TIMESTAMP
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise Unreadable("it has changed since the table was shown. Collect again")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as parts:  # both are complete before the first one is put in place
        if when:
            text = f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC\n"
            parts.enter_context(in_one_step(place)).write_text(text, encoding="ascii")
        parts.enter_context(in_one_step(folder / f"{homework}.ipynb")).write_bytes(content)
    if not when:
        place.unlink(missing_ok=True)


def _others(course: Course, homework: str, found: Sequence[Found]) -> Iterator[tuple[str, str]]:
    """Yield the files of other homeworks, as their grade ids say, and why they are left out."""
    ids: dict[str, frozenset[str]] = {}
    for name in course.homeworks():
        files = [path.read_bytes() for path in course.source(name).glob("*.ipynb")]
        ids[name] = _grade_ids(b"\n".join(files))
    own = ids.pop(homework)
    for one in found if own else ():
        with suppress(Unreadable, OSError):  # `decide` reports them
            if other := mistaken_for(_grade_ids(one.read()), own, ids):
                yield (
                    one.file,
                    f"it has {other.found} of the {other.of} cells that only {other.homework} has: "
                    f"hw-grading collect {other.homework} …",
                )


def _grade_ids(content: bytes) -> frozenset[str]:
    return frozenset(name.decode(errors="replace") for name in _GRADE_ID.findall(content))


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
