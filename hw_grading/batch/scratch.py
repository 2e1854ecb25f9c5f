"""The folder where a run's processes keep what they need for a moment: sockets, copies of code.

A process that is killed removes nothing. So all that a run's processes make lies in one folder,
which is removed when they have ended. A run holds a lock on its folder while it lives: a later one
removes the folders of those that were killed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import time
import weakref
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: what killed runs have left stays
    fcntl = None  # type: ignore[assignment]

_PREFIX = "hw-run-"
_SECONDS_OF_THE_LIVING = 60  # in which processes of a killed run end, and a new one takes its lock


class Scratch:
    """A folder of this run.

    Attributes
    ----------
    path
        For ``TMPDIR`` of its processes. It is short: the path of a socket has about 100 bytes.
    remove
        To be called when all that use it have ended; at the latest, it is when this process ends.
    """

    def __init__(self) -> None:
        _remove_what_others_left(Path(tempfile.gettempdir()))
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self.path.chmod(0o711)  # root's sandboxes belong to others, who have to pass through
        lock = os.open(self.path, os.O_RDONLY)
        if fcntl:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.remove = weakref.finalize(self, _remove, self.path, lock, os.getpid())


def _remove(path: Path, lock: int, owner: int) -> None:
    if os.getpid() == owner:  # and not a fork of it
        shutil.rmtree(path, ignore_errors=True)
    os.close(lock)


def _remove_what_others_left(place: Path) -> None:
    for path in place.glob(f"{_PREFIX}*") if fcntl else ():
        with contextlib.suppress(OSError):  # it is in use, or somebody else's
            status = path.lstat()
            young = time.time() - status.st_ctime < _SECONDS_OF_THE_LIVING
            if young or status.st_uid != os.geteuid() or not stat.S_ISDIR(status.st_mode):
                continue
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)
