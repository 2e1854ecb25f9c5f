"""Notebooks ``<student>_ps1.ipynb`` and such zips, as from `python -m hw_support zip`."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from hw_grading.homework.homework import file_name_pattern
from hw_grading.records.downloads import Upload
from hw_grading.term.found import Found, LeftOut, Sorted, Who, content_of_work, is_work
from hw_support.submission.problems import quoted

PLATFORM = "plain"
_NAMED_SO = "expected a name such as <student>_{}.ipynb. Rename the file"
_ONE_FOLDER = (
    "expected all files in one folder, found one folder for each student. Put the files into "
    "one folder, named <student>_{}.ipynb"
)


def sort(files: Sequence[Upload], download: str, homework: str) -> Sorted:
    """Return each student's submission, and the files that fit nobody."""
    found: list[Found] = []
    left_out: list[LeftOut] = []
    pattern = re.compile(file_name_pattern([homework]))
    work = [upload for upload in files if is_work(upload)]
    common = os.path.commonpath([upload.folder for upload in work]) if work else ""
    for upload in work:
        is_one_file = PurePosixPath(download).name == upload.name
        file = download if is_one_file else f"{download}: {upload.name}"
        match = pattern.match(upload.name)
        if upload.folder != (common or "."):
            left_out.append(LeftOut(file, _ONE_FOLDER.format(homework)))
        elif not match:
            left_out.append(LeftOut(file, _NAMED_SO.format(homework)))
        else:
            student = match["student_id"]
            read = functools.partial(content_of_work, upload, homework)
            found.append(Found(Who(quoted(student), (("id", student),)), PLATFORM, file, read))
    return found, left_out
