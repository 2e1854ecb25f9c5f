"""Writes the submissions of a plan into ``submitted/``, each folder in one step."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hw_grading.homework.course import Course
from hw_grading.records.timestamp import TIMESTAMP
from hw_grading.term.decide import Action, Entry, Plan, before_of, digest_of
from hw_grading.term.found import LeftOut
from hw_grading.term.manifest import Record
from hw_support.submission.file import Unreadable

TIME_FORMAT = "%Y-%m-%d %H:%M:%S.%f"


def put_back(course: Course, homework: str, students: Iterable[str]) -> None:
    """Undo the half-finished steps of a killed run."""
    for student in students:
        with contextlib.suppress(OSError):  # `write` reports problems there
            _put_back(course.submitted(student, homework))


def write(course: Course, plan: Plan) -> tuple[dict[str, Record], list[LeftOut]]:
    """Write a plan's submissions; return their records by student id, and the files that failed."""
    records: dict[str, Record] = {}
    failed: list[LeftOut] = []
    for entry in plan.entries:
        try:
            folder = course.submitted(entry.person.id, plan.homework)
            _put_back(folder)
            if entry.action is not Action.THERE:
                _write_one(folder, plan.homework, entry)
            records[entry.person.id] = _record(entry, plan.due)
        except (Unreadable, OSError) as why:
            failed.append(LeftOut(entry.found.file, str(why)))
    return records, failed


def _put_back(folder: Path) -> None:
    before = before_of(folder)
    if not before.is_dir() or before.is_symlink():
        return
    if os.path.lexists(folder):
        shutil.rmtree(before)
    else:
        before.rename(folder)


def _write_one(folder: Path, homework: str, entry: Entry) -> None:
    content = entry.found.read()
    if digest_of(content) != entry.sha256:
        raise Unreadable("it has changed since the table was shown. Collect again")
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}")
    beside.mkdir()
    try:
        (beside / f"{homework}.ipynb").write_bytes(content)
        if entry.found.when:
            text = f"{entry.found.when.astimezone(UTC):{TIME_FORMAT}} UTC\n"
            (beside / TIMESTAMP).write_text(text, encoding="ascii")
        if os.path.lexists(folder):
            folder.rename(before_of(folder))
        beside.rename(folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        _put_back(folder)
        raise
    with contextlib.suppress(OSError):  # the next run removes it
        _put_back(folder)


def _record(entry: Entry, due: datetime | None) -> Record:
    when = entry.found.when
    return Record(
        file=entry.found.file,
        platform=entry.found.platform,
        named=entry.found.who.said,
        sha256=entry.sha256,
        handed_in=when.astimezone(UTC).isoformat() if when else None,
        late=entry.is_late,
        seconds_late=(entry.late_by or timedelta(0)).total_seconds() if when and due else None,
        attempt=entry.found.attempt,
        collected=datetime.now(UTC).isoformat(timespec="seconds"),
        account=entry.found.who.account,
    )
