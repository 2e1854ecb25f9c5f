"""Checks whether your machine has everything that the homework needs.

Each line says that something is fine, or what you should type.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

_OLDEST_PYTHON = (3, 11)
_NEWEST_PYTHON = (3, 13)  # the newest one with which the students' packages are tested
_DISK_MB = 500
_SECONDS_FOR_ANOTHER_PYTHON = 20
_PACKAGES = ("numpy", "matplotlib", "pickleshare", "tqdm", "ipykernel", "jupyterlab")
INSTALL = f'"{sys.executable}" -m pip install -r requirements.txt'


@dataclass(frozen=True)
class Line:
    """The result of one check."""

    what: str
    found: str
    advice: str | None = None  # what to do; None if it is fine

    def __str__(self) -> str:
        line = f"{'fine ' if self.advice is None else 'FIX  '} {self.what:<11} {self.found}"
        return line if self.advice is None else f"{line}\n      {self.advice}"


def doctor() -> bool:
    """Print a line for each thing that the homework needs; return whether all are fine.

    In a notebook: ``hw_support.doctor();``. While nbgrader grades, it checks nothing.
    """
    if os.environ.get("NBGRADER_EXECUTION"):
        print("doctor: the machine is not checked while this notebook is graded.")
        return True
    fine = True
    for line in (_python(), *_packages(), _data(), _kernel(), _disk()):
        print(line, flush=True)
        fine &= line.advice is None
    again = "Fix each line that begins with FIX, then run this command again."
    print("Everything is fine." if fine else again)
    return fine


def _python() -> Line:
    found, advice = f"{platform.python_version()} ({sys.executable})", None
    oldest, newest = (".".join(map(str, version)) for version in (_OLDEST_PYTHON, _NEWEST_PYTHON))
    if not _OLDEST_PYTHON <= sys.version_info[:2] <= _NEWEST_PYTHON:
        advice = (
            f"The homework's packages are tested with Python {oldest} to {newest}. If something "
            f"fails, install Python {newest} from python.org, delete the folder .venv, and follow "
            "START.html again with this Python."
        )
    return Line("Python", found, advice)


def _packages() -> Iterator[Line]:
    """Compare each package with the oldest version that this package allows."""
    oldest: dict[str, str] = {}
    for ours in ("hw-support", "hw-grading"):
        try:
            required = metadata.requires(ours) or ()
        except metadata.PackageNotFoundError:
            continue
        found = (re.match(r"([\w.-]+)(?:\[.*\])?\s*>=\s*([\d.]+)", text) for text in required)
        oldest |= {match[1].lower(): match[2] for match in found if match}
    for name in _PACKAGES:
        advice = f"Version {oldest.get(name, '')} or later is needed. "
        try:
            version = metadata.version(name)
            if _numbers(version) >= _numbers(oldest.get(name, "")):
                yield Line(name, version)
                continue
        except metadata.PackageNotFoundError:
            version, advice = "not installed", ""
        yield Line(name, version, f"{advice}Type in the homework's folder: {INSTALL}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _data() -> Line:
    from hw_support.shipped_data import SHIPPED, DataFileError, read_verified

    for file in SHIPPED:
        try:
            read_verified(file)
        except DataFileError as error:
            advice = f"{error} To reinstall it: {INSTALL} --force-reinstall"
            return Line("data", f"{file.path.name} is damaged", advice)
    return Line("data", f"complete ({', '.join(file.path.name for file in SHIPPED)})")


def _kernel() -> Line:
    """Check the Python that Jupyter starts for a notebook: it may be another one."""
    mine = f'Type: "{sys.executable}" -m ipykernel install --sys-prefix'
    try:
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    except ImportError:
        return Line("kernel", "Jupyter is not installed", f"Type: {INSTALL}")
    try:
        program = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        return Line("kernel", "no kernel is named python3", mine)
    here = {"python", *(f"python{'.'.join(map(str, sys.version_info[:n]))}" for n in (1, 2))}
    path = (
        sys.executable if program in here else shutil.which(program) or program
    )  # as Jupyter does
    if os.path.realpath(path) == os.path.realpath(sys.executable):
        return Line("kernel", "python3 is this Python")
    command = [path, "-c", "import hw_support, numpy, matplotlib"]
    folder = Path(sys.executable).parent  # import none of the student's files by mistake
    limits = {"check": True, "capture_output": True, "timeout": _SECONDS_FOR_ANOTHER_PYTHON}
    try:
        subprocess.run(command, cwd=folder, **limits)  # type: ignore[call-overload]
    except (OSError, subprocess.SubprocessError):
        found = f"Jupyter starts another Python, {path}, which lacks a required package"
        return Line("kernel", found, mine)
    return Line("kernel", f"python3 is {path}, which has the required packages")


def _disk() -> Line:
    free = shutil.disk_usage(Path.cwd()).free // 1_000_000
    advice = f"Free some space in {Path.cwd()}: {_DISK_MB} MB are needed."
    return Line("disk", f"{free:,} MB free here", None if free >= _DISK_MB else advice)
