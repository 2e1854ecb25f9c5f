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
_EXTRA, _LAB = "notebook", "lab"  # of the students' distribution: for its commands; JupyterLab
_OURS = {DISTRIBUTION, STUDENTS_DISTRIBUTION}
_CONTINUED = re.compile(r"\\\s*\n")
_NO_REQUIREMENT = re.compile(r"(?:^|\s)(?:#|--).*")  # a comment, options, the hash of a file


@dataclass(frozen=True)
class Requirements:
    """What students install."""

    text: str  # a requirements file of pip: the grader's versions, for who begins from nothing
    ranges: str  # another one: the versions that are enough, for who has an environment
    packages: frozenset[str]  # the distributions that it brings, by their names on PyPI
    faults: tuple[str, ...]  # sentences on what is missing here


def requirements_of(root: Path, notebooks: Iterable[NotebookNode]) -> Requirements:
    """Return what students install for some notebooks of a course with this root.

    It is the course's own file as it is, or else what the students' commands need and what the
    notebooks import, in the versions that are installed here.
    """
    own, ranges = root / FILE_NAME, [*_needed_for(notebooks)]
    if own.is_file():
        text = own.read_text(encoding="utf-8")
        named = [*_requirements_in(text)]
    else:
        named = [_pinned(one) for one in (*ranges, *_asked(_LAB))]
        text = _file_of(named)
    here = with_dependencies(filter(_applies, named))
    asked = {canonicalize_name(one.name) for one in named if own.is_file() and _applies(one)}
    lacking = sorted(asked - here.keys())
    faults = [f"{own.name} names {name}, which the grader does not have" for name in lacking]
    packages = {canonicalize_name(one.name) for one in named} | here.keys()
    return Requirements(text, _file_of(ranges), frozenset(packages), tuple(faults))


def _file_of(requirements: Iterable[Requirement]) -> str:
    return "".join(f"{requirement}\n" for requirement in requirements)


def with_dependencies(requirements: Iterable[Requirement]) -> dict[str, str]:
    """Return the versions of distributions and of what they require, if it is installed here."""
    versions: dict[str, str] = {}
    left = [
        (requirement.name, extra)
        for requirement in requirements
        for extra in ("", *requirement.extras)
    ]
    seen = set()
    while left:
        name, extra = canonicalize_name(left[-1][0]), left.pop()[1]
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        with suppress(metadata.PackageNotFoundError):
            found = metadata.distribution(name)
            about = found.metadata  # reads the file each time, and `requires` and `version` do
            versions[name] = about["Version"]
            for one in map(Requirement, about.get_all("Requires-Dist") or found.requires or ()):
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


def _needed_for(notebooks: Iterable[NotebookNode]) -> Iterator[Requirement]:
    """Yield what the students' commands and the code of notebooks need, by its range."""
    known = {canonicalize_name(one.name): one for one in (*_asked(""), *_asked(_EXTRA))}
    modules = {
        each.partition(".")[0]
        for notebook in notebooks
        for cell in notebook.cells
        if cell.cell_type == "code"
        for each in imported_by(cell.source).values()
    }
    for name in _distributions_of(modules - {*sys.stdlib_module_names, "hw_support"}):
        known.setdefault(canonicalize_name(name), Requirement(name))
    return iter(known.values())


def _asked(extra: str) -> Iterator[Requirement]:
    """Yield what the students' distribution asks for: with no extra, or for one alone."""
    for one in map(Requirement, metadata.requires(STUDENTS_DISTRIBUTION) or ()):
        if bool(extra) == bool(one.marker) and _applies(one, extra):
            yield Requirement(f"{one.name}{one.specifier}")


def _distributions_of(modules: set[str]) -> list[str]:
    known = metadata.packages_distributions() if modules else {}
    return sorted({name for module in modules for name in known.get(module, ())} - _OURS)


def _pinned(one: Requirement) -> Requirement:
    """Return a package in the version that is installed here, or as it is if it is missing."""
    with suppress(metadata.PackageNotFoundError):
        version = Version(metadata.version(one.name)).public
        return Requirement(f"{canonicalize_name(one.name)}=={version}")
    return one
