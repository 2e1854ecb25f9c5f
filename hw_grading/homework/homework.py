"""A homework of a course: its name, its manifest, and its staff code."""

import atexit
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hw_grading.homework.manifest import FILE_NAME, KINDS, Manifest, ManifestError, read_manifest
from hw_support.failures import visible

START = "START.html"  # the page beside a released notebook that tells students how to start
STAFF = "staff"  # the folder in a course, and the package of staff code
_NOT_FOR_GRADING = ("answers", "__pycache__")
_MOST_BYTES = 50_000_000
LONGEST_ID = 128  # characters; the limit in nbgrader's tables
_ALLOWED = "expected letters, digits and _ . @ + -, and first a letter, a digit or _"


@dataclass(frozen=True)
class Homework:
    """What grading needs to know about one homework.

    This is plain data. It travels with a submission to other processes and machines.
    """

    name: str  # of the assignment, and of its folders in `source` and `staff`
    manifest: Manifest = field(default_factory=Manifest)
    # The files of its staff code by path, such as "staff/hw/fresh.py".
    code: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def modules(self) -> list[str]:
        """The names of the modules in the code."""
        files = [Path(path).with_suffix("") for path in self.code if path.endswith(".py")]
        return sorted(".".join(p.parts).removesuffix(".__init__") for p in files)

    def digest(self) -> str:
        """Return a digest of everything that can change a score (hexadecimal, 64 characters)."""
        limits = {name: sorted(self.manifest.seconds(name).items()) for name in KINDS}
        whole = repr((limits, sorted(self.code.items())))
        return hashlib.sha256(whole.encode()).hexdigest()


def homework_of(course: Path, name: str) -> Homework:
    """Read a homework of the course whose root folder contains ``staff``.

    A homework without a folder in ``staff`` has an empty manifest. `ManifestError` if the manifest
    has a mistake, or the homework's files are too large.
    """
    return Homework(name, manifest_of(course, name), _code_in(course / STAFF / name, course))


def manifest_of(course: Path, name: str) -> Manifest:
    """Read only a homework's manifest; see `homework_of`."""
    return read_manifest(course / STAFF / name / FILE_NAME)


def why_no_id(student: str) -> str | None:
    """Return the reason why a name is not a valid student id; None if it is valid.

    An id is written into pages, tables, commands and paths. So it may only contain characters that
    need no escaping in any of them.
    """
    if student.startswith("."):
        return "its name begins with a dot"
    if len(student) > LONGEST_ID:
        return f"its name has more than {LONGEST_ID} characters"
    allowed = set(re.findall(r"[\w.@+-]", student)) & set(visible(student))
    if odd := sorted(set(student) - allowed):
        return f"its name has {', '.join(map(ascii, odd[:5]))}: {_ALLOWED}"
    if not re.match(r"\w", student):
        return f"its name begins with {student[:1]!r}: {_ALLOWED}"
    return None


def lay_out(homework: Homework) -> Path:
    """Write a homework's code into a folder of this process, so that it can be imported."""
    key = homework.digest()
    if key not in _laid_out:
        folder = Path(tempfile.mkdtemp(prefix="hw-staff-"))
        atexit.register(_remove, folder, os.getpid())
        for path, content in homework.code.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        _laid_out[key] = folder
    return _laid_out[key]


_laid_out: dict[str, Path] = {}


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # not in a fork of the owner
        shutil.rmtree(folder, ignore_errors=True)


def _code_in(folder: Path, course: Path) -> dict[str, bytes]:
    code = {}
    left = _MOST_BYTES
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if inner.parts[0] in _NOT_FOR_GRADING or "__pycache__" in inner.parts:
            continue
        if path.name == FILE_NAME or not path.is_file():
            continue
        left -= path.stat().st_size
        if left < 0:
            raise ManifestError(
                f"{folder}: its files have more than {_MOST_BYTES:,} bytes in all. The grader "
                "sends them to every worker: make them smaller"
            )
        code[path.relative_to(course).as_posix()] = path.read_bytes()
    return code
