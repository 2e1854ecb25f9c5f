"""The collected submissions with digests: ``grading/collected/<homework>.json``."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from hw_grading.records.writing import write_whole
from hw_support.submission.file import Unreadable, read_regular_file

_MOST_BYTES = 100_000_000


@dataclass(frozen=True)
class Record:
    """The submission of a student that was collected last."""

    file: str  # the download and the path in it
    platform: str
    named: str  # the platform's name for the student
    sha256: str  # of the notebook, hexadecimal
    handed_in: str | None  # ISO 8601 in UTC; None if the platform gave no time
    late: bool | None  # by its time or as the platform says; None if unknown
    seconds_late: float | None  # without extensions; None without a time or a due date
    attempt: int  # as in `Found`
    collected: str  # ISO 8601 in UTC
    account: str = ""  # as in `Who`


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
