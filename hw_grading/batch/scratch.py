"""Folders for temporary files: of a run's processes, and of unfinished work.

A process that is killed cannot remove its files. So all temporary files of a run are in one folder,
on which the run holds a lock as long as it lives. The next run removes the folders without a lock.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def work_folder(place: Path, prefix: str, young_seconds: float = 0.0) -> Iterator[Path]:
    """Make a folder that only its owner may enter, and remove it at the end.

    The user's other folders with this prefix that no process has locked are removed. Younger ones
    than `young_seconds` stay: processes of a killed run may still be ending.
    """
    _remove_unused(place, prefix, young_seconds)
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    lock = os.open(path, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def _remove_unused(place: Path, prefix: str, seconds: float) -> None:
    for path in place.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):  # it is in use, or belongs to another user
            status = path.lstat()
            young = time.time() - status.st_ctime < seconds
            if young or status.st_uid != os.geteuid() or not stat.S_ISDIR(status.st_mode):
                continue
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)
