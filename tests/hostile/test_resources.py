"""Attacks by using too many resources, with checks that a header cannot state.

All others are in `attacks/resources/`. The limits of the arena are short, and those of many attacks
are shorter. An attack that no limit stops would run until the test's own time-out.
"""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from arena import NOTHING, POINTS, RIGHT, Arena, notebook
from attack_files import Attack
from carrying_out import carry_out, number_after, shown

from benchmarks.busy_machine import FORK
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


def test_text_of_a_thread_is_not_shown_in_tests(arena: Arena, memory: Any) -> None:
    outcome = carry_out(arena, "resources/thread_that_prints", memory=memory)
    for test in NOTHING:
        assert "from behind" not in shown(outcome, test)


# -- attacks that could make the grader hang


ELSEWHERE = """
import json, sys
sys.path.insert(0, {hostile!r})
from pathlib import Path
from arena import Arena, notebook
from attack_files import Attack
submission = Attack.read({name!r}).submission({variant!r})
outcome = Arena(Path({root!r})).grade(
    notebook(submission.pop("answers"), submission.pop("before"), submission.pop("after")),
    **submission,
)
print(json.dumps([outcome.scores, sorted(outcome.kinds), str(outcome.fault), outcome.printed]))
"""


def graded_elsewhere(root: Path, name: str, variant: str = "") -> tuple[dict[str, float], set[str]]:
    """Grade in a separate process, which is killed if it hangs; pytest could not stop its own.

    Returns
    -------
    scores, kinds
        Of the submission, whose answer to `total` is right.
    """
    hostile = str(Path(__file__).parent)
    script = ELSEWHERE.format(hostile=hostile, root=str(root), name=name, variant=variant)
    grader = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        printed, errors = grader.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        family = psutil.Process(grader.pid).children(recursive=True)
        for process in (*family, psutil.Process(grader.pid)):
            with contextlib.suppress(psutil.Error):
                process.kill()
        grader.wait()
        pytest.fail("the grader hung")
    assert printed, errors[-2000:]
    scores, kinds, fault, text = json.loads(printed)
    assert fault == "None"
    assert "begun" in text
    return scores, set(kinds)


def test_an_error_too_large_for_a_message(tmp_path: Path) -> None:
    """The kernel's reply does not arrive, and neither do later ones."""
    scores, kinds = graded_elsewhere(tmp_path, "resources/large_error")
    assert scores in (NOTHING, NOTHING | {"test_total": 1.0})
    assert kinds <= {Kind.KERNEL, Kind.TIME_LIMIT, Kind.OUTPUT_LIMIT}


@pytest.mark.parametrize("what", variants("resources/damaged_connections"))
def test_damage_to_the_connections_of_the_kernel(tmp_path: Path, what: str) -> None:
    scores, kinds = graded_elsewhere(tmp_path, "resources/damaged_connections", what)
    assert scores in (NOTHING, NOTHING | {"test_total": 1.0})
    assert kinds <= {Kind.KERNEL, Kind.TIME_LIMIT, Kind.PROTOCOL}


# -- the grader's end

KILLED = """
import sys
sys.path.insert(0, {hostile!r})
from pathlib import Path
from arena import Arena, notebook
Arena(Path({root!r})).grade(notebook({{}}, before={code!r}), cpu_seconds_per_cell=600.0,
                            wall_seconds_per_cell=600.0)
"""


def test_a_test_that_computes_without_end_with_what_it_was_given(
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


@contextlib.contextmanager
def grading_elsewhere(
    root: Path, code: str, begun: Callable[[list[psutil.Process]], bool]
) -> Iterator[tuple[subprocess.Popen[bytes], list[psutil.Process]]]:
    """Grade in a separate process, which is killed at the end with all its children.

    The block runs when the attack has begun. It gets the grader, and the grader's processes at that
    time.
    """
    script = KILLED.format(
        hostile=str(Path(__file__).parent), root=str(root / "elsewhere"), code=code
    )
    grader = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    family: list[psutil.Process] = []
    try:
        until = time.monotonic() + 120
        while not begun(family):
            assert time.monotonic() < until, "the attack did not begin"
            time.sleep(0.2)
            family = psutil.Process(grader.pid).children(recursive=True)
        yield grader, family
    finally:
        grader.kill()
        grader.wait()
        psutil.wait_procs(family, timeout=60)


AS_MANY_AS_MAY_BE = FORK + "while True:\n    pass\n"
COMPUTES = """
import time
def mean(x):
    end = time.process_time() + 1
    while time.process_time() < end:
        pass
    return np.asarray(x, dtype=float).mean(axis=0)
"""


def test_scores_are_the_same_beside_the_most_busy_processes_allowed(
    arena: Arena, tmp_path: Path
) -> None:
    """Under the limits of a class."""

    def are_there(family: list[psutil.Process]) -> bool:
        return sum("answering.fork_server" in _command(process) for process in family) > 30

    honest = [notebook(RIGHT | {"mean": COMPUTES}), notebook({"mean": COMPUTES})]
    limits = {"cpu_seconds_per_cell": 60.0, "wall_seconds_per_cell": 180.0}
    with grading_elsewhere(tmp_path, AS_MANY_AS_MAY_BE, are_there):
        graded = [arena.grade(nb, **limits) for nb in honest]
    assert [outcome.scores for outcome in graded] == [POINTS, NOTHING | {"test_mean": 3.0}]
    assert [outcome.problems for outcome in graded] == [[], []]


def test_a_killed_grader_leaves_nothing(tmp_path: Path) -> None:
    code = Attack.read("resources/grader_killed").cells["before"]
    with grading_elsewhere(tmp_path, code, _has_sleeper) as (grader, family):
        names = " ".join(word for p in family for word in _command(p))
        assert "hw_grading.examiner.process" in names
        assert "bwrap" in names
        assert len(family) >= 8
        grader.kill()
        # Only folders with sockets stay, in the folder for temporary files.
        _, left = psutil.wait_procs(family, timeout=60)
        names = [" ".join(_command(process))[:60] for process in left]
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
    assert names == []


def _has_sleeper(processes: list[psutil.Process]) -> bool:
    return any("98765" in _command(process) for process in processes)


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
