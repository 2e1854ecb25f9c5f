"""Locks on folders, which the system releases when a process dies, however it does.

One run grades a course at a time. All temporary files of a run are in one locked folder: a process
that is killed cannot remove them, so the next run removes the folders that nobody has locked.
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

from hw_grading.outcome import GraderFault


@contextlib.contextmanager
def course_locked(course: Path, autograded: Path) -> Iterator[None]:
    """Lock a course, so that no other run grades any of its homeworks; else raise `GraderFault`.

    All homeworks of a course share the gradebook and the folder `autograded`, which has the lock.
    It is made if missing.
    """
    autograded.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_locked(autograded))
        except BlockingIOError:
            raise GraderFault(
                f"Another run is grading the course in {course}, so nothing was graded. Wait until "
                "it has finished, then run this command again"
            ) from None
        yield


@contextlib.contextmanager
def work_folder(place: Path, prefix: str, young_seconds: float = 0.0) -> Iterator[Path]:
    """Make a folder that only its owner may enter, and remove it at the end.

    The user's other folders with this prefix that no process has locked are removed. Younger ones
    than `young_seconds` stay: processes of a killed run may still be ending.
    """
    for left in place.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):  # it is in use, or belongs to another user
            status = left.lstat()
            old = time.time() - status.st_ctime >= young_seconds
            if old and status.st_uid == os.geteuid() and stat.S_ISDIR(status.st_mode):
                with _locked(left):
                    shutil.rmtree(left, ignore_errors=True)
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    with _locked(path):
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock a folder; `BlockingIOError` if another process has locked it."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(lock)
