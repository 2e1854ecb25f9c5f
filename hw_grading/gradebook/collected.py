"""What `collect` took, and what it left out: ``grading/collected/<homework>.json``."""

import contextlib
import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from hw_grading.gradebook.results import Results
from hw_grading.homework.course import Course
from hw_grading.homework.folders import read_time
from hw_grading.texts import write_whole
from hw_support.submission.file import MAX_BYTES, UserError, read_regular_file

_MAX_BYTES = 100_000_000  # in the file


@dataclass(frozen=True)
class CollectedRecord:
    """The submission of a student that was collected last."""

    file: str  # the download and the path in it
    platform: str
    sha256: str  # of the notebook, hexadecimal
    attempt: int  # grows with each upload; 0 if the platform gives no number
    account: str = ""  # on the platform, and nobody else's; "" if unknown
    name: str = ""  # the path in the download; "" if an earlier version collected it
    keys: tuple[tuple[str, str], ...] = ()  # for which the platform vouches; see `Who`
    in_time: bool = False  # says the platform, which gives no time


@dataclass(frozen=True)
class LeftOut:
    """A file that was not collected, although it may count."""

    file: str
    why: str
    platform: str


@dataclass
class Collected:
    """What was collected of a homework."""

    students: dict[str, CollectedRecord] = field(default_factory=dict)  # by id
    # By the last `collect` of each platform.
    left_out: list[LeftOut] = field(default_factory=list)

    def without_proof(self, results: Results) -> list[str]:
        """Return the students of whose submissions nothing proves when they were handed in.

        Whoever writes a time into the submitted folder proves it: a platform, or you. Without a
        due date no time counts.
        """
        if results.rules.due is None:
            return []
        found = []
        for result in results.handed_in:
            student, when = result.student.id, result.known.handed_in
            if not result.record:
                with contextlib.suppress(UserError):  # a run reports it
                    when = read_time(results.course.submitted(student, results.assignment))
            record = self.students.get(student)
            if when is None and not (record and record.in_time):
                found.append(student)
        return found


def read_collected(course: Course, assignment: str) -> Collected:
    """Return what was collected of a homework; raise `UserError` if the file is damaged."""
    path = _path_of(course, assignment)
    if not path.exists():
        return Collected()
    try:
        return TypeAdapter(Collected).validate_json(read_regular_file(path, _MAX_BYTES))
    except (UserError, ValueError) as why:
        raise UserError(
            f"{path}: expected a file that `collect` wrote, found something else ({why}). Remove "
            "it, and collect again"
        ) from None


def write_collected(course: Course, assignment: str, found: Collected) -> Path:
    """Write the records of a homework in one step, and return the file's path."""
    path = _path_of(course, assignment)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"homework": assignment, **asdict(found)}, indent=1, ensure_ascii=False)
    write_whole(path, f"{text}\n".encode("utf-8", "replace"))
    return path


def keep_aside(course: Course, assignment: str, student: str, submitted: Path) -> None:
    """Copy a notebook that is to be replaced into ``grading/collected/<homework>/<student>/``.

    Its name is the beginning of its SHA-256. Raises `UserError` if it cannot be read.
    """
    content = read_regular_file(submitted / f"{assignment}.ipynb", MAX_BYTES)
    name = f"{hashlib.sha256(content).hexdigest()[:16]}.ipynb"
    folder = _path_of(course, assignment).with_suffix("") / student
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / name, content)


def _path_of(course: Course, assignment: str) -> Path:
    return course.root / "grading" / "collected" / f"{assignment}.json"
