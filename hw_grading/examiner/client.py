"""The grader's side of the examiner: start it, pass it a submission, have test cells examined."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing import Pipe
from typing import TYPE_CHECKING, Any, Self

from hw_grading.answering.forking import Forked, ForkServer
from hw_grading.homework.layout import lay_out
from hw_grading.outcome import GraderFault, HelperEnded
from hw_grading.sandbox.environment import BLAS_VARIABLES

if TYPE_CHECKING:
    from hw_grading.homework.homework import Homework

Cells = list[tuple[str, str]]  # name, source


class ExaminerFailed(GraderFault):
    """The grader failed to give a verdict. The student gets no zero for it."""


class ExaminerEnded(ExaminerFailed, HelperEnded):
    """The examiner has ended before it gave a verdict."""


@dataclass(frozen=True)
class Verdict:
    """The result of a test cell."""

    outputs: list[dict[str, Any]]  # in nbformat's form, for people
    score: float | None  # the number that its last line gives; None if that is none
    stopped: str | None  # why the notebook gave no answer to the end of the test; None if it did
    link_error: str | None  # why the notebook cannot be asked any more; None while it can
    kernel_ended: bool  # whether the reason is that the kernel's process has ended
    parts: list[dict[str, Any]]  # in order; the fields of a `hw_support.checks.Part`
    fault: str  # of the test cell itself, which then has no verdict; ""
    fault_above: str  # of an instructor's cell further up: the student may not be to blame; ""
    waits: bool  # for second tries, which may give it more points
    lacks_second_try: bool  # whether the kernel could start no process for one


# -- the fork server of this process


class _Server(ForkServer):
    """A fork server of examiners, for one homework."""

    serves = ""  # the digest of the homework whose code it imports; "": it knows none yet
    owner = 0  # the process that has started it
    variables: Mapping[str, str]

    @classmethod
    def begun(cls) -> Self:
        """Start one, which imports what any homework needs, and waits for `import_code_of`."""
        variables = _variables()
        server = cls.started(
            [sys.executable, "-m", "hw_grading.examiner.process"],
            env=variables,
            start_new_session=True,  # Ctrl-C reaches only the grader
        )
        server.variables, server.owner = variables, os.getpid()
        return server

    def suits(self, homework: Homework) -> bool:
        """Return whether it has the homework's code, or can get it."""
        if self.serves:
            return self.serves == homework.digest()
        return self.variables == _variables()  # the course's settings may have changed them

    def import_code_of(self, homework: Homework) -> None:
        """Have it import the homework's code, unless it has done so."""
        if not self.serves:
            self.serves = homework.digest()
            self.set_up(json.dumps([str(lay_out(homework)), homework.modules]).encode())


_server: _Server | None = None


def _variables() -> dict[str, str]:
    threads = dict.fromkeys(BLAS_VARIABLES, "1")
    return {**os.environ, **threads, "NBGRADER_EXECUTION": "autograde"}


def _serving(homework: Homework) -> ForkServer:
    global _server
    if not (_server and _server.suits(homework) and not _server.has_ended()):
        _end_unused()
        _server = _Server.begun()
    _server.import_code_of(homework)
    return _server


@atexit.register
def _end_unused() -> None:
    """End a fork server that got no homework: its imports are of no use."""
    if _server and not _server.serves and _server.owner == os.getpid():
        _server.end()


def begin_early() -> None:
    """Start this process's fork server before a homework is known."""
    global _server
    _server = _Server.begun()


def begin(homework: Homework) -> Callable[[], None]:
    """Start this process's fork server; return a function that waits for its imports."""
    server = _serving(homework)
    return lambda: _expect_imports(server)


def _expect_imports(server: ForkServer) -> None:
    with _expecting_an_examiner(server):
        why = server.wait_until_ready()
    if why:
        raise ExaminerFailed(why)


@contextlib.contextmanager
def _expecting_an_examiner(server: ForkServer) -> Iterator[None]:
    """Raise `ExaminerEnded` if it does not answer any more."""
    try:
        yield
    except (EOFError, OSError, ValueError) as error:
        server.is_ending()
        why = f" ({error})" if str(error) else ""
        raise ExaminerEnded(f"the examiner has ended{why}") from error


class Examination:
    """The test cells of one submission.

    The socket to the kernel, `link`, is passed to the examiner, and closed here. `root_pid` is the
    process to kill if the kernel breaks the protocol. `first` are the instructor's cells before
    every answer, which the fork server runs once, and `instructors` the names that any of the
    instructor's cells binds: no kernel is asked for them. `seed` is that of fresh cases.

    Every method may raise `ExaminerFailed`: the examiner cannot be started, or has ended.
    """

    def __init__(
        self,
        link: socket.socket,
        homework: Homework,
        *,
        root_pid: int,
        seed: int,
        first: Cells,
        instructors: Collection[str],
    ) -> None:
        self._process: Forked | None = None
        self._server = _serving(homework)
        about = {"root_pid": root_pid, "seed": seed, "first": first}
        about |= {"instructors": sorted(instructors), "cores": sorted(os.sched_getaffinity(0))}
        self._examiner, theirs = Pipe()
        with link, theirs, _expecting_an_examiner(self._server):
            self._server.fork(json.dumps(about).encode(), [theirs.fileno(), link.fileno()])

    def process(self) -> Forked:
        """Return the process that examines only this submission: the watchdog may end it."""
        if self._process is None:
            _expect_imports(self._server)
            with _expecting_an_examiner(self._server):
                self._process = Forked(int(self._examiner.recv_bytes()))
        return self._process

    def begin(self, trusted: Cells, name: str, source: str) -> None:
        """Start the examination of a test cell, after the instructor's cells since the last one."""
        self.process()
        test = {"trusted": trusted, "name": name, "source": source}
        with _expecting_an_examiner(self._server):
            self._examiner.send_bytes(json.dumps(test).encode())

    def begin_again(self) -> None:
        """Start the second tries of all test cells, which are run when the notebook has ended."""
        with _expecting_an_examiner(self._server):
            self._examiner.send_bytes(b"null")

    def has_verdict(self, seconds: float) -> bool:
        """Return whether there is a verdict now, or within some seconds."""
        with contextlib.suppress(EOFError, OSError):  # `verdict` then raises the error
            return self._examiner.poll(seconds)
        return True

    def verdict(self, seconds: float) -> Verdict:
        """Wait for the verdict, for at most this many seconds."""
        return Verdict(**self._answer(seconds))

    def verdicts(self, seconds: float) -> list[Verdict]:
        """Wait for those after all second tries, in the order in which the tests began."""
        return [Verdict(**one) for one in self._answer(seconds)]

    def _answer(self, seconds: float) -> Any:
        with _expecting_an_examiner(self._server):
            if not self._examiner.poll(seconds):
                raise ExaminerFailed(f"the examiner gave no verdict within {seconds:g} s")
            return json.loads(self._examiner.recv_bytes())

    def end(self) -> None:
        """Let the examiner's child process end."""
        with contextlib.suppress(OSError):
            self._examiner.close()
