"""Opens a download (a zip, a folder or a file) and lists its files."""

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

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
from hw_grading.term.found import LeftOut
from hw_support.submission.file import MAX_BYTES, Unreadable, read_regular_file


@dataclass(frozen=True)
class Download:
    """One download of many students' files."""

    name: str  # as you typed it
    files: tuple[Upload, ...]  # each name is a path in the download


def open_downloads(
    paths: Iterable[Path],
    is_one_students: Callable[[str], bool],
    stack: ExitStack,
    left_out: list[LeftOut],
) -> list[Download]:
    """Open zips, folders and notebooks; of a folder, also the downloads directly in it.

    A zip whose name names no student is a download of many students' files. Files that cannot
    be read are added to `left_out`.
    """
    downloads: list[Download] = []
    for path in paths:
        try:
            if path.is_dir():
                downloads += _in_a_folder(path, is_one_students, stack, left_out)
            elif path.suffix.lower() == ZIP and not is_one_students(path.name):
                downloads.append(_in_a_zip(path, stack, left_out))
            else:
                if path.suffix.lower() not in (NOTEBOOK, ZIP):
                    raise Unreadable("expected a zip, a folder or a notebook")
                one = _checked([Upload(path.name, _reader(path))], path.name, left_out)
                downloads.append(Download(str(path), one))
        except (Unreadable, OSError) as why:
            left_out.append(LeftOut(str(path), _in_words(why)))
    return downloads


def _in_a_folder(
    folder: Path,
    is_one_students: Callable[[str], bool],
    stack: ExitStack,
    left_out: list[LeftOut],
) -> list[Download]:
    loose: list[Upload] = []
    downloads: list[Download] = []
    paths = {path.relative_to(folder).as_posix(): path for path in _walk(folder)}
    handed_in = {name: path for name, path in paths.items() if not is_a_machines(name)}
    if not handed_in:
        left_out.append(LeftOut(str(folder), "it has no files. Unpack the download there"))
    for name, path in handed_in.items():
        is_of_many = path.parent == folder and not is_one_students(path.name)
        if path.suffix.lower() == ZIP and is_of_many:
            try:
                downloads.append(_in_a_zip(path, stack, left_out))
            except (Unreadable, OSError) as why:
                left_out.append(LeftOut(str(path), _in_words(why)))
        else:
            loose.append(Upload(name, _reader(path)))
    files = _checked(loose, str(folder), left_out)
    return ([Download(str(folder), files)] if files else []) + downloads


def _in_a_zip(path: Path, stack: ExitStack, left_out: list[LeftOut]) -> Download:
    if path.is_symlink():
        raise Unreadable("expected a regular file, found a symbolic link")
    bundle = stack.enter_context(
        opened(stack.enter_context(path.open("rb")), MOST_LISTED_BY_PLATFORM)
    )
    files = [Upload(e.filename, functools.partial(content_of, bundle, e)) for e in files_in(bundle)]
    return Download(str(path), _checked(files, str(path), left_out))


def _checked(files: list[Upload], name: str, left_out: list[LeftOut]) -> tuple[Upload, ...]:
    kept = []
    for upload in files:
        try:
            safe_path(upload.name)
            kept.append(upload)
        except Unreadable as why:
            left_out.append(LeftOut(f"{name}: {upload.name}", str(why)))
    return tuple(kept)


def _in_words(why: Unreadable | OSError) -> str:
    return (isinstance(why, OSError) and why.strerror) or str(why)


def _walk(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):  # it follows no links
        folders.sort()
        links = [name for name in folders if Path(here, name).is_symlink()]
        yield from (Path(here, name) for name in sorted([*files, *links]))


def _reader(path: Path) -> Callable[[], bytes]:
    return functools.partial(read_regular_file, path, MAX_BYTES)
