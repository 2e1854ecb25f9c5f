"""Make the released notebooks, and for each one a zip that works without this repository.

First all source files are checked, so that a mistake does not stop the release halfway. Then
`nbgrader generate_assignment` makes the notebooks. The other files are made from these.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from hw_grading.commands.student_zip import pins, version_for, write_student_zip
from hw_grading.gradebook.graded_notebook import read_places
from hw_grading.gradebook.model import wrong_sums
from hw_grading.gradebook.scores import Cell
from hw_grading.gradebook.writing import write_whole
from hw_grading.homework.cells import is_test
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.homework import STAFF, homework_of, manifest_of
from hw_grading.homework.manifest import FILE_NAME
from hw_grading.homework.points import check_total, disagreements, points_of, set_points
from hw_grading.homework.regions import check_regions, unknown_cells
from hw_grading.run.settings import ExecuteSubmission
from hw_support.submission import released
from hw_support.submission.cells import marks_of
from hw_support.submission.file import Unreadable


def release(
    course: Course, out: Path, names: Sequence[str] = (), known: Path | None = None
) -> tuple[list[Path], list[str], list[str]]:
    """Generate released notebooks, write the students' zips, and return zips, changes, warnings.

    `known` is the folder for the descriptions of the homeworks in the students' package; by
    default the package's own. If all homeworks are released, and the folder is the course's own
    or given here, the descriptions of homeworks that no longer exist are removed.

    A change is a sentence about a test cell of a source notebook, which got the points of its
    parts. A warning is a sentence about two numbers of points that contradict each other, or about
    a cell that only the manifest has. Raises `Unreadable` if there is no such homework;
    `ManifestError`, before any change, if a manifest has a mistake or other points than the
    notebook; `RuntimeError` if students could read what is hidden in a cell, or if nbgrader cannot
    generate an assignment.
    """
    chosen = _chosen(course, names)
    prune = not names and (known is not None or course.folder.resolve() == REPOSITORY)
    known = known or released.FOLDER
    warnings = [sentence for name in chosen for sentence in check_source(course.folder, name)]
    changes = [sentence for name in chosen for sentence in _write_points(course, name)]
    for name in chosen:
        course.must("generate_assignment", name, "--force")
    known.mkdir(exist_ok=True)
    for path in known.glob("*.json") if prune else ():
        if path.stem not in chosen:
            path.unlink()
    for name in chosen:
        write_whole(known / f"{name}.json", description_of(course, name).encode())
    zips = [write_student_zip(course.folder, out, name, known) for name in chosen]
    return zips, changes, warnings


def _chosen(course: Course, names: Sequence[str]) -> list[str]:
    there = course.homeworks()
    if not there:
        raise Unreadable(
            f"{course.folder} has no homework: expected a folder with a notebook for each. Go to "
            "the course's folder, or name the folder with --course"
        )
    for name in names:
        course.expect_homework(name)
    return list(dict.fromkeys(names)) or there


def check_source(course: Path, assignment: str) -> list[str]:
    """Return a sentence for each contradiction between points or ids; raise as `release`."""
    here = Course(course)
    path, notebook = _source(here, assignment)
    set_points(notebook)
    manifest = homework_of(here.root, assignment).manifest
    file = here.root / STAFF / assignment / FILE_NAME
    shown = _shown(here, path)
    check_regions(notebook, shown)
    check_total(manifest, file, notebook)
    unknown = [f"{file}: {sentence}" for sentence in unknown_cells(manifest, notebook)]
    by_hand = [
        Cell(marks_of(cell)["grade_id"], points, by_hand=True)
        for cell in notebook.cells
        if (points := points_of(cell)) and not is_test(cell)
    ]
    sums = wrong_sums(by_hand, read_places(path))
    return [*unknown, *(f"{shown}: {sentence}" for sentence in [*disagreements(notebook), *sums])]


def _write_points(course: Course, assignment: str) -> list[str]:
    """Write the points of the parts into the source notebook; return what has changed."""
    path, notebook = _source(course, assignment)
    changes = [f"{_shown(course, path)}: {sentence}" for sentence in set_points(notebook)]
    if changes:
        write_whole(path, f"{nbformat.writes(notebook)}\n".encode())
    return changes


def _shown(course: Course, path: Path) -> Path:
    return path.relative_to(course.root) if path.is_relative_to(course.root) else path


def _source(course: Course, assignment: str) -> tuple[Path, NotebookNode]:
    """Read the instructor's notebook of a homework."""
    path = course.source(assignment) / f"{assignment}.ipynb"
    try:
        return path, nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path} is missing: a homework's notebook must have the name of its folder"
        ) from None
    except ValueError as error:
        raise RuntimeError(
            f"{path} is not a notebook ({error}). Save it again in Jupyter"
        ) from error


def description_of(course: Course, assignment: str) -> str:
    """Return the result of `describe` as the text of a file."""
    return json.dumps(describe(course, assignment), indent=1, ensure_ascii=False) + "\n"


def describe(course: Course, assignment: str) -> dict[str, Any]:
    """Describe a homework that was generated in a course; see `hw_support.submission.released`."""
    limits = ExecuteSubmission(config=course.config)
    names = ("cpu_seconds_per_cell", "cpu_seconds_per_submission", "output_bytes_per_cell")
    manifest = manifest_of(course.root, assignment)
    packages = {line.partition("==")[0] for line in pins().splitlines() if "==" in line}
    return released.described(
        nbformat.read(course.release(assignment) / f"{assignment}.ipynb", as_version=4),
        assignment=assignment,
        version=version_for(assignment),
        packages=sorted(packages),
        certification=manifest.certification,
        cpu_seconds_for_cell=manifest.seconds("cpu_seconds"),
        **{name: _plainly(getattr(limits, name)) for name in names},
    )


def _plainly(seconds: float) -> float:
    """Return a number as a person would write it: 60, not 60.0."""
    return int(seconds) if seconds == int(seconds) else seconds
