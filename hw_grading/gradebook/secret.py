"""Reads `submission_secret.txt`, which nbgrader's exchange uses to find a student's feedback.

`nbgrader submit` draws the secret, and the name of the feedback page is made from it, so only that
student can find the page. Students can write anything into the file.
"""

import os
from pathlib import Path

from hw_support.submission.file import Unreadable, read_regular_file

SECRET = "submission_secret.txt"
MOST_BYTES = 1_000  # nbgrader's secret has 128


def read_secret(folder: Path) -> str | None:
    """Return a submission's secret; None without a file; raise `Unreadable` if it is invalid."""
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
