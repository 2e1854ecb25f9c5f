"""Make the students' zip, which works without this repository and shows no later homework."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.homework import manifest_of
from hw_support.in_one_step import in_one_step
from hw_support.submission import released

# Every entry of the zip gets this time, so that the same release gives the same bytes.
ZIP_TIME = (2022, 9, 20, 0, 0, 0)
# The zip includes nbgrader for its Validate button, but hides its tools for instructors.
_HIDDEN = ("assignment-list", "course-list", "create-assignment", "formgrader", "menu")
_LAB_SETTING = "etc/jupyter/labconfig/page_config.d/hw-support.json"
_KNOWN = released.FOLDER.relative_to(REPOSITORY / "hw_support")


def known_to_students(course: Path, assignment: str) -> list[str]:
    """Return the homeworks that the students' package of one homework describes.

    These are the homework itself and all that are due no later, so that students do not see the
    tests of later ones. A homework without a due date is described in its own package only.
    """
    here = Course(course)
    due = manifest_of(here.root, assignment).due_moment
    dates = {name: manifest_of(here.root, name).due_moment for name in here.homeworks()}
    earlier = {name for name, date in dates.items() if due and date and date <= due}
    return sorted({assignment, *earlier})


def write_student_zip(course: Path, out: Path, assignment: str, known: Path | None = None) -> Path:
    """Write ``<assignment>.zip``: the released files, the wheel of hw_support, requirements."""
    known = known or released.FOLDER
    out.mkdir(parents=True, exist_ok=True)
    folder = Course(course).release(assignment)
    descriptions = {
        f"{name}.json": path.read_bytes()
        for name in known_to_students(course, assignment)
        if (path := known / f"{name}.json").is_file()
    }
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build_student_wheel(Path(scratch), assignment, descriptions)
        files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
        entries = {
            inner.as_posix(): path.read_bytes()
            for inner, path in sorted(files.items())
            if not any(part.startswith(".") for part in inner.parts)
        }
        entries[wheel.name] = wheel.read_bytes()
        entries["requirements.txt"] = f"./{wheel.name}\n{pins()}".encode()
    target = out / f"{assignment}.zip"
    with (
        in_one_step(target.resolve()) as part,
        zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, content in entries.items():
            entry = zipfile.ZipInfo(f"{assignment}/{name}", ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return target


def version_for(assignment: str) -> str:
    """Return the version of hw_support for a homework, such as "2.0.0+ps1".

    The label lets it replace another homework's package in an environment.
    """
    label = re.sub(r"[^a-z0-9]+", ".", assignment.lower()).strip(".")
    return f"{_project()['version']}{f'+{label}' if label else ''}"


def build_student_wheel(scratch: Path, assignment: str, descriptions: Mapping[str, bytes]) -> Path:
    """Build a wheel of hw_support alone, with the project's dependencies, in an empty folder.

    The project's own distribution contains the staff's package too, so a small project is made
    for the build. It hides nbgrader's tools for instructors in JupyterLab. `descriptions` are the
    descriptions of homeworks, by file name.
    """
    project = _project()
    package = scratch / "hw_support"
    left_out = shutil.ignore_patterns("__pycache__", ".*_cache", ".ipynb_checkpoints")
    shutil.copytree(REPOSITORY / "hw_support", package, ignore=left_out)
    shutil.rmtree(package / _KNOWN, ignore_errors=True)
    (package / _KNOWN).mkdir()
    for name, content in descriptions.items():
        (package / _KNOWN / name).write_bytes(content)
    hidden = {f"@jupyter/nbgrader:{plugin}": True for plugin in _HIDDEN}
    setting = scratch / "jupyterlab.json"
    setting.write_text(json.dumps({"disabledExtensions": hidden}, indent=1), encoding="utf-8")
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
dependencies = {json.dumps(project["dependencies"])}

[project.optional-dependencies]
pdf = {json.dumps(project["optional-dependencies"]["pdf"])}

[tool.hatch.build.targets.wheel]
packages = ["hw_support"]

[tool.hatch.build.targets.wheel.shared-data]
"{setting.name}" = "{_LAB_SETTING}"
""",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-build-isolation", "--wheel-dir", str(scratch), str(scratch)]
    subprocess.run(command, check=True)
    (wheel,) = scratch.glob("*.whl")
    return wheel


def pins() -> str:
    """Return the package versions that students install, one on a line."""
    return (REPOSITORY / "requirements-student.lock").read_text(encoding="utf-8")


def _project() -> dict[str, Any]:
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    project: dict[str, Any] = tomllib.loads(text)["project"]
    return project
