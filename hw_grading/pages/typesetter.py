"""Converts TeX to MathML with KaTeX, in a separate process.

KaTeX is JavaScript, and runs in V8 (the package mini-racer). A separate process can be killed
whatever happens in it. It also keeps V8's event loop and threads out of servers, forks and the
interpreter's exit. The process runs until its standard input is closed. It reads one line of JSON
for each formula and answers with one line.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

SECONDS = 2.0  # elapsed, for one formula; an ordinary one takes a few milliseconds
_MEMORY = 250_000_000  # bytes for V8
_SECONDS_TO_START = 60.0
_PATIENCE = 5.0  # more seconds, before a process that exceeds its own limit is killed
_KATEX = Path(__file__).with_name("katex") / "katex.min.js"
_OPTIONS = {
    "output": "mathml",
    "trust": False,  # no links, attributes, styles, pictures
    "maxExpand": 200,  # macros
    "maxSize": 20,  # em
    "strict": "ignore",
    "throwOnError": False,
}


class NotSet(Exception):
    """KaTeX gave no answer: the formula took too long or too much memory, or KaTeX cannot run."""


class _Ended(NotSet):
    """The process ended before it answered."""


class Typesetter:
    """KaTeX for one Python process. Several threads may call it.

    The process is started on first use, and again if it has ended. A fork starts its own process,
    because it would share the pipes with its parent otherwise. If the process cannot be started,
    there is no second attempt.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._broken = False
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def set(self, tex: str, *, display: bool) -> str:
        """Return KaTeX's output for a formula.

        Parameters
        ----------
        tex
            The TeX without delimiters.
        display
            Whether the formula is on its own line, not within one.

        Raises
        ------
        NotSet
            KaTeX gave no answer.
        """
        question = json.dumps([tex, display])
        with self._lock:
            try:
                answer = self._ask(question)
            except _Ended:  # it may have ended before the question
                answer = self._ask(question)
        if not isinstance(answer, str):
            raise NotSet("KaTeX took too long, or too much memory")
        return answer

    def start(self) -> None:
        """Start the process if it is not running.

        Raises
        ------
        NotSet
            The process cannot be started.
        """
        with self._lock:
            self._running()

    def close(self) -> None:
        """Kill the process if it is running."""
        with self._lock:
            self._end()

    def _ask(self, question: str) -> Any:
        process = self._running()
        try:
            _write(process, question)
            return _answer(process, SECONDS + _PATIENCE)
        except BaseException:  # else the next answer would belong to another formula
            self._end()
            raise

    def _running(self) -> subprocess.Popen[bytes]:
        if self._broken:
            raise NotSet("KaTeX cannot run here")
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,  # Ctrl-C is for the command only
            )
        except OSError as error:  # too many processes, for example
            raise NotSet("KaTeX's process cannot be started") from error
        try:
            _answer(self._process, _SECONDS_TO_START)
        except BaseException as error:
            self._end()
            if isinstance(error, NotSet):
                self._broken = True
                raise NotSet("KaTeX cannot run here") from error
            raise
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]

    def _forget(self) -> None:
        """Leave the process to the parent. The fork begins without one."""
        self._lock = threading.Lock()
        process, self._process = self._process, None
        if process is not None:
            process.returncode = 0  # it is not a child of this process
            for pipe in (process.stdin, process.stdout):
                pipe.close()  # type: ignore[union-attr]


def _write(process: subprocess.Popen[bytes], question: str) -> None:
    assert process.stdin is not None
    line = memoryview(question.encode() + b"\n")
    try:
        while line:
            line = line[process.stdin.write(line) or 0 :]
    except OSError as error:
        raise _Ended("KaTeX's process ended") from error


def _answer(process: subprocess.Popen[bytes], seconds: float) -> Any:
    """Read one line of JSON.

    Raises
    ------
    NotSet
        There was no answer. The process must not be used again.
    """
    assert process.stdout is not None
    until = time.monotonic() + seconds
    read = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not read.endswith(b"\n"):
            if not selector.select(max(0.0, until - time.monotonic())):
                raise NotSet("KaTeX did not answer in time")
            if not (some := os.read(process.stdout.fileno(), 1 << 16)):
                raise _Ended("KaTeX's process ended")
            read += some
    return json.loads(read)


def _serve() -> None:
    """Answer each line of standard input with a text, or null if KaTeX fails."""
    from py_mini_racer import JSEvalException, JSOOMException, JSTimeoutException, MiniRacer

    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    katex = MiniRacer()
    katex.eval(_KATEX.read_text(encoding="utf-8"))
    katex.set_hard_memory_limit(_MEMORY)
    answer: Any = "ready"
    while True:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        if not (line := sys.stdin.readline()):
            os._exit(0)
        tex, display = json.loads(line)
        options = {**_OPTIONS, "displayMode": display}
        try:
            answer = katex.call("katex.renderToString", tex, options, timeout_sec=SECONDS)
        except (JSTimeoutException, JSOOMException):
            answers.write("null\n")
            answers.flush()
            os._exit(0)  # its memory may be full, so the next formula gets a new process
        except JSEvalException:  # base class of the other two
            answer = None


if __name__ == "__main__":
    _serve()
