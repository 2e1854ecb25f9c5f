"""Who a sandbox belongs to outside of it: the caller, or for root somebody who owns nothing."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from hw_grading.sandbox import policy


def as_caller(line: list[str], shared_folder: Path) -> list[str]:
    """Return the command for who is asking: root hands on to a user who owns nothing else."""
    if os.getuid() != 0:
        return line
    user = 1_000_000_000 + secrets.randbelow(1_000_000_000)
    os.chown(shared_folder, user, user)
    return policy.as_nobody(line, user)
