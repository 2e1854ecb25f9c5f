"""A cache of results on disk, so that finished submissions are not run again.

A result is a file that is named by the job's key. It is written atomically: under another name
first, then renamed. It is compressed and has a checksum; a damaged file is treated as missing. If
all results together exceed a number of megabytes, the least recently used ones are removed.
"""

import contextlib
import gzip
import json
import os
import secrets
import time
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hw_grading.outcome import Graded, Part, Spent, SubmissionFailed, WithScores

_SUFFIX = ".json.gz"
_UNFINISHED = ".part"
_YOUNG_SECONDS = 600  # younger unfinished files may belong to a running process
_TIDIED_EVERY = 50  # results


class Results:
    """The results in one folder, which together take at most `most_mb` megabytes."""

    def __init__(self, folder: Path, most_mb: int) -> None:
        self.folder = folder
        self._most = most_mb << 20
        self._since_tidied = 0
        self._being_written: set[Path] = set()  # by threads of this process

    def get(self, key: str) -> WithScores | None:
        """Return a result, or None if there is none or it cannot be read."""
        path = self._path(key)
        try:
            with gzip.open(path, "rt", encoding="utf-8") as stream:
                outcome = _outcome(**json.load(stream))
        except (OSError, EOFError, zlib.error, ValueError, TypeError):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # marks the result as recently used
        return outcome

    def put(self, key: str, outcome: WithScores) -> None:
        """Keep a result; raise OSError if it could not be written: then no partial file is left."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {**asdict(outcome), "reasons": outcome.reasons}
        whole = gzip.compress(json.dumps(content).encode(), compresslevel=1)
        unfinished = path.parent / f"{secrets.token_hex(8)}{_UNFINISHED}"
        self._being_written.add(unfinished)
        try:
            write_privately(unfinished, path, whole)
        finally:
            self._being_written.discard(unfinished)
        self._since_tidied += 1
        if self._since_tidied >= _TIDIED_EVERY:
            self.tidy()

    def tidy(self) -> None:
        """Remove unfinished files of killed runs, and the least recently used results.

        Young unfinished files are kept: another thread may be writing them, or another process on
        file systems without locks.
        """
        self._since_tidied = 0
        young_since = time.time() - _YOUNG_SECONDS
        found = []
        for path in self.folder.glob("*/*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                if path.suffix != _UNFINISHED:
                    found.append((status.st_mtime, status.st_size, path))
                elif path not in self._being_written and status.st_mtime < young_since:
                    path.unlink()
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self._most:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                total -= size

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key[2:]}{_SUFFIX}"


def write_privately(unfinished: Path, path: Path, content: bytes) -> None:
    """Write a file under another name, then rename it; only its owner may read it."""
    try:
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(unfinished, path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise


def _outcome(
    notebook: str, reasons: list[str], spent: dict[str, Any], parts: list[dict[str, Any]]
) -> WithScores:
    results = tuple(Part(**part) for part in parts)
    if reasons:
        return SubmissionFailed(notebook, tuple(reasons), Spent(**spent), results)
    return Graded(notebook, Spent(**spent), results)
