"""Opens downloads, which are not trusted, recognises the platform, and lists the submissions.

Each file has a size limit, and so has the list of files in each zip. Links are not followed. A file
name cannot lead out of its folder.
"""

import io
import os
import stat
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import tzinfo
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from hw_grading.lms import gradescope
from hw_grading.lms.platforms import (
    NOTEBOOK,
    PLATFORMS,
    ZIP,
    Accounts,
    Found,
    Naming,
    Upload,
    by_name,
    by_student,
    is_of_one_student,
)
from hw_support.submission.file import MAX_BYTES, UserError, read_regular_file
from hw_support.submission.problems import quoted

# Limits in bytes for a zip's list of files. An entry has at least 46 bytes, and the whole list is
# read at once.
_MAX_LISTED_BY_PLATFORM, _MAX_LISTED_BY_STUDENT = 50_000_000, 1_000_000
_MAX_NAME = 200  # bytes in the name of a file or folder
_NOT_HANDED_IN = ("__MACOSX", ".ipynb_checkpoints")  # folders that operating systems and tools add
LeftOut = tuple[str, str]  # a file that is not collected, or a student, and why


def found_in(
    paths: Sequence[Path],
    homework: str,
    zone: tzinfo,
    accounts: Mapping[str, Accounts],
    stack: ExitStack,
) -> tuple[list[Found], list[LeftOut]]:
    """Return the submissions in downloads, and the files that are left out.

    `zone` is that of a platform's times without one; `accounts` are by the platform's key. Zips
    stay open until the stack is closed. Raises `UserError` if no download can be opened.
    """
    found: list[Found] = []
    left_out: list[LeftOut] = []
    opened = 0
    for path in paths:
        try:
            files = [f for f in _files_in(path, homework, stack) if not _is_a_machines(f.name)]
            if not files:
                raise UserError("it has no files. Unpack the download into it")
        except (UserError, OSError) as why:
            left_out.append((str(path), getattr(why, "strerror", None) or str(why)))
            continue
        opened += 1
        unsafe = {file.name: said for file in files if (said := _why_unsafe(file.name))}
        left_out += [(f"{path}: {name}", said) for name, said in unsafe.items()]
        files = [file for file in files if file.name not in unsafe]
        try:
            naming = _naming(files, homework, zone, accounts)
        except UserError as why:
            left_out.append((str(path), str(why)))
            continue
        of_this, not_of_this = _submissions(files, naming, homework)
        found += of_this
        left_out += not_of_this
    if not opened:
        said = "\n".join(f"  {file}: {why}" for file, why in left_out)
        raise UserError(f"No download could be opened:\n{said}")
    return found, left_out


def content_of(found: Found, homework: str) -> bytes:
    """Return a file's notebook, the file itself or the one in a zip, or raise `UserError`."""
    content = found.upload.read()
    if found.upload.suffix != ZIP:
        return content
    with _opened(io.BytesIO(content), _MAX_LISTED_BY_STUDENT) as bundle:
        files = [e for e in bundle.infolist() if not (e.is_dir() or _is_a_machines(e.filename))]
        notebooks = [e for e in files if e.filename.lower().endswith(NOTEBOOK)]
        named = [e for e in notebooks if PurePosixPath(e.filename).name == homework + NOTEBOOK]
        the_one = notebooks if len(notebooks) == 1 else named
        if len(the_one) != 1:
            inner = [e for e in files if e.filename.lower().endswith(ZIP)]
            names = ", ".join(quoted(e.filename) for e in (notebooks or inner)[:5])
            which = f"{len(notebooks)} ({names}). Keep only the one that counts"
            if not notebooks:
                which = f"none, but zips in it ({names}). Unpack them" if inner else "none"
            raise UserError(
                f"expected a zip with one notebook, found {which}. If this is a download of many "
                "students' files, rename it: its name looks like one student's"
            )
        return _content_in(bundle, the_one[0])


def _naming(
    files: Sequence[Upload], homework: str, zone: tzinfo, accounts: Mapping[str, Accounts]
) -> Naming:
    """Return what a download says about its files; the most certain platform first."""
    if naming := gradescope.naming(files, zone):
        return naming
    for key in ("moodle", "canvas"):
        if naming := by_name(PLATFORMS[key], files, homework, accounts.get(key)):
            return naming
    return by_student(files, homework)


def _submissions(
    files: Sequence[Upload], naming: Naming, homework: str
) -> tuple[list[Found], list[LeftOut]]:
    """Return the submissions in a download, and the files that are left out."""
    groups: dict[str, list[Found]] = {}
    found: list[Found] = []
    left_out: list[LeftOut] = []
    for upload in files:
        try:
            for one in naming(upload):
                groups.setdefault(one.group, []).append(one)
        except UserError as why:
            left_out += [(upload.file, str(why))] if upload.is_work else []
    for group in groups.values():
        work = [one for one in group if one.upload.is_work] or group
        try:
            found += _counting(work, homework)
        except UserError as why:
            left_out += [
                (file, str(why)) for file in dict.fromkeys(one.upload.file for one in work)
            ]
    return found, left_out


def _counting(group: Sequence[Found], homework: str) -> list[Found]:
    """Return a submission's file to grade, a zip only without a notebook; `UserError` if unclear.

    If several have the homework's name, they are uploads one after the other.
    """
    found = [one for one in group if one.upload.suffix == NOTEBOOK]
    found = found or [one for one in group if one.upload.suffix == ZIP]
    if not found:
        what = quoted(group[0].upload.suffix or "no ending")
        raise UserError(f"expected a notebook or a zip, found {what}")
    named = [one for one in found if PurePosixPath(one.own).stem == homework]
    names = dict.fromkeys(one.own for one in found)
    if not named and len(names) > 1:
        said = ", ".join(quoted(PurePosixPath(name).name) for name in [*names][:5])
        raise UserError(
            f"expected one notebook, or one named {homework}{NOTEBOOK}, found {len(names)} "
            f"({said}). Keep only the one that counts"
        )
    return named or found


# -- files


def _files_in(path: Path, homework: str, stack: ExitStack) -> list[Upload]:
    """Return the files in a folder or in a platform's zip, or a student's notebook or zip."""

    def at(file: Path, name: str) -> Upload:
        return Upload(str(path), name, partial(read_regular_file, file, MAX_BYTES))

    if path.is_dir():
        there = sorted(p for p in path.rglob("*") if p.is_symlink() or not p.is_dir())
        return [at(one, one.relative_to(path).as_posix()) for one in there]
    if not os.path.lexists(path):
        raise UserError("there is no such file or folder")
    if path.suffix.lower() not in (NOTEBOOK, ZIP):
        raise UserError("expected a zip, a folder or a notebook")
    if path.suffix.lower() == NOTEBOOK or is_of_one_student(path.name, homework):
        return [at(path, path.name)]
    if path.is_symlink():
        raise UserError("expected a regular file, found a symbolic link")
    bundle = stack.enter_context(
        _opened(stack.enter_context(path.open("rb")), _MAX_LISTED_BY_PLATFORM)
    )
    entries = [entry for entry in bundle.infolist() if not entry.is_dir()]
    return [Upload(str(path), e.filename, partial(_content_in, bundle, e)) for e in entries]


def _is_a_machines(name: str) -> bool:
    """Whether a program, not a person, put the file at this path into a download."""
    parts = name.split("/")
    return parts[-1].startswith(".") or any(part in _NOT_HANDED_IN for part in parts)


def _why_unsafe(name: str) -> str:
    """Return why a path leads out of its folder or is not allowed; "" if it is safe."""
    parts = name.split("/")
    if any(part in ("", ".", "..") or len(os.fsencode(part)) > _MAX_NAME for part in parts):
        return "its path leads out of the folder, or is too long. Rename the file"
    if not name.isprintable() or "\\" in name:
        return "its name has characters that are not allowed. Rename the file"
    return ""


def _opened(file: IO[bytes], max_listed: int) -> zipfile.ZipFile:
    """Open a zip; raise `UserError` if it is not one, or its list of files has too many bytes."""
    try:
        # Find the record as `ZipFile` does, which then reads the whole list.
        end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
        if end and end[5] > max_listed:
            raise UserError(
                f"expected fewer files in the zip: its list has more than {max_listed:,} bytes"
            )
        return zipfile.ZipFile(file)
    except UserError:
        raise
    except Exception as error:  # a hostile zip can raise any error
        raise UserError(f"expected a zip, found another file ({quoted(error, 120)})") from None


def _content_in(bundle: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return the content of a file in a zip; raise `UserError` if it is unsafe or too large."""
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise UserError("expected a regular file, found a symbolic link")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UserError("expected an ordinary zip, found another compression. Pack the zip again")
    try:
        with bundle.open(entry) as file:
            content = file.read(MAX_BYTES + 1)
    except Exception as error:  # a hostile zip can raise any error
        raise UserError(f"it cannot be read ({quoted(error, 120)})") from None
    if len(content) > MAX_BYTES:
        raise UserError(f"expected at most {MAX_BYTES:,} bytes, found more")
    return content
