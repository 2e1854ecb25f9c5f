"""A cache of results on disk, so that finished submissions are not run again.

A result is a file that is named by the job's key, compressed and with a checksum; a damaged file is
treated as missing. Each is written under another name, then renamed. When a run begins, the least
recently used ones are removed if all of them together exceed a number of megabytes.
"""

import contextlib
import gzip
import json
import os
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hw_grading.outcome import Graded, Part, Spent, SubmissionFailed, WithScores
from hw_support.in_one_step import in_one_step

_SUFFIX = ".json.gz"


class Results:
    """The results in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

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
        content = json.dumps({**asdict(outcome), "reasons": outcome.reasons})
        with in_one_step(path) as unfinished:
            unfinished.touch(mode=0o600)  # only its owner may read it
            unfinished.write_bytes(gzip.compress(content.encode(), compresslevel=1))

    def tidy(self, max_mb: int) -> None:
        """Remove unfinished files of killed runs, and the least recently used results."""
        files, total = [], 0
        for path in self.folder.glob("*/*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
                total += status.st_size
        for _, size, path in sorted(files):
            if not path.name.endswith(_SUFFIX) or total > max_mb << 20:
                with contextlib.suppress(OSError):
                    path.unlink()
                total -= size

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key[2:]}{_SUFFIX}"


def _outcome(
    notebook: str,
    reasons: list[str],
    spent: dict[str, Any],
    parts: list[dict[str, Any]],
    unscored: list[str] | None = None,
) -> WithScores:
    results = tuple(Part(**part) for part in parts)
    if reasons:
        return SubmissionFailed(
            notebook, tuple(reasons), Spent(**spent), results, tuple(unscored or ())
        )
    return Graded(notebook, Spent(**spent), results)
