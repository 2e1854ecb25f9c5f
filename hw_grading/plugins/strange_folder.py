"""Copies a folder that its owner, a student, can change at the same time."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

_DEEPEST = 100  # levels of nested folders
_MOST_FILES = 10_000
_PIECE = 1_000_000
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


def copy_strange_folder(
    source: Path, target: Path, most_bytes: int, most_bytes_of_a_file: int
) -> list[str]:
    """Copy the regular files of a folder and its subfolders. Return what was left out, and why.

    Subfolders are opened by descriptors: if one is replaced by a link during the copy, the link is
    not followed. `Unreadable` if the source is not a folder or too large; `OSError` if it cannot be
    opened, or if writing fails.
    """
    left_out: list[str] = []
    left = most_bytes
    count = 0
    if not stat.S_ISDIR(os.lstat(source).st_mode):
        raise Unreadable("it is not a folder")
    errors: list[OSError] = []
    for here, folders, files, descriptor in os.fwalk(source, onerror=errors.append):
        inner = Path(here).relative_to(source)
        if len(inner.parts) >= _DEEPEST:
            raise Unreadable(f"it has more than {_DEEPEST} nested folders")
        (target / inner).mkdir(parents=True)
        for name in folders:
            if stat.S_ISLNK(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
                left_out.append(f"{quoted(inner / name)} (a symbolic link)")
        for name in files:
            count += 1
            if count > _MOST_FILES:
                raise Unreadable(f"it has more than {_MOST_FILES:,} files")
            try:
                file = _opened(name, descriptor, most_bytes_of_a_file)
            except Unreadable as why:
                left_out.append(f"{quoted(inner / name)} ({why})")
                continue
            with file:
                left -= _copy(file, target / inner / name, left)
            if left < 0:
                raise Unreadable(f"its files have more than {most_bytes:,} bytes together")
    if not target.exists():
        raise Unreadable("it was replaced while it was read")
    return left_out + [f"a folder ({quoted(error, 120)})" for error in errors]


def _opened(name: str, folder: int, most_bytes: int) -> BinaryIO:
    """Open a regular file by its folder's descriptor, without blocking."""
    try:
        descriptor = os.open(name, _FLAGS, dir_fd=folder)
    except OSError as error:
        why = "a symbolic link" if error.errno == errno.ELOOP else str(error.strerror)
        raise Unreadable(why) from None
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_size <= most_bytes:
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISREG(status.st_mode):
        raise Unreadable(f"expected at most {most_bytes:,} bytes, found {status.st_size:,}")
    raise Unreadable("a pipe or device")


def _copy(file: BinaryIO, target: Path, most_bytes: int) -> int:
    """Copy a file up to just over the limit. Return the number of bytes copied."""
    copied = 0
    with target.open("xb") as copy:
        while copied <= most_bytes and (piece := file.read(_PIECE)):
            copied += copy.write(piece)
    return copied
