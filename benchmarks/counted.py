"""Count what a process of the grader does: ``python -m benchmarks.counted MODULE ARGUMENTS``.

It runs a module as ``python -m`` would, and so the examiner's fork server that this starts. When
one of these processes ends, it adds a line to the file that `FILE` names: its counts, as JSON.
"""

import atexit
import collections
import functools
import json
import os
import runpy
import sys
from typing import Any

import sqlalchemy
from sqlalchemy import event

from hw_grading.answering import forking, wire
from hw_grading.examiner import children, reference, session

FILE = "HW_GRADING_COUNTS"
EXAMINER = ["-m", "hw_grading.examiner.process"]
COUNTED = ["-m", "benchmarks.counted"]
_counts = collections.Counter[str]()


def main() -> None:
    """Run the module that the command line names."""
    sys.addaudithook(_note)
    event.listen(sqlalchemy.Engine, "before_cursor_execute", lambda *_: _add("SQL statements"))
    _count(forking.ForkServer, "fork", "forks of a fork server")
    _count(session.Session, "_question", "questions asked")
    _count(reference, "run_cell", "cells of the solutions run")
    started = forking.ForkServer.started.__func__  # type: ignore[attr-defined]
    forking.ForkServer.started = classmethod(functools.partial(_started, started))  # type: ignore
    _instead(children.Children, "_say", _said)
    _instead(wire.Connection, "send", _sent)
    _instead(wire.Connection, "receive", _received)
    os.register_at_fork(after_in_child=_counts.clear)
    atexit.register(_write)
    _instead(os, "_exit", _exited)  # the end of a fork
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _add(what: str, number: int = 1) -> None:
    _counts[what] += number


def _note(name: str, given: tuple[Any, ...]) -> None:
    if name == "subprocess.Popen":
        _add("programs started")
    elif name == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR):
        _add("files written")


def _count(owner: Any, name: str, what: str) -> None:
    def counted(*arguments: Any, **named: Any) -> Any:
        _add(what)
        return original(*arguments, **named)

    original = getattr(owner, name)
    setattr(owner, name, counted)


def _instead(owner: Any, name: str, wrapper: Any) -> None:
    """Replace a method or function by one that gets the original as its first argument."""
    original = getattr(owner, name)

    def replaced(*arguments: Any, **named: Any) -> Any:
        return wrapper(original, *arguments, **named)

    setattr(owner, name, replaced)


def _started(original: Any, cls: Any, line: list[str], *arguments: Any, **named: Any) -> Any:
    """Start a fork server, counted if it is the examiner's; the sandbox's cannot be."""
    if line[1:] == EXAMINER:
        line = [line[0], *COUNTED, *EXAMINER[1:]]
    return original(cls, line, *arguments, **named)


def _said(original: Any, children: Any, names: Any, *, is_wanted: bool) -> Any:
    _add("forks of a kernel", int(is_wanted))
    return original(children, names, is_wanted=is_wanted)


def _sent(original: Any, connection: Any, pieces: list[bytes]) -> None:
    _add("bytes over the wire", sum(map(len, pieces)))
    original(connection, pieces)


def _received(original: Any, connection: Any, *, limited: bool) -> Any:
    head, body = original(connection, limited=limited)
    _add("bytes over the wire", len(head) + len(body))
    return head, body


def _exited(original: Any, status: int) -> None:
    _write()
    original(status)


def _write() -> None:
    with open(os.environ[FILE], "a") as file:
        file.write(json.dumps(_counts) + "\n")


if __name__ == "__main__":
    main()
