"""Releases homeworks: the students' notebooks, and zips that work without this repository.

First all source files are checked, so that a mistake does not stop the release halfway. Then
`nbgrader generate_assignment` makes the notebooks. The other files are made from these.
"""

import base64
import hashlib
import io
import json
import re
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
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
    total_of,
    unknown_cells,
)
from hw_grading.run.settings import ExecuteSubmission
from hw_support.submission import released
from hw_support.submission.cells import marks_of
from hw_support.submission.file import UserError

# Every entry of a zip gets this time, so that the same release gives the same bytes.
_ZIP_TIME = (2022, 9, 20, 0, 0, 0)
_LOCK = REPOSITORY / "requirements-student.lock"  # what students install
_WHEEL = "Wheel-Version: 1.0\nGenerator: hw-grading\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


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
    zips = []
    for name in chosen if _LOCK.is_file() else ():
        if has_manifest(course.root, name):
            if course.notebooks(name) == [name]:
                zips.append(write_student_zip(course, out, name))
            else:
                warnings.append(
                    f"{name}: there is no zip for students, which needs one notebook, {name}.ipynb."
                )
    if course.folder.resolve() == REPOSITORY:
        _describe_all(course)
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
        total += total_of(notebook)
        by_hand = []
        for cell in filter(points_of, notebook.cells):
            name = marks_of(cell)["grade_id"]
            if (other := owner.setdefault(name, shown)) != shown:
                raise RuntimeError(
                    f"{shown} and {other} have a cell with points of the same id, {name}. Each "
                    "cell of a homework needs its own. Nothing was released."
                )
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
    description = described(
        nbformat.read(course.release(assignment) / f"{assignment}.ipynb", as_version=4),
        assignment=assignment,
        packages=sorted(set(re.findall(r"^[\w.-]+(?=[=\[])", _pins(), re.MULTILINE))),
        certification=manifest.certification,
        cpu_seconds_for_cell=manifest.seconds("cpu_seconds"),
        cpu_seconds_per_cell=limits.cpu_seconds_per_cell,
        output_bytes_per_cell=limits.output_bytes_per_cell,
    )
    return json.dumps(description, indent=1, ensure_ascii=False) + "\n"


def _describe_all(course: Course) -> None:
    """Write the descriptions of all released homeworks into the package `hw_support` here."""
    known = [name for name in course.homeworks() if _is_known(course, name)]
    for path in released.FOLDER.glob("*.json"):
        if path.stem not in known:
            path.unlink()
    for name in known:
        write_whole(released.FOLDER / f"{name}.json", description_of(course, name).encode())


def _is_known(course: Course, assignment: str) -> bool:
    """Whether a homework can be described to students."""
    is_released = (course.release(assignment) / f"{assignment}.ipynb").is_file()
    return is_released and has_manifest(course.root, assignment)


def known_to_students(course: Course, assignment: str) -> list[str]:
    """Return the homeworks that the students' package of one homework describes.

    These are the homework itself and all that are due no later, so that students do not see the
    tests of later ones. A homework without a due date is described in its own package only.
    """
    due = manifest_of(course.root, assignment).due_moment
    dates = {name: manifest_of(course.root, name).due_moment for name in course.homeworks()}
    earlier = {name for name, date in dates.items() if due and date and date <= due}
    return sorted({assignment, *earlier})


def write_student_zip(course: Course, out: Path, assignment: str) -> Path:
    """Write ``<assignment>.zip``: the released files, the wheel of hw_support, requirements."""
    folder = course.release(assignment)
    inside = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    entries = {
        inner.as_posix(): path.read_bytes()
        for inner, path in sorted(inside.items())
        if not any(part.startswith(".") for part in inner.parts)
    }
    wheel, content = _wheel(course, assignment)
    digest = hashlib.sha256(content).hexdigest()  # if one has a hash, all need one
    entries[wheel] = content
    entries["requirements.txt"] = f"./{wheel} --hash=sha256:{digest}\n{_pins()}".encode()
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{assignment}.zip"
    write_whole(target, _zipped({f"{assignment}/{name}": entries[name] for name in entries}))
    return target


def _wheel(course: Course, assignment: str) -> tuple[str, bytes]:
    """Return the name and the content of a wheel of hw_support for the students of a homework.

    The project's own wheel contains the grader too. The label of the version, such as "3.0.0+ps1",
    lets the package replace another homework's in an environment.
    """
    label = re.sub(r"[^a-z0-9]+", ".", assignment.lower()).strip(".")
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = f"{project['version']}{f'+{label}' if label else ''}"
    entries = {
        path.relative_to(REPOSITORY).as_posix(): path.read_bytes()
        for path in sorted(released.FOLDER.parents[1].rglob("*"))
        if path.is_file() and path.parent != released.FOLDER and not _is_cache(path)
    }
    for name in known_to_students(course, assignment):
        if _is_known(course, name):
            inner = (released.FOLDER / f"{name}.json").relative_to(REPOSITORY)
            entries[inner.as_posix()] = description_of(course, name).encode()
    about = {
        "Metadata-Version": "2.1",
        "Name": "hw-support",
        "Version": version,
        "Summary": "What a homework's notebook needs beside NumPy",
        "License": "MIT AND CC-BY-SA-3.0",
        "Requires-Python": project["requires-python"],
    }
    lines = [*about.items(), *(("Requires-Dist", one) for one in project["dependencies"])]
    metadata = "".join(f"{key}: {value}\n" for key, value in lines)
    info = f"hw_support-{version}.dist-info"
    entries |= {f"{info}/METADATA": metadata.encode(), f"{info}/WHEEL": _WHEEL.encode()}
    record = "".join(f"{name},{_record(content)}\n" for name, content in entries.items())
    entries[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    return f"hw_support-{version}-py3-none-any.whl", _zipped(entries)


def _is_cache(path: Path) -> bool:
    parts = path.relative_to(REPOSITORY).parts
    return any(part.startswith(".") or part == "__pycache__" for part in parts)


def _record(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return f"sha256={digest},{len(content)}"


def _zipped(entries: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return packed.getvalue()


def _pins() -> str:
    """Return the package versions that students install, one on a line."""
    return _LOCK.read_text(encoding="utf-8")
