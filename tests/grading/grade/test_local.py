"""Worker processes as an executor: if one dies, its call fails, and others go on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any

import psutil
import pytest

from hw_grading.grade.workers import LocalProcesses
from hw_grading.outcome import GraderFault

pytestmark = pytest.mark.slow


@pytest.fixture
def two() -> Iterator[LocalProcesses]:
    executor = LocalProcesses(2)
    yield executor
    executor.shutdown(cancel_futures=True)


def until(what: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_each_call_has_a_process_of_its_own(two: LocalProcesses) -> None:
    futures = [two.submit(os.getpid) for _ in range(20)]
    pids = {future.result() for future in futures}
    assert os.getpid() not in pids
    assert len(pids) == 20


def test_large_calls_and_large_answers_pass_each_other(two: LocalProcesses) -> None:
    large = bytes(3_000_000)
    futures = [two.submit(bytes, large + bytes(n)) for n in range(40)]
    assert [len(future.result(120)) for future in futures] == [len(large) + n for n in range(40)]


UNREADABLE = "type('C', (), {'__reduce__': lambda self: (int, ('x',))})()"


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        ((int, "x"), GraderFault, "ValueError: invalid literal"),
        ((eval, "lambda: 0"), GraderFault, "Can't pickle"),
        ((eval, UNREADABLE), ValueError, "invalid literal"),
        ((os._exit, 3), GraderFault, "the process that ran it died"),
    ],
    ids=["raises", "answer cannot be sent", "answer cannot be read", "kills its process"],
)
def test_a_call_that_gives_no_answer_fails_alone(
    two: LocalProcesses, call: tuple[Any, ...], error: type[Exception], said: str
) -> None:
    futures = [two.submit(os.getpid) for _ in range(4)]
    bad = two.submit(*call)
    futures += [two.submit(os.getpid) for _ in range(4)]
    with pytest.raises(error, match=said):
        bad.result(60)
    assert len({future.result(60) for future in futures}) == 8


def test_a_further_process_answers_while_all_workers_are_busy(two: LocalProcesses) -> None:
    busy = [two.submit(time.sleep, 600) for _ in range(2)]
    assert two.beside(os.getpid) not in (os.getpid(), two.beside(os.getpid))
    assert not any(one.done() for one in busy)
    two.shutdown(cancel_futures=True)


def test_calls_go_on_when_the_fork_server_is_killed(two: LocalProcesses) -> None:
    forked_by = two.submit(os.getppid).result()
    running = two.submit(time.sleep, 600)
    until(running.running)
    os.kill(forked_by, signal.SIGKILL)
    with pytest.raises(GraderFault, match="the process that ran it died"):
        running.result(60)
    assert {two.submit(os.getppid).result() for _ in range(4)} != {forked_by}


def test_shutdown_waits_for_running_calls() -> None:
    executor = LocalProcesses(1)
    futures = [executor.submit(time.sleep, 0.1) for _ in range(3)]
    executor.shutdown()
    assert all(future.done() and not future.cancelled() for future in futures)
    with pytest.raises(RuntimeError):
        executor.submit(int)


def test_cancelling_ends_running_calls_at_once() -> None:
    executor = LocalProcesses(1)
    running = executor.submit(time.sleep, 600)
    waiting = executor.submit(time.sleep, 600)
    until(running.running)
    executor.shutdown(cancel_futures=True)
    with pytest.raises(CancelledError):
        waiting.result()
    with pytest.raises(GraderFault, match=r"the process that ran it died|the run was ended"):
        running.result()


def test_threads_of_numerical_libraries_are_pinned(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    two = request.getfixturevalue("two")
    assert two.submit(os.getenv, "OPENBLAS_NUM_THREADS").result() == "1"


CORES = sorted(os.sched_getaffinity(0))


@pytest.mark.parametrize("each", [1, 2])
def test_workers_share_the_cores_equally_and_keep_theirs(each: int) -> None:
    workers = each * len(CORES)
    program = "(__import__('time').sleep(1), __import__('os').sched_getaffinity(0))[1]"
    with LocalProcesses(workers) as executor:
        futures = [executor.submit(eval, program) for _ in range(workers)]
        given = [future.result(60) for future in futures]
    assert sorted(core for (core,) in given) == sorted(CORES * each)


def test_workers_that_cannot_share_the_cores_equally_may_use_all() -> None:
    with LocalProcesses(len(CORES) + 1) as executor:
        assert executor.submit(os.sched_getaffinity, 0).result(60) == set(CORES)


COORDINATOR = """
import os, sys, time
from hw_grading.grade.workers import LocalProcesses
executor = LocalProcesses(2)
pids = {executor.submit(os.getpid).result() for _ in range(4)}
calls = [executor.submit(time.sleep, 600) for _ in range(2)]
import psutil
while len(psutil.Process().children(recursive=True)) < 3:  # the fork server and its forks
    time.sleep(0.01)
print(*[child.pid for child in psutil.Process().children(recursive=True)], flush=True)
time.sleep(600)
"""


def test_workers_of_a_killed_coordinator_end_within_a_call() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", COORDINATOR], stdout=subprocess.PIPE, text=True
    ) as coordinator:
        assert coordinator.stdout
        workers = [int(pid) for pid in coordinator.stdout.readline().split()]
        assert len(workers) >= 2  # and what forks them
        coordinator.send_signal(signal.SIGKILL)
    until(lambda: not any(psutil.pid_exists(pid) for pid in workers))
