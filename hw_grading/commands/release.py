"""What students get: released notebooks, and for each one a zip that works without this repository.

There are three steps, each for all homeworks. What the instructor wrote is checked, so that nothing
is half released. `nbgrader generate_assignment` makes the notebooks. From these come what students'
package knows of each homework, the page that says how to start, and the zip.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import nbformat
from nbformat import NotebookNode
from traitlets.config.loader import PyFileConfigLoader

from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.homework import STAFF, homework_of, homeworks_of
from hw_grading.homework.manifest import FILE_NAME
from hw_grading.homework.points import check_total, disagreements
from hw_support.submission import released

# Every entry of the zip gets this time, so that the same release gives the same bytes.
ZIP_TIME = (2022, 9, 20, 0, 0, 0)
START = "START.html"
_KNOWN = released.FOLDER.relative_to(REPOSITORY / "hw_support")


def release(
    course: Course, out: Path, names: Sequence[str] = (), known: Path | None = None
) -> tuple[list[Path], list[str]]:
    """Generate released notebooks, and write the students' zips.

    Parameters
    ----------
    course
        The course; its gradebook learns the assignments.
    out
        The folder for the zips.
    names
        Of the homeworks; all by default.
    known
        The folder for what students' package is told of each homework; by default the package's
        own. What it says of a homework that there is no more goes, if all are released and the
        folder is the course's own or named here.

    Returns
    -------
    zips, warnings
        A zip for each homework, and a sentence for each number of points that another contradicts.

    Raises
    ------
    FileNotFoundError
        There is no such homework.
    ManifestError
        A manifest has a mistake, or its points are not those of the notebook. Nothing was changed.
    RuntimeError
        If nbgrader cannot generate an assignment; its own messages stand above.
    """
    chosen = _chosen(course, names)
    prune = not names and (known is not None or course.folder.resolve() == REPOSITORY)
    known = known or released.FOLDER
    warnings = [sentence for name in chosen for sentence in check_source(course.folder, name)]
    for name in chosen:
        if course.nbgrader("generate_assignment", name, "--force") != 0:
            raise RuntimeError(f"nbgrader generate_assignment {name} failed: see its log above")
    known.mkdir(exist_ok=True)
    for path in known.glob("*.json") if prune else ():
        if path.stem not in chosen:
            path.unlink()
    for name in chosen:
        write_whole(known / f"{name}.json", description_of(course, name))
        write_whole(course.folder / "release" / name / START, start_page(course.folder, name))
    return [write_student_zip(course.folder, out, name, known) for name in chosen], warnings


def _chosen(course: Course, names: Sequence[str]) -> list[str]:
    there = homeworks_of(course.folder)
    if not there:
        raise FileNotFoundError(
            f"{course.folder / 'source'} has no homework: expected a folder for each, with its "
            "notebook. Go to the course's folder, or name it with --course"
        )
    for name in names:
        if name not in there:
            raise FileNotFoundError(
                f"{course.folder / 'source'} has no homework {name!r}: expected one of "
                f"{', '.join(there)}"
            )
    return list(dict.fromkeys(names)) or there


def check_source(course: Path, assignment: str) -> list[str]:
    """Return a sentence for each number of points in a homework that another one contradicts.

    Raises
    ------
    ManifestError
        The manifest has a mistake, or its points are not those of the notebook.
    """
    path = course / "source" / assignment / f"{assignment}.ipynb"
    try:
        notebook = nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path} is missing: a homework's notebook has its folder's name"
        ) from None
    except ValueError as error:
        raise RuntimeError(f"{path} is no notebook ({error}): save it again in Jupyter") from error
    manifest = homework_of(course, assignment).manifest
    check_total(manifest, course / STAFF / assignment / FILE_NAME, notebook)
    return [f"{path.relative_to(course)}: {sentence}" for sentence in disagreements(notebook)]


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or as it was."""
    partial = path.with_name(f"{path.name}.part")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(path)


# -- what students' package is told


def description_of(course: Course, assignment: str) -> str:
    """Return `describe` as it stands in the file."""
    return json.dumps(describe(course, assignment), indent=1, ensure_ascii=False) + "\n"


def describe(course: Course, assignment: str) -> dict[str, Any]:
    """Return what students' package is told of a homework; see `hw_support.submission.released`.

    Parameters
    ----------
    course
        A course in which the assignment was generated.
    assignment
        Its name.
    """
    limits = PyFileConfigLoader("nbgrader_config.py", path=str(course.folder)).load_config()
    names = ("cpu_seconds_per_cell", "cpu_seconds_per_submission")
    manifest = homework_of(course.folder, assignment).manifest
    packages = {line.partition("==")[0] for line in _pins().splitlines() if "==" in line}
    return released.described(
        _released_notebook(course.folder, assignment),
        assignment=assignment,
        version=version_for(assignment),
        packages=sorted(packages),
        certification=manifest.certification,
        cpu_seconds_for_cell=manifest.seconds("cpu_seconds"),
        **{name: limits.ExecuteSubmission[name] for name in names},
    )


def _released_notebook(course: Path, assignment: str) -> NotebookNode:
    path = course / "release" / assignment / f"{assignment}.ipynb"
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    return notebook


def start_page(course: Path, assignment: str) -> str:
    """Return the page that says how to start, as HTML."""
    manifest = homework_of(course, assignment).manifest
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("start.html").render(
        title=manifest.title or assignment, name=assignment, start=manifest.start
    )


# -- the zip


def known_to_students(course: Path, assignment: str) -> list[str]:
    """Return the homeworks that the package of one homework knows.

    That is itself and those that are due no later: the tests of later ones are not told early. A
    homework without a due date is told of in no other package, and its own tells of no other.
    """
    due = homework_of(course, assignment).manifest.due_moment
    dates = {name: homework_of(course, name).manifest.due_moment for name in homeworks_of(course)}
    earlier = {name for name, date in dates.items() if due and date and date <= due}
    return sorted({assignment, *earlier})


def write_student_zip(course: Path, out: Path, assignment: str, known: Path | None = None) -> Path:
    """Write ``<assignment>.zip``: the released files, the wheel of hw_support, requirements.

    Parameters
    ----------
    course
        In whose ``release`` are the notebook and the page that says how to start.
    out
        The folder for the zip; made if missing.
    assignment
        Its name.
    known
        The folder with what students' package may be told of each homework; by default its own.
    """
    known = known or released.FOLDER
    out.mkdir(parents=True, exist_ok=True)
    folder = course / "release" / assignment
    told = {
        f"{name}.json": path.read_bytes()
        for name in known_to_students(course, assignment)
        if (path := known / f"{name}.json").is_file()
    }
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build_student_wheel(Path(scratch), assignment, told)
        files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
        entries = {
            inner.as_posix(): path.read_bytes()
            for inner, path in sorted(files.items())
            if not any(part.startswith(".") for part in inner.parts)
        }
        entries[wheel.name] = wheel.read_bytes()
        entries["requirements.txt"] = f"./{wheel.name}\n{_pins()}".encode()
    target = out / f"{assignment}.zip"
    partial = target.with_suffix(".part")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(f"{assignment}/{name}", ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return partial.replace(target)


def version_for(assignment: str) -> str:
    """Return the version of hw_support that goes with a homework, such as "2.0.0+ps1".

    With its own local label each homework's package takes the place of another's in an environment.
    """
    label = re.sub(r"[^a-z0-9]+", ".", assignment.lower()).strip(".")
    return f"{_project()['version']}+{label}" if label else str(_project()["version"])


def build_student_wheel(scratch: Path, assignment: str, told: Mapping[str, bytes]) -> Path:
    """Build the wheel of hw_support alone, with the dependencies of the project.

    The project's own distribution holds the staff's package too, so a small project is laid out
    in `scratch` for the build.

    Parameters
    ----------
    scratch
        An empty folder.
    assignment
        The homework that it goes with.
    told
        What it is told of homeworks, by the file's name.

    Returns
    -------
    Path
        The wheel, inside `scratch`.
    """
    project = _project()
    package = scratch / "hw_support"
    shutil.copytree(
        REPOSITORY / "hw_support",
        package,
        ignore=shutil.ignore_patterns("__pycache__", ".*_cache", ".ipynb_checkpoints"),
    )
    shutil.rmtree(package / _KNOWN, ignore_errors=True)
    (package / _KNOWN).mkdir()
    for name, content in told.items():
        (package / _KNOWN / name).write_bytes(content)
    dependencies = "".join(f'    "{name}",\n' for name in project["dependencies"])
    pdf = "".join(f'    "{name}",\n' for name in project["optional-dependencies"]["pdf"])
    (scratch / "pyproject.toml").write_text(
        f"""[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "hw-support"
version = "{version_for(assignment)}"
description = "What a homework's notebook needs beside NumPy"
requires-python = "{project["requires-python"]}"
license = "MIT AND CC-BY-SA-3.0"
dependencies = [
{dependencies}]

[project.optional-dependencies]
pdf = [
{pdf}]

[tool.hatch.build.targets.wheel]
packages = ["hw_support"]
""",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-build-isolation", "--wheel-dir", str(scratch), str(scratch)]
    subprocess.run(command, check=True)
    (wheel,) = scratch.glob("*.whl")
    return wheel


def _pins() -> str:
    return (REPOSITORY / "requirements-student.lock").read_text(encoding="utf-8")


def _project() -> dict[str, Any]:
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    project: dict[str, Any] = tomllib.loads(text)["project"]
    return project
