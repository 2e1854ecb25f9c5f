"""Make a new homework from the folder ``skeleton``; you can release and grade it at once."""

import json
import keyword
import re
import shutil
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from hw_grading.homework.course import Course
from hw_grading.homework.homework import STAFF, manifest_of
from hw_support.submission.file import UserError

SKELETON = Path(__file__).parent / "skeleton"
DAYS_UNTIL_DUE = 28
_PLACEHOLDER = "HOMEWORK_NAME"  # also in the names of files and folders
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


def new(course: Course, name: str, today: date | None = None) -> list[Path]:
    """Write the skeleton of a homework into a course, and return its files; if it fails, none.

    The homework is due four weeks after `today`. Raises `UserError` if the name cannot be used,
    `GraderFault` if another homework's manifest, from which the time zone comes, has a mistake.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise UserError(
            f"{name!r} cannot be the name of a homework, because its staff code is a Python "
            "package of that name. Choose a name such as hw3: a letter from A to Z, then "
            "letters, digits and _, at most 40 characters, and no word of Python"
        )
    places = {STAFF: course.root / STAFF / name, "source": course.source(name)}
    for place in places.values():
        if place.exists():
            raise UserError(f"{place} exists already. Choose another name, or move it away first")
    words, made = _words(course, name, today or date.today()), []
    try:
        for folder, place in places.items():
            for path in sorted((SKELETON / folder / _PLACEHOLDER).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    inner = path.relative_to(SKELETON / folder / _PLACEHOLDER)
                    made.append(place / _filled(str(inner), words))
                    made[-1].parent.mkdir(parents=True, exist_ok=True)
                    text = _filled(path.read_text(encoding="utf-8"), words)
                    made[-1].write_text(text, encoding="utf-8", newline="\n")
    except BaseException:
        for place in places.values():
            shutil.rmtree(place, ignore_errors=True)
        raise
    return made


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


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub("|".join(words), lambda found: words[found[0]], text)
