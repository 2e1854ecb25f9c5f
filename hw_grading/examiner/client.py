"""The grader's side of the examiner: start it, pass it a submission, have test cells examined."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from hw_grading.homework.homework import Homework, lay_out
from hw_grading.outcome import GraderFault, HelperEnded
from hw_grading.sandbox.environment import BLAS_VARIABLES
from hw_grading.sandbox.processes import Forked, has_ended

Cells = list[tuple[str, str]]  # name, source
_SECONDS_TO_END = 1.0  # for a process that was killed


class ExaminerFailed(GraderFault):
    """The grader failed to give a verdict. The student gets no zero for it."""


class ExaminerEnded(ExaminerFailed, HelperEnded):
    """The examiner has ended before it gave a verdict."""


@dataclass(frozen=True)
class Verdict:
    """The result of a test cell."""

    outputs: list[dict[str, Any]]  # in nbformat's form; nbgrader computes the score from them
    gone: str | None  # why the notebook cannot be asked any more; None while it can
    ended: bool  # whether the reason is that the kernel's process has ended
    parts: list[dict[str, Any]]  # in order; the fields of a `hw_support.checks.Part`
    fault: str  # of the test cell itself, which then has no verdict; ""
    above: str  # of an instructor's cell further up, so what is lost may not be the student's; ""


@dataclass
class _Examiner:
    """The examiner's fork server, with everything imported; started with the first submission."""

    process: subprocess.Popen[bytes] | Forked
    requests: socket.socket
    serves: str  # the digest of the homework whose code it imports
    said: str = ""  # its line about the imports: why they failed, or an empty line

    @classmethod
    def started(cls, homework: Homework) -> _Examiner:
        ours, theirs = socket.socketpair()
        with theirs:
            threads = dict.fromkeys(BLAS_VARIABLES, "1")
            program = [sys.executable, "-m", "hw_grading.examiner.process", str(lay_out(homework))]
            modules = json.dumps(homework.modules)
            process = subprocess.Popen(
                [*program, modules, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**os.environ, **threads, "NBGRADER_EXECUTION": "autograde"},
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches only the grader
            )
        return cls(process, ours, homework.digest())

    def has_ended(self, within: float = 0.0) -> bool:
        return has_ended(self.process, within)

    def expect_imports(self) -> None:
        """Wait until it has imported the homework's code; raise `ExaminerFailed` if that failed."""
        if not self.said:
            with contextlib.suppress(OSError), self.requests.makefile(errors="replace") as file:
                self.said = file.readline()
        if not self.said:
            self.has_ended(within=_SECONDS_TO_END)  # otherwise the next try could use it again
            raise ExaminerEnded("the examiner did not start")
        if why := self.said.strip():
            raise ExaminerFailed(why)

    def submit(self, request: Request, link: socket.socket) -> Connection:
        ours, theirs = Pipe()
        with theirs:
            socket.send_fds(self.requests, [b"s"], [theirs.fileno(), link.fileno()])
            ours.send_bytes(json.dumps(vars(request)).encode())
        return ours


_examiner: _Examiner | None = None


def take(pid: int, requests: socket.socket, homework: Homework) -> None:
    """Make a forked examiner the examiner of this process."""
    global _examiner
    _examiner = _Examiner(Forked(pid), requests, homework.digest(), said="\n")


def _running(homework: Homework) -> _Examiner:
    global _examiner
    if _examiner is None or _examiner.has_ended() or _examiner.serves != homework.digest():
        _examiner = _Examiner.started(homework)
    return _examiner


def begin(homework: Homework) -> Callable[[], None]:
    """Start this process's examiner; return a function that waits for it (`expect_imports`)."""
    return _running(homework).expect_imports


@contextlib.contextmanager
def _expecting_an_examiner() -> Iterator[None]:
    """Raise `ExaminerEnded` if it does not answer any more."""
    try:
        yield
    except (EOFError, OSError, ValueError) as error:
        # An examiner that was killed closes its sockets before it ends. Wait for its end: otherwise
        # the next try could use the same examiner again.
        if _examiner:
            _examiner.has_ended(within=_SECONDS_TO_END)
        why = f" ({error})" if str(error) else ""
        raise ExaminerEnded(f"the examiner has ended{why}") from error


@dataclass(frozen=True)
class Request:
    """The data about a submission that the examiner gets."""

    root_pid: int  # the process to kill
    seed: int  # of fresh cases
    first: Cells  # the instructor's cells before every answer; the fork server runs them once
    instructors: list[str]  # names that the instructor's cells bind: no kernel is asked for them


class Examination:
    """The test cells of one submission.

    The socket to the kernel, `link`, is passed to the examiner, and closed here. Every method may
    raise `ExaminerFailed`: the examiner cannot be started, or has ended.
    """

    def __init__(self, link: socket.socket, request: Request, homework: Homework) -> None:
        self._process: Forked | None = None
        with link, _expecting_an_examiner():
            server = _running(homework)
            self._expect_imports = server.expect_imports
            self._examiner = server.submit(request, link)

    def process(self) -> Forked:
        """Return the process that examines only this submission: the watchdog may end it."""
        if self._process is None:
            self._expect_imports()
            with _expecting_an_examiner():
                self._process = Forked(int(self._examiner.recv_bytes()))
        return self._process

    def begin(self, trusted: Cells, name: str, source: str) -> None:
        """Start the examination of a test cell, after the instructor's cells since the last one."""
        self.process()
        test = {"trusted": trusted, "name": name, "source": source}
        with _expecting_an_examiner():
            self._examiner.send_bytes(json.dumps(test).encode())

    def has_verdict(self, seconds: float) -> bool:
        """Return whether there is a verdict now, or within some seconds."""
        with contextlib.suppress(EOFError, OSError):  # `verdict` then raises the error
            return self._examiner.poll(seconds)
        return True

    def verdict(self, seconds: float) -> Verdict:
        """Wait for the verdict, for at most this many seconds."""
        with _expecting_an_examiner():
            if not self._examiner.poll(seconds):
                raise ExaminerFailed(f"the examiner gave no verdict within {seconds:g} s")
            answer = json.loads(self._examiner.recv_bytes())
        return Verdict(**answer)

    def end(self) -> None:
        """Let the examiner's child process end."""
        with contextlib.suppress(OSError):
            self._examiner.close()
