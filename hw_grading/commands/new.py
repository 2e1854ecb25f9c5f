"""Make a new homework from the folder ``skeleton``; you can release and grade it at once."""

import contextlib
import json
import keyword
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from hw_grading.homework.course import Course
from hw_grading.homework.homework import STAFF, manifest_of
from hw_grading.homework.manifest import FILE_NAME, read_manifest

SKELETON = Path(__file__).parent / "skeleton"
DAYS_UNTIL_DUE = 28
MOST_CHARACTERS = 40
_PLACEHOLDER = "HOMEWORK_NAME"  # also in the names of files and folders
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class NotMade(RuntimeError):
    """The homework was not made, and the course is unchanged; the text says why."""


@dataclass(frozen=True)
class New:
    """The files of a new homework."""

    notebook: Path
    manifest: Path
    files: tuple[Path, ...]  # all, sorted, including these two


def new(course: Path, name: str, today: date | None = None) -> New:
    """Write the skeleton of a homework into a course: all of it or nothing.

    The homework is due four weeks after `today`. Raises `NotMade` if that is not possible,
    `GraderFault` if another homework's manifest, from which the time zone comes, has a mistake.
    """
    if not (course / "nbgrader_config.py").is_file():
        raise NotMade(
            f"{course} is not a course: it has no nbgrader_config.py. Go to the folder of your "
            "course, or name the folder with --course."
        )
    _expect_name(name)
    places = _places(course, name)
    words = _words(course, name, today or date.today())
    try:
        with tempfile.TemporaryDirectory(dir=course, prefix=".new-") as scratch:
            _write(Path(scratch), words)
            read_manifest(Path(scratch, STAFF, name, FILE_NAME))
            _move(Path(scratch), places, name)
    except OSError as error:
        where = error.filename or course
        raise NotMade(
            f"{name} was not made: {where} cannot be written ({error.strerror or error}). The "
            "course is unchanged."
        ) from error
    files = [path for folder in places.values() for path in folder.rglob("*") if path.is_file()]
    notebook, manifest = places["source"] / f"{name}.ipynb", places[STAFF] / FILE_NAME
    return New(notebook, manifest, tuple(sorted(files)))


def _expect_name(name: str) -> None:
    if keyword.iskeyword(name):
        raise NotMade(f"{name} is a keyword of Python. Choose another name, such as hw3.")
    if len(name) > MOST_CHARACTERS or not _NAME.fullmatch(name) or not name.isidentifier():
        raise NotMade(
            f"{name!r} cannot be the name of a homework, because its staff code is a Python "
            "package of that name. Choose a name such as hw3: a letter from A to Z, then "
            f"letters, digits and _, at most {MOST_CHARACTERS} characters."
        )


def _places(course: Path, name: str) -> dict[str, Path]:
    """Return the place of each folder of the skeleton, where nothing is yet."""
    here = Course(course)
    places = {"source": here.source(name), STAFF: here.root / STAFF / name}
    for there in (place.parent for place in places.values()):
        for path in there.iterdir() if there.is_dir() else ():
            if path.name.lower() == name.lower():  # the same folder on some file systems
                raise NotMade(
                    f"{path} exists already, and this command overwrites no homework. Choose "
                    "another name, or move that folder away first."
                )
    return places


def _words(course: Path, name: str, today: date) -> Mapping[str, str]:
    zone, zone_in_words = "UTC", "UTC"
    if others := Course(course).homeworks():
        manifest = manifest_of(Course(course).root, others[-1])
        zone, zone_in_words = manifest.time_zone, manifest.zone_in_words
    return {
        _PLACEHOLDER: name,
        "DUE_DATE": f"{today + timedelta(days=DAYS_UNTIL_DUE)} 23:59:59",
        "TIME_ZONE": zone,
        "ZONE_IN_WORDS": json.dumps(zone_in_words, ensure_ascii=False)[1:-1],  # as in TOML
    }


def _write(scratch: Path, words: Mapping[str, str]) -> None:
    for path in sorted(SKELETON.rglob("*")):
        inner = path.relative_to(SKELETON)
        if path.is_file() and _PLACEHOLDER in inner.parts and "__pycache__" not in inner.parts:
            target = scratch / _filled(inner.as_posix(), words)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = _filled(path.read_text(encoding="utf-8"), words)
            target.write_text(text, encoding="utf-8", newline="\n")


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub("|".join(words), lambda found: words[found[0]], text)


def _move(scratch: Path, places: Mapping[str, Path], name: str) -> None:
    """Move the folders into the course; if one move fails, undo the others."""
    with contextlib.ExitStack() as undo:
        for folder, target in places.items():
            if not target.parent.exists():
                target.parent.mkdir(parents=True)
                undo.callback(target.parent.rmdir)
            (scratch / folder / name).rename(target)
            undo.callback(shutil.rmtree, target, ignore_errors=True)
        undo.pop_all()
