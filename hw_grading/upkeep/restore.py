"""Restores a backup into a course's folder: all of it or nothing.

The whole file is compared first. Then everything is written beside its place, and renamed at the
end. After a killed restore, the same command continues it.
"""

import contextlib
import filecmp
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url

from hw_grading.batch.lock import shared_or_busy
from hw_grading.batch.scratch import work_folder
from hw_grading.batch.settings import WholeClass
from hw_grading.homework.course import Course
from hw_grading.outcome import GraderFault
from hw_grading.records.database import shown_address
from hw_grading.records.scores import named
from hw_grading.upkeep import archive, postgresql
from hw_grading.upkeep.archive import Contents
from hw_grading.upkeep.backup import IN_COURSE, OUTSIDE, POSTGRESQL, SECRET, SQLITE
from hw_support.submission.file import Unreadable

_WORK = ".restore-"
_NOT_COMPARED = {"__pycache__", ".gitkeep", ".ipynb_checkpoints"}
_BESIDE_SQLITE = ("-wal", "-shm", "-journal")
_SPARE_BYTES = 50_000_000
_MOST_NAMED = 8


@dataclass(frozen=True)
class Restored:
    """What was restored."""

    facts: dict[str, Any]  # about the backup, from its list
    files: int  # their number
    put_aside: Path | None  # the folder with the files that were in the way
    to_do: tuple[str, ...]  # sentences on what you still have to do


def restore(backup: Path, into: Path, *, force: bool = False, database: str = "") -> Restored:
    """Restore a course into a folder, which may hold files of the backup if they are identical.

    With `force`, files that differ are put aside. `database` is an address, if not the one in
    the settings. Raises `Unreadable`, `GraderFault` or `OSError`. Then everything is unchanged.
    """
    url = postgresql.url_of(database) if database else None
    contents = archive.read(backup)
    _expect_facts(backup, contents)
    if url and POSTGRESQL not in contents.digests:
        raise Unreadable(
            f"{backup} has an SQLite gradebook, which cannot be restored into a PostgreSQL "
            "database. Restore it without --database, then move it: python -m hw_grading move"
        )
    into = Path(os.path.abspath(into))
    is_new = not into.exists()
    if not is_new and not into.is_dir():
        raise Unreadable(f"{into} is not a folder. Name a folder for the course")
    _expect_room(into, contents)
    into.mkdir(parents=True, exist_ok=True)
    try:
        with work_folder(into, _WORK) as work, shared_or_busy(into / "autograded") as is_graded:
            if is_graded:
                raise GraderFault(
                    f"The course in {into} is being graded, so nothing was restored. Wait until "
                    "the grading has finished, then run this command again"
                )
            archive.unpack(backup, contents, work)
            return _put_in_place(work, into, contents, force, url)
    except BaseException:
        if is_new:
            with contextlib.suppress(OSError):
                into.rmdir()
        raise


def _put_in_place(
    work: Path, into: Path, contents: Contents, force: bool, url: URL | None
) -> Restored:
    facts = dict(contents.facts)
    aside = into / f"before-restore-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}"
    moves = _Moves(work / "removed", aside)
    try:
        places = dict(_places(work, into, facts))
        moves.expect_free(places, force)
        for new, place in places.items():
            moves.put(new, place)
        course = Course(into)  # with the restored settings
        if (work / SECRET).exists():
            secret = _place_of_secret(course, into)
            moves.expect_free({work / SECRET: secret}, force)
            moves.put(work / SECRET, secret)
        to_do = [*_differences(course, into, facts)]
        if url and url != make_url(course.db_url):
            to_do.append(
                f"The gradebook is in {shown_address(url)}: write that into nbgrader_config.py as "
                "c.CourseDirectory.db_url"
            )
        if (work / POSTGRESQL).exists():  # last, because this step cannot be undone
            postgresql.load(url or _of_postgresql(course), work / POSTGRESQL)
    except BaseException:
        moves.take_back()
        raise
    return Restored(facts, len(contents.digests), aside if aside.exists() else None, tuple(to_do))


def _places(work: Path, into: Path, facts: dict[str, Any]) -> Iterator[tuple[Path, Path]]:
    """Yield each unpacked path with its place, without the secret, whose place is unknown yet."""
    for part in facts.get("parts", ()):
        kind, _, name = part.partition("/")
        if not _is_within(name) or not (work / part).exists():
            continue
        if kind == IN_COURSE:
            yield work / part, into / name
        elif kind == OUTSIDE:
            yield work / part, into / OUTSIDE / name
    if (work / SQLITE).exists():
        yield work / SQLITE, into / _inner(facts)


def _inner(facts: dict[str, Any]) -> str:
    path = facts.get("database", {}).get("path") or SQLITE
    return path if _is_within(path) else SQLITE


def _is_within(name: str) -> bool:
    return not {"", ".", ".."} & set(name.split("/"))


def _place_of_secret(course: Course, into: Path) -> Path:
    whole_class = WholeClass(config=course.config)
    secret = whole_class.secret(into, course.directory.course_id)
    if not whole_class.secret_file:
        secret.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return secret if secret.parent.is_dir() else into / SECRET


def _differences(course: Course, into: Path, facts: dict[str, Any]) -> Iterator[str]:
    if os.path.realpath(course.root) != os.path.realpath(into):
        yield (
            f"The settings in {into}/nbgrader_config.py name {course.root} as the course's folder: "
            f"change c.CourseDirectory.root to {str(into)!r}"
        )
    url = make_url(course.db_url)
    if (into / SECRET).exists():
        yield (
            f"The course's secret is in {into / SECRET}. Move that file to the path in "
            "c.WholeClass.secret_file"
        )
    if facts.get("database", {}).get("kind") == "sqlite":
        gradebook = into / _inner(facts)
        if os.path.realpath(url.database or "") != os.path.realpath(gradebook):
            yield (
                f"The gradebook is {gradebook}, but the settings name {shown_address(url)}. Move "
                "the gradebook there, or change c.CourseDirectory.db_url"
            )
    for part, was in facts.get("outside", {}).items():
        name = str(part).partition("/")[2]
        yield f"{into / OUTSIDE / name} was {was}, outside of the course. Move it back there"


def _of_postgresql(course: Course) -> URL:
    url = make_url(course.db_url)
    if url.get_backend_name() != "postgresql":
        raise GraderFault(
            "The backup has a gradebook of PostgreSQL, and the settings name "
            f"{shown_address(url)}. Set c.CourseDirectory.db_url to an empty PostgreSQL database"
        )
    return url


class _Moves:
    """Renames that can be undone."""

    def __init__(self, removed: Path, aside: Path) -> None:
        self._removed, self._aside = removed, aside
        self._done: list[tuple[Path, Path]] = []

    def expect_free(self, places: dict[Path, Path], force: bool) -> None:
        """Expect that no different file is in the way, unless `force` is True."""
        taken = [place for new, place in places.items() if _is_taken(new, place)]
        if taken and not force:
            raise Unreadable(
                f"Nothing was restored: {named([*map(str, taken)], _MOST_NAMED)} "
                f"already {'exists and differs' if len(taken) == 1 else 'exist and differ'} from "
                "the backup. Restore into another folder (--into), or add --force, which moves "
                "the existing files aside"
            )

    def put(self, new: Path, place: Path) -> None:
        """Move a file or folder to its place; put aside what is there, unless it is equal."""
        if os.path.lexists(place):
            if _is_same(new, place):
                return
            if _is_taken(new, place):
                self._put_aside(place)
            else:  # empty except for git's file
                if (place / ".gitkeep").is_file():
                    shutil.copy2(place / ".gitkeep", new)
                self._removed.mkdir(exist_ok=True)
                self._move(place, self._removed / str(len(self._done)))
        if new.name == SQLITE:
            for end in _BESIDE_SQLITE:  # these belong to the old gradebook
                if os.path.lexists(beside := place.with_name(place.name + end)):
                    self._put_aside(beside)
        place.parent.mkdir(parents=True, exist_ok=True)
        self._move(new, place)

    def take_back(self) -> None:
        """Undo all moves, in reverse order."""
        for old, new in reversed(self._done):
            with contextlib.suppress(OSError):
                shutil.move(new, old)
        with contextlib.suppress(OSError):
            self._aside.rmdir()

    def _put_aside(self, place: Path) -> None:
        self._aside.mkdir(mode=0o700, exist_ok=True)
        into = self._aside.parent
        inner = place.relative_to(into) if place.is_relative_to(into) else Path(SECRET)
        (self._aside / inner).parent.mkdir(parents=True, exist_ok=True)
        self._move(place, self._aside / inner)

    def _move(self, old: Path, new: Path) -> None:
        shutil.move(old, new)
        self._done.append((old, new))


def _is_taken(new: Path, place: Path) -> bool:
    if not os.path.lexists(place):
        return False
    if place.is_dir() and not place.is_symlink() and not set(os.listdir(place)) - _NOT_COMPARED:
        return False
    return not _is_same(new, place)


def _is_same(new: Path, place: Path) -> bool:
    if place.is_symlink() or new.is_dir() != place.is_dir():
        return False
    if not new.is_dir():
        return place.is_file() and filecmp.cmp(new, place, shallow=False)
    names = [set(os.listdir(folder)) - _NOT_COMPARED for folder in (new, place)]
    return names[0] == names[1] and all(_is_same(new / name, place / name) for name in names[0])


def _expect_facts(backup: Path, contents: Contents) -> None:
    """Expect that a backup's list, which may be forged, has the needed facts as texts."""
    parts, facts = contents.facts.get("parts", []), contents.facts
    database, outside = facts.get("database", {}), facts.get("outside", {})
    is_right = isinstance(parts, list) and isinstance(database, dict) and isinstance(outside, dict)
    if is_right:
        texts = [*parts, database.get("path") or "", *outside.values()]
        is_right = all(isinstance(text, str) and "\0" not in text for text in texts)
    if not is_right:
        raise Unreadable(
            f"{backup}: its facts about the course cannot be read. Restore another backup"
        )


def _expect_room(into: Path, contents: Contents) -> None:
    there = next(folder for folder in (into, *into.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < contents.bytes_in_all + _SPARE_BYTES:
        raise Unreadable(
            f"The backup has {contents.bytes_in_all / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are "
            f"free in {there}. Free some space, or restore into another folder (--into)"
        )
