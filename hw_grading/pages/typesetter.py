"""Sets TeX as MathML by KaTeX, in a process of its own.

KaTeX is JavaScript, and runs in V8 (the package mini-racer). A process of its own can be ended
whatever happens in it; it has no event loop or thread that a server, a fork, or the end of the
interpreter would meet. It lives as long as its standard input is open, takes a line of JSON for
each formula, and answers with a line.
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

SECONDS = 2.0  # for one formula, on the clock; an ordinary one takes a few milliseconds
_MEMORY = 250_000_000  # bytes, of V8
_SECONDS_TO_START = 60.0
_PATIENCE = 5.0  # seconds more, before a process that does not keep to its own limit is ended
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
    """KaTeX, for one Python process; may be called by several threads.

    The process is started when it is first needed, anew after it ended, and anew in a fork, which
    would share its pipes with the parent. If it cannot be started, it is not tried again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._broken = False
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def set(self, tex: str, *, display: bool) -> str:
        """Return what KaTeX makes of a formula.

        Parameters
        ----------
        tex
            Without delimiters.
        display
            As a line of its own, not within one.

        Raises
        ------
        NotSet
            If there is none.
        """
        question = json.dumps([tex, display])
        with self._lock:
            try:
                answer = self._ask(question)
            except _Ended:  # before it was asked, perhaps
                answer = self._ask(question)
        if not isinstance(answer, str):
            raise NotSet("KaTeX took too long, or too much memory")
        return answer

    def start(self) -> None:
        """Start the process, if it does not run.

        Raises
        ------
        NotSet
            If it cannot be started.
        """
        with self._lock:
            self._running()

    def close(self) -> None:
        """End the process, if it runs."""
        with self._lock:
            self._end()

    def _ask(self, question: str) -> Any:
        process = self._running()
        try:
            _write(process, question)
            return _answer(process, SECONDS + _PATIENCE)
        except BaseException:  # whatever it is, the next answer would be another formula's
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
                start_new_session=True,  # Ctrl-C is for the command
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
        """Leave the process to the parent: what is forked begins without one."""
        self._lock = threading.Lock()
        process, self._process = self._process, None
        if process is not None:
            process.returncode = 0  # it is no child of this process
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
        If none comes, which ends the use of this process.
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
    """Answer until the standard input ends: with a text, or null if there is none."""
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
            os._exit(0)  # its memory may be full: the next formula gets a new process
        except JSEvalException:  # which the others are as well
            answer = None


if __name__ == "__main__":
    _serve()
