"""Signals reach only the intended process, never another one with the same pid."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_grading.answering.forking import Forked
from hw_grading.sandbox import processes
from hw_grading.sandbox.processes import Waiting

LAST_NUMBER = Path("/proc/sys/kernel/ns_last_pid")


@contextlib.contextmanager
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("computed", "waited", "could_run", "counts"),
    [
        (0.2, [0, 0.3], 1, 0.3),  # others had the processor
        (0.0, [0, 0.5], 1, 0.5),
        (0.5, [0.4, 0.5], 1, 0.0),  # its own threads
        (0.3, [0, 0.5], 1, 0.2),
        (0.0, [0.5, 0.5], 2, 0.0),  # its own processes, whose time nobody counts
        (0.9, [0.1], 1, 0.0),  # two processors at once
        (0.1, [], 0, 0.0),  # it slept
    ],
)
def test_only_a_wait_for_others_counts(
    computed: float,
    waited: list[float],
    could_run: int,
    counts: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr(processes, "monotonic", lambda: now)
    waiting = Waiting()
    for look in (1, 2, 3):
        now = 100 + 0.5 * look
        since = {pid: look * seconds for pid, seconds in enumerate(waited)}
        waiting.look(look * computed, since, could_run)
        assert waiting.seconds == pytest.approx(look * counts)


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
