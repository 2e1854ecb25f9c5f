"""Measure the peak memory of the grader's processes during each attack of the test suite.

The sum covers the grading process (with the test runner in it) and the examiner's processes. Each
of them counts its part of shared pages. Sandboxes are left out, because they have their own limit.
"""

import contextlib
import re
import threading
from typing import Any

import psutil
import pytest

from hw_grading.homework.course import REPOSITORY

SECONDS_BETWEEN_LOOKS = 0.1
# Attacks that run in a sandbox. Others build their large values in the tests' own process.
ATTACKS = [
    str(path)
    for path in sorted((REPOSITORY / "tests" / "hostile").glob("test_*.py"))
    if re.search(r"arena\.attack\(|carry_out\(", path.read_text(encoding="utf-8"))
]
MAX_SHOWN = 5


def run() -> None:
    """Run the attacks and print the largest sums."""
    sampler = Sampler()
    status = pytest.main(
        ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts=", *ATTACKS],
        plugins=[sampler],
    )  # fmt: skip
    sampler.over.set()
    ranked = sorted(sampler.most, key=lambda attack: -sampler.most[attack])
    print(
        f"{len(ranked)} tests, exit status {int(status)}; memory at rest {sampler.at_rest:.0f} MB"
    )
    for attack in ranked[:MAX_SHOWN]:
        print(f"  {sampler.most[attack]:.0f} MB  {attack.partition('hostile/')[2]}")


class Sampler:
    """Measures the grader's memory repeatedly, and keeps the peak for each test."""

    def __init__(self) -> None:
        self.most: dict[str, float] = {}
        self.over = threading.Event()
        self._test: str | None = None
        self._me = psutil.Process()
        self.at_rest = self._megabytes()
        threading.Thread(target=self._look, daemon=True).start()

    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
        """Note which test is running."""
        self._test = nodeid

    def _look(self) -> None:
        while not self.over.wait(SECONDS_BETWEEN_LOOKS):
            if self._test:
                now = self._megabytes()
                self.most[self._test] = max(self.most.get(self._test, 0.0), now)

    def _megabytes(self) -> float:
        total = _share(self._me)
        for child in self._me.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if "hw_grading.examiner.process" in child.cmdline():
                    total += _share(child)
        return total


def _share(process: psutil.Process) -> float:
    return float(process.memory_full_info().pss) / 1e6
