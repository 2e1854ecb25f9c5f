"""The examiner's processes: a fork server that has imported everything, and a child per submission.

    python -m hw_grading.examiner.process FOLDER MODULES FD

The fork server imports MODULES (a JSON list), also from FOLDER. Then it waits on the socket FD for
submissions, and forks a child for each. The child has its own namespace. It communicates with the
grader over one socket and with the student's kernel over another, and ends with the submission. No
student code runs in the fork server or in its children.
"""

import functools
import importlib
import json
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from typing import Any

import psutil

from hw_grading.examiner import examination
from hw_grading.examiner.examination import Fault, expect_imports, run_cell
from hw_grading.examiner.names import StudentNames
from hw_grading.examiner.session import Session
from hw_grading.inside import caches
from hw_grading.sandbox.processes import Target, cpu_clock, seconds_waited
from hw_support.checks import Checks
from hw_support.fresh import SEED_VARIABLE

_MOST_ADDRESSES = 160 << 20  # bytes of address space that a child may add to what it begins with
Cells = list[tuple[str, str]]  # name, source


@dataclass
class Submission:
    """The state that a child keeps between two test cells of its submission."""

    session: Session
    own: dict[str, Any]
    instructors: frozenset[str]  # names that the instructor's cells bind

    def examine(self, trusted: Cells, name: str, source: str) -> dict[str, Any]:
        """Run the instructor's cells since the last test cell, then this test cell.

        Return the fields of a `hw_grading.examiner.client.Verdict`.
        """
        self.session.hung.clear()
        names = StudentNames(self.own, self.session, self.instructors)
        try:
            if _not_importable:
                raise Fault("; ".join(_not_importable))
            expect_imports(source, name)
            for trusted_name, trusted_source in trusted:
                run_cell(trusted_source, trusted_name, names)
            self.own = dict(names)
            self.session.protect(self.own)
            names = StudentNames(self.own, self.session, self.instructors)
            outputs = run_cell(source, name, names)
        finally:  # after a Fault too: the kernel waits for questions until the test has ended
            self.session.end_test()
        return {
            "outputs": outputs,
            "gone": self.session.gone,
            "ended": self.session.ended,
            "parts": [
                asdict(part)
                for checks in names.values()
                if isinstance(checks, Checks)
                for part in checks.parts
            ],
            "hung": list(self.session.hung),
        }


def wait_for_submissions(requests: socket.socket) -> None:
    """Fork a child for each submission that the grader sends, until the grader is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system reaps the children
    base: tuple[Cells, dict[str, Any]] = ([], {})
    while True:
        byte, fds, _, _ = socket.recv_fds(requests, 1, 2)
        if not byte:
            return
        grader, link = Connection(fds[0]), socket.socket(fileno=fds[1])
        request = json.loads(grader.recv_bytes())
        prefix = [(name, source) for name, source in request["prefix"]]
        if prefix != base[0] or not base[1]:
            base = prefix, _names_after(prefix)
        for name, source in request["tests"]:
            examination.prepare(source, name)
        if os.fork() == 0:
            requests.close()
            _examine_one(grader, link, request, base[1])
            os._exit(0)
        grader.close()
        link.close()


def fork() -> tuple[int, socket.socket]:
    """Fork an examiner from a process that has called `prepare`; return its pid and its socket."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        os.closerange(3, theirs.fileno())
        os.closerange(theirs.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
        os.environ["NBGRADER_EXECUTION"] = "autograde"
        wait_for_submissions(theirs)
        os._exit(0)
    theirs.close()
    return pid, ours


def _names_after(cells: Cells) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "__main__"}
    for name, source in cells:
        run_cell(source, name, names)
    return names


def _examine_one(
    grader: Connection, link: socket.socket, request: dict[str, Any], names: dict[str, Any]
) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if sys.platform == "linux":
        most = psutil.Process().memory_info().vms + _MOST_ADDRESSES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    os.environ[SEED_VARIABLE] = str(request["seed"])
    pid = request["kernel_pid"]
    interrupt = functools.partial(Target(pid).send, signal.SIGINT)
    kill = functools.partial(Target(request["root_pid"]).send, signal.SIGKILL)
    to_kernel = link, interrupt, kill, cpu_clock(pid), functools.partial(seconds_waited, pid)
    session = Session(*to_kernel)
    session.protect(names)
    submission = Submission(session, names, frozenset(request["instructors"]))
    try:
        grader.send_bytes(str(os.getpid()).encode())
        while True:
            test = json.loads(grader.recv_bytes())
            try:
                answer = submission.examine(**test)
            except Fault as fault:
                answer = {"fault": str(fault)}
            grader.send_bytes(json.dumps(answer).encode())
    except (EOFError, OSError):
        return


_not_importable: list[str] = []  # the modules that could not be imported, with the reason


def prepare(folder: str, modules: Sequence[str]) -> str:
    """Import what test cells need, also from `folder`, and fill the caches that examinations use.

    If an import fails, every examination ends in a `Fault`; return why, on one line, or "".
    """
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot  # noqa: F401

    sys.path.insert(0, folder)
    for name in modules:
        try:
            importlib.import_module(name)
        except BaseException as error:
            _not_importable.append(f"{name} cannot be imported: {_where(error, folder)}")
    caches.fill(modules)
    return "; ".join(_not_importable).replace("\n", " ")


def _where(error: BaseException, folder: str) -> str:
    """Describe an exception, and the line in the homework's own code that raised it."""
    text = f"{type(error).__name__}: {error}".removesuffix(": ").replace(f"{folder}/", "")
    frames = traceback.extract_tb(error.__traceback__)
    places = [(frame.filename, frame.lineno) for frame in frames]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((error.filename, error.lineno))
        text = f"{type(error).__name__}: {error.msg}"
    ours = [(name, line) for name, line in places if name.startswith(f"{folder}/")]
    if not ours:
        return text
    name, line = ours[-1]
    return f"{name.removeprefix(f'{folder}/')}, line {line}: {text}"


if __name__ == "__main__":
    why = prepare(sys.argv[1], json.loads(sys.argv[2]))
    requests = socket.socket(fileno=int(sys.argv[3]))
    requests.sendall(why.encode(errors="replace") + b"\n")
    wait_for_submissions(requests)
