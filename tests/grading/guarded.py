"""Judge answers in child processes, several at a time, each with hard limits.

An answer may loop for ever, take all memory or end its process. So every answer is scored in a
forked child: it inherits the data and the compiled cells, cannot change anything for the next one,
and is killed when its time is over.
"""

import multiprocessing
import os
import resource
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import Any, Literal, Protocol

import psutil
from cells import Notebook
from harness import CellResult, Scores, Verdict, score_submission, shared_names

SUBMISSION_SECONDS = 300.0  # wall time of one submission with one seed
MEMORY_BYTES = 2 << 30  # of address space, besides what the process has when it is forked
COSTLY_RUNS = 5  # of a costly test cell, on answers to its own question
_FORK = multiprocessing.get_context("fork")


class Judged(Protocol):
    """What can be judged: an answer, a whole submission, a mutant."""

    function: str

    @property
    def cells(self) -> dict[str, str]: ...


@dataclass(frozen=True)
class Job:
    """What to run for one answer: the test cells for each seed."""

    answer: Judged
    runs: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Done:
    """The outcome of a job: the results of each run, and why the process ended early, if it did."""

    runs: tuple[Scores, ...]
    died: str = ""


Which = Literal["all", "functions", "own"]


def judge(
    notebook: Notebook,
    answers: Iterable[Judged],
    seeds: Sequence[int] = (0,),
    *,
    tests: Which = "all",
    workers: int | None = None,
    isolated: bool = False,
) -> Iterator[tuple[Any, Verdict]]:
    """Score answers in parallel; yield each with its verdict, in the order given.

    Parameters
    ----------
    notebook
        The instructor's.
    answers
        Objects with ``function``, the answer that is charged, and ``cells``, the sources of the
        cells that are replaced.
    seeds
        One run for each.
    tests
        Which test cells to run; see `tests_for`.
    isolated
        Whether test cells run in another process than answers, as they do in grading.
    """
    answers = list(answers)
    jobs = [job_for(notebook, answer, seeds, tests) for answer in answers]
    done = run_jobs(notebook, jobs, workers=workers, isolated=isolated)
    for answer, one in zip(answers, done, strict=True):
        yield answer, Verdict(one.runs, own_tests(notebook, answer.function), one.died)


def job_for(notebook: Notebook, answer: Judged, seeds: Sequence[int], tests: Which) -> Job:
    """Return the job in which an answer is judged from the beginning.

    Costly test cells are run with the first seed, those of the answer itself with a few.
    """
    wanted = tests_for(notebook, answer.function, tests)
    costly = {*notebook.tests_of(*notebook.settings.costly)}
    own = costly.intersection(notebook.tests_of(answer.function))
    runs = []
    for number, seed in enumerate(seeds):
        left_out = costly if number >= COSTLY_RUNS else costly - own if number else set()
        runs.append((seed, tuple(test for test in wanted if test not in left_out)))
    return Job(answer, tuple((seed, chosen) for seed, chosen in runs if chosen))


def tests_for(notebook: Notebook, function: str, tests: Which) -> tuple[str, ...]:
    """Return the test cells to run for an answer: all, those of functions, or just its own.

    An answer that takes seconds is tried by its own, and no other answer by those.
    """
    if tests == "own" or function in notebook.settings.slow:
        return own_tests(notebook, function)
    return notebook.quick_tests if tests == "all" else notebook.tests_of(*notebook.functions)


def own_tests(notebook: Notebook, function: str) -> tuple[str, ...]:
    """Return the test cells that charge an answer; for ``whole`` all but the slow ones."""
    return notebook.quick_tests if function == "whole" else notebook.tests_of(function)


def run_jobs(
    notebook: Notebook,
    jobs: Sequence[Job],
    *,
    workers: int | None = None,
    isolated: bool = False,
) -> Iterator[Done]:
    """Run jobs in parallel, each in its own process; yield their outcomes in order."""
    shared_names(notebook)  # loaded once, here, for all children
    _scorer(isolated)
    waiting = list(enumerate(jobs))[::-1]
    running: dict[Connection, tuple[int, Job, Any, float]] = {}
    done: dict[int, Done] = {}
    following = 0
    try:
        while waiting or running:
            while waiting and len(running) < (workers or min(2, os.cpu_count() or 1)):
                number, job = waiting.pop()
                receiver, sender = _FORK.Pipe(duplex=False)
                child = _FORK.Process(target=_child, args=(sender, notebook, job, isolated))
                child.start()
                sender.close()
                until = monotonic() + SUBMISSION_SECONDS * len(job.runs)
                running[receiver] = (number, job, child, until)
            for receiver in _ready(running):
                number, job, child, until = running.pop(receiver)
                done[number] = _collect(receiver, child, until, notebook, job)
            while following in done:
                yield done.pop(following)
                following += 1
    finally:
        for _, _, child, _ in running.values():
            child.kill()


def _scorer(isolated: bool) -> Any:
    if isolated:
        from isolated import score_submission as score_in_isolation

        return score_in_isolation
    return score_submission


def _child(sender: Connection, notebook: Notebook, job: Job, isolated: bool) -> None:
    most = psutil.Process().memory_info().vms + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    score = _scorer(isolated)
    cells = job.answer.cells
    sender.send([score(notebook, cells, tests=tests, seed=seed) for seed, tests in job.runs])
    sender.close()
    os._exit(0)  # no exit handlers: an answer may have left some


def _ready(running: dict[Connection, tuple[int, Job, Any, float]]) -> list[Connection]:
    """Return the children that send their results, have ended, or whose time is over."""
    soonest = min(until for *_, until in running.values())
    ready = wait(list(running), timeout=max(0.0, soonest - monotonic()))
    late = [receiver for receiver, (*_, until) in running.items() if until <= monotonic()]
    return list({id(receiver): receiver for receiver in [*ready, *late]}.values())


def _collect(receiver: Connection, child: Any, until: float, notebook: Notebook, job: Job) -> Done:
    """Return a child's results; if it ended early, zeros and the reason."""
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
        points = {test: notebook.cells[test].points for _, tests in job.runs for test in tests}
        runs = [
            {test: CellResult(0.0, points[test], (), died) for test in tests}
            for _, tests in job.runs
        ]
    child.join()
    receiver.close()
    return Done(tuple(runs), died)
