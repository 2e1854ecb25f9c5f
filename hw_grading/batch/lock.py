"""A lock on a course: one run grades it at a time, and no run begins during a backup."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from hw_grading.outcome import GraderFault

try:
    import fcntl
except ImportError:  # Windows: there is no lock, so two runs at once are not detected
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def course_locked(course: Path, autograded: Path) -> Iterator[None]:
    """Lock a course, so that no other run grades any of its homeworks.

    All homeworks of a course share the gradebook and the folder of results.

    Parameters
    ----------
    course
        For the message.
    autograded
        The folder that is locked; created if missing. The lock is released if the process dies.

    Raises
    ------
    GraderFault
        Another run, or a backup, holds the lock.
    """
    if fcntl is None:
        yield
        return
    autograded.mkdir(parents=True, exist_ok=True)
    lock = os.open(autograded, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GraderFault(
                f"{_who_holds(lock)} the course in {course}, so nothing was graded. Wait until "
                "it has finished, then run this command again"
            ) from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(lock)


def _who_holds(lock: int) -> str:
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return "Another run is grading"
    return "A backup is reading"  # a backup holds a shared lock


@contextlib.contextmanager
def shared_or_busy(autograded: Path) -> Iterator[bool]:
    """Keep new runs from grading a course, unless a run is grading it already.

    Parameters
    ----------
    autograded
        As for `course_locked`, but not created if missing.

    Yields
    ------
    bool
        Whether a run is grading the course.
    """
    if fcntl is None or not autograded.is_dir():
        yield False
        return
    lock = os.open(autograded, os.O_RDONLY)
    try:
        is_busy = False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            is_busy = True
        except OSError:  # a file system without locks
            pass
        yield is_busy
    finally:
        os.close(lock)
