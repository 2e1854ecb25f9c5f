"""A lock on a course: one run grades it at a time."""

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
    lock = os.open(autograded, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GraderFault(
                f"Another run is grading the course in {course}, so nothing was graded. Wait until "
                "it has finished, then run this command again"
            ) from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(lock)
