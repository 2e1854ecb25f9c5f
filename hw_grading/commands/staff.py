"""The user who types a command: their name, and output for them."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterable

from hw_support.failures import visible


def who_i_am() -> str:
    """Return the user's name, or "staff" if the machine has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # for example in a container
        return "staff"


def say(lines: Iterable[str]) -> None:
    """Print lines; characters that the terminal cannot encode become "?"."""
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        print(visible(line).encode(encoding, "replace").decode(encoding))
