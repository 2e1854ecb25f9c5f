"""What runs in the kernel of a checked notebook, between its cells."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

_opened: list[str] = []
_used = 0.0
_MOST = 200  # names of files that are kept of one cell


def watch() -> None:
    """Note from now on which files are opened to be read."""
    global _used
    places = {sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.dirname(os.__file__)}
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    passed_over = tuple(os.path.join(place, "") for place in (*places, ours, *_system_folders()))

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or len(_opened) >= _MOST:
            return
        path, mode, flags = arguments
        reads = mode is None or "r" in str(mode)
        if not reads or (flags and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
            return
        if isinstance(path, bytes | str | os.PathLike):
            name = os.fsdecode(path)
            if not os.path.abspath(name).startswith(passed_over) and name not in _opened:
                _opened.append(name)

    sys.addaudithook(note)
    _used = time.process_time()


def _system_folders() -> list[str]:
    return ["/proc", "/sys", "/dev", "/etc", "/usr", "/lib", "/opt", "/System", "/Library"]


def told(names: dict[str, Any]) -> str:
    """Return, as JSON, what became of the last cell."""
    global _used
    checks = names.get("checks")
    parts = [
        [str(part.what), float(part.points), str(part.message)]
        for part in getattr(checks, "parts", ())
    ]
    now = time.process_time()
    answer = json.dumps({"cpu_seconds": now - _used, "opened": list(_opened), "parts": parts})
    _opened.clear()
    _used = now
    return answer
