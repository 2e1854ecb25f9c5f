"""A cache of results on disk, so that finished submissions are not run again.

A result is a file that is named by the job's key, compressed and with a checksum; a damaged file is
treated as missing. Each is written under another name, then renamed.
"""

import contextlib
import gzip
import json
import os
import time
import zlib
from dataclasses import asdict
from pathlib import Path

from hw_grading.homework.notes import problems_in
from hw_grading.outcome import CellFault, CellScore, Outcome, PartResult
from hw_grading.texts import write_whole

_ROWS = {"scores": CellScore, "parts": PartResult, "faults": CellFault}  # fields of an `Outcome`
_SECONDS_KEPT = 60 * 86_400  # since a run used the result


class ResultStore:
    """The results in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> Outcome | None:
        """Return a result, or None if there is none or it cannot be read."""
        path = self._path(key)
        try:
            with gzip.open(path, "rt", encoding="utf-8") as stream:
                found = json.load(stream)
            for name, kind in _ROWS.items():
                found[name] = tuple(kind(**row) for row in found[name])
            found["problems"] = tuple(problems_in(found["problems"]))
            outcome = Outcome(**found)
        except (OSError, EOFError, zlib.error, LookupError, ValueError, TypeError):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # marks the result as used
        return outcome

    def has(self, key: str) -> bool:
        """Whether there is a result, which may be damaged."""
        return self._path(key).exists()

    def put(self, key: str, outcome: Outcome) -> None:
        """Keep a result; raise OSError if it could not be written: then no partial file is left."""
        path = self._path(key)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # students' work is in it
        path.parent.mkdir(exist_ok=True)
        content = json.dumps(asdict(outcome)).encode()
        write_whole(path, gzip.compress(content, compresslevel=1))

    def tidy(self) -> None:
        """Remove results that no run has used for 60 days, and unfinished files as old."""
        oldest = time.time() - _SECONDS_KEPT
        for path in self.folder.glob("*/*"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key[2:]}.json.gz"
