"""What was collected: a record for each student, in ``grading/collected/<homework>.json``."""

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from hw_grading.gradebook.writing import write_whole
from hw_grading.homework.course import Course
from hw_support.submission.file import Unreadable, read_regular_file

_MAX_BYTES = 100_000_000


@dataclass(frozen=True)
class Record:
    """The submission of a student that was collected last."""

    file: str  # the download and the path in it
    platform: str
    sha256: str  # of the notebook, hexadecimal
    late: bool  # says the platform; False if it says nothing
    attempt: int  # grows with each upload; 0 if the platform gives no number
    account: str = ""  # on the platform, and nobody else's; "" if unknown
    by_name: bool = False  # nothing but a name says whose it is


def read_records(course: Course, homework: str) -> dict[str, Record]:
    """Return what was collected, by student id; {} if nothing; raise `Unreadable` if damaged."""
    path = _path_of(course, homework)
    if not path.exists():
        return {}
    try:
        students = json.loads(read_regular_file(path, _MAX_BYTES))["students"]
        return TypeAdapter(dict[str, Record]).validate_python(students)
    except (Unreadable, ValueError, KeyError, TypeError) as why:
        raise Unreadable(
            f"{path}: expected a file that `collect` wrote, found something else ({why}). Remove "
            "it, and collect again"
        ) from None


def write_records(course: Course, homework: str, records: dict[str, Record]) -> Path:
    """Write all records of a homework in one step, and return the file's path."""
    students = {student: asdict(records[student]) for student in sorted(records)}
    text = json.dumps({"homework": homework, "students": students}, indent=1, ensure_ascii=False)
    path = _path_of(course, homework)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, f"{text}\n".encode("utf-8", "replace"))
    return path


def known_by_name(course: Course, homework: str) -> list[str]:
    """Return the students of whose submissions nothing but a name says that they are theirs."""
    with contextlib.suppress(Unreadable):  # `collect` reports it
        records = read_records(course, homework)
        return [student for student, record in records.items() if record.by_name]
    return []


def _path_of(course: Course, homework: str) -> Path:
    return course.root / "grading" / "collected" / f"{homework}.json"
