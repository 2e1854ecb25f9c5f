"""Moodle: ``Jane Doe_12345_assignsubmission_file/ps1.ipynb``.

Moodle sets the folder's name: the full name, and a number for this assignment only. Older versions
end it with a "_". With one setting, the file's name begins with this text instead. If a site puts
more text before the full name, the roster's column moodle_name needs that text too. There are no
submission times.
"""

import re
from collections.abc import Sequence

from hw_grading.term.found import Sorting, Who, is_work, not_work, work_of_one
from hw_grading.term.uploads import Upload
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


def sort(files: Sequence[Upload], into: Sorting) -> None:
    """Find each student's submission, and the files that match no student."""
    of: dict[tuple[str, str], list[tuple[Upload, Upload]]] = {}
    for upload in filter(is_work, files):
        if match := _OUTER.match(upload.name):
            own = Upload(upload.name[match.end() - 1 :], upload.read)  # as the student named it
            of.setdefault((match[1], match[2]), []).append((upload, own))
        else:
            into.leave_out(upload, _EXPECTED)
    for upload in files:
        match = _OUTER.match(upload.name)
        if match and not is_work(upload) and (match[1], match[2]) not in of:
            into.leave_out(upload, not_work(upload))
    for (name, number), uploads in of.items():
        named = [own for _, own in uploads]
        try:
            number_of = named.index(work_of_one(named, into.homework))
        except Unreadable as why:
            for upload, _ in uploads:
                into.leave_out(upload, why)
        else:
            who = Who(f"{name} ({number})", (("moodle_name", name),))
            into.add(who, uploads[number_of][0])
