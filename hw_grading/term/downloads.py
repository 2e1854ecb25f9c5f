"""Opens downloads, recognises the platform of each, and lists the submissions in it.

A download of no platform has notebooks ``<student>_ps1.ipynb`` and such zips, as from
`python -m hw_support zip`.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import tzinfo
from functools import partial
from pathlib import Path
from types import ModuleType

from hw_grading.term import canvas, gradescope, moodle
from hw_grading.term.found import Found, LeftOut, Sorting, Who, is_work
from hw_grading.term.showing import files_in_words
from hw_grading.term.uploads import (
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
from hw_support.submission.file import MAX_BYTES, Unreadable, read_regular_file
from hw_support.submission.problems import quoted

_PLATFORMS = (gradescope, moodle, canvas)  # the most certain one first
# The name of a download as you typed it, and its files; each file's name is its path in it.
_Download = tuple[str, list[Upload]]


def found_in(
    paths: Sequence[Path], homework: str, zone: tzinfo, stack: ExitStack
) -> tuple[list[Found], list[LeftOut]]:
    """Return the submissions in downloads, and the files that match no student.

    `zone` is that of a platform's times without one. Raises `Unreadable` if no download can be
    opened.
    """
    left_out: list[LeftOut] = []
    downloads = _opened(paths, homework, stack, left_out)
    if not downloads:
        raise Unreadable(f"No download could be opened:\n{files_in_words(left_out)}")
    found: list[Found] = []
    for name, files in downloads:
        platform: ModuleType | None = next((p for p in _PLATFORMS if p.recognises(files)), None)
        into = Sorting(platform.PLATFORM if platform else "plain", name, homework, zone)
        (platform.sort if platform else _sort_by_name)(files, into)
        found += into.found
        left_out += into.left_out
    return found, left_out


def named(homework: str) -> re.Pattern[str]:
    """Return the pattern for names of files: ``<student>_<homework>``, then anything."""
    return re.compile(rf"^(?:.*/)?(?P<student>[^/]+?)_{re.escape(homework)}(?![A-Za-z0-9])[^/]*$")


def _sort_by_name(files: Sequence[Upload], into: Sorting) -> None:
    name = f"<student>_{into.homework}.ipynb"
    pattern = named(into.homework)
    work = [upload for upload in files if is_work(upload)]
    common = os.path.commonpath([upload.folder for upload in work]) if work else ""
    for upload in work:
        match = pattern.match(upload.name)
        if upload.folder != (common or "."):
            why = "expected all files in one folder, found one folder for each student. Put the "
            into.leave_out(upload, f"{why}files into one folder, named {name}")
        elif not match:
            into.leave_out(upload, f"expected a name such as {name}. Rename the file")
        else:
            into.add(Who(quoted(match["student"]), (("id", match["student"]),)), upload)


def _opened(
    paths: Iterable[Path], homework: str, stack: ExitStack, left_out: list[LeftOut]
) -> list[_Download]:
    """Open zips, folders and notebooks; of a folder, also the downloads directly in it.

    A zip whose name names no student is a download of many students' files. Files that cannot
    be read are added to `left_out`.
    """
    plainly = named(homework)

    def is_one_students(name: str) -> bool:
        return bool(plainly.match(name)) or canvas.is_named_so(name) or moodle.is_named_so(name)

    downloads: list[_Download] = []
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
                one = _checked([_file_at(path, path.name)], path.name, left_out)
                downloads.append((str(path), one))
        except (Unreadable, OSError) as why:
            left_out.append(LeftOut(str(path), _in_words(why)))
    return downloads


def _in_a_folder(
    folder: Path, is_one_students: Callable[[str], bool], stack: ExitStack, left_out: list[LeftOut]
) -> list[_Download]:
    loose: list[Upload] = []
    downloads: list[_Download] = []
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
            loose.append(_file_at(path, name))
    files = _checked(loose, str(folder), left_out)
    return ([(str(folder), files)] if files else []) + downloads


def _in_a_zip(path: Path, stack: ExitStack, left_out: list[LeftOut]) -> _Download:
    """Return the files in a platform's zip, which stays open until the stack is closed."""
    if path.is_symlink():
        raise Unreadable("expected a regular file, found a symbolic link")
    file = stack.enter_context(path.open("rb"))
    bundle = stack.enter_context(opened(file, MOST_LISTED_BY_PLATFORM))
    files = [Upload(e.filename, partial(content_of, bundle, e)) for e in files_in(bundle)]
    return str(path), _checked(files, str(path), left_out)


def _file_at(path: Path, name: str) -> Upload:
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
