"""What students get: the released notebook, and one zip that works without this repository."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import nbformat
from traitlets.config.loader import PyFileConfigLoader

from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.homework import homework_of
from hw_support.submission import released

# Every entry of the zip gets this time, so that the same release gives the same bytes.
ZIP_TIME = (2022, 9, 20, 0, 0, 0)


def release(course: Course, out: Path, assignment: str) -> Path:
    """Generate the released notebook and write the students' zip.

    Parameters
    ----------
    course
        The course; its gradebook learns the assignment.
    out
        The folder for the zip.

    Returns
    -------
    Path
        The zip.

    Raises
    ------
    RuntimeError
        If nbgrader cannot generate the assignment; its own messages stand above.
    """
    if course.nbgrader("generate_assignment", assignment, "--force") != 0:
        raise RuntimeError(f"nbgrader generate_assignment {assignment} failed: see its log above")
    description = json.dumps(describe(course, assignment), indent=1, ensure_ascii=False)
    released.FILE.write_text(description + "\n", encoding="utf-8")
    return write_student_zip(course.folder / "release" / assignment, out, assignment)


def describe(course: Course, assignment: str) -> dict[str, Any]:
    """Return what students' package is told of the homework; see `hw_support.submission.released`.

    Parameters
    ----------
    course
        A course in which the assignment was generated.
    assignment
        Its name.
    """
    notebook = nbformat.read(
        course.folder / "release" / assignment / f"{assignment}.ipynb", as_version=4
    )
    limits = PyFileConfigLoader("nbgrader_config.py", path=str(course.folder)).load_config()
    names = ("cpu_seconds_per_cell", "cpu_seconds_per_submission")
    manifest = homework_of(course.folder, assignment).manifest
    pins = (REPOSITORY / "requirements-student.lock").read_text(encoding="utf-8")
    packages = {line.partition("==")[0] for line in pins.splitlines() if "==" in line}
    return released.described(
        notebook,
        assignment=assignment,
        version=_project()["version"],
        packages=sorted(packages),
        cpu_seconds_for_cell=manifest.seconds("cpu_seconds"),
        **{name: limits.ExecuteSubmission[name] for name in names},
    )


def write_student_zip(released: Path, out: Path, assignment: str) -> Path:
    """Write ``<assignment>.zip``: the released files, the wheel of hw_support, requirements.

    Parameters
    ----------
    released
        The folder that nbgrader released: the notebook, and the page that says how to start.
    out
        The folder for the zip; made if missing.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build_student_wheel(Path(scratch))
        pins = (REPOSITORY / "requirements-student.lock").read_text(encoding="utf-8")
        entries = {
            path.name: path.read_bytes() for path in sorted(released.iterdir()) if path.is_file()
        }
        entries[wheel.name] = wheel.read_bytes()
        entries["requirements.txt"] = f"./{wheel.name}\n{pins}".encode()
    target = out / f"{assignment}.zip"
    partial = target.with_suffix(".part")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(f"{assignment}/{name}", ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return partial.replace(target)


def build_student_wheel(scratch: Path) -> Path:
    """Build the wheel of hw_support alone, with the version and the dependencies of the project.

    The project's own distribution holds the staff's package too, so a small project is laid out
    in `scratch` for the build.

    Returns
    -------
    Path
        The wheel, inside `scratch`.
    """
    project = _project()
    dependencies = "".join(f'    "{name}",\n' for name in project["dependencies"])
    pdf = "".join(f'    "{name}",\n' for name in project["optional-dependencies"]["pdf"])
    (scratch / "pyproject.toml").write_text(
        f"""[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "hw-support"
version = "{project["version"]}"
description = "What the neural-network homework's notebook needs beside NumPy"
requires-python = "{project["requires-python"]}"
license = "MIT AND CC-BY-SA-3.0"
dependencies = [
{dependencies}]

[project.optional-dependencies]
pdf = [
{pdf}]

[tool.hatch.build.targets.wheel.force-include]
"{(REPOSITORY / "hw_support").as_posix()}" = "hw_support"
""",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-build-isolation", "--wheel-dir", str(scratch), str(scratch)]
    subprocess.run(command, check=True)
    (wheel,) = scratch.glob("*.whl")
    return wheel


def _project() -> dict[str, Any]:
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    project: dict[str, Any] = tomllib.loads(text)["project"]
    return project
