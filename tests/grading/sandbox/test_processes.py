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


def test_a_signal_reaches_its_target() -> None:
    with sleeper() as first:
        target = Forked(first.pid)
        target.send_signal(signal.SIGTERM)
        assert first.wait(60) == -signal.SIGTERM
        for nobody in (target, Forked(first.pid)):
            nobody.send_signal(signal.SIGTERM)
            assert nobody.poll() == 1


@pytest.mark.skipif(
    not os.access(LAST_NUMBER, os.W_OK) or os.geteuid() != 0,
    reason="only root chooses the numbers of processes, on Linux",
)
def test_a_reused_process_id_gets_no_signal() -> None:
    with sleeper() as first:
        target = Forked(first.pid)
    for _ in range(50):
        LAST_NUMBER.write_text(str(first.pid - 1))
        with sleeper() as other:
            if other.pid == first.pid:
                target.send_signal(signal.SIGKILL)
                other.terminate()  # an earlier signal would have given another status
                assert other.wait(60) == -signal.SIGTERM
                return
    pytest.skip("others took the number each time")
