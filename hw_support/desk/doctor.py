"""Checks whether your machine has everything that the homework needs.

Each line says that something is fine, or what you should type.
"""

import contextlib
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
_MEMORY_MB, _DISK_MB = 2000, 500
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
    for line in look():
        print(line, flush=True)
        fine &= line.advice is None
    again = "Fix each line that begins with FIX, then run this command again."
    print("Everything is fine." if fine else again)
    return fine


def look() -> Iterator[Line]:
    """Yield the result of each check."""
    yield _python()
    yield from map(_package, _PACKAGES)
    yield _data()
    yield _kernel()
    yield _memory()
    yield _disk()


def _python() -> Line:
    found, advice = f"{platform.python_version()} ({sys.executable})", None
    oldest, newest = (".".join(map(str, version)) for version in (_OLDEST_PYTHON, _NEWEST_PYTHON))
    if sys.version_info < _OLDEST_PYTHON:
        advice = f"Install Python {oldest} or later: see START.html."
    elif sys.version_info[:2] > _NEWEST_PYTHON:
        usual, command = "python3", f"python{newest}"
        if os.name == "nt":
            usual, command = "py", f"py -{newest}"
        advice = (
            f"The homework's packages are tested with Python {oldest} to {newest}; this Python "
            f"is newer. If something fails, install Python {newest} from python.org, delete the "
            f"folder .venv, and follow START.html again. Type {command} where it says {usual}."
        )
    return Line("Python", found, advice)


def _package(name: str) -> Line:
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Line(name, "not installed", f"Type in the homework's folder: {INSTALL}")
    oldest = _oldest().get(name, "")
    if _numbers(found) >= _numbers(oldest):
        return Line(name, found)
    advice = f"Version {oldest} or later is needed. Type in the homework's folder: {INSTALL}"
    return Line(name, found, advice)


def _oldest() -> dict[str, str]:
    """Return the oldest versions that this package allows."""
    for ours in ("hw-support", "hw-grading"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            required = metadata.requires(ours) or ()
            found = (re.match(r"([\w.-]+)(?:\[.*\])?\s*>=\s*([\d.]+)", text) for text in required)
            return {match[1].lower(): match[2] for match in found if match}
    return {}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _data() -> Line:
    """Check every data file that this package declares on import."""
    from hw_support.integrity import SHIPPED, DataFileError, read_verified

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
    path = shutil.which(program) or program
    if Path(path).name == path or os.path.realpath(path) == os.path.realpath(sys.executable):
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


def _memory() -> Line:
    try:
        import psutil
    except ImportError:
        return Line("memory", "not checked (psutil is not installed)")
    free = psutil.virtual_memory().available // 1_000_000
    advice = f"Close other programs: training needs {_MEMORY_MB:,} MB."
    return Line("memory", f"{free:,} MB free", None if free >= _MEMORY_MB else advice)


def _disk() -> Line:
    free = shutil.disk_usage(Path.cwd()).free // 1_000_000
    advice = f"Free some space in {Path.cwd()}: {_DISK_MB} MB are needed."
    return Line("disk", f"{free:,} MB free here", None if free >= _DISK_MB else advice)
