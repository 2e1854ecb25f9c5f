"""Checks whether your machine has everything that the homework needs.

Each line says that something is fine, or what you should type.
"""

import functools
import importlib
import itertools
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

_OLDEST_PYTHON = (3, 11)
_NEWEST_PYTHON = (3, 13)  # the newest one with which the students' packages are tested
_DISK_MB = 500
_PACKAGES = ("numpy", "matplotlib", "pickleshare", "tqdm", "ipykernel", "jupyterlab")
# An unzipped homework has a list of its packages beside this package. Elsewhere pip installed it.
_LIST = Path(__file__).resolve().parents[2] / "requirements.txt"
_WHAT = f'-r "{_LIST}"' if _LIST.is_file() else '"hw-support[notebook]"'
AGAIN = "Unzip the course's file again, and move your notebook into the new folder."
INSTALL = f'"{sys.executable}" -m pip install {_WHAT}'


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
    lines = itertools.chain([_python()], _packages(), [_kernel(), _disk()], _data())
    return told(lines, functools.partial(print, flush=True))


def told(lines: Iterable[Line], say: Callable[[str], None]) -> bool:
    """Say each line as soon as it is there, and what to do; return whether all are fine."""
    fine = True
    for line in lines:
        say(str(line))
        fine &= line.advice is None
    again = "Fix each line that begins with FIX, then run this command again."
    say("Everything is fine." if fine else again)
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
    for name in _PACKAGES:
        try:
            yield Line(name, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Line(name, "not installed", f"Type: {INSTALL}")


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
    # Jupyter starts its own Python for a kernel of such a name.
    path = sys.executable if program in here else shutil.which(program) or program
    if os.path.realpath(path) == os.path.realpath(sys.executable):
        return Line("kernel", "python3 is this Python")
    return Line("kernel", f"Jupyter starts another Python, {path}", mine)


def _data() -> Iterator[Line]:
    """Check the data of the homework, if it has any, and the packages that read them."""
    try:
        faults = importlib.import_module("hw_support.homeworks.shipped_data").faults
    except ImportError:
        return
    found = faults()
    if found is not None:
        yield Line("data", found or "as it was shipped", AGAIN if found else None)


def _disk() -> Line:
    free = shutil.disk_usage(Path.cwd()).free // 1_000_000
    advice = f"Free some space in {Path.cwd()}: {_DISK_MB} MB are needed."
    return Line("disk", f"{free:,} MB free here", None if free >= _DISK_MB else advice)
