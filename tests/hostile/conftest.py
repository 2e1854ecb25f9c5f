"""One arena serves the attacks of a worker. Each attack is followed by an honest submission."""

import ctypes
import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from arena import Arena

# The toy course, for attacks on whole classes.
sys.path.append(str(Path(__file__).parents[1] / "grading"))

from toy_course import course, generated_course

__all__ = ["course", "generated_course"]  # used by pytest, by name

pytest.register_assert_rewrite("attack_files")
collect_ignore = ["attacks"]  # hostile code, graded by test_attacks.py
VARIATIONS = 2  # of each attack in `make test`; `make soak` tries them all


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out variations of attacks that are graded, unless all are asked for."""
    if os.environ.get("HW_ALL_ATTACKS"):
        return
    seen: Counter[str] = Counter()
    kept, left_out = [], []
    for item in items:
        attack = item.nodeid.partition("[")[0]
        if attack.endswith("::test_attack"):  # of all attack files, which have their own variants
            attack = item.callspec.params["attack"].name
        graded = "arena" in getattr(item, "fixturenames", ())
        seen[attack] += 1
        (left_out if graded and seen[attack] > VARIATIONS else kept).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


@pytest.fixture(scope="session")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Arena:
    return Arena(tmp_path_factory.mktemp("arena"))


class Memory:
    """The most memory that the grader's processes held while a test ran.

    Attributes
    ----------
    grader_mb
        Megabytes that this process took beyond what it held at first.
    examiner_mb
        Megabytes of the largest examiner, all that it has imported included (about 75).
    """

    def __init__(self) -> None:
        self._me = psutil.Process()
        self.begin()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Count from now on."""
        # Memory that was freed before would be taken again without being seen.
        getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)(0)
        self._at_first = self._me.memory_info().rss
        self.grader_mb = self.examiner_mb = 0.0

    def _sample(self) -> None:
        while not self._over.wait(0.05):
            grown = (self._me.memory_info().rss - self._at_first) / 1e6
            self.grader_mb = max(self.grader_mb, grown)
            for child in self._me.children(recursive=True):
                try:
                    if any("examiner.process" in word for word in child.cmdline()):
                        held = child.memory_info().rss / 1e6
                        self.examiner_mb = max(self.examiner_mb, held)
                except psutil.Error:
                    pass

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def __repr__(self) -> str:
        return f"<grader +{self.grader_mb:.0f} MB, examiner {self.examiner_mb:.0f} MB>"


@pytest.fixture
def memory() -> Iterator[Memory]:
    watched = Memory()
    yield watched
    watched.end()
