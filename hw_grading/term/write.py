"""Writes the submissions of a plan into ``submitted/``, each folder in one step.

The collected submissions with digests are listed in ``grading/collected/<homework>.json``.
"""

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hw_grading.gradebook.folders import TIMESTAMP
from hw_grading.gradebook.writing import write_whole
from hw_grading.homework.course import Course
from hw_grading.term.decide import Action, Entry, Plan, Record, before_of, digest_of
from hw_grading.term.found import LeftOut
from hw_support.submission.file import Unreadable, read_regular_file

_MOST_BYTES = 100_000_000


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
            text = f"{entry.found.when.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC\n"
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


def path_of(root: Path, homework: str) -> Path:
    """Return the path of a homework's manifest under the course's root."""
    return root / "grading" / "collected" / f"{homework}.json"


def read_manifest(path: Path) -> dict[str, Record]:
    """Return the records by student id; none without a file; raise `Unreadable` if damaged."""
    if not path.exists():
        return {}
    names = {field.name for field in fields(Record)}
    try:
        students = json.loads(read_regular_file(path, _MOST_BYTES))["students"]
        return {
            student: Record(**{name: record[name] for name in names & record.keys()})
            for student, record in students.items()
        }
    except (Unreadable, ValueError, KeyError, TypeError, AttributeError) as why:
        raise Unreadable(
            f"{path}: expected a file that `collect` wrote, found something else ({why}). Remove "
            "it, and collect again"
        ) from None


def write_manifest(path: Path, homework: str, records: Mapping[str, Record]) -> None:
    """Write the records by student id, in one step."""
    students = {student: asdict(records[student]) for student in sorted(records)}
    text = json.dumps({"homework": homework, "students": students}, indent=1, ensure_ascii=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, f"{text}\n".encode("utf-8", "replace"))
