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
from typing import Any, Literal, Protocol

from harness import (
    DELIVERABLES,
    FUNCTIONS,
    CellResult,
    Scores,
    Verdict,
    _shared_names,
    cells_charging,
    load_cells,
    score_submission,
)

SUBMISSION_SECONDS = 300.0  # wall time of one submission with one seed
MEMORY_BYTES = 2 << 30  # of address space
_FORK = multiprocessing.get_context("fork")


class Judged(Protocol):
    """What can be judged: an answer, a whole submission, a mutant."""

    function: str

    @property
    def cells(self) -> dict[str, str]: ...


def judge(
    answers: Iterable[Judged],
    seeds: Sequence[int] = (0,),
    *,
    tests: Literal["all", "functions", "own"] = "all",
    workers: int | None = None,
    isolated: bool = False,
) -> Iterator[tuple[Any, Verdict]]:
    """Score answers side by side; yield each with its verdict, in the order given.

    Parameters
    ----------
    answers
        Objects with ``function``, the answer that is charged, and ``cells``, the sources of the
        cells that are replaced.
    seeds
        One run for each.
    tests
        Which test cells to run: those of functions and deliverables, those of functions, or just
        those that charge the answer. A training cell is run for its own only.
    isolated
        Whether test cells run in another process than answers, as they do in grading.
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
                wanted = _wanted(answer.function, tests)
                child = _FORK.Process(
                    target=_child, args=(sender, answer.cells, wanted, seeds, isolated)
                )
                child.start()
                sender.close()
                until = monotonic() + SUBMISSION_SECONDS * len(seeds)
                running[receiver] = (number, answer, child, until)
            for receiver in _ready(running):
                number, answer, child, until = running.pop(receiver)
                wanted = _wanted(answer.function, tests)
                runs, died = _collect(receiver, child, until, wanted, len(seeds))
                done[number] = answer, Verdict(runs, _own(answer.function), died)
            while following in done:
                yield done.pop(following)
                following += 1
    finally:
        for _, _, child, _ in running.values():
            child.kill()


def _wanted(function: str, tests: str) -> tuple[str, ...]:
    if tests == "own" or function == "train":
        return _own(function)
    return cells_charging(*FUNCTIONS, *(DELIVERABLES if tests == "all" else ()))


def _own(function: str) -> tuple[str, ...]:
    return (
        cells_charging(*FUNCTIONS, *DELIVERABLES)
        if function == "whole"
        else cells_charging(function)
    )


def _child(
    sender: Connection,
    cells: dict[str, str],
    tests: Sequence[str],
    seeds: Sequence[int],
    isolated: bool,
) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    score: Any = score_submission
    if isolated:
        from isolated import score_submission as score
    sender.send([score(cells, tests=tests, seed=seed) for seed in seeds])
    sender.close()
    os._exit(0)  # no exit handlers: an answer may have left some


def _ready(running: dict[Connection, tuple[int, Any, Any, float]]) -> list[Connection]:
    """Return the children that send their results, have ended, or whose time is over."""
    soonest = min(until for *_, until in running.values())
    ready = wait(list(running), timeout=max(0.0, soonest - monotonic()))
    late = [receiver for receiver, (*_, until) in running.items() if until <= monotonic()]
    return list({id(receiver): receiver for receiver in [*ready, *late]}.values())


def _collect(
    receiver: Connection, child: Any, until: float, wanted: Sequence[str], count: int
) -> tuple[tuple[Scores, ...], str]:
    """Return a child's results; zeros, and why, if it did not come to its end."""
    died = ""
    runs: list[Scores] = []
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
        points = {test: load_cells()[test].points for test in wanted}
        runs = [{test: CellResult(0.0, p, (), died) for test, p in points.items()}] * count
    child.join()
    receiver.close()
    return tuple(runs), died
