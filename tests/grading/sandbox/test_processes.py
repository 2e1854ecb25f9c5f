"""Signals reach only the intended process, never another one with the same pid."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_grading.answering.forking import Forked

LAST_NUMBER = Path("/proc/sys/kernel/ns_last_pid")


@contextlib.contextmanager
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def first() -> Iterator[subprocess.Popen[bytes]]:
    with sleeper() as process:
        yield process


@contextlib.contextmanager
def another_with_the_number_of(
    process: subprocess.Popen[bytes],
) -> Iterator[subprocess.Popen[bytes]]:
    """End a process, and start another one that gets its pid."""
    process.kill()
    process.wait()
    for _ in range(50):
        LAST_NUMBER.write_text(str(process.pid - 1))
        with sleeper() as other:
            if other.pid == process.pid:
                yield other
                return
    pytest.skip("others took the number each time")


def expect_no_other_signal(process: subprocess.Popen[bytes]) -> None:
    """End a process; expect that status: an earlier signal would have given another one."""
    process.terminate()
    assert process.wait(60) == -signal.SIGTERM


needs_numbers = pytest.mark.skipif(
    not os.access(LAST_NUMBER, os.W_OK) or os.geteuid() != 0,
    reason="only root chooses the numbers of processes, on Linux",
)


def test_a_signal_reaches_its_target(first: subprocess.Popen[bytes]) -> None:
    target = Forked(first.pid)
    target.send_signal(signal.SIGTERM)
    assert first.wait(60) == -signal.SIGTERM
    for nobody in (target, Forked(first.pid)):
        nobody.send_signal(signal.SIGTERM)
        assert nobody.poll() == 1


@needs_numbers
def test_a_reused_process_id_gets_no_signal(first: subprocess.Popen[bytes]) -> None:
    target = Forked(first.pid)
    with another_with_the_number_of(first) as other:
        target.send_signal(signal.SIGKILL)
        expect_no_other_signal(other)
