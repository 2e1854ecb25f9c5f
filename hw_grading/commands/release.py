"""Releases homeworks: the students' notebooks, and zips that work without this repository.

First all source files are checked, so that a mistake does not stop the release halfway. Then
`nbgrader generate_assignment` makes the notebooks. The other files are made from these.
"""

import io
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from hw_grading.gradebook.graded_notebook import read_places
from hw_grading.gradebook.model import wrong_sums
from hw_grading.gradebook.scores import Cell
from hw_grading.gradebook.writing import write_whole
from hw_grading.homework.cells import described, is_test
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.homework import FILE_NAME, STAFF, ManifestError, has_manifest, manifest_of
from hw_grading.homework.source_notebook import (
    check_cells,
    differ,
    points_of,
    set_points,
    unknown_cells,
)
from hw_grading.run.settings import ExecuteSubmission
from hw_support.submission import released
from hw_support.submission.cells import marks_of
from hw_support.submission.file import UserError

# Every entry of a zip gets this time, so that the same release gives the same bytes.
_ZIP_TIME = (2022, 9, 20, 0, 0, 0)
_LOCK = REPOSITORY / "requirements-student.lock"  # what students install


def release(course: Course, out: Path, names: Sequence[str] = ()) -> tuple[list[Path], list[str]]:
    """Generate released notebooks, write the students' zips, and return zips and warnings.

    A homework gets a zip if it has a manifest, and one notebook, which is named after it. Without
    its repository, the package makes no zips.

    A warning is a sentence of `check_source`. Raises `UserError` if there is no such homework;
    `ManifestError`, before any change, if a manifest has a mistake or other points than the
    notebook; `RuntimeError` if students could read what is hidden in a cell, or if nbgrader cannot
    generate an assignment.
    """
    if not (chosen := list(dict.fromkeys(names)) or course.homeworks()):
        raise UserError(
            f"{course.folder} has no homework: expected a folder with a notebook for each. Go to "
            "the course's folder, or name the folder with --course"
        )
    for name in chosen:
        course.expect_homework(name)
    warnings = [sentence for name in chosen for sentence in check_source(course, name)]
    for name in chosen:
        course.must("generate_assignment", name, "--force")
    own = [name for name in chosen if _LOCK.is_file() and has_manifest(course.root, name)]
    zipped = [name for name in own if course.notebooks(name) == [name]]
    zips = [write_student_zip(course, out, name) for name in zipped]
    if course.folder.resolve() == REPOSITORY:
        for path in released.FOLDER.glob("*.json"):
            if path.stem not in course.homeworks():
                path.unlink()
        for name in zipped:
            write_whole(released.FOLDER / f"{name}.json", description_of(course, name).encode())
    warnings += [
        f"{name}: there is no zip for students, which needs one notebook, {name}.ipynb."
        for name in own
        if name not in zipped
    ]
    return zips, warnings


def check_source(course: Course, assignment: str) -> list[str]:
    """Return a sentence for each contradiction between points or ids; raise as `release`."""
    manifest = manifest_of(course.root, assignment)
    file = course.root / STAFF / assignment / FILE_NAME
    total, warnings = 0.0, list[str]()
    cells, owner = list[NotebookNode](), dict[str, Path]()
    for path in course.notebooks_in(course.source(assignment), assignment):
        shown = path.relative_to(course.root) if path.is_relative_to(course.root) else path
        try:
            notebook = nbformat.read(path, as_version=4)
        except ValueError as error:
            raise RuntimeError(
                f"{path} is not a notebook ({error}). Save it again in Jupyter"
            ) from error
        set_points(notebook)
        check_cells(notebook, shown)
        cells += notebook.cells
        total += sum(map(points_of, notebook.cells))
        by_hand = []
        for cell in filter(points_of, notebook.cells):
            name = marks_of(cell)["grade_id"]
            if name in owner:
                raise RuntimeError(
                    f"{shown}: the id {name} is also that of another cell with points in "
                    f"{owner[name]}. Each needs its own. Nothing was released."
                )
            owner[name] = shown
            if not is_test(cell):
                by_hand.append(Cell(name, points_of(cell), by_hand=True))
        warnings += [f"{shown}: {said}" for said in wrong_sums(by_hand, read_places(path))]
    if manifest.points is not None and differ(manifest.points, total):
        raise ManifestError(
            f"{file}: points is {manifest.points:g}, but the cells of the notebook sum to "
            f"{total:g}. Change one of the two."
        )
    return [*(f"{file}: {said}" for said in unknown_cells(manifest, cells)), *warnings]


def description_of(course: Course, assignment: str) -> str:
    """Describe a homework that was generated in a course; see `hw_support.submission.released`."""
    limits = ExecuteSubmission(config=course.config)
    manifest = manifest_of(course.root, assignment)
    pins = _LOCK.read_text(encoding="utf-8")
    description = described(
        nbformat.read(course.release(assignment) / f"{assignment}.ipynb", as_version=4),
        assignment=assignment,
        packages=sorted(set(re.findall(r"^[\w.-]+(?=[=\[])", pins, re.MULTILINE))),
        certification=manifest.certification,
        cpu_seconds_for_cell=manifest.seconds("cpu_seconds"),
        cpu_seconds_per_cell=limits.cpu_seconds_per_cell,
        output_bytes_per_cell=limits.output_bytes_per_cell,
    )
    return json.dumps(description, indent=1, ensure_ascii=False) + "\n"


def write_student_zip(course: Course, out: Path, assignment: str) -> Path:
    """Write ``<assignment>.zip``: the released files, requirements, and the package hw_support.

    The package describes this homework only, so that students do not see the tests of later ones.
    """
    package = released.FOLDER.parents[1]
    entries = _files_in(course.release(assignment), "")
    entries["requirements.txt"] = _LOCK.read_bytes()
    entries |= _files_in(package, f"{package.name}/", but=released.FOLDER)
    inner = (released.FOLDER / f"{assignment}.json").relative_to(package.parent)
    entries[inner.as_posix()] = description_of(course, assignment).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(f"{assignment}/{name}", _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    out.mkdir(parents=True, exist_ok=True)
    write_whole(target := out / f"{assignment}.zip", packed.getvalue())
    return target


def _files_in(folder: Path, under: str, but: Path | None = None) -> dict[str, bytes]:
    """Return the files of a folder by path, without caches and those of another folder."""
    found = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        under + inner.as_posix(): path.read_bytes()
        for inner, path in sorted(found.items())
        if path.parent != but and not any(part.startswith((".", "__pyc")) for part in inner.parts)
    }
