"""Checks whether your machine has everything that the homework needs.

Each line says that something is fine, or what you should type.
"""

import contextlib
import importlib
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

_OLDEST_PYTHON = (3, 11)
_NEWEST_PYTHON = (3, 13)  # the newest one with which the students' packages are tested
_DISK_MB = 500
_TOOLS = ("pickleshare", "tqdm", "ipykernel", "nbclient", "nbformat")  # they compute no results
# An unzipped homework has lists of its packages beside this package: the versions that the grader
# has, and those that are enough. Elsewhere pip installed it.
_HOME = Path(__file__).resolve().parents[2]
_EXACT, _RANGES = "requirements.txt", "requirements-ranges.txt"
_HAS_LISTS = (_HOME / _RANGES).is_file()
_WHAT = f'-r "{_HOME / _RANGES}"' if _HAS_LISTS else '"hw-support[notebook]"'
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


def lines() -> Iterator[Line]:
    """Yield a line for each thing that the homework needs."""
    yield _python()
    yield from _packages()
    yield from _versions()
    yield from (_kernel(), _disk())
    yield from _data()


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
    for name in ("numpy", "matplotlib", *_TOOLS):
        try:
            yield Line(name, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Line(name, "not installed", f"Type: {INSTALL}")


def _versions() -> Iterator[Line]:
    """Say whether the versions are the grader's, and if not, whether results can differ."""
    exact, other, wrong = _list_in(_EXACT), list[str](), list[str]()
    for name, needed in _list_in(_RANGES).items():
        with contextlib.suppress(metadata.PackageNotFoundError):
            version = metadata.version(name)
            if not needed.contains(version, prereleases=True):
                wrong.append(f"{name} {version} ({needed} is needed)")
            elif name in exact.keys() - _TOOLS and not exact[name].contains(version):
                other.append(f"{name} {version} (it has {str(exact[name])[2:]})")
    if wrong:
        yield Line("versions", ", ".join(wrong), f"Type: {INSTALL}")
    elif other:
        what = "Last digits of results can differ, and what NumPy draws at random."
        yield Line("versions", f"not the grader's: {', '.join(other)}\n      {what}")
    elif exact:
        yield Line("versions", "the grader's")


def _list_in(name: str) -> "dict[str, SpecifierSet]":
    """Return the versions of each package of a list that applies here; nothing if it is missing."""
    try:
        from packaging.requirements import InvalidRequirement, Requirement

        text = (_HOME / name).read_text(encoding="utf-8") if _HAS_LISTS else ""
    except (ImportError, OSError):  # the package comes with Matplotlib
        return {}
    found = {}
    for line in text.splitlines():
        with contextlib.suppress(InvalidRequirement):
            one = Requirement(line.rstrip(" \\"))
            if one.marker is None or one.marker.evaluate():
                found[one.name] = one.specifier
    return found


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
