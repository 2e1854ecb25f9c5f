"""A Python program in a process of its own, which answers questions: a line of JSON for each.

If a hostile text keeps the parser busy, the process can be killed. The program writes one line when
it is ready. It ends when its standard input is closed.
"""

import atexit
import contextlib
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

_SECONDS_TO_START = 60.0


class NoAnswer(Exception):
    """The program gave no answer: it took too long or too much memory, or cannot run."""


class Ended(NoAnswer):
    """The process ended before it answered."""


class Helper:
    """A program for one Python process. Several threads may use it.

    The program is started on first use, and again if it has ended. A fork of this process starts
    its own, because otherwise it would share the pipes with its parent. `command` is what follows
    ``python``. With `once`, a program that cannot start is not started again.
    """

    def __init__(self, *command: str, once: bool = False) -> None:
        self._command, self._once = command, once
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._broken = False
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._forget)

    def ask(self, question: Any, seconds: float) -> Any:
        """Return the answer to a question; `NoAnswer` if there is none within `seconds`."""
        with self._lock:
            process = self._running()
            until = time.monotonic() + seconds
            try:
                _write(process, json.dumps(question), until)
                return _answer(process, until)
            except BaseException:  # else the next answer would belong to another question
                self.close()
                raise

    def start(self) -> None:
        """Start the process if it is not running; `NoAnswer` if that is impossible."""
        with self._lock:
            self._running()

    def close(self) -> None:
        """Kill the process if it is running, even while a thread waits for an answer."""
        if (process := self._process) is not None:
            process.kill()
            with self._lock:
                process.wait()
                _close_pipes(process)
                if self._process is process:
                    self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._broken:
            raise NoAnswer("the program cannot run here")
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        try:
            self._process = process = subprocess.Popen(
                [sys.executable, *self._command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,  # Ctrl-C is for the command only
            )
        except OSError as error:  # too many processes, for example
            raise NoAnswer("the process cannot be started") from error
        try:
            _answer(process, time.monotonic() + _SECONDS_TO_START)
        except BaseException as error:
            self.close()
            self._broken = self._once and isinstance(error, NoAnswer)
            raise
        return process

    def _forget(self) -> None:
        """Leave the process to the parent. The fork begins without one."""
        self._lock = threading.RLock()
        process, self._process = self._process, None
        if process is not None:
            process.returncode = 0  # it is not a child of this process
            _close_pipes(process)


def serve(answer: Callable[[Any], Any]) -> None:
    """Answer each line of standard input, as the program of a `Helper`."""
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            pipe.close()  # type: ignore[union-attr]


def _write(process: subprocess.Popen[bytes], question: str, until: float) -> None:
    assert process.stdin is not None
    pipe = process.stdin.fileno()
    os.set_blocking(pipe, False)
    line = memoryview(question.encode() + b"\n")
    try:
        while line:
            _wait(pipe, selectors.EVENT_WRITE, until)
            line = line[os.write(pipe, line) :]
    except OSError as error:
        raise Ended("the process ended") from error


def _answer(process: subprocess.Popen[bytes], until: float) -> Any:
    """Read one line of JSON. If there is none, the process must not be used again."""
    assert process.stdout is not None
    pipe = process.stdout.fileno()
    read = bytearray()
    while not read.endswith(b"\n"):
        _wait(pipe, selectors.EVENT_READ, until)
        if not (some := os.read(pipe, 1 << 16)):
            raise Ended("the process ended")
        read += some
    return json.loads(read)


def _wait(pipe: int, event: int, until: float) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, event)
        if not selector.select(max(0.0, until - time.monotonic())):
            raise NoAnswer("the process did not answer in time")
