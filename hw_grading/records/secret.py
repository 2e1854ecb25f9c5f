"""Reads `submission_secret.txt`, by which nbgrader's exchange finds a student's feedback.

`nbgrader submit` draws a secret, puts it into the submission, and keeps it with the student. The
page with the feedback lies in the exchange under a name made of it, so only its student finds it.
What is in a submission may be anything, since students can write there what they want.
"""

from __future__ import annotations

import os
from pathlib import Path

from hw_support.submission.file import Unreadable, read_regular_file

SECRET = "submission_secret.txt"
MOST_BYTES = 1_000  # nbgrader's has 128


def read_secret(folder: Path) -> str | None:
    """Return the secret of a submission.

    Returns
    -------
    str or None
        None if there is no `submission_secret.txt`.

    Raises
    ------
    Unreadable
        What is there is no secret; the text says what was found.
    OSError
        For what the machine is: out of memory, of open files, or with a disk that fails.
    """
    path = folder / SECRET
    if not os.path.lexists(path):
        return None
    try:
        secret = read_regular_file(path, MOST_BYTES).decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable(f"{SECRET}: expected text in UTF-8, found other bytes") from None
    except Unreadable as why:
        raise Unreadable(f"{SECRET}: {why}") from None
    if not secret:
        raise Unreadable(f"{SECRET}: expected a secret, found an empty file")
    return secret
