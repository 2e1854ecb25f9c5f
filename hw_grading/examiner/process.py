"""The examiner's processes: a fork server that has imported everything, and a child per submission.

    python -m hw_grading.examiner.process

The fork server (`hw_grading.answering.forking`) imports the homework's modules. Each child examines
one submission: it communicates with the grader over one socket and with the student's kernel over
another. No student code runs in the fork server or in its children.
"""

import contextlib
import gc
import importlib
import json
import os
import resource
import shutil
import socket
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from hw_grading.answering import forking, preload
from hw_grading.answering.forking import Forked
from hw_grading.examiner.cells import Fault, bound_by, run_cell, run_test
from hw_grading.examiner.children import Children
from hw_grading.examiner.notebook import Cell, StudentNames
from hw_grading.examiner.reference import Reference
from hw_grading.examiner.session import Session
from hw_grading.homework.layout import FILES
from hw_support.checks import Checks
from hw_support.checks.fresh import SEED_VARIABLE
from hw_support.checks.parts import Tries

# Bytes of address space that a child may add to what it begins with: some of the largest messages.
_MAX_ADDRESSES = 400 << 20


# -- one test cell


Points = dict[tuple[str, str, int], tuple[float, float]]  # see `Notebook.points`


@dataclass
class _Test:
    """A test cell that was examined: what it needs to run again, and what it has left."""

    name: str
    source: str
    own: dict[str, Any]  # what the instructor's cells have bound above it
    tries: Tries
    sleeping: socket.socket | None  # a child that waits for its second tries
    points: Points  # what it has added to those of the notebook
    verdict: dict[str, Any]


class Examined:
    """The state that a child keeps between two test cells of its submission.

    `first` are the instructor's cells before every answer, and `instructors` the names that any of
    the instructor's cells binds.
    """

    def __init__(
        self, children: Children, first: list[Cell], instructors: list[str], reference: Reference
    ) -> None:
        self._children, self._first, self._instructors = children, first, frozenset(instructors)
        self._session, self._reference = Session(), reference
        self._tests: list[_Test] = []
        self.points: Points = {}  # of the tests so far
        self._own: dict[str, Any] = {}  # what the instructor's cells have bound so far
        self._fault_above = ""  # a fault of an instructor's cell further up

    def examine(self, trusted: list[Cell], name: str, source: str) -> dict[str, Any]:
        """Run the instructor's cells since the last test cell, then this test cell.

        Return the fields of a `hw_grading.examiner.client.Verdict`.
        """
        if not self._own:
            self._own, self._fault_above = bound_by(self._first)
        fault, tries, before = "", Tries(), dict(self.points)
        self._session.begin(self._children.begin())
        names = StudentNames(self._own, self._session, self._instructors)
        outputs: list[dict[str, Any]] = []
        score: float | None = None
        try:
            for trusted_name, trusted_source in trusted:
                try:
                    run_cell(trusted_source, trusted_name, names, locked=True)
                except Fault as error:
                    self._fault_above = self._fault_above or str(error)
                self._own = dict(names)
                names = StudentNames(self._own, self._session, self._instructors)
            names.notebook.tries = tries
            names.notebook.points = self.points
            names.notebook.reference = self._reference.at(name, source)
            outputs, score = run_test(source, name, names)
        except Fault as error:
            fault = str(error)
        finally:  # after a Fault too: the kernel waits for commands until the test has ended
            stopped = self._session.gone
            self._session.end()
            is_wanted = tries.is_wanted and not fault
            sleeping = self._children.end(self._session.unreturned, again=is_wanted)
        verdict = {
            "outputs": outputs,
            "score": score,
            "stopped": stopped,
            "link_error": self._children.link_error,
            "kernel_ended": self._children.kernel_ended,
            "parts": _parts_in(names, self._own),
            "fault": fault,
            "fault_above": self._fault_above,
            "waits": bool(sleeping),
            "lacks_second_try": is_wanted and not sleeping and not self._children.link_error,
        }
        points = _added(before, self.points)
        self._tests.append(_Test(name, source, self._own, tries, sleeping, points, verdict))
        return verdict

    def try_again(self) -> list[dict[str, Any]]:
        """Make all second tries, when the notebook has ended; return the verdicts of all tests.

        They come in the order of the notebook, and so points of tests count in those below.
        """
        self.points = {}
        for test in self._tests:
            if test.sleeping:
                self._try_again(test)
            self.points |= test.points
        return [test.verdict for test in self._tests]

    def _try_again(self, test: _Test) -> None:
        """Run a test cell again for its second tries; its verdict stays if it has no better one.

        A child stays asleep afterwards: what it has computed is counted as long as it is there.
        """
        self._session.begin(test.sleeping)
        names = StudentNames(test.own, self._session, self._instructors)
        names.notebook.tries = Tries(test.tries.first)
        names.notebook.points = points = dict(self.points)
        names.notebook.reference = self._reference.at(test.name, test.source)
        parts_before = test.verdict["parts"]
        with contextlib.suppress(Fault):
            outputs, score = run_test(test.source, test.name, names)
            again = _parts_in(names, test.own)
            if _ends_alike(outputs, test.verdict["outputs"]) and len(again) == len(parts_before):
                test.verdict |= {"outputs": outputs, "score": score, "parts": again}
                test.points = _added(self.points, points)


def _added(before: Points, after: Points) -> Points:
    return {key: now for key, now in after.items() if before.get(key) != now}


def _ends_alike(*both: list[dict[str, Any]]) -> bool:
    """Return whether two runs of a cell have outputs of the same kind at their ends."""
    one, other = ([output["output_type"] for output in outputs][-1:] for outputs in both)
    return one == other


def _parts_in(names: dict[str, Any], own: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of the `Checks` that a test cell has bound."""
    old = set(map(id, own.values()))  # a cell of the instructor's has parts too
    found = [one for one in names.values() if type(one) is Checks and id(one) not in old]
    return [asdict(part) for checks in found for part in checks.parts]


# -- the processes


def serve(requests: socket.socket, failed: str = "") -> None:
    """Fork a child for each submission, until the grader is gone. `failed` is of the imports."""
    with _own_files():  # the instructor's cells may read and change them
        forked = forking.serve(requests, failed, before=_run_first_cells)
        if forked is None:
            return
        with _own_files():
            request, (grader, link) = forked
            about = json.loads(request)
            os.sched_setaffinity(0, about.pop("cores"))
            _examine_one(Connection(grader), socket.socket(fileno=link), **about)
        os._exit(0)


def _run_first_cells(request: bytes) -> None:
    """Run the instructor's first cells, which are those of many submissions, once for them all."""
    bound_by(json.loads(request)["first"])
    gc.freeze()


@contextlib.contextmanager
def _own_files() -> Iterator[None]:
    """Work in a copy of the homework's files, which is removed."""
    if not (files := _folder / FILES).is_dir():
        yield
        return
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        shutil.copytree(files, folder, dirs_exist_ok=True)
        yield


def _examine_one(
    grader: Connection,
    link: socket.socket,
    root_pid: int,
    seed: int,
    first: list[Cell],
    instructors: list[str],
) -> None:
    """Examine the test cells of a submission; see `hw_grading.examiner.client.Examination`."""
    if sys.platform == "linux":
        most = psutil.Process().memory_info().vms + _MAX_ADDRESSES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    os.environ[SEED_VARIABLE] = str(seed)
    children = Children(link, Forked(root_pid).kill)
    submission = Examined(children, first, instructors, _reference)
    with contextlib.suppress(EOFError, OSError):
        grader.send_bytes(str(os.getpid()).encode())
        while True:
            test = json.loads(grader.recv_bytes())
            said = submission.examine(**test) if test else submission.try_again()
            grader.send_bytes(json.dumps(said).encode())


_folder = Path()  # the folder with the homework's code and files
_reference: Reference  # what is right, once for all submissions


def prepare(folder: str, modules: Sequence[str]) -> str:
    """Import what test cells need, also from `folder`, and run the homework's solutions.

    Return why an import failed, on one line, or "".
    """
    global _folder, _reference
    _folder = Path(folder)
    # The course's modules come before installed ones and behind Python's own, as in a kernel.
    installed = (n for n, path in enumerate(sys.path) if path.endswith("-packages"))
    sys.path.insert(next(installed, len(sys.path)), f"{folder}/{FILES}")
    sys.path.insert(0, folder)
    failed = []
    for name in modules:
        try:
            importlib.import_module(name)
        except BaseException as error:
            failed.append(f"{name} cannot be imported: {_where(error, folder)}")
    preload(modules)
    if not failed:
        with _own_files():
            _reference = Reference(_folder)
    return "; ".join(failed).replace("\n", " ")


def _where(error: BaseException, folder: str) -> str:
    """Describe an exception, and the line in the homework's own code that raised it."""
    text = f"{type(error).__name__}: {error}".removesuffix(": ")
    places = [(one.filename, one.lineno) for one in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        places.append((str(error.filename), error.lineno))
    ours = [f"{name}, line {line}: " for name, line in places if name.startswith(f"{folder}/")]
    return "".join([*ours[-1:], text]).replace(f"{folder}/", "")


def main() -> None:
    """Import what any homework needs, then its code, and serve until the grader is gone."""
    requests = forking.control()
    forking.begin_imports()
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot  # noqa: F401

    with contextlib.suppress(EOFError):  # the grader is gone
        setup, _ = forking.receive(requests)
        serve(requests, prepare(*json.loads(setup)))


if __name__ == "__main__":
    main()
