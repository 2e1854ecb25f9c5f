"""What runs in the kernel of a checked notebook, between its cells."""

import builtins
import json
import os
import sys
import time
from typing import Any

from hw_support.checks import Checks

_opened: list[str] = []
_used = 0.0
_MOST = 200  # keep at most so many file names and remarks of a cell
_SYSTEM = ["/proc", "/sys", "/dev", "/etc", "/usr", "/lib", "/opt", "/System", "/Library"]
_names: dict[str, Any] = {}  # the notebook's
_given: dict[str, Any] = {}  # the values that the instructor's cells have bound
_seen: Checks | None = None  # the checks of an earlier cell


def watch() -> str:
    """Start to note which files are opened for reading."""
    global _used, _names
    from IPython import get_ipython

    _names = get_ipython().user_ns
    places = {sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.dirname(os.__file__)}
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    passed_over = tuple(os.path.join(place, "") for place in (*places, ours, *_SYSTEM))

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or len(_opened) >= _MOST:
            return
        path, mode, flags = arguments
        reads = mode is None or "r" in str(mode)
        writes = flags and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if reads and not writes and isinstance(path, bytes | str | os.PathLike):
            name = os.fsdecode(path)
            if not os.path.abspath(name).startswith(passed_over) and name not in _opened:
                _opened.append(name)

    sys.addaudithook(note)
    _used = time.process_time()
    return json.dumps(None)


def outcome(bound: list[str], read: list[str]) -> str:
    """Return the outcome of the last cell as JSON.

    `bound` are names that it has bound, if it is the instructor's. `read` are the names of the
    instructor and of Python that it relies on, if it is a test.
    """
    global _used, _seen
    checks = _names.get("checks")
    if not isinstance(checks, Checks) or checks is _seen:  # the cell has no checks
        checks = None
    else:
        _seen = checks
    # Names that begin with _, as in ``out, _ = ...``, are skipped: no test relies on them.
    _given.update({n: _names[n] for n in bound if n in _names and not n.startswith("_")})
    now = time.process_time()
    parts = checks.parts if checks else []
    answer = {
        "cpu_seconds": now - _used,
        "opened": list(_opened),
        "rebound": [n for n in read if n in _given and _names.get(n, _given) is not _given[n]],
        "shadowed": [n for n in read if n in _names and n not in _given and hasattr(builtins, n)],
        "parts": [[str(part.what), float(part.points), str(part.message)] for part in parts],
        "notes": [str(note) for note in checks.notes[:_MOST]] if checks else [],
    }
    _opened.clear()
    _used = now
    return json.dumps(answer)
