"""Score answers as they are graded: the student's names in one process, the test cells in another.

It works like `harness.score_submission`, with the wire between the two processes, but without
kernel and sandbox, so thousands of answers can be scored.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from cells import Notebook
from harness import Scores, generators_in, run_answer, score_cell, seeded_names

from hw_grading.examiner.names import StudentNames
from hw_grading.examiner.session import Session
from hw_grading.homework.instructor_cells import as_released
from hw_grading.inside.serve import Server
from hw_grading.sandbox.forked import Target, cpu_clock
from hw_grading.sandbox.share import seconds_waited

_FORK = multiprocessing.get_context("fork")


def score_submission(
    notebook: Notebook,
    answers: Mapping[str, str],
    *,
    tests: Sequence[str] | None = None,
    seed: int = 0,
) -> Scores:
    """Score the instructor's notebook with these answers; see `harness.score_submission`."""
    wanted = notebook.quick_tests if tests is None else tuple(tests)
    with _Desk(notebook, seed) as desk:
        own = seeded_names(notebook, seed)
        for name in generators_in(own):
            del own[name]  # the student's
        results = {}
        for cell in notebook.in_order(wanted):
            if cell.is_test:
                desk.run(as_released(cell.source, "code"), cell.id)
                with desk.asked():
                    results[cell.id] = score_cell(cell, StudentNames(own, desk.session))
                continue
            desk.run(answers.get(cell.id, cell.source), cell.id)
            if cell.id in notebook.given:
                with desk.asked():
                    names = StudentNames(own, desk.session)
                    run_answer(notebook, cell.source, cell.id, names)
                    own = dict(names)
                    desk.session.protect(own)
        return results


class _Desk:
    """The student's process: runs cells, and answers a test's questions."""

    def __init__(self, notebook: Notebook, seed: int) -> None:
        ours, theirs = socket.socketpair()
        self._orders, orders = _FORK.Pipe()
        self._process = _FORK.Process(target=_sit, args=(orders, theirs, ours, notebook, seed))
        self._process.start()
        theirs.close()
        orders.close()
        pid = self._process.pid or 0
        interrupt = functools.partial(Target(pid).send, signal.SIGINT)
        clocks = cpu_clock(pid), functools.partial(seconds_waited, pid)
        self.session = Session(ours, interrupt, self._process.kill, *clocks)

    def __enter__(self) -> _Desk:
        return self

    def __exit__(self, *_: Any) -> None:
        self._process.kill()
        self._process.join()

    def run(self, source: str, name: str) -> None:
        """Run a cell there, until the cell or the process ends."""
        with contextlib.suppress(OSError, EOFError):
            self._orders.send((source, name))
            self._orders.recv()

    @contextlib.contextmanager
    def asked(self) -> Any:
        """Let the student's process answer questions during a block."""
        with contextlib.suppress(OSError):
            self._orders.send(None)
        yield
        self.session.end_test()
        with contextlib.suppress(OSError, EOFError):
            self._orders.recv()


def _sit(
    orders: Any, link: socket.socket, other: socket.socket, notebook: Notebook, seed: int
) -> None:
    other.close()
    names = seeded_names(notebook, seed)
    server = Server(link, names)
    while True:
        try:
            order = orders.recv()
            if order is None:
                server.serve()
            else:
                run_answer(notebook, *order, names)
            orders.send("done")
        except EOFError:
            os._exit(0)
        except KeyboardInterrupt:
            orders.send("interrupted")
