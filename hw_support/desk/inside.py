"""What runs in the kernel of a checked notebook, between its cells."""

import json
import os
import sys
import time
from typing import Any

from hw_support.checks import Checks
from hw_support.desk.judging import Judge

_opened: list[str] = []
_used = 0.0
_MOST = 200  # keep at most so many file names and remarks of a cell
_SYSTEM = ["/proc", "/sys", "/dev", "/etc", "/usr", "/lib", "/opt", "/System", "/Library"]
_names: dict[str, Any] = {}  # the notebook's
_judge: Judge | None = None
_seen: Checks | None = None  # the checks of an earlier cell


def watch() -> str:
    """Start to note which files are opened for reading, and the values of names."""
    global _used, _names, _judge
    from IPython import get_ipython

    _names = get_ipython().user_ns
    _judge = Judge(_names)
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


def outcome(bound: list[str]) -> str:
    """Return the outcome of the last cell as JSON; `bound` are names that a locked cell bound."""
    global _used, _seen
    assert _judge
    checks = _names.get("checks")
    if not isinstance(checks, Checks) or checks is _seen:  # the cell has no checks
        checks = None
    else:
        _seen = checks
    _judge.keep(bound)
    now = time.process_time()
    answer = {"cpu_seconds": now - _used, "opened": list(_opened), "differs": _judge.may_differ()}
    _opened.clear()
    _used = now
    return json.dumps({**answer, **_of(checks)})


def judged(source: str) -> str:
    """Run a test cell again as the grader does, and return its outcome as JSON."""
    global _used
    assert _judge
    checks, raised = _judge.examine(source)
    _opened.clear()
    _used = time.process_time()
    return json.dumps({**_of(checks), "raised": raised, "rebound": _judge.rebound()})


def _of(checks: Checks | None) -> dict[str, Any]:
    if checks is None:
        return {"parts": [], "notes": []}
    parts = [[str(part.what), float(part.points), str(part.message)] for part in checks.parts]
    return {"parts": parts, "notes": [str(note) for note in checks.notes[:_MOST]]}
