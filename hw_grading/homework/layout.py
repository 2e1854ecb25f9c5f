"""How a homework's code lies in a folder, from which the examiner imports it.

The examiner needs no more of `hw_grading.homework` than this file, which imports nothing large.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hw_grading.homework.homework import Homework

STAFF = "staff"  # the folder in a course, and the package of staff code
FILES = "files"  # the folder with the files beside the notebooks
SOLUTIONS = "solutions"  # the folder with the code cells of each source notebook

# The kinds of cells. The outputs of a test are a score. Students write answers; a task is one too.
# Locked cells are the instructor's. A plain one may be, or may be the student's own.
TEST, ANSWER, LOCKED, PLAIN = "test", "answer", "locked", "plain"


def lay_out(homework: Homework) -> Path:
    """Write a homework's code into a folder of this process, so that it can be imported.

    Its files are in the folder `FILES` in there.
    """
    key = homework.digest()
    if key not in _laid_out:
        folder = Path(tempfile.mkdtemp(prefix="hw-staff-"))
        atexit.register(_remove, folder, os.getpid())
        files = {f"{FILES}/{path}": content for path, content in homework.files.items()}
        for path, content in {**homework.code, **files}.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        _laid_out[key] = folder
    return _laid_out[key]


_laid_out: dict[str, Path] = {}


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # not in a fork of the owner
        shutil.rmtree(folder, ignore_errors=True)
