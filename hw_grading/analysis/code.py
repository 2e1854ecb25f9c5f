"""Writes the code of a class to files, for a program that compares code and reads no notebooks."""

from collections.abc import Sequence
from pathlib import Path

from hw_grading.gradebook.results import read_results
from hw_grading.homework.course import Course
from hw_grading.homework.folders import why_unusable
from hw_grading.texts import write_whole
from hw_support.submission.file import UserError, read_submission

_LONGEST = 100_000  # characters of a student's code; nobody writes nearly so much


def write_code(course: Path, assignment: str, out: Path) -> dict[str, str]:
    """Write `out/students/<student>.py` and `out/release/<assignment>.py`; nothing is run.

    Returns the students left out, with the reasons. `UserError` if the release cannot be read.
    """
    results = read_results(Course(course), assignment)
    here, left_out = results.course, {}
    released = here.notebooks_in(here.release(assignment), assignment)
    _write(released, out / "release" / f"{assignment}.py")
    for student in (result.student.id for result in results.handed_in):
        folder = here.submitted(student, assignment)
        try:
            if unusable := why_unusable(folder):
                raise UserError(f"{folder}: {unusable}")
            notebooks = here.notebooks_in(folder, assignment)
            _write(notebooks, out / "students" / f"{student}.py")
        except (UserError, OSError, ValueError) as why:
            left_out[student] = str(why)
    return left_out


def _write(notebooks: Sequence[Path], to: Path) -> None:
    there = [path for path in notebooks if path.is_symlink() or path.exists()] or notebooks[:1]
    cells = [cell for path in there for cell in read_submission(path).cells]
    # Without white space at the ends of lines, in which such programs can be slow.
    lines = "\n\n".join(cell.source for cell in cells if cell.cell_type == "code").splitlines()
    code = "\n".join(map(str.rstrip, lines)) + "\n"
    if len(code) > _LONGEST:
        raise UserError(f"{len(code):,} characters of code are too many to compare")
    to.parent.mkdir(parents=True, exist_ok=True)
    write_whole(to, code.encode("utf-8", "replace"))
