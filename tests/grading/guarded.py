"""Judge answers in child processes, several at a time, each with hard limits.

An answer may loop for ever, take all memory or end its process. So every answer is scored in a
forked child: it inherits the data and the compiled cells, cannot change anything for the next one,
and is killed when its time is over.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import Any, Protocol

from harness import (
    DELIVERABLES,
    FUNCTIONS,
    CellResult,
    Scores,
    Verdict,
    _shared_names,
    load_cells,
    score_submission,
    tests_of,
)

SUBMISSION_SECONDS = 90.0  # wall time of one submission with one seed
MEMORY_BYTES = 4 << 30  # of address space
_FORK = multiprocessing.get_context("fork")


class Judged(Protocol):
    """What can be judged: an answer, a whole submission, a mutant."""

    @property
    def function(self) -> str: ...

    @property
    def cells(self) -> dict[str, str]: ...


def judge(
    answers: Iterable[Any],
    seeds: Sequence[int] = (0,),
    *,
    own_cells_only: bool = False,
    workers: int | None = None,
) -> Iterator[tuple[Any, Verdict]]:
    """Score answers side by side; yield each with its verdict, in the order given.

    Parameters
    ----------
    answers
        Objects with ``function``, the answer that is charged, and ``cells``, the sources of the
        cells that are replaced.
    seeds
        One run for each.
    own_cells_only
        Whether to run just the test cells that charge ``function``.
    """
    _shared_names()  # loaded once, here, for all children
    waiting = list(enumerate(answers))[::-1]
    running: dict[Connection, tuple[int, Any, Any, float]] = {}
    done: dict[int, tuple[Any, Verdict]] = {}
    following = 0
    try:
        while waiting or running:
            while waiting and len(running) < (workers or min(2, os.cpu_count() or 1)):
                number, answer = waiting.pop()
                receiver, sender = _FORK.Pipe(duplex=False)
                tests = _tests(answer.function, own_cells_only)
                child = _FORK.Process(target=_child, args=(sender, answer.cells, tests, seeds))
                child.start()
                sender.close()
                until = monotonic() + SUBMISSION_SECONDS * len(seeds)
                running[receiver] = (number, answer, child, until)
            for receiver in _ready(running):
                number, answer, child, until = running.pop(receiver)
                done[number] = answer, _collect(receiver, child, until, answer, seeds)
            while following in done:
                yield done.pop(following)
                following += 1
    finally:
        for _, _, child, _ in running.values():
            child.kill()


def _tests(function: str, own_cells_only: bool) -> tuple[str, ...]:
    if own_cells_only or function == "train":
        return tests_of(function)
    return tests_of(*FUNCTIONS, *DELIVERABLES)


def _own(function: str) -> tuple[str, ...]:
    return tests_of(*FUNCTIONS, *DELIVERABLES) if function == "whole" else tests_of(function)


def _child(
    sender: Connection, cells: dict[str, str], tests: Sequence[str], seeds: Sequence[int]
) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sender.send([score_submission(cells, tests=tests, seed=seed) for seed in seeds])
    sender.close()
    os._exit(0)  # no exit handlers: an answer may have left some


def _ready(running: dict[Connection, tuple[int, Any, Any, float]]) -> list[Connection]:
    """Return the children that send their results, have ended, or whose time is over."""
    soonest = min(until for *_, until in running.values())
    ready = wait(list(running), timeout=max(0.0, soonest - monotonic()))
    late = [receiver for receiver, (*_, until) in running.items() if until <= monotonic()]
    return list({id(receiver): receiver for receiver in [*ready, *late]}.values())


def _collect(
    receiver: Connection, child: Any, until: float, answer: Any, seeds: Sequence[int]
) -> Verdict:
    runs: list[Scores] = []
    died = ""
    try:
        if receiver.poll(max(0.0, until - monotonic())):
            runs = receiver.recv()
        else:
            died = "time limit"
    except EOFError:
        child.join()
        died = f"exit code {child.exitcode}"
    if died:
        child.kill()
        cells = load_cells()
        tests = _tests(answer.function, False)
        zero = {test: CellResult(0.0, cells[test].points, (), died) for test in tests}
        runs = [zero] * len(seeds)
    child.join()
    receiver.close()
    return Verdict(tuple(runs), _own(answer.function), died)
