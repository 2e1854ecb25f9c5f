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
_PACKAGES = ("numpy", "matplotlib", "pickleshare", "tqdm", "ipykernel", "nbclient", "nbformat")
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
    for name in _PACKAGES:
        try:
            yield Line(name, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Line(name, "not installed", f"Type: {INSTALL}")


def _versions() -> Iterator[Line]:
    """Say whether the versions are the grader's, and if not, whether results can differ."""
    try:
        from packaging.requirements import InvalidRequirement, Requirement
    except ImportError:  # so Matplotlib is missing, which is said
        return
    lists: list[dict[str, SpecifierSet]] = []
    for name in (_EXACT, _RANGES):
        lists.append({})
        text = (_HOME / name).read_text(encoding="utf-8") if _HAS_LISTS else ""
        for line in text.splitlines():
            with contextlib.suppress(InvalidRequirement):
                one = Requirement(line.rstrip(" \\"))
                if one.marker is None or one.marker.evaluate():
                    lists[-1][one.name] = one.specifier
    exact, ranges = lists
    other, wrong = [], []
    for name in ranges:
        with contextlib.suppress(metadata.PackageNotFoundError):
            version = metadata.version(name)
            if not ranges[name].contains(version, prereleases=True):
                wrong.append(f"{name} {version} ({ranges[name]} is needed)")
            elif name in exact and not exact[name].contains(version):
                other.append(f"{name} {version} ({str(exact[name]).lstrip('=')})")
    if wrong:
        yield Line("versions", ", ".join(wrong), f"Type: {INSTALL}")
    elif other:
        what = "Results can differ in their last digits, and random numbers of other versions."
        yield Line("versions", f"others than the grader's: {', '.join(other)}\n      {what}")
    elif exact:
        yield Line("versions", "the grader's")


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
