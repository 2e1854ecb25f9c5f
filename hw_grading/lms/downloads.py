"""Opens downloads, which are not trusted: the files in them, and the notebook in a student's zip.

Each file has a size limit. Links in a download are not followed. The name of a file is not a path
to write to: only a student's id is, and `why_no_id` has looked at it.
"""

import io
import os
import re
import stat
import zipfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import IO

from hw_grading.gradebook.requests import is_request
from hw_support.submission.file import MAX_BYTES, UserError, read_regular_file
from hw_support.submission.problems import quoted

NOTEBOOK, ZIP = ".ipynb", ".zip"
_MAX_FILES = 10_000  # in a student's zip, whose list of files is read at once
_LISTED = b"PK\x01\x02"  # how each entry of that list begins
_NOT_HANDED_IN = ("__MACOSX", ".ipynb_checkpoints")  # folders that operating systems and tools add
_FOLDER_OF_ONE = re.compile(r".*_assignsubmission_.*|submission_\d+")  # Moodle's and Gradescope's


@dataclass(frozen=True)
class Upload:
    """One file in a download."""

    download: str  # as you typed it
    name: str  # the file's path in it, without folders around the work of all students
    read: Callable[[], bytes]  # returns the file's content

    @property
    def file(self) -> str:
        """The download and the path in it, for messages."""
        is_one_file = PurePosixPath(self.download).name == self.name
        return self.download if is_one_file else f"{self.download}: {self.name}"

    @property
    def suffix(self) -> str:
        """The file name's extension, in lower case."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def is_work(self) -> bool:
        """Whether the file can be the graded notebook, or contain it."""
        return self.suffix in (NOTEBOOK, ZIP)

    @property
    def is_request(self) -> bool:
        """Whether the file is a student's request: `hw_grading.gradebook.requests`."""
        return is_request(self.name)


def files_in(path: Path, is_of_one: bool, stack: ExitStack) -> list[Upload]:
    """Return the files in a download; `UserError` if there are none.

    A notebook, a request, and a zip that is the work of one student (`is_of_one`), is the only file
    itself. A platform's zip stays open until the stack is closed.
    """
    found: list[tuple[str, Callable[[], bytes]]]
    kind = path.suffix.lower()
    if path.is_dir():
        there = sorted(p for p in path.rglob("*") if p.is_symlink() or not p.is_dir())
        names = [one.relative_to(path).as_posix() for one in there]
        found = [(n, partial(read_regular_file, path / n, MAX_BYTES)) for n in names]
    elif not os.path.lexists(path):
        raise UserError("there is no such file or folder")
    elif kind == NOTEBOOK or (kind == ZIP and is_of_one) or is_request(path.name):
        found = [(path.name, partial(read_regular_file, path, MAX_BYTES))]
    elif kind == ZIP:
        bundle = stack.enter_context(_opened(stack.enter_context(path.open("rb"))))
        entries = [entry for entry in bundle.infolist() if not entry.is_dir()]
        found = [(entry.filename, partial(_content_in, bundle, entry)) for entry in entries]
    else:
        raise UserError("expected a zip, a folder or a notebook")
    files = [Upload(str(path), name, read) for name, read in found if not _is_a_machines(name)]
    if not files:
        raise UserError("it has no files. Unpack the download into it")
    top = _folder_of_all([file for file in files if file.is_work or file.is_request])
    return [replace(file, name=file.name.removeprefix(top)) for file in files]


def content_of(upload: Upload, assignment: str) -> tuple[bytes, list[str]]:
    """Return a file's notebook, the file itself or the one in a zip, or raise `UserError`.

    Return also the paths of the zip's other notebooks.
    """
    content = upload.read()
    if upload.suffix != ZIP:
        return content, []
    if content.count(_LISTED) > _MAX_FILES:
        raise UserError(f"expected a zip with at most {_MAX_FILES:,} files, found more")
    with _opened(io.BytesIO(content)) as bundle:
        files = [e for e in bundle.infolist() if not (e.is_dir() or _is_a_machines(e.filename))]
        notebooks = [e for e in files if e.filename.lower().endswith(NOTEBOOK)]
        named = [e for e in notebooks if PurePosixPath(e.filename).name == assignment + NOTEBOOK]
        the_one = notebooks if len(notebooks) == 1 else named
        if len(the_one) != 1:
            names = ", ".join(quoted(e.filename) for e in (notebooks or files)[:5])
            raise UserError(
                f"expected a zip with one notebook, found {len(notebooks)} among its files "
                f"({names}). Keep only the one that counts, and pack no zip into a zip. If this is "
                "a download of many students' files, rename it: its name looks like one student's"
            )
        others = [entry.filename for entry in notebooks if entry is not the_one[0]]
        return _content_in(bundle, the_one[0]), others


def _folder_of_all(work: Sequence[Upload]) -> str:
    """Return the folder around all work, such as ``"all/"``, but none that is one student's."""
    folders = [PurePosixPath(upload.name).parent.parts for upload in work] or [()]
    shared = takewhile(lambda same: len(set(same)) == 1, zip(*folders, strict=False))
    names = takewhile(lambda name: not _FOLDER_OF_ONE.fullmatch(name), (same[0] for same in shared))
    return "".join(f"{name}/" for name in names)


def _is_a_machines(name: str) -> bool:
    """Whether a program, not a person, put the file at this path into a download."""
    parts = name.split("/")
    return parts[-1].startswith(".") or any(part in _NOT_HANDED_IN for part in parts)


def _opened(file: IO[bytes]) -> zipfile.ZipFile:
    """Open a zip; raise `UserError` if it is not one."""
    try:
        return zipfile.ZipFile(file)
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
