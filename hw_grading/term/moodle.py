"""Moodle: ``Jane Doe_12345_assignsubmission_file/ps1.ipynb``.

Older versions end the folder's name with a "_". With one setting, this part is not a folder but the
beginning of the file's name. Moodle sets this part: the full name, and a number for this assignment
only. If a site puts more text before the name, the roster's column moodle_name needs that text too.
These downloads have no submission times.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

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

PLATFORM = "Moodle"
# Only the first such folder is Moodle's. The names inside it are the student's.
_OUTER = re.compile(
    r"^(?:(?![^/]*_assignsubmission_)[^/]+/)??([^/]+?)_(\d+)_assignsubmission_file(?:_?/|_)."
)
_EXPECTED = "expected a folder name from Moodle, such as Jane Doe_12345_assignsubmission_file"


def is_named_so(name: str) -> bool:
    """Whether Moodle could have given this path to a file."""
    return bool(_OUTER.match(name))


def recognises(files: Sequence[Upload]) -> bool:
    """Whether a download's notebooks are where Moodle puts them."""
    work = [upload for upload in files if is_work(upload)]
    return 2 * sum(is_named_so(upload.name) for upload in work) > len(work)


def sort(files: Sequence[Upload], download: str, homework: str) -> Sorted:
    """Return each student's submission, and the files that fit nobody."""
    found: list[Found] = []
    left_out: list[LeftOut] = []
    of: dict[tuple[str, str], list[Upload]] = {}
    for upload in filter(is_work, files):
        if match := _OUTER.match(upload.name):
            of.setdefault((match[1], match[2]), []).append(upload)
        else:
            left_out.append(LeftOut(f"{download}: {upload.name}", _EXPECTED))
    for upload in files:
        match = _OUTER.match(upload.name)
        if match and not is_work(upload) and (match[1], match[2]) not in of:
            left_out.append(LeftOut(f"{download}: {upload.name}", not_work(upload)))
    for (name, number), uploads in of.items():
        try:
            upload = work_of_one([_without_prefix(u) for u in uploads], homework)
        except Unreadable as why:
            left_out += [LeftOut(f"{download}: {u.name}", str(why)) for u in uploads]
            continue
        who = Who(f"{name} ({number})", (("moodle_name", name),))
        read = functools.partial(content_of_work, upload, homework)
        file = next(u.name for u in uploads if u.read is upload.read)
        found.append(Found(who, PLATFORM, f"{download}: {file}", read))
    return found, left_out


def _without_prefix(upload: Upload) -> Upload:
    """Return the upload under the student's own file name."""
    match = _OUTER.match(upload.name)
    assert match, upload.name
    return Upload(upload.name[match.end() - 1 :], upload.read)
