"""The file of a backup: a compressed tar of plain files with a list of digests at its end.

Students wrote some of the files. So writing follows no links, and reading refuses links, devices,
and names that lead out of the folder. Digests show damage. They do not show who made the backup.
"""

import errno
import hashlib
import io
import json
import os
import stat
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

LIST = "manifest.json"
_FORMAT = 1
_MOST_BYTES_OF_LIST = 1 << 30
_IN_MEMORY = 32 << 20  # bytes of a file while it is read
_PIECE = 1 << 20
_LONGEST_NAME = 2_000  # bytes
_COMPRESSION = 3  # most of a backup is compressed already
_DAMAGES = (tarfile.TarError, EOFError, zlib.error, OSError, ValueError, OverflowError)


@dataclass(frozen=True)
class LeftOut:
    """A file that is not in a backup."""

    name: str  # its path in the backup
    why: str  # in words
    is_lost: bool  # whether it has data that could not be read; a link has none


@dataclass(frozen=True)
class Contents:
    """The content of a backup."""

    facts: Mapping[str, Any]  # what its maker stored about it; plain data
    digests: Mapping[str, str]  # SHA-256, hexadecimal, by path
    bytes_in_all: int  # before compression


class Writer:
    """Writes a backup into a new file; `folder` is for data that is too large for memory."""

    def __init__(self, stream: IO[bytes], folder: Path) -> None:
        self._tar = tarfile.open(  # noqa: SIM115  # `__exit__` closes it
            fileobj=stream, mode="w:gz", compresslevel=_COMPRESSION, format=tarfile.PAX_FORMAT
        )
        self._folder = folder
        self._digests: dict[str, str] = {}
        self._bytes = 0
        self.left_out: list[LeftOut] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._tar.__exit__(*error)

    def add(self, name: str, path: Path, not_kept: tuple[str, ...] = ()) -> None:
        """Add a file, or a folder with all its content except names with the ends `not_kept`.

        If `path` is a link itself, its target is added. Links below it are left out.
        """
        waiting = [(name, os.fspath(os.path.realpath(path)))]
        while waiting:
            name, place = waiting.pop()
            if len(os.fsencode(name)) > _LONGEST_NAME:  # other machines could not write it
                self.left_out.append(LeftOut(name, "its path is too long", True))
                continue
            try:
                status = os.lstat(place)
                if stat.S_ISDIR(status.st_mode):
                    entries = sorted(os.listdir(place), reverse=True)
                    member = _member(name, status)
                    member.type = tarfile.DIRTYPE
                    self._tar.addfile(member)
                    waiting += [
                        (f"{name}/{entry}", os.path.join(place, entry))
                        for entry in entries
                        if not entry.endswith(not_kept or "\0")
                    ]
                elif stat.S_ISREG(status.st_mode):
                    self._add_file(name, place)
                else:
                    self.left_out.append(LeftOut(name, _kind(status.st_mode), False))
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise
                why = f"it cannot be read ({error.strerror or error})"
                self.left_out.append(LeftOut(name, why, True))

    def finish(self, facts: Mapping[str, Any]) -> None:
        """Add the list, which is the last file."""
        files = dict(sorted(self._digests.items()))
        content = {"format": _FORMAT, "bytes": self._bytes, **facts, "files": files}
        raw = json.dumps(content, indent=1).encode("ascii")
        member = tarfile.TarInfo(LIST)
        member.size, member.mode = len(raw), 0o600
        self._tar.addfile(member, io.BytesIO(raw))

    def _add_file(self, name: str, place: str) -> None:
        # The file may have been swapped since the check, and may grow while it is read.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with (
            open(os.open(place, flags), "rb") as source,
            tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(self._folder)) as copy,
        ):
            status = os.fstat(source.fileno())
            if not stat.S_ISREG(status.st_mode):
                self.left_out.append(LeftOut(name, _kind(status.st_mode), False))
                return
            self._digests[name] = _copy(source, copy)
            member = _member(name, status)
            member.size = copy.tell()
            copy.seek(0)
            self._tar.addfile(member, copy)
        self._bytes += member.size


def _member(name: str, status: os.stat_result) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.mode, member.mtime = status.st_mode & 0o777, int(status.st_mtime)
    return member


def read(path: Path) -> Contents:
    """Read a backup to its end and compare every digest; raise `Unreadable` if it is damaged."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    listed: bytes | None = None
    with _opened(path) as tar:
        for member in tar:
            if why := _why_refused(member, seen):
                raise Unreadable(
                    f"{path}: {quoted(member.name)} {why}. This is not a backup of a course"
                )
            seen.add(member.name)
            if member.isdir():
                continue
            content = tar.extractfile(member)
            assert content
            if member.name != LIST:
                digest = hashlib.file_digest(content, "sha256")  # type: ignore[arg-type]
                found[member.name] = digest.hexdigest()
            elif member.size <= _MOST_BYTES_OF_LIST:
                listed = content.read()
        while tar.fileobj and tar.fileobj.read(_PIECE):  # up to the checksum at the end
            pass
    if listed is None:
        raise Unreadable(
            f"{path} has no list of files at its end: it is cut off, or it is not a backup"
        )
    return _compared(path, listed, found)


def unpack(path: Path, contents: Contents, folder: Path) -> None:
    """Write a backup's files into a new folder; raise `Unreadable` if it changed since `read`."""
    changed = Unreadable(f"{path} changed while it was read. Try again")
    folders: list[tuple[Path, tarfile.TarInfo]] = []
    with _opened(path) as tar:
        for member in tar:
            if member.name == LIST:
                continue
            if _why_refused(member, set()):
                raise changed
            place = folder / member.name
            if member.isdir():
                place.mkdir(parents=True, exist_ok=True)
                folders.append((place, member))
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            content = tar.extractfile(member)
            assert content
            with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
                if _copy(content, new) != contents.digests.get(member.name):
                    raise changed
            _as_it_was(place, member, 0o600)
    for place, member in reversed(folders):  # after their content
        _as_it_was(place, member, 0o700)


def _as_it_was(place: Path, member: tarfile.TarInfo, at_least: int) -> None:
    place.chmod(member.mode & 0o777 | at_least)
    os.utime(place, (member.mtime, member.mtime))


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with open(path, "rb") as stream, tarfile.open(fileobj=stream, mode="r:gz") as tar:
            yield tar
    except _DAMAGES as error:
        if isinstance(error, FileNotFoundError) and error.filename == os.fspath(path):
            raise Unreadable(f"The file {path} does not exist") from None
        if getattr(error, "errno", None):  # a fault of the disk, not of the archive
            raise
        raise Unreadable(
            f"{path} is cut off or damaged, or it is not a backup ({quoted(error, 120)}). "
            "Nothing was written. Restore another backup"
        ) from error


def _why_refused(member: tarfile.TarInfo, seen: set[str]) -> str:
    parts = member.name.split("/")
    if member.name.startswith("/") or not all(parts) or {".", ".."} & set(parts):
        return "is a path that leads out of the folder"
    if "\0" in member.name or member.name in seen:
        return "is there twice, or has a null character"
    if member.isreg() or member.isdir():
        return ""
    return "is neither a file nor a folder"


def _compared(path: Path, listed: bytes, found: Mapping[str, str]) -> Contents:
    try:
        content = json.loads(listed)
        digests, version, size = content.pop("files"), content.pop("format"), content.pop("bytes")
        is_right = isinstance(digests, dict) and isinstance(size, int)
    except (ValueError, KeyError, AttributeError, RecursionError):
        is_right = False
    if not is_right:
        raise Unreadable(f"{path}: the list of its files cannot be read. Restore another backup")
    if version != _FORMAT:
        raise Unreadable(
            f"{path} has the format {quoted(version)}, but this version of the grader reads "
            f"format {_FORMAT}. Restore it with the version that made it"
        )
    for name in sorted({*digests, *found}):
        if digests.get(name) != found.get(name):
            what = "is damaged" if name in digests and name in found else "is missing"
            if name not in digests:
                what = "is not in the list of its files"
            raise Unreadable(
                f"{path}: {quoted(name)} {what}. Nothing was written. Restore another backup"
            )
    return Contents(content, digests, size)


def _copy(source: IO[bytes], to: Any) -> str:
    """Copy a stream; return its digest."""
    digest = hashlib.sha256()
    while piece := source.read(_PIECE):
        digest.update(piece)
        to.write(piece)
    return digest.hexdigest()


def _kind(mode: int) -> str:
    return "a symbolic link" if stat.S_ISLNK(mode) else "a pipe, device or socket"
