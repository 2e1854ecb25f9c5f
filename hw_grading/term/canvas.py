"""Canvas: ``doejane_LATE_789_456789_ps1-1.ipynb`` in a flat zip.

The parts are the student's name, "LATE" for a late file, the ids of the user and of the upload, and
the file's own name. Canvas sets all but the last part, and adds ``-1``, ``-2`` to that one when a
student submits again. In anonymous assignments the name is ``anon_<id>_<upload>_ps1.ipynb``. These
downloads have no submission times.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from hw_grading.records.downloads import Upload
from hw_grading.term.found import (
    Found,
    LeftOut,
    Sorted,
    Who,
    content_of_work,
    is_work,
    not_work,
    work_of_one,
)
from hw_support.submission.file import Unreadable

PLATFORM = "Canvas"
_IDS = re.compile(r"(?=(?:^|_)(\d+)_(\d+)_.)")  # ids of the user and the upload, anywhere
_ANONYMOUS = re.compile(r"^(?:LATE_)?anon_(?:LATE_)?([0-9A-Za-z]+)_(\d+)_.")
_AGAIN = re.compile(r"-\d+$")


def is_named_so(name: str) -> bool:
    """Whether Canvas could have given this name to a file."""
    return bool(_ANONYMOUS.match(name) or _IDS.search(name))


def recognises(files: Sequence[Upload]) -> bool:
    """Whether most of a download's notebooks have names from Canvas."""
    work = [upload for upload in files if is_work(upload)]
    named = [upload for upload in work if is_named_so(_name(upload))]
    folders = {upload.folder for upload in named}
    return len(folders) == 1 and 2 * len(named) > len(work)


def sort(files: Sequence[Upload], download: str, homework: str) -> Sorted:
    """Return each student's submission, and the files that fit nobody."""
    found: list[Found] = []
    left_out: list[LeftOut] = []
    folder = next(u.folder for u in files if is_work(u) and is_named_so(_name(u)))
    of: dict[Who, list[Upload]] = {}
    for upload in filter(is_work, files):
        if upload.folder == folder and is_named_so(_name(upload)):
            of.setdefault(_who(_name(upload)), []).append(upload)
        else:
            why = "expected a file name from Canvas, such as doejane_789_456789_" + homework
            left_out.append(LeftOut(f"{download}: {upload.name}", f"{why}.ipynb"))
    others = [u for u in files if u.folder == folder and is_named_so(_name(u)) and not is_work(u)]
    left_out += [
        LeftOut(f"{download}: {upload.name}", not_work(upload))
        for upload in others
        if _who(_name(upload)) not in of  # a student may submit any file besides a notebook
    ]
    for who, uploads in of.items():
        right = [u for u in uploads if _own_name(u) == homework]
        try:
            for upload in right or [work_of_one(uploads, homework)]:
                found.append(
                    Found(
                        who,
                        PLATFORM,
                        f"{download}: {upload.name}",
                        functools.partial(content_of_work, upload, homework),
                        late=_is_late(_name(upload)) or None,
                        attempt=_upload_id(_name(upload)),
                    )
                )
        except Unreadable as why:
            left_out += [LeftOut(f"{download}: {u.name}", str(why)) for u in uploads]
    return found, left_out


def _name(upload: Upload) -> str:
    return PurePosixPath(upload.name).name


def _who(name: str) -> Who:
    if anonymous := _ANONYMOUS.match(name):
        return Who(f"anon_{anonymous[1]}", (("canvas_id", f"anon_{anonymous[1]}"),))
    user, *others = dict.fromkeys(_users(name))
    before = name[: _first(name).start()].removesuffix("_LATE")
    # A file's own name or a person's name may look like two ids. Then the name proves nothing.
    by_name = () if others else (("canvas_name", before),)
    return Who(f"{before} ({user})", (("canvas_id", user), *by_name), tuple(others), before)


def _users(name: str) -> Iterator[str]:
    return (match[1] for match in _IDS.finditer(name))


def _first(name: str) -> re.Match[str]:
    match = _IDS.search(name)
    assert match, name
    return match


def _is_late(name: str) -> bool:
    return bool(re.match(r"(?:anon_)?LATE_", name)) or name[: _before(name)].endswith("_LATE")


def _before(name: str) -> int:
    return 0 if _ANONYMOUS.match(name) else _first(name).start()


def _upload_id(name: str) -> int:
    return int((_ANONYMOUS.match(name) or _first(name))[2][:18])


def _own_name(upload: Upload) -> str:
    """Return the file's own name, without its ending and Canvas' additions."""
    name = _name(upload)
    match = _ANONYMOUS.match(name) or _first(name)
    own = name[match.end(2) + 1 :]
    return _AGAIN.sub("", PurePosixPath(own).stem)
