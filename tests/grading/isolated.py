"""Score answers as they are graded: the student's names in one process, the test cells in another.

The same as `harness.score_submission`, with the wire between them, but without a kernel and without
a sandbox, so that thousands of answers can be scored.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from harness import (
    DELIVERABLES,
    FUNCTIONS,
    Scores,
    _run_answer,
    _runs,
    _seed_everything,
    _shared_names,
    cells_charging,
    charged,
    load_cells,
    score_cell,
)

from hw_grading.examiner.names import StudentNames
from hw_grading.examiner.session import Session, kernel_clock, signaller
from hw_grading.homework.instructor_cells import as_released
from hw_grading.inside.serve import Server

_FORK = multiprocessing.get_context("fork")
TRUSTED = ("reference_batch",)  # besides those that were run before the first answer


def score_submission(
    answers: Mapping[str, str], *, tests: Sequence[str] | None = None, seed: int = 0
) -> Scores:
    """Score the instructor's notebook with these answers; see `harness.score_submission`."""
    wanted = cells_charging(*FUNCTIONS, *DELIVERABLES) if tests is None else tuple(tests)
    needed = {charged(test) for test in wanted}
    with _Desk(seed) as desk:
        own = dict(_shared_names())
        _seed_everything(seed, own)
        del own["rng"]  # the student's
        results = {}
        for cell in load_cells().values():
            if cell.is_test and cell.id in wanted:
                desk.run(as_released(cell.source, "code"), cell.id)
                with desk.asked():
                    results[cell.id] = score_cell(cell.id, StudentNames(own, desk.session))
            elif not cell.is_test and _runs(cell.id, needed):
                desk.run(answers.get(cell.id, cell.source), cell.id)
                if cell.id in TRUSTED:
                    with desk.asked():
                        names = StudentNames(own, desk.session)
                        _run_answer(cell.source, cell.id, names)
                        own = dict(names)
                        desk.session.protect(own)
        return results


class _Desk:
    """The student's process: runs cells, and answers what a test asks."""

    def __init__(self, seed: int) -> None:
        ours, theirs = socket.socketpair()
        self._orders, orders = _FORK.Pipe()
        self._process = _FORK.Process(target=_sit, args=(orders, theirs, ours, seed))
        self._process.start()
        theirs.close()
        orders.close()
        pid = self._process.pid or 0
        self.session = Session(
            ours, signaller(pid, signal.SIGINT), self._process.kill, kernel_clock(pid)
        )

    def __enter__(self) -> _Desk:
        return self

    def __exit__(self, *_: Any) -> None:
        self._process.kill()
        self._process.join()

    def run(self, source: str, name: str) -> None:
        """Run a cell there, to its end or the end of the process."""
        with contextlib.suppress(OSError, EOFError):
            self._orders.send((source, name))
            self._orders.recv()

    @contextlib.contextmanager
    def asked(self) -> Any:
        """Let it answer in a block."""
        with contextlib.suppress(OSError):
            self._orders.send(None)
        yield
        self.session.end_test()
        with contextlib.suppress(OSError, EOFError):
            self._orders.recv()


def _sit(orders: Any, link: socket.socket, other: socket.socket, seed: int) -> None:
    other.close()
    names = dict(_shared_names())
    _seed_everything(seed, names)
    server = Server(link, names)
    while True:
        try:
            order = orders.recv()
            if order is None:
                server.serve()
            else:
                _run_answer(*order, names)
            orders.send("done")
        except EOFError:
            os._exit(0)
        except KeyboardInterrupt:
            orders.send("interrupted")
