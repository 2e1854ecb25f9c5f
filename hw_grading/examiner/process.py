"""The examiner's processes: a fork server that has imported everything, and a child per submission.

    python -m hw_grading.examiner.process FOLDER MODULES FD

The fork server imports MODULES (a JSON list), also from FOLDER. Then it waits on the socket FD for
submissions, and forks a child for each. The child has its own namespace. It communicates with the
grader over one socket and with the student's kernel over another, and ends with the submission. No
student code runs in the fork server or in its children.
"""

import ast
import contextlib
import functools
import gc
import importlib
import io
import json
import numbers
import os
import re
import resource
import shutil
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from multiprocessing.connection import Connection
from typing import Any

import psutil

from hw_grading.examiner.notebook import Cell, StudentNames
from hw_grading.examiner.session import Session
from hw_grading.homework.homework import FILES
from hw_grading.inside import preload
from hw_grading.sandbox.processes import Forked
from hw_support.checks import Checks, StaffError
from hw_support.failures import visible
from hw_support.fresh import SEED_VARIABLE
from hw_support.source import parsed

# Bytes of address space that a child may add to what it begins with: some of the largest messages.
_MAX_ADDRESSES = 400 << 20
_KEPT_CHARACTERS = 200_000  # of what a cell prints
_KEPT_RESULT = 2_000


class Fault(RuntimeError):
    """A test cell cannot be run. This is the instructor's mistake, so no student gets a zero."""


# -- one test cell


class Submission:
    """The state that a child keeps between two test cells of its submission.

    `first` are the instructor's cells before every answer, and `instructors` the names that any of
    the instructor's cells binds.
    """

    def __init__(self, session: Session, first: list[Cell], instructors: list[str]) -> None:
        self._session, self._first, self._instructors = session, first, frozenset(instructors)
        self._own: dict[str, Any] = {}  # what the instructor's cells have bound so far
        self._above = ""  # a fault of an instructor's cell further up

    def examine(self, trusted: list[Cell], name: str, source: str) -> dict[str, Any]:
        """Run the instructor's cells since the last test cell, then this test cell.

        Return the fields of a `hw_grading.examiner.client.Verdict`.
        """
        outputs, fault = list[dict[str, Any]](), ""
        if not self._own:
            self._own, self._above = bound_by(self._first)
        names = StudentNames(self._own, self._session, self._instructors)
        try:
            for trusted_name, trusted_source in trusted:
                try:
                    run_cell(trusted_source, trusted_name, names, locked=True)
                except Fault as error:
                    self._above = self._above or str(error)
                self._own = dict(names)
                names = StudentNames(self._own, self._session, self._instructors)
            outputs = run_cell(source, name, names)
        except Fault as error:
            fault = str(error)
        finally:  # after a Fault too: the kernel waits for questions until the test has ended
            self._session.end_test()
        old = set(map(id, self._own.values()))  # a cell of the instructor's has parts too
        all_checks = [one for one in names.values() if type(one) is Checks and id(one) not in old]
        return {
            "outputs": outputs,
            "gone": self._session.gone,
            "ended": self._session.ended,
            "parts": [asdict(part) for checks in all_checks for part in checks.parts],
            "fault": fault,
            "above": self._above,
        }


def bound_by(first: list[Cell]) -> tuple[dict[str, Any], str]:
    """Return the names that the instructor's first cells bind, and the first fault.

    Equal cells run only once.
    """
    names, fault = _bound_by(tuple((name, source) for name, source in first))
    return dict(names), fault


@functools.lru_cache(1)
def _bound_by(first: tuple[Cell, ...]) -> tuple[dict[str, Any], str]:
    names: dict[str, Any] = {"__name__": "__main__"}
    faults = []
    for name, source in first:
        try:
            run_cell(source, name, names, locked=True)
        except Fault as fault:
            faults.append(str(fault))
    return names, next(iter(faults), "")


def run_cell(
    source: str, name: str, names: dict[str, Any], *, locked: bool = False
) -> list[dict[str, Any]]:
    """Run a cell and return its outputs, in nbformat's form; raise `Fault` if it is not Python.

    There is no IPython here: a test cell must have no magics. A `locked` cell may have them, and
    may read what students made; so it has a fault only if a module is missing. `name` appears in
    tracebacks.
    """
    try:
        body, last = _compiled(source, name, locked)
    except (SyntaxError, ValueError) as error:
        if locked:  # the kernel has run it, and knows whether it is Python
            return [_error(error, name)]
        raise Fault(f"test cell {name!r} is not plain Python: {error}") from None
    faults = (ImportError,) if locked else (ImportError, StaffError)
    printed = io.StringIO()
    outputs: list[dict[str, Any]] = []
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            exec(body, names)
            value = eval(last, names)
            if value is not None:
                # nbgrader parses the text as a number. NumPy's own repr is "np.float64(3.0)".
                shown = repr(float(value) if isinstance(value, numbers.Real) else value)
                data = {"text/plain": visible(shown[:_KEPT_RESULT])}
                result = {"data": data, "metadata": {}, "execution_count": None}
                outputs.append({"output_type": "execute_result", **result})
        except faults as error:
            why = re.sub(r" \(/.*\)$", "", str(error))  # the file of a module of this machine
            kind = "locked cell" if locked else "test cell"
            raise Fault(f"{kind} {name!r}: {why}{_line_in(error, name)}") from error
        except BaseException as error:
            outputs.append(_error(error, name))
    if text := printed.getvalue()[:_KEPT_CHARACTERS]:
        outputs.insert(0, {"output_type": "stream", "name": "stdout", "text": visible(text)})
    return outputs


def _compiled(source: str, name: str, locked: bool) -> tuple[Any, Any]:
    """Return the code of a cell, and of its last line, an expression.

    SyntaxError or ValueError if it is no Python.
    """
    tree = parsed(source) if locked else ast.parse(source)
    last: ast.expr = ast.Constant(None, lineno=1, col_offset=0)
    if tree.body and isinstance(end := tree.body[-1], ast.Expr):
        last = end.value
        del tree.body[-1]
    file = f"<{name}>"
    return compile(tree, file, "exec"), compile(ast.Expression(last), file, "eval")


def _error(error: BaseException, name: str) -> dict[str, Any]:
    try:
        text = visible(str(error)[:_KEPT_RESULT])
    except BaseException:
        text = ""
    # Show only lines of the cell: other frames would reveal folders of this machine.
    lines = [f"{name}, line {line}" for line in _lines_in(error, name)]
    kind = type(error).__name__
    shown = {"ename": kind, "evalue": text, "traceback": [*lines, f"{kind}: {text}"]}
    return {"output_type": "error", **shown}


def _lines_in(error: BaseException, name: str) -> list[int]:
    """Return the numbers of the cell's lines through which an exception came."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame.lineno or 0 for frame in frames if frame.filename == f"<{name}>"]


def _line_in(error: BaseException, name: str) -> str:
    lines = _lines_in(error, name)
    return f" (line {lines[-1]})" if lines else ""


# -- the processes


def wait_for_submissions(requests: socket.socket) -> None:
    """Fork a child for each submission that the grader sends, until the grader is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system reaps the children
    with _own_files():  # the instructor's cells may read and change them
        _fork_children(requests)


def _fork_children(requests: socket.socket) -> None:
    while True:
        try:
            byte, fds, _, _ = socket.recv_fds(requests, 1, 2)
        except ConnectionResetError:  # the grader is gone, and has not read all
            return
        if not byte:
            return
        grader, link = Connection(fds[0]), socket.socket(fileno=fds[1])
        request = json.loads(grader.recv_bytes())
        bound_by(request["first"])
        gc.freeze()  # otherwise each collection in a child would copy all shared pages
        if os.fork() == 0:
            requests.close()
            with _own_files():
                _examine_one(grader, link, request)
            os._exit(0)
        grader.close()
        link.close()


@contextlib.contextmanager
def _own_files() -> Iterator[None]:
    """Work in a copy of the homework's files, which is removed."""
    if not os.path.isdir(_files):
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(_files, folder, dirs_exist_ok=True)
        os.chdir(folder)
        yield


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


def _examine_one(grader: Connection, link: socket.socket, request: dict[str, Any]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if sys.platform == "linux":
        most = psutil.Process().memory_info().vms + _MAX_ADDRESSES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    os.environ[SEED_VARIABLE] = str(request["seed"])
    session = Session(link, Forked(request["root_pid"]).kill)
    submission = Submission(session, request["first"], request["instructors"])
    with contextlib.suppress(EOFError, OSError):
        grader.send_bytes(str(os.getpid()).encode())
        while True:
            test = json.loads(grader.recv_bytes())
            grader.send_bytes(json.dumps(submission.examine(**test)).encode())


_files = ""  # the folder with the homework's files


def prepare(folder: str, modules: Sequence[str]) -> str:
    """Import what test cells need, also from `folder`; return why not, on one line, or ""."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot  # noqa: F401

    global _files
    _files = f"{folder}/{FILES}"
    sys.path[:] = [folder, *sys.path, _files]
    failed = []
    for name in modules:
        try:
            importlib.import_module(name)
        except BaseException as error:
            failed.append(f"{name} cannot be imported: {_where(error, folder)}")
    preload(modules)
    return "; ".join(failed).replace("\n", " ")


def _where(error: BaseException, folder: str) -> str:
    """Describe an exception, and the line in the homework's own code that raised it."""
    text = f"{type(error).__name__}: {error}".removesuffix(": ")
    places = [(one.filename, one.lineno) for one in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        places.append((str(error.filename), error.lineno))
    ours = [f"{name}, line {line}: " for name, line in places if name.startswith(f"{folder}/")]
    return "".join([*ours[-1:], text]).replace(f"{folder}/", "")


if __name__ == "__main__":
    why = prepare(sys.argv[1], json.loads(sys.argv[2]))
    requests = socket.socket(fileno=int(sys.argv[3]))
    requests.sendall(why.encode(errors="replace") + b"\n")
    wait_for_submissions(requests)
