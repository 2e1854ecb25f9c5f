"""Signals reach only the intended process, never another one with the same pid."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_grading.sandbox.processes import Forked
from hw_grading.sandbox.watch import Watch

LAST_NUMBER = Path("/proc/sys/kernel/ns_last_pid")


SLEEPS = ["sleep", "600"]
HOLDS_60_MB = [
    *(sys.executable, "-c"),
    "import signal, time; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "held = bytearray(b'1') * 60_000_000; print(flush=True); time.sleep(600)",
]


@contextlib.contextmanager
def sleeper(command: list[str] = SLEEPS) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
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
    process: subprocess.Popen[bytes], command: list[str] = SLEEPS
) -> Iterator[subprocess.Popen[bytes]]:
    """End a process, and start another one that gets its pid."""
    process.kill()
    process.wait()
    for _ in range(50):
        LAST_NUMBER.write_text(str(process.pid - 1))
        with sleeper(command) as other:
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


@needs_numbers
def test_a_watchdog_does_nothing_to_other_processes(
    first: subprocess.Popen[bytes],
) -> None:
    one = Watch(Forked(first.pid), Forked(first.pid), memory_mb=30, cpu_seconds=60)
    time.sleep(0.1)  # psutil compares times, in hundredths of a second
    with another_with_the_number_of(first, HOLDS_60_MB) as other:
        assert other.stdout
        other.stdout.readline()  # it measured the memory
        one._thread.join(60)
        assert not one._thread.is_alive()  # it has seen that the first one is gone
        one.interrupt()
        one.kill()
        one.end()
        assert one.stop is None
        expect_no_other_signal(other)


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
