"""Keeps a snapshot after each run over a class: files in ``grading/snapshots/<assignment>/``."""

import contextlib
import gzip
import hashlib
import secrets
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from hw_grading.batch.snapshot import Conditions, Snapshot, take
from hw_grading.batch.store import write_privately
from hw_grading.homework.course import Course
from hw_support.submission.file import Unreadable

_SUFFIX = ".json.gz"
_PINNED = "before-"
_MOST_KEPT = 20
_RUN = "run"  # the name under which the snapshot from the beginning of a run is pinned
_AS_JSON = TypeAdapter(Snapshot)


class Snapshots:
    """The snapshots of one assignment, in the folder of results."""

    def __init__(self, folder: Path, assignment: str) -> None:
        self.folder = folder / "snapshots" / assignment

    def last(self) -> Snapshot | None:
        """Return the newest readable snapshot; None if there is none."""
        for path in sorted(self._paths(), reverse=True):
            with contextlib.suppress(Unreadable):
                return _read_snapshot(path)
        return None

    def keep(self, snapshot: Snapshot) -> None:
        """Write a snapshot, and remove the oldest ones if there are too many."""
        _write(self.folder / f"{snapshot.at:%Y%m%dT%H%M%S.%fZ}{_SUFFIX}", snapshot)
        for path in sorted(self._paths(), reverse=True)[_MOST_KEPT:]:
            path.unlink(missing_ok=True)

    def pinned(self, name: str) -> Snapshot | None:
        """Return the snapshot that `pin` has kept, or None; raise `Unreadable` if it is damaged."""
        path = self._pin(name)
        return _read_snapshot(path) if path.exists() else None

    def pin(self, snapshot: Snapshot, name: str) -> None:
        """Keep a snapshot under a name until it is unpinned."""
        _write(self._pin(name), snapshot)

    def unpin(self, name: str) -> None:
        """Remove the snapshot that `pin` has kept under a name."""
        self._pin(name).unlink(missing_ok=True)

    def _pin(self, name: str) -> Path:
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
        return self.folder / f"{_PINNED}{digest[:16]}{_SUFFIX}"

    def _paths(self) -> Iterator[Path]:
        paths = self.folder.glob(f"*{_SUFFIX}")
        return (path for path in paths if not path.name.startswith(_PINNED))


@contextlib.contextmanager
def snapshotted(
    course: Course, assignment: str, snapshots: Snapshots, conditions: Conditions, log: Any
) -> Iterator[None]:
    """Keep a snapshot of a class from before the block, and one from after it.

    A run that is killed leaves only the first snapshot. The next run then uses it as its own first
    snapshot. If a snapshot cannot be made, a warning is logged and the run goes on.
    """
    last = before = None
    with _logging_failures(log):
        last = snapshots.last()
        before = snapshots.pinned(_RUN)
        if before is None:
            before = take(course, assignment, last)
            snapshots.pin(before, _RUN)

    def keep() -> None:
        with _logging_failures(log):
            now = take(course, assignment, before or last, conditions)
            if not (before and _stamps(before) == _stamps(now)):
                if before and before.students and not (last and last.students == before.students):
                    snapshots.keep(before)
                snapshots.keep(now)
            snapshots.unpin(_RUN)

    try:
        yield
    except Exception:  # for example, some students could not be graded; the others were
        keep()
        raise
    keep()


def _stamps(snapshot: Snapshot) -> dict[str, list[int]]:
    return {student: work.stamp for student, work in snapshot.students.items()}


@contextlib.contextmanager
def _logging_failures(log: Any) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        log.warning(f"The snapshot of the scores, for a later comparison, cannot be saved: {error}")


def _write(path: Path, snapshot: Snapshot) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = gzip.compress(_AS_JSON.dump_json(snapshot), compresslevel=3)
    write_privately(path.parent / f"{secrets.token_hex(8)}.part", path, whole)


def _read_snapshot(path: Path) -> Snapshot:
    try:
        return _AS_JSON.validate_json(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, ValueError, zlib.error) as error:
        said = str(error).partition("\n")[0]
        raise Unreadable(f"{path} is damaged ({said}). Remove it") from None
