"""Opens downloads, recognises the platform of each, and lists the submissions in it.

A download of no platform has notebooks ``<student>_ps1.ipynb`` and such zips, as from
`python -m hw_support zip`.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import tzinfo
from functools import partial
from pathlib import Path, PurePosixPath

from hw_grading.lms import canvas, gradescope, moodle
from hw_grading.lms.roster import Who
from hw_grading.lms.uploads import (
    MAX_LISTED_BY_PLATFORM,
    NOTEBOOK,
    ZIP,
    Accounts,
    Found,
    LeftOut,
    Named,
    Naming,
    Upload,
    content_of,
    content_of_work,
    is_a_machines,
    opened,
    why_unsafe,
)
from hw_support.submission.file import MAX_BYTES, Unreadable, read_regular_file
from hw_support.submission.problems import quoted


def found_in(
    paths: Sequence[Path],
    homework: str,
    zone: tzinfo,
    accounts: Mapping[str, Accounts],
    stack: ExitStack,
) -> tuple[list[Found], list[LeftOut]]:
    """Return the submissions in downloads, and the files that are left out.

    `zone` is that of a platform's times without one; `accounts` are by platform. Raises
    `Unreadable` if no download can be opened.
    """
    left_out: list[LeftOut] = []
    found: list[Found] = []
    is_any = False
    for name, uploads in _opened(paths, homework, stack, left_out):
        is_any = True
        try:
            platform, naming = _naming(uploads, homework, zone, accounts)
        except Unreadable as why:
            left_out.append(LeftOut(name, str(why)))
            continue
        for one in _submissions(platform, name, uploads, naming, homework):
            found.append(one) if isinstance(one, Found) else left_out.append(one)
    if not is_any:
        files = "\n".join(f"  {one.file}: {one.why}" for one in left_out)
        raise Unreadable(f"No download could be opened:\n{files}")
    return found, left_out


def plainly_named(homework: str) -> re.Pattern[str]:
    """Return the pattern for names of files: ``<student>_<homework>``, then anything."""
    return re.compile(rf"^(?:.*/)?(?P<student>[^/]+?)_{re.escape(homework)}(?![A-Za-z0-9])[^/]*$")


def _naming(
    files: Sequence[Upload], homework: str, zone: tzinfo, accounts: Mapping[str, Accounts]
) -> tuple[str, Naming]:
    """Return a download's platform, and what it says about files; the most certain one first."""
    if naming := gradescope.naming(files, zone):
        return "Gradescope", naming
    if naming := moodle.naming(files, accounts.get("Moodle")):
        return "Moodle", naming
    if naming := canvas.naming(files, homework, accounts.get("Canvas")):
        return "Canvas", naming
    return "plain", _by_file_name(files, homework)


def _by_file_name(files: Sequence[Upload], homework: str) -> Naming:
    """Name files by the id that begins their names; those in students' folders have none."""
    name = f"<student>_{homework}.ipynb"
    pattern = plainly_named(homework)
    work = [upload for upload in files if upload.is_work]
    common = os.path.commonpath([upload.folder for upload in work]) if work else ""

    def naming(upload: Upload) -> Named | None:
        if not upload.is_work:
            return None
        match = pattern.match(upload.name)
        if upload.folder != (common or "."):
            why = "expected all files in one folder, found one folder for each student. Put the "
            raise Unreadable(f"{why}files into one folder, named {name}")
        if not match:
            raise Unreadable(f"expected a name such as {name}. Rename the file")
        student = match["student"]
        return Named(upload.name, (Who(quoted(student), (("id", student),)),), upload.name)

    return naming


def _submissions(
    platform: str, download: str, files: Sequence[Upload], naming: Naming, homework: str
) -> Iterator[Found | LeftOut]:
    """Yield the submissions in a download, and the files that are left out."""

    def place(upload: Upload) -> str:
        is_one_file = PurePosixPath(download).name == upload.name
        return download if is_one_file else f"{download}: {upload.name}"

    groups: dict[str, list[tuple[Upload, Named]]] = {}
    for upload in files:
        try:
            if named := naming(upload):
                groups.setdefault(named.group, []).append((upload, named))
        except Unreadable as why:
            if upload.is_work:
                yield LeftOut(place(upload), str(why))
    for group in groups.values():
        work = [one for one in group if one[0].is_work]
        try:
            for upload, named in _counting(work or group, homework):
                read = partial(content_of_work, upload, homework)
                for who in named.who:
                    yield Found(who, named, platform, place(upload), read)
        except Unreadable as why:
            yield from (LeftOut(place(upload), str(why)) for upload, _ in work or group)


def _counting(group: Sequence[tuple[Upload, Named]], homework: str) -> list[tuple[Upload, Named]]:
    """Return a submission's file to grade, a zip only without a notebook; `Unreadable` if unclear.

    If several have the homework's name, they are uploads one after the other.
    """
    found = [one for one in group if one[0].suffix == NOTEBOOK]
    found = found or [one for one in group if one[0].suffix == ZIP]
    if not found:
        what = quoted(group[0][0].suffix or "no ending")
        raise Unreadable(f"expected a notebook or a zip, found {what}")
    named = [one for one in found if PurePosixPath(one[1].own).stem == homework]
    if not named and len(found) > 1:
        names = ", ".join(quoted(PurePosixPath(one[1].own).name) for one in found[:5])
        raise Unreadable(
            f"expected one notebook, or one named {homework}{NOTEBOOK}, found {len(found)} "
            f"({names}). Keep only the one that counts"
        )
    return named or found


def _opened(
    paths: Sequence[Path], homework: str, stack: ExitStack, left_out: list[LeftOut]
) -> Iterator[tuple[str, list[Upload]]]:
    """Yield each download that can be opened, as you typed it, with its files."""
    for path in paths:
        try:
            files = [f for f in _files_in(path, homework, stack) if not is_a_machines(f.name)]
            if not files:
                raise Unreadable("it has no files. Unpack the download into it")
        except (Unreadable, OSError) as why:
            words = (isinstance(why, OSError) and why.strerror) or str(why)
            left_out.append(LeftOut(str(path), words))
            continue
        unsafe = {file.name: said for file in files if (said := why_unsafe(file.name))}
        left_out += [LeftOut(f"{path}: {name}", said) for name, said in unsafe.items()]
        yield str(path), [file for file in files if file.name not in unsafe]


def _files_in(path: Path, homework: str, stack: ExitStack) -> list[Upload]:
    """Return the files in a folder or in a platform's zip, or a student's notebook or zip."""
    if path.is_dir():
        there = sorted(p for p in path.rglob("*") if p.is_symlink() or not p.is_dir())
        return [_file_at(one, one.relative_to(path).as_posix()) for one in there]
    if not os.path.lexists(path):
        raise Unreadable("there is no such file or folder")
    if path.suffix.lower() not in (NOTEBOOK, ZIP):
        raise Unreadable("expected a zip, a folder or a notebook")
    by_platform = canvas.is_named_so(path.name) or moodle.is_named_so(path.name)
    is_one_students = by_platform or plainly_named(homework).match(path.name)
    if path.suffix.lower() == NOTEBOOK or is_one_students:
        return [_file_at(path, path.name)]
    return _in_a_zip(path, stack)


def _in_a_zip(path: Path, stack: ExitStack) -> list[Upload]:
    """Return the files in a platform's zip, which stays open until the stack is closed."""
    if path.is_symlink():
        raise Unreadable("expected a regular file, found a symbolic link")
    file = stack.enter_context(path.open("rb"))
    bundle = stack.enter_context(opened(file, MAX_LISTED_BY_PLATFORM))
    entries = [entry for entry in bundle.infolist() if not entry.is_dir()]
    return [Upload(entry.filename, partial(content_of, bundle, entry)) for entry in entries]


def _file_at(path: Path, name: str) -> Upload:
    return Upload(name, partial(read_regular_file, path, MAX_BYTES))
