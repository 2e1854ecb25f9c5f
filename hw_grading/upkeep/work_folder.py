"""A folder for unfinished work; after a killed run, the next run removes it."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: the folders of killed runs stay
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def work_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a folder that only its owner may enter, and remove it at the end.

    Other folders with this prefix that no process has locked are removed.
    """
    for left in parent.glob(f"{prefix}*"):
        _remove_if_nobody_holds(left)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    held = os.open(folder, os.O_RDONLY)
    try:
        if fcntl:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(held, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _remove_if_nobody_holds(folder: Path) -> None:
    if fcntl is None or folder.is_symlink() or not folder.is_dir():
        return
    with contextlib.suppress(OSError):
        held = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(held)
