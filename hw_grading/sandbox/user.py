"""The user of a sandbox outside of it: the caller, or a user who owns nothing if that is root."""

import os
import secrets
from pathlib import Path

from hw_grading.sandbox import policy


def as_caller(line: list[str], shared_folder: Path) -> list[str]:
    """Return the command for the caller. For root, run it as a user who owns only the folder."""
    if os.getuid() != 0:
        return line
    user = 1_000_000_000 + secrets.randbelow(1_000_000_000)
    os.chown(shared_folder, user, user)
    return policy.as_nobody(line, user)
