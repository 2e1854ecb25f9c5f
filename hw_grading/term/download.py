"""Opens a download (a zip, a folder or a file) and lists its files."""

import os
import re
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from hw_grading.homework.homework import file_name_pattern
from hw_grading.records.downloads import (
    MOST_LISTED_BY_PLATFORM,
    NOTEBOOK,
    ZIP,
    Upload,
    content_of,
    files_in,
    is_a_machines,
    opened,
    safe_path,
)
from hw_grading.term import canvas, moodle
from hw_grading.term.found import LeftOut
from hw_support.submission.file import MAX_BYTES, Unreadable, read_regular_file

# The name of a download as you typed it, and its files; each file's name is its path in it.
Download = tuple[str, list[Upload]]


def open_downloads(
    paths: Iterable[Path], homework: str, stack: ExitStack, left_out: list[LeftOut]
) -> list[Download]:
    """Open zips, folders and notebooks; of a folder, also the downloads directly in it.

    A zip whose name names no student is a download of many students' files. Files that cannot
    be read are added to `left_out`.
    """
    plainly = re.compile(file_name_pattern([homework]))

    def is_one_students(name: str) -> bool:
        return bool(plainly.match(name)) or canvas.is_named_so(name) or moodle.is_named_so(name)

    downloads: list[Download] = []
    for path in paths:
        try:
            if not os.path.lexists(path):
                raise Unreadable("there is no such file or folder")
            if path.is_dir():
                downloads += _in_a_folder(path, is_one_students, stack, left_out)
            elif path.suffix.lower() == ZIP and not is_one_students(path.name):
                downloads.append(_in_a_zip(path, stack, left_out))
            else:
                if path.suffix.lower() not in (NOTEBOOK, ZIP):
                    raise Unreadable("expected a zip, a folder or a notebook")
                one = _checked([file_at(path, path.name)], path.name, left_out)
                downloads.append((str(path), one))
        except (Unreadable, OSError) as why:
            left_out.append(LeftOut(str(path), _in_words(why)))
    return downloads


def _in_a_folder(
    folder: Path, is_one_students: Callable[[str], bool], stack: ExitStack, left_out: list[LeftOut]
) -> list[Download]:
    loose: list[Upload] = []
    downloads: list[Download] = []
    there = sorted(p for p in folder.rglob("*") if p.is_symlink() or not p.is_dir())
    paths = {path.relative_to(folder).as_posix(): path for path in there}
    handed_in = {name: path for name, path in paths.items() if not is_a_machines(name)}
    if not handed_in:
        left_out.append(LeftOut(str(folder), "it has no files. Unpack the download into it"))
    for name, path in handed_in.items():
        if path.suffix.lower() == ZIP and path.parent == folder and not is_one_students(path.name):
            try:
                downloads.append(_in_a_zip(path, stack, left_out))
            except (Unreadable, OSError) as why:
                left_out.append(LeftOut(str(path), _in_words(why)))
        else:
            loose.append(file_at(path, name))
    files = _checked(loose, str(folder), left_out)
    return ([(str(folder), files)] if files else []) + downloads


def _in_a_zip(path: Path, stack: ExitStack, left_out: list[LeftOut]) -> Download:
    return str(path), _checked(files_zipped(path, stack), str(path), left_out)


def files_zipped(path: Path, stack: ExitStack) -> list[Upload]:
    """Return the files in a platform's zip, which stays open until the stack is closed."""
    if path.is_symlink():
        raise Unreadable("expected a regular file, found a symbolic link")
    file = stack.enter_context(path.open("rb"))
    bundle = stack.enter_context(opened(file, MOST_LISTED_BY_PLATFORM))
    return [Upload(e.filename, partial(content_of, bundle, e)) for e in files_in(bundle)]


def file_at(path: Path, name: str) -> Upload:
    """Return the file at a path under the name that the platform gave it."""
    return Upload(name, partial(read_regular_file, path, MAX_BYTES))


def _checked(files: list[Upload], name: str, left_out: list[LeftOut]) -> list[Upload]:
    kept = []
    for upload in files:
        try:
            safe_path(upload.name)
            kept.append(upload)
        except Unreadable as why:
            left_out.append(LeftOut(f"{name}: {upload.name}", str(why)))
    return kept


def _in_words(why: Unreadable | OSError) -> str:
    return (isinstance(why, OSError) and why.strerror) or str(why)
