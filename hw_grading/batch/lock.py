"""A lock on a course: one run grades it at a time, and no run begins during a backup."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from hw_grading.outcome import GraderFault


@contextlib.contextmanager
def course_locked(course: Path, autograded: Path) -> Iterator[None]:
    """Lock a course, so that no other run grades any of its homeworks; else raise `GraderFault`.

    All homeworks of a course share the gradebook and the folder of results. The lock is on the
    folder `autograded`, which is created if missing. It is released if the process dies.
    """
    autograded.mkdir(parents=True, exist_ok=True)
    with _locked(autograded, fcntl.LOCK_EX) as who_else:
        if who_else:
            raise GraderFault(
                f"{who_else} the course in {course}, so nothing was graded. Wait until "
                "it has finished, then run this command again"
            )
        yield


@contextlib.contextmanager
def shared_or_busy(autograded: Path) -> Iterator[bool]:
    """Keep new runs from grading a course; yield whether a run is grading it already."""
    if not autograded.is_dir():
        yield False
        return
    with _locked(autograded, fcntl.LOCK_SH) as who_else:
        yield bool(who_else)


@contextlib.contextmanager
def _locked(folder: Path, kind: int) -> Iterator[str]:
    """Lock a folder; if another process has locked it, yield who that is, else ""."""
    lock, who_else = os.open(folder, os.O_RDONLY), ""
    try:
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            who_else = _who_holds(lock)
        except OSError:  # a file system without locks
            pass
        yield who_else
    finally:
        os.close(lock)


def _who_holds(lock: int) -> str:
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return "Another run is grading"
    return "A backup is reading"  # a backup holds a shared lock
