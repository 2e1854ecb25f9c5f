"""Notebooks ``<student>_ps1.ipynb`` and such zips, as from `python -m hw_support zip`."""

import os
import re
from collections.abc import Sequence

from hw_grading.homework.homework import file_name_pattern
from hw_grading.records.downloads import Upload
from hw_grading.term.found import Sorting, Who, is_work
from hw_support.submission.problems import quoted

PLATFORM = "plain"


def sort(files: Sequence[Upload], into: Sorting) -> None:
    """Find each student's submission, and the files that match no student."""
    name = f"<student>_{into.homework}.ipynb"
    pattern = re.compile(file_name_pattern([into.homework]))
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
            into.add(Who(quoted(match["student_id"]), (("id", match["student_id"]),)), upload)
