"""Folders for temporary files: of a run's processes, and of unfinished work.

A process that is killed cannot remove its files. So all temporary files of a run's processes are in
one folder, which is removed when the processes have ended. A run holds a lock on its folder as long
as it lives. A later run removes the folders without a lock, which killed runs have left.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

_PREFIX = "hw-run-"
# Younger folders are not removed: a new run may not have its lock yet, and processes of a killed
# run may still be ending.
_YOUNG_SECONDS = 60


class Scratch:
    """The folder of this run, `path`: the ``TMPDIR`` of its processes.

    The path is short: a socket's path may have about 100 bytes. Call `remove` when all processes
    that use the folder have ended. It is called at the latest when this process ends.
    """

    def __init__(self) -> None:
        place = Path(tempfile.gettempdir())
        _remove_unused(place, _PREFIX, _YOUNG_SECONDS)
        self.path, lock = _made(place, _PREFIX)
        self.path.chmod(0o711)  # root's sandboxes run as other users, who have to traverse it
        self.remove = weakref.finalize(self, _remove, self.path, lock, os.getpid())


@contextlib.contextmanager
def work_folder(place: Path, prefix: str) -> Iterator[Path]:
    """Make a folder that only its owner may enter, and remove it at the end.

    The user's other folders with this prefix that no process has locked are removed.
    """
    _remove_unused(place, prefix, 0)
    path, lock = _made(place, prefix)
    try:
        yield path
    finally:
        _remove(path, lock, os.getpid())


def _made(place: Path, prefix: str) -> tuple[Path, int]:
    """Make a folder; return its path and the file that holds its lock."""
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    lock = os.open(path, os.O_RDONLY)
    with contextlib.suppress(OSError):  # a file system without locks
        fcntl.flock(lock, fcntl.LOCK_EX)
    return path, lock


def _remove(path: Path, lock: int, owner: int) -> None:
    if os.getpid() == owner:  # a fork of the owner must not remove it
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
