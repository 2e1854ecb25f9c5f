"""Attacks by too much work for the grader itself, and what stays when the grader is killed.

All others are in `attacks/resources/`.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from arena import HOMEWORK, NOTHING, POINTS, RIGHT, Arena, notebook
from attack_files import Attack

from hw_grading.examiner.client import Examination
from hw_grading.grade.job import Job, run
from hw_grading.run import submission
from hw_grading.sandbox.watch import Watch
from hw_support.submission.problems import Kind

pytestmark = pytest.mark.slow


KILLED = """
import sys
sys.path.insert(0, {hostile!r})
from pathlib import Path
from arena import Arena, notebook
Arena(Path({root!r})).grade(notebook({{}}, before={code!r}), cpu_seconds_per_cell=600.0,
                            wall_seconds_per_cell=600.0)
"""


def test_a_test_that_computes_for_ever_with_an_answer_is_ended(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No timer can interrupt the test's one call in C, so the examiner is ended from outside."""
    monkeypatch.setattr(submission, "_EXAMINER_CPU_SECONDS", 1.5)
    nb = notebook(RIGHT | {"apply": "def apply(f, x):\n    f(np.ones((2400, 2400), int))"})
    [test] = [c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "test_apply"]
    hidden = "assert apply(lambda x: x @ x.T, 3.0) == 10.0"
    test.source = f"checks = Checks('apply')\n{hidden}"
    outcome = arena.grade(nb, wall_seconds_per_cell=40.0)
    assert outcome.fault is None
    assert outcome.scores == POINTS | {"test_apply": 0.0, "test_total": 0.0}
    assert outcome.kinds == {Kind.TIME_LIMIT}, outcome.problems
    assert "1.5 s of CPU time to check the notebook's answers" in str(outcome.problems)
    arena.expect_no_harm(outcome)


NEEDS_DOUBLE = {"mean": "def mean(x):\n    return double(x).mean(axis=0) / 2"}


@pytest.mark.parametrize("ends", ["the examiner", "the kernel", "everything"])
def test_a_kill_in_a_second_try_loses_no_point(
    ends: str, arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A result is saved when it is complete. Without it first tries count, or all runs again."""
    begin, killed = Examination.begin_again, []
    watches: list[Watch] = []

    def begin_and_kill(self: Examination) -> None:
        if not killed:
            killed.append(ends)
            if ends == "everything":
                watches[-1].kill()
            if ends == "the kernel":
                watches[-1].kill(Kind.KERNEL, "it is killed")
        begin(self)
        if killed == ["the examiner"]:
            killed.append("once")
            self.process().kill()

    made = Watch.__init__
    monkeypatch.setattr(
        Watch, "__init__", lambda self, *a, **k: watches.append(self) or made(self, *a, **k)
    )
    monkeypatch.setattr(Examination, "begin_again", begin_and_kill)
    outcome = run(Job("s", json.dumps(notebook(NEEDS_DOUBLE)), {}, {}, HOMEWORK))
    points = {"test_mean": 0.0 if ends == "everything" else 3.0}
    assert killed
    assert {part.cell: 0.0 for part in outcome.parts} | {
        cell: sum(part.earned for part in outcome.parts if part.cell == cell) for cell in points
    } == NOTHING | points
    told = [problem.message for problem in outcome.problems]
    assert any("run a second time" in one for one in told) == (ends == "the examiner")


def test_a_killed_grader_leaves_no_process(tmp_path: Path) -> None:
    code = Attack.read("resources/grader_killed").cells["before"]
    here, root = str(Path(__file__).parent), str(tmp_path / "elsewhere")
    script = KILLED.format(hostile=here, root=root, code=code)
    grader = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    family: list[psutil.Process] = []
    until = time.monotonic() + 120
    try:
        while "98765" not in (words := commands(family)):  # the attack's sleeper
            assert time.monotonic() < until, "the attack did not begin"
            time.sleep(0.2)
            family = psutil.Process(grader.pid).children(recursive=True)
        assert {"hw_grading.examiner.process", "bwrap"} <= {*map(os.path.basename, words)}
    finally:
        grader.kill()
        grader.wait()
    _, left = psutil.wait_procs(family, timeout=60)
    found = commands(left)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    assert found == []


def commands(processes: list[psutil.Process]) -> list[str]:
    """The words of these processes' command lines."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            found += process.cmdline()
    return found
