"""Releases homeworks: the students' notebooks, and zips that work without this repository.

First all source files are checked, so that a mistake does not stop the release halfway. Then
`nbgrader generate_assignment` makes the notebooks. The other files are made from these.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from hw_grading.gradebook.graded_notebook import read_places
from hw_grading.gradebook.model import wrong_sums
from hw_grading.gradebook.scores import Cell
from hw_grading.gradebook.writing import write_whole
from hw_grading.homework.cells import described, is_test
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.homework import FILE_NAME, STAFF, has_manifest, homework_of, manifest_of
from hw_grading.homework.source_notebook import (
    check_regions,
    check_total,
    points_of,
    set_points,
    unknown_cells,
)
from hw_grading.run.settings import ExecuteSubmission
from hw_support.in_one_step import in_one_step
from hw_support.submission import released
from hw_support.submission.cells import marks_of
from hw_support.submission.file import UserError

# Every entry of a zip gets this time, so that the same release gives the same bytes.
_ZIP_TIME = (2022, 9, 20, 0, 0, 0)
_LOCK = REPOSITORY / "requirements-student.lock"  # what students install
# A zip gets only the descriptions of homeworks that are due no later.
_KNOWN = released.FOLDER.relative_to(REPOSITORY / "hw_support")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*_cache", ".ipynb_checkpoints", _KNOWN.name)
# The project's own distribution contains the staff's package too, so a small project is built.
_STUDENTS_PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "hw-support"
version = "{version}"
description = "What a homework's notebook needs beside NumPy"
requires-python = "{requires_python}"
license = "MIT AND CC-BY-SA-3.0"
dependencies = {dependencies}

[project.optional-dependencies]
pdf = {pdf}

[tool.hatch.build.targets.wheel]
packages = ["hw_support"]
"""


def release(
    course: Course, out: Path, names: Sequence[str] = (), known: Path | None = None
) -> tuple[list[Path], list[str], list[str]]:
    """Generate released notebooks, write the students' zips, and return zips, changes, warnings.

    A homework gets a zip if it has a manifest, and one notebook, which is named after it.
    `known` is the folder for the descriptions of the homeworks in the students' package; by
    default the package's own. If all homeworks are released, and the folder is the course's own
    or given here, the descriptions of homeworks that no longer exist are removed.

    A change is a sentence about a test cell of a source notebook, which got the points of its
    parts. A warning is a sentence of `check_source`. Without its repository, the package makes no
    zips. Raises `UserError` if there is no such homework; `ManifestError`, before any change, if a
    manifest has a mistake or other points than the notebook; `RuntimeError` if students could read
    what is hidden in a cell, or if nbgrader cannot generate an assignment.
    """
    if not course.homeworks():
        raise UserError(
            f"{course.folder} has no homework: expected a folder with a notebook for each. Go to "
            "the course's folder, or name the folder with --course"
        )
    for name in names:
        course.expect_homework(name)
    chosen = list(dict.fromkeys(names)) or course.homeworks()
    prune = not names and (known is not None or course.folder.resolve() == REPOSITORY)
    known = known or released.FOLDER
    warnings = [sentence for name in chosen for sentence in check_source(course, name)]
    changes = [sentence for name in chosen for sentence in _write_points(course, name)]
    for name in chosen:
        course.must("generate_assignment", name, "--force")
    if not _LOCK.is_file():  # the zips are made of files that only this repository has
        return [], changes, warnings
    known.mkdir(exist_ok=True)
    for path in known.glob("*.json") if prune else ():
        if path.stem not in chosen:
            path.unlink()
    own = [name for name in chosen if has_manifest(course.root, name)]
    zipped = [name for name in own if course.notebooks(name) == [name]]
    for name in zipped:
        write_whole(known / f"{name}.json", description_of(course, name).encode())
    warnings += [
        f"{name}: there is no zip for students, which needs one notebook, {name}.ipynb."
        for name in own
        if name not in zipped
    ]
    zips = [write_student_zip(course, out, name, known) for name in zipped]
    return zips, changes, warnings


def check_source(course: Course, assignment: str) -> list[str]:
    """Return a sentence for each contradiction between points or ids; raise as `release`."""
    manifest = homework_of(course.root, assignment).manifest
    file = course.root / STAFF / assignment / FILE_NAME
    whole: NotebookNode = new_notebook()  # the cells of all notebooks
    warnings, owner = [], dict[str, Path]()
    for path, shown, notebook in _sources(course, assignment):
        set_points(notebook)
        check_regions(notebook, shown)
        whole.cells += notebook.cells
        with_points = [cell for cell in notebook.cells if points_of(cell)]
        for name in (marks_of(cell)["grade_id"] for cell in with_points):
            if (other := owner.setdefault(name, shown)) != shown:
                raise RuntimeError(
                    f"{shown} and {other} have a cell with points of the same id, {name}. Each "
                    "cell of a homework needs its own. Nothing was released."
                )
        by_hand = [
            Cell(marks_of(cell)["grade_id"], points_of(cell), by_hand=True)
            for cell in with_points
            if not is_test(cell)
        ]
        warnings += [f"{shown}: {said}" for said in wrong_sums(by_hand, read_places(path))]
    check_total(manifest, file, whole)
    return [*(f"{file}: {said}" for said in unknown_cells(manifest, whole)), *warnings]


def _write_points(course: Course, assignment: str) -> list[str]:
    """Write the points of the parts into the source notebooks; return what has changed."""
    changes = []
    for path, shown, notebook in _sources(course, assignment):
        if of_one := [f"{shown}: {sentence}" for sentence in set_points(notebook)]:
            write_whole(path, f"{nbformat.writes(notebook)}\n".encode())
            changes += of_one
    return changes


def _sources(course: Course, assignment: str) -> Iterator[tuple[Path, Path, NotebookNode]]:
    """Yield the path of each of the instructor's notebooks, also as it is shown, and its cells."""
    for path in course.notebooks_in(course.source(assignment), assignment):
        shown = path.relative_to(course.root) if path.is_relative_to(course.root) else path
        try:
            yield path, shown, nbformat.read(path, as_version=4)
        except ValueError as error:
            raise RuntimeError(
                f"{path} is not a notebook ({error}). Save it again in Jupyter"
            ) from error


def description_of(course: Course, assignment: str) -> str:
    """Describe a homework that was generated in a course; see `hw_support.submission.released`."""
    limits = ExecuteSubmission(config=course.config)
    names = ("cpu_seconds_per_cell", "output_bytes_per_cell")
    values = {name: getattr(limits, name) for name in names}
    manifest = manifest_of(course.root, assignment)
    description = described(
        nbformat.read(course.release(assignment) / f"{assignment}.ipynb", as_version=4),
        assignment=assignment,
        version=version_for(assignment),
        packages=sorted(set(re.findall(r"^[\w.-]+(?=[=\[])", _pins(), re.MULTILINE))),
        certification=manifest.certification,
        cpu_seconds_for_cell=manifest.seconds("cpu_seconds"),
        **{name: int(x) if x == int(x) else x for name, x in values.items()},  # 60, not 60.0
    )
    return json.dumps(description, indent=1, ensure_ascii=False) + "\n"


def known_to_students(course: Course, assignment: str) -> list[str]:
    """Return the homeworks that the students' package of one homework describes.

    These are the homework itself and all that are due no later, so that students do not see the
    tests of later ones. A homework without a due date is described in its own package only.
    """
    due = manifest_of(course.root, assignment).due_moment
    dates = {name: manifest_of(course.root, name).due_moment for name in course.homeworks()}
    earlier = {name for name, date in dates.items() if due and date and date <= due}
    return sorted({assignment, *earlier})


def write_student_zip(
    course: Course, out: Path, assignment: str, known: Path | None = None
) -> Path:
    """Write ``<assignment>.zip``: the released files, the wheel of hw_support, requirements."""
    known, folder = known or released.FOLDER, course.release(assignment)
    out.mkdir(parents=True, exist_ok=True)
    files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    entries = {
        inner.as_posix(): path.read_bytes()
        for inner, path in sorted(files.items())
        if not any(part.startswith(".") for part in inner.parts)
    }
    with tempfile.TemporaryDirectory() as scratch:
        paths = [known / f"{name}.json" for name in known_to_students(course, assignment)]
        wheel = _build_wheel(Path(scratch), assignment, [path for path in paths if path.is_file()])
        entries[wheel.name] = wheel.read_bytes()
        digest = hashlib.sha256(entries[wheel.name]).hexdigest()  # if one has a hash, all need one
        needed = f"./{wheel.name} --hash=sha256:{digest}\n{_pins()}"
        entries["requirements.txt"] = needed.encode()
    target = out / f"{assignment}.zip"
    with (
        in_one_step(target.resolve()) as part,
        zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, content in entries.items():
            entry = zipfile.ZipInfo(f"{assignment}/{name}", _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return target


def version_for(assignment: str) -> str:
    """Return the version of hw_support for a homework, such as "3.0.0+ps1".

    The label lets it replace another homework's package in an environment.
    """
    label = re.sub(r"[^a-z0-9]+", ".", assignment.lower()).strip(".")
    return f"{_project()['version']}{f'+{label}' if label else ''}"


def _build_wheel(scratch: Path, assignment: str, descriptions: Sequence[Path]) -> Path:
    """Build a wheel of hw_support with these descriptions of homeworks, in an empty folder."""
    project = _project()
    shutil.copytree(REPOSITORY / "hw_support", scratch / "hw_support", ignore=_LEFT_OUT)
    (scratch / "hw_support" / _KNOWN).mkdir()
    for path in descriptions:
        shutil.copy(path, scratch / "hw_support" / _KNOWN)
    text = _STUDENTS_PROJECT.format(
        version=version_for(assignment),
        requires_python=project["requires-python"],
        dependencies=json.dumps(project["dependencies"]),
        pdf=json.dumps(project["optional-dependencies"]["pdf"]),
    )
    (scratch / "pyproject.toml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-build-isolation", "--wheel-dir", str(scratch), str(scratch)]
    subprocess.run(command, check=True)
    (wheel,) = scratch.glob("*.whl")
    return wheel


def _pins() -> str:
    """Return the package versions that students install, one on a line."""
    return _LOCK.read_text(encoding="utf-8")


def _project() -> Mapping[str, Any]:
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    project: Mapping[str, Any] = tomllib.loads(text)["project"]
    return project
