"""Make a new homework from the folder ``skeleton``; you can release and grade it at once."""

import json
import keyword
import re
import shutil
import tempfile
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from hw_grading.homework.course import Course
from hw_grading.homework.homework import FILE_NAME, STAFF, manifest_of, read_manifest

SKELETON = Path(__file__).parent / "skeleton"
DAYS_UNTIL_DUE = 28
MAX_CHARACTERS = 40
_PLACEHOLDER = "HOMEWORK_NAME"  # also in the names of files and folders
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class NotMade(RuntimeError):
    """The homework was not made, and the course is unchanged; the text says why."""


def new(course: Path, name: str, today: date | None = None) -> list[Path]:
    """Write the skeleton of a homework into a course, and return its files: all of it or nothing.

    The homework is due four weeks after `today`. Raises `NotMade` if that is not possible,
    `GraderFault` if another homework's manifest, from which the time zone comes, has a mistake.
    """
    if len(name) > MAX_CHARACTERS or not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise NotMade(
            f"{name!r} cannot be the name of a homework, because its staff code is a Python "
            "package of that name. Choose a name such as hw3: a letter from A to Z, then "
            f"letters, digits and _, at most {MAX_CHARACTERS} characters, and no word of Python."
        )
    here = Course(course)
    places = {STAFF: here.root / STAFF / name, "source": here.source(name)}
    for parent in (place.parent for place in places.values()):
        for path in parent.iterdir() if parent.is_dir() else ():
            if path.name.lower() == name.lower():  # the same folder on some file systems
                raise NotMade(
                    f"{path} exists already, and this command overwrites no homework. Choose "
                    "another name, or move that folder away first."
                )
    words = _words(here, name, today or date.today())
    made: list[Path] = []
    try:
        with tempfile.TemporaryDirectory(dir=course, prefix=".new-") as scratch:
            _write(Path(scratch), words)
            read_manifest(Path(scratch, STAFF, name, FILE_NAME))
            for folder, place in places.items():
                place.parent.mkdir(parents=True, exist_ok=True)
                Path(scratch, folder, name).rename(place)
                made.append(place)
    except BaseException as error:
        for place in made:
            shutil.rmtree(place, ignore_errors=True)
        if not isinstance(error, OSError):
            raise
        where = error.filename or course
        raise NotMade(
            f"{name} was not made: {where} cannot be written ({error.strerror or error}). The "
            "course is unchanged."
        ) from error
    return sorted(file for place in made for file in place.rglob("*") if file.is_file())


def _words(course: Course, name: str, today: date) -> Mapping[str, str]:
    zone, zone_in_words = "UTC", "UTC"
    if others := course.homeworks():
        manifest = manifest_of(course.root, others[-1])
        zone, zone_in_words = manifest.time_zone, manifest.zone_in_words
    return {
        _PLACEHOLDER: name,
        "DUE_DATE": f"{today + timedelta(days=DAYS_UNTIL_DUE)} 23:59:59",
        "TIME_ZONE": zone,
        "ZONE_IN_WORDS": json.dumps(zone_in_words, ensure_ascii=False)[1:-1],  # as in TOML
    }


def _write(scratch: Path, words: Mapping[str, str]) -> None:
    def filled(text: str) -> str:
        return re.sub("|".join(words), lambda found: words[found[0]], text)

    for path in sorted(SKELETON.rglob("*")):
        inner = path.relative_to(SKELETON)
        if path.is_file() and _PLACEHOLDER in inner.parts and "__pycache__" not in inner.parts:
            target = scratch / filled(inner.as_posix())
            target.parent.mkdir(parents=True, exist_ok=True)
            text = filled(path.read_text(encoding="utf-8"))
            target.write_text(text, encoding="utf-8", newline="\n")
