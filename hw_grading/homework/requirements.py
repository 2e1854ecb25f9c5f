"""What students install for a homework, and which packages come with it."""

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from nbformat import NotebookNode
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from hw_grading import DISTRIBUTION, STUDENTS_DISTRIBUTION
from hw_support.source import imported_by

FILE_NAME = "requirements-student.lock"
_EXTRA = "notebook"  # of the students' distribution: what its commands need
_OURS = {DISTRIBUTION, STUDENTS_DISTRIBUTION}
_CONTINUED = re.compile(r"\\\s*\n")
_NO_REQUIREMENT = re.compile(r"(?:^|\s)(?:#|--).*")  # a comment, options, the hash of a file


@dataclass(frozen=True)
class Requirements:
    """What students install."""

    text: str  # a requirements file of pip
    packages: frozenset[str]  # the distributions that it brings, by their names on PyPI
    faults: tuple[str, ...]  # sentences on what is missing here


def requirements_of(root: Path, notebooks: Iterable[NotebookNode]) -> Requirements:
    """Return what students install for some notebooks of a course with this root.

    It is the course's own file as it is, or else what the students' commands need and what the
    notebooks import, in the versions that are installed here.
    """
    own = root / FILE_NAME
    if own.is_file():
        text = own.read_text(encoding="utf-8")
        named = [*_requirements_in(text)]
    else:
        named = _needed_for(notebooks)
        text = "".join(f"{one}\n" for one in named)
    here = with_dependencies(filter(_applies, named))
    lacking = sorted({canonicalize_name(one.name) for one in named if _applies(one)} - here.keys())
    faults = [f"{own.name} names {name}, which the grader does not have" for name in lacking]
    packages = {canonicalize_name(one.name) for one in named} | here.keys()
    return Requirements(text, frozenset(packages), tuple(faults))


def with_dependencies(requirements: Iterable[Requirement]) -> dict[str, str]:
    """Return the versions of distributions and of what they require, if it is installed here."""
    versions: dict[str, str] = {}
    left = [(one.name, extra) for one in requirements for extra in ("", *one.extras)]
    seen = set()
    while left:
        name, extra = canonicalize_name(left[-1][0]), left.pop()[1]
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        with suppress(metadata.PackageNotFoundError):
            found = metadata.distribution(name)
            versions[name] = found.version
            for one in map(Requirement, found.requires or ()):
                if _applies(one, extra):
                    left += [(one.name, of_one) for of_one in ("", *one.extras)]
    return versions


def _applies(requirement: Requirement, extra: str = "") -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _requirements_in(text: str) -> Iterator[Requirement]:
    """Yield the packages that a requirements file names; options and paths are passed over."""
    for line in _CONTINUED.sub(" ", text).splitlines():
        with suppress(InvalidRequirement):
            yield Requirement(_NO_REQUIREMENT.sub("", line).strip())


def _needed_for(notebooks: Iterable[NotebookNode]) -> list[Requirement]:
    """Return what the students' commands and the code of notebooks need, in their versions here."""
    needed = map(Requirement, metadata.requires(STUDENTS_DISTRIBUTION) or ())
    names = [one.name for one in needed if _applies(one) or _applies(one, _EXTRA)]
    modules = {
        each.partition(".")[0]
        for notebook in notebooks
        for cell in notebook.cells
        if cell.cell_type == "code"
        for each in imported_by(cell.source).values()
    }
    if modules := modules - {*sys.stdlib_module_names, "hw_support"}:
        names += _distributions_of(modules)
    return [_pinned(name) for name in dict.fromkeys(map(canonicalize_name, names))]


def _distributions_of(modules: set[str]) -> list[str]:
    known = metadata.packages_distributions()
    return sorted({name for module in modules for name in known.get(module, ())} - _OURS)


def _pinned(name: str) -> Requirement:
    try:
        return Requirement(f"{name}=={Version(metadata.version(name)).public}")
    except metadata.PackageNotFoundError:
        return Requirement(name)
