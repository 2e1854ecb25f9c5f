"""Processes that grade one file each take turns: any number may be started at once.

A process that waits has imported nothing yet, and so takes little memory. One at a time passes the
gate, a lock of the course's folder. It waits behind it for one of the places, and then lets the
next one in. The system releases both locks when their process ends, however it does. On a file
system without locks nobody waits.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

_SECONDS_BETWEEN_LOOKS = 0.05


class Gate:
    """The gate of a course; it is open again when this object is closed or has a place."""

    def __init__(self, course: Path) -> None:
        self._lock = os.open(course, os.O_RDONLY | os.O_DIRECTORY)
        with contextlib.suppress(OSError):
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Let the next one in."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @contextlib.contextmanager
    def place(self, folder: Path, places: int) -> Iterator[None]:
        """Wait for one of so many places, whose locks are in a folder; then open the gate."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = os.open(folder / ".turns", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:  # nobody can write here
            self.close()
            yield
            return
        try:
            while not any(_lock_byte(file, number) for number in range(places)):
                time.sleep(_SECONDS_BETWEEN_LOOKS)
            self.close()
            yield
        finally:
            os.close(file)


def _lock_byte(file: int, number: int) -> bool:
    """Lock a byte of a file, and return whether that succeeded, or locks are not known here."""
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True
