"""The folder for temporary files of a run's processes: sockets, copies of code.

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
from pathlib import Path

_PREFIX = "hw-run-"
# A younger folder is left alone: a new run may not have its lock yet, and processes of a killed run
# may still be ending.
_SECONDS_OF_THE_LIVING = 60


class Scratch:
    """A folder for this run, `path`, is ``TMPDIR`` of its processes.

    Its path is short: a socket's path may have about 100 bytes. Call `remove` when all processes
    that use it have ended. It is called at the latest when this process ends.
    """

    def __init__(self) -> None:
        _remove_what_others_left(Path(tempfile.gettempdir()))
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self.path.chmod(0o711)  # root's sandboxes run as other users, who have to traverse it
        lock = os.open(self.path, os.O_RDONLY)
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.remove = weakref.finalize(self, _remove, self.path, lock, os.getpid())


def _remove(path: Path, lock: int, owner: int) -> None:
    if os.getpid() == owner:  # a fork of the owner must not remove it
        shutil.rmtree(path, ignore_errors=True)
    os.close(lock)


def _remove_what_others_left(place: Path) -> None:
    for path in place.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # it is in use, or belongs to another user
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
