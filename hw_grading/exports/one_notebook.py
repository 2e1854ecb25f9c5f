"""Grades one notebook in a scratch course, which is then removed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hw_grading.exports.results_json import results_of
from hw_grading.homework.course import Course, scratch_course
from hw_support.submission.file import MAX_BYTES, Unreadable, read_regular_file
from hw_support.submission.problems import quoted

_STUDENT = "student"
_MOST_LOG = 3_000  # characters from the end of nbgrader's log


def graded(
    course: Course, assignment: str, notebook: Path, visibility: str, sandbox: bool
) -> dict[str, Any]:
    """Grade a notebook as `nbgrader autograde` does; return its results for Gradescope.

    Without the sandbox, the notebook runs with your own rights: do that only on a machine for
    this submission alone, such as Gradescope's containers. Raises `Unreadable` if the file or
    the homework does not exist, `RuntimeError` if grading failed for a reason outside the
    notebook.
    """
    if assignment not in (names := course.homeworks()):
        raise Unreadable(
            f"There is no homework {quoted(assignment)} in {course.folder}. It has: "
            f"{', '.join(names) or 'none'}"
        )
    try:
        content = read_regular_file(notebook.resolve(), MAX_BYTES)
    except Unreadable as why:
        raise Unreadable(f"{notebook}: {why}") from None
    with tempfile.TemporaryDirectory(prefix="hw-one-") as folder:
        scratch = scratch_course(Path(folder) / "course", course.folder)
        submitted = scratch.submitted(_STUDENT, assignment)
        submitted.mkdir(parents=True)
        (submitted / f"{assignment}.ipynb").write_bytes(content)
        log = Path(folder) / "log"
        _must(scratch, log, "generate_assignment", assignment)
        options = [] if sandbox else ["--ExecuteSubmission.sandbox=none"]
        _must(scratch, log, "autograde", assignment, "--create", *options)
        return results_of(scratch, assignment, _STUDENT, visibility)


def _must(course: Course, log: Path, *words: str) -> None:
    if course.nbgrader(*words, log=log) != 0:
        said = log.read_text(encoding="utf-8", errors="replace")[-_MOST_LOG:]
        raise RuntimeError(f"`nbgrader {' '.join(words)}` failed. The end of its log:\n{said}")
