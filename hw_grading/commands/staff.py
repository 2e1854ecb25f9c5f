"""The one who types a command: by what name, and how they are answered."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterable

from hw_support.failures import visible


def who_i_am() -> str:
    """Return the name of the user, or "staff" where the machine knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # in a container, say
        return "staff"


def say(lines: Iterable[str]) -> None:
    """Print lines; what cannot be encoded there becomes "?"."""
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        print(visible(line).encode(encoding, "replace").decode(encoding))
