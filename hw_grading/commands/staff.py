"""The name of the user who types a command."""

from __future__ import annotations

import getpass


def who_i_am() -> str:
    """Return the user's name, or "staff" if the machine has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # for example in a container
        return "staff"
