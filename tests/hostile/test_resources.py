"""Attacks by using too many resources, with checks that a header cannot state.

All others are in `attacks/resources/`. The limits of the arena are short, and those of many attacks
are shorter. An attack that no limit stops would run until the test's own time-out.
"""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from arena import POINTS, RIGHT, Arena, notebook
from attack_files import Attack
from carrying_out import carry_out, number_after

from hw_grading.run import submission
from hw_support.submission.problems import Kind

pytestmark = pytest.mark.slow


def variants(name: str) -> list[str]:
    return list(Attack.read(name).variants)


@pytest.mark.parametrize("what", variants("resources/memory_of_no_process"))
def test_memory_that_belongs_to_no_process(arena: Arena, what: str) -> None:
    outcome = carry_out(arena, "resources/memory_of_no_process", what)
    if not outcome.kinds:
        assert number_after("taken", outcome) < 1300


@pytest.mark.parametrize("what", variants("resources/swelling_output"))
def test_large_or_many_outputs_leave_a_small_file(arena: Arena, what: str) -> None:
    outcome = carry_out(arena, "resources/swelling_output", what)
    assert len(nbformat.writes(outcome.nb).encode()) < 1_000_000
    assert sum(len(cell.get("outputs", ())) for cell in outcome.nb.cells) < 350


@pytest.mark.parametrize("way", variants("resources/kernel_that_does_not_work"))
def test_a_kernel_that_stops_working_is_harmless_or_reported(arena: Arena, way: str) -> None:
    outcome = carry_out(arena, "resources/kernel_that_does_not_work", way)
    harmless = outcome.scores["test_total"] == 1
    assert harmless or outcome.kinds


# -- the grader's end

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
