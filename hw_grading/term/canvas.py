"""Canvas: ``doejane_LATE_789_456789_ps1-1.ipynb`` in a flat zip.

The parts are the student's name, "LATE" for a late file, the ids of the user and of the upload, and
the file's own name, with ``-1``, ``-2`` when a student submits again. In anonymous assignments the
name is ``anon_<id>_<upload>_ps1.ipynb``. There are no submission times.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from hw_grading.term.found import Sorting, Who, is_work, not_work, work_of_one
from hw_grading.term.uploads import Upload
from hw_support.submission.file import Unreadable

PLATFORM = "Canvas"
_IDS = re.compile(r"(?=(?:^|_)(\d+)_(\d+)_.)")  # ids of the user and the upload, anywhere
_ANONYMOUS = re.compile(r"^(?:LATE_)?anon_(?:LATE_)?([0-9A-Za-z]+)_(\d+)_.")
_LATE = re.compile(r"(?:anon_)?LATE_")
_AGAIN = re.compile(r"-\d+$")


class _Named(NamedTuple):
    """What the name of a file says."""

    who: Who
    is_late: bool
    upload_id: int
    own: str  # the student's own name for the file, without its ending and Canvas' additions


def _named(path: str) -> _Named | None:
    """Take a file's name apart; return None if Canvas could not have given it."""
    name = PurePosixPath(path).name
    match = _ANONYMOUS.match(name) or _IDS.search(name)
    if not match:
        return None
    before = name[: match.start()]
    if match.re is _ANONYMOUS:
        anonymous = f"anon_{match[1]}"
        who = Who(anonymous, (("canvas_id", anonymous),), account=anonymous)
    else:
        user, *others = dict.fromkeys(found[1] for found in _IDS.finditer(name))
        person = before.removesuffix("_LATE")
        # A file's own name or a person's name may look like two ids. Then the name proves nothing.
        by_name = () if others else (("canvas_name", person),)
        who = Who(
            f"{person} ({user})", (("canvas_id", user), *by_name), tuple(others), person, user
        )
    is_late = bool(_LATE.match(name)) or before.endswith("_LATE")
    own = PurePosixPath(name[match.end(2) + 1 :]).stem
    return _Named(who, is_late, int(match[2][:18]), _AGAIN.sub("", own))


def is_named_so(path: str) -> bool:
    """Whether Canvas could have given this name to a file."""
    return _named(path) is not None


def recognises(files: Sequence[Upload]) -> bool:
    """Whether most of a download's notebooks have names from Canvas."""
    work = [upload for upload in files if is_work(upload)]
    named = [upload for upload in work if is_named_so(upload.name)]
    return len({upload.folder for upload in named}) == 1 and 2 * len(named) > len(work)


def sort(files: Sequence[Upload], into: Sorting) -> None:
    """Find each student's submission, and the files that match no student."""
    named = [(upload, _named(upload.name)) for upload in files]
    folder = next(upload.folder for upload, name in named if name and is_work(upload))
    of: dict[Who, list[tuple[Upload, _Named]]] = {}
    for upload, name in named:
        if is_work(upload) and name and upload.folder == folder:
            of.setdefault(name.who, []).append((upload, name))
        elif is_work(upload):
            such_as = f"doejane_789_456789_{into.homework}.ipynb"
            into.leave_out(upload, f"expected a file name from Canvas, such as {such_as}")
    for upload, name in named:  # a student may submit any file besides a notebook
        if name and upload.folder == folder and not is_work(upload) and name.who not in of:
            into.leave_out(upload, not_work(upload))
    for who, uploads in of.items():
        counting = [one for one in uploads if one[1].own == into.homework]
        try:
            if not counting:
                one = work_of_one([upload for upload, _ in uploads], into.homework)
                counting = [pair for pair in uploads if pair[0] is one]
        except Unreadable as why:
            for upload, _ in uploads:
                into.leave_out(upload, why)
        for upload, name in counting:
            into.add(who, upload, late=name.is_late or None, attempt=name.upload_id)
