"""What submissions do to their kernel, and what they score for it. Each test runs a kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import NoSuchKernel
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.utils import determine_grade
from toy_course import code

from hw_grading.execution import ExecuteSubmission, seed_of
from hw_grading.kernels import GraderFault
from hw_grading.outputs import Flow, OutputBudget
from hw_grading.problems import Kind, Problem, Severity, add_problems, read_problems

slow = pytest.mark.slow


def check(name: str, source: str = "pass", points: float = 2) -> NotebookNode:
    """A test cell."""
    return code(source, name, grade=True, points=points, locked=True)


class Run:
    """The outcome of running cells (plain ones are given by their source) in a folder."""

    def __init__(self, folder: Path, *cells: str | NotebookNode, **options: Any) -> None:
        nb = new_notebook(cells=[new_code_cell(c) if isinstance(c, str) else c for c in cells])
        add_problems(nb, options.pop("problems", []))
        options = {"iopub_timeout": 1, "seconds_per_cell": 20, "kernel_name": "python3"} | options
        resources = {"metadata": {"path": str(folder)}, "nbgrader": {"student": "s"}}
        began = time.monotonic()
        self.nb, _ = ExecuteSubmission(**options).preprocess(nb, resources)
        self.seconds = time.monotonic() - began
        nbformat.validate(self.nb)
        nbformat.writes(self.nb).encode()
        self.problems: list[Problem] = read_problems(self.nb)
        graded = [c for c in self.nb.cells if "nbgrader" in c.metadata]
        self.scores = {c.metadata.nbgrader.grade_id: determine_grade(c)[0] for c in graded}
        self.tests = {c.metadata.nbgrader.grade_id: c for c in graded}

    def printed(self, name: str) -> str:
        """What a test cell printed."""
        return "".join(o.get("text", "") for o in self.tests[name].outputs)

    def only_problem(self) -> Problem:
        [problem] = self.problems
        return problem


@slow
def test_outputs_are_scored_as_they_are_meant(tmp_path: Path) -> None:
    show = "from IPython.display import publish_display_data as show\n"
    silent = "class Silent:\n    def _repr_mimebundle_(self, **k): return {'text/html': 'x'}\n"
    run = Run(
        tmp_path,
        check("passes"),
        check("fails", "assert 1 == 2"),
        check("warns", "import warnings; warnings.warn('harmless')"),
        check("partial", "1.5"),
        check("text", "'a text'"),
        check("too_much", "2.5"),
        check("nan", "float('nan')"),
        check("negative", "-1"),
        check("asks", "input()"),
        check("invalid", show + "show({'text/plain': 5})"),
        check("surrogate", "print('\\udc80 \\N{GRINNING FACE}')"),
        check("syntax", "def"),
        check("exits", "import sys; sys.exit()"),
        check("empty", "  "),
        check("no_text", silent + "get_ipython().display_formatter.formatters.clear()\nSilent()"),
    )
    assert run.scores == {
        "passes": 2,
        "fails": 0,
        "warns": 2,
        "partial": 1.5,
        "text": 2,
        "too_much": 0,
        "nan": 0,
        "negative": 0,
        "asks": 0,
        "invalid": 0,
        "surrogate": 2,
        "syntax": 0,
        "exits": 0,
        "empty": 2,
        "no_text": 0,
    }
    assert [p.kind for p in run.problems] == [Kind.SCORE] * 4
    assert "'2.5', expected a score from 0 to 2" in run.problems[0].message
    assert "harmless" in run.printed("warns")
    assert run.nb.cells[0].source.startswith("### Notes from the grader")


@slow
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import os; os._exit(0)", "the kernel died while running the cell that begins 'import os"),
        ("import os; os.kill(os.getpid(), 9)", "the kernel died while running"),
        ("exit()\nimport time; time.sleep(0.5)", "ended the kernel by exit() or quit()"),
    ],
)
def test_after_the_kernel_died_tests_score_0_and_earlier_ones_keep_their_points(
    source: str, reason: str, tmp_path: Path
) -> None:
    run = Run(tmp_path, "x = 1", check("before"), source, check("after"), check("last"))
    assert run.scores == {"before": 2, "after": 0, "last": 0}
    assert reason in run.problems[-1].message
    assert run.problems[-1].severity is Severity.FAILED
    assert "not run to its end" in run.tests["last"].outputs[0].evalue


@slow
def test_an_endless_loop_is_interrupted_and_the_next_cell_is_run(tmp_path: Path) -> None:
    run = Run(
        tmp_path,
        "x = 1",
        check("loop", "while True: pass"),
        check("next", "assert x == 1"),
        seconds_for_cell={"loop": 1},
    )
    assert run.scores == {"loop": 0, "next": 2}
    problem = run.only_problem()
    assert (problem.kind, problem.cell) == (Kind.TIME_LIMIT, "loop")
    assert "Cell 'loop' did not end within 1 s" in problem.message
    assert run.tests["loop"].outputs[-1].evalue == "not ended within 1 s"


@slow
def test_a_cell_that_cannot_be_interrupted_costs_its_limit_once(tmp_path: Path) -> None:
    stubborn = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    tests = [check(f"t{i}") for i in range(20)]
    run = Run(tmp_path, stubborn, *tests, seconds_per_cell=1)
    assert set(run.scores.values()) == {0}
    assert run.seconds < 10
    assert "could not be interrupted after its 1 s" in run.only_problem().message


@slow
def test_the_submission_as_a_whole_has_a_limit(tmp_path: Path) -> None:
    sleep = "import time; time.sleep(60)"
    run = Run(tmp_path, check("before"), sleep, check("after"), seconds_per_submission=1.5)
    assert run.scores == {"before": 2, "after": 0}
    assert run.seconds < 10
    assert all("the 1.5 s for the whole submission" in p.message for p in run.problems)


@slow
def test_much_output_is_cut_and_costs_nothing(tmp_path: Path) -> None:
    run = Run(
        tmp_path,
        check("prints", "print('y' * 500_000)\nprint('z' * 500_000)\nx = 1"),
        check("fails", "print('y' * 500_000)\nassert False"),
        check("result", "print('y' * 500_000)\n0.5"),
        check("next", "assert x == 1"),
        max_output_bytes_per_cell=100_000,
    )
    assert run.scores == {"prints": 2, "fails": 0, "result": 0.5, "next": 2}
    assert {(p.kind, p.severity) for p in run.problems} == {(Kind.OUTPUT_LIMIT, Severity.MENDED)}
    assert len(nbformat.writes(run.nb)) < 50_000
    assert "output beyond 100,000 bytes was dropped" in run.printed("prints")


@slow
def test_a_plot_redrawn_many_times_is_not_much_output(tmp_path: Path) -> None:
    redrawn = (
        "from IPython.display import clear_output, display, HTML\n"
        "for i in range(100):\n    clear_output(wait=True); display(HTML('x' * 50_000))\n"
        "shown = display(HTML(''), display_id=True)\n"
        "for i in range(100): shown.update(HTML('y' * 50_000))"
    )
    run = Run(tmp_path, check("redrawn", redrawn), max_output_bytes_per_cell=200_000)
    assert run.problems == []
    assert run.scores == {"redrawn": 2}


@slow
@pytest.mark.parametrize("size", [1_000, 100_000])
def test_endless_output_is_stopped_in_bounded_memory(size: int, tmp_path: Path) -> None:
    flood = f"import sys\nwhile True:\n    print('y' * {size}); sys.stdout.flush()"
    before = _memory()
    run = Run(
        tmp_path,
        flood,
        check("after"),
        seconds_per_cell=3,
        iopub_timeout=5,
        max_output_bytes_per_cell=100_000,
    )
    assert _memory() - before < 400_000_000
    assert any(p.severity is Severity.FAILED for p in run.problems)
    assert len(nbformat.writes(run.nb)) < 200_000


def _memory() -> int:
    """Bytes of memory that this process holds, at its largest."""
    status = Path("/proc/self/status").read_text()
    return 1000 * int(status.split("VmHWM:")[1].split()[0])


@slow
def test_files_beside_the_notebook_hide_no_module_but_can_be_imported(tmp_path: Path) -> None:
    for name in ("random", "numpy", "nbgrader", "pathlib", "json", "ipykernel_launcher", "zmq"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('the wrong one')")
    (tmp_path / "my_helper.py").write_text("answer = 42")
    run = Run(
        tmp_path,
        check("standard", "import random, json, zmq; random.random()\n2.0"),
        check("own", "import my_helper; assert my_helper.answer == 42"),
        check("child", "import os; assert 'PYTHONSAFEPATH' not in os.environ"),
        check("threads", "assert os.environ['OPENBLAS_NUM_THREADS'] == '3'"),
        blas_threads=3,
    )
    assert run.scores == {"standard": 2, "own": 2, "child": 2, "threads": 2}


@slow
def test_what_one_submission_stores_the_next_does_not_find(tmp_path: Path) -> None:
    Run(tmp_path, "answer = 42", "%store answer", check("first", "assert answer == 42"))
    run = Run(tmp_path, "%store -r", check("second", "assert 'answer' not in globals()"))
    assert run.scores == {"second": 2}


@slow
def test_each_submission_has_a_seed_of_its_own_the_same_in_every_run(tmp_path: Path) -> None:
    test = check("seed", "import os; float(os.environ['HW_GRADING_SEED']) / 2**32")
    scores = [Run(tmp_path, test, seed=seed).scores["seed"] for seed in (1, 1, 2)]
    assert scores[0] == scores[1] != scores[2]
    assert seed_of(1, "ada") != seed_of(1, "bob")


@slow
def test_nothing_is_left_running_and_the_folder_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "cwd"
    folder.mkdir()
    leave = (
        "import subprocess, sys, shutil, os\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid)\nshutil.rmtree(os.getcwd())"
    )
    run = Run(folder, check("leaves", leave))
    child = int(run.printed("leaves").split()[0])
    deadline = time.monotonic() + 5
    while _is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_running(child)
    assert folder.is_dir()


def _is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return state.stdout.strip()[:1] not in ("", "Z")


def test_a_submission_that_could_not_be_read_starts_no_kernel(tmp_path: Path) -> None:
    unreadable = Problem(Kind.FILE, Severity.FAILED, "Empty.")
    run = Run(tmp_path, check("test"), problems=[unreadable], kernel_name="none-such")
    assert run.scores == {"test": 0}
    assert run.only_problem() == unreadable


def test_a_missing_kernel_is_the_graders_fault(tmp_path: Path) -> None:
    with pytest.raises(NoSuchKernel):
        Run(tmp_path, check("test"), kernel_name="none-such")


@slow
def test_a_kernel_that_never_starts_is_the_graders_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tmp_path / "kernels" / "broken" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [sys.executable, "-c", "raise SystemExit(1)"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "Broken", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    with pytest.raises(GraderFault):
        Run(tmp_path, check("test"), kernel_name="broken", startup_timeout=3)


@slow
def test_a_kernel_that_starts_everywhere_but_here_is_the_submissions_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tmp_path / "kernels" / "picky" / "kernel.json"
    spec.parent.mkdir(parents=True)
    script = "[ -e poison ] && exit 1; exec " + sys.executable
    argv = ["sh", "-c", f"{script} -m ipykernel_launcher -f '{{connection_file}}'"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "Picky", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", os.pathsep.join([str(tmp_path)]))
    (tmp_path / "poison").touch()
    run = Run(tmp_path, check("test"), kernel_name="picky", startup_timeout=5)
    assert run.scores == {"test": 0}
    assert "no kernel starts in the submission's folder" in run.only_problem().message


def message(kind: str, **content: Any) -> dict[str, Any]:
    return {"msg_type": kind, "content": content}


def test_a_flood_goes_through_all_stages() -> None:
    budget = OutputBudget(limit=10_000)
    flows = [budget.take(message("stream", text="y" * 4_000), {}) for _ in range(2_000)]
    assert list(dict.fromkeys(flows)) == [
        Flow.FINE,
        Flow.FULL,
        Flow.DROPPED,
        Flow.FLOOD,
        Flow.TORRENT,
    ]
    assert budget.take(message("status", execution_state="idle"), {}) is Flow.FINE


def test_errors_and_results_beyond_the_limit_are_shortened() -> None:
    budget = OutputBudget(limit=1)
    error = message("error", evalue="e" * 10**6, traceback=["t" * 10**6] * 500)
    result = message("execute_result", data={"text/plain": "1.5", "text/html": "h" * 10**6})
    for msg in (error, result):
        assert budget.take(msg, {}) is not Flow.FINE
    assert len(error["content"]["evalue"]) == 20_000
    assert len(error["content"]["traceback"]) == 100
    assert result["content"]["data"] == {"text/plain": "1.5"}


def test_a_display_shown_in_many_places_counts_in_each() -> None:
    budget = OutputBudget(limit=100_000)
    places = {"d": {0: [0, 1, 2]}}
    update = message("update_display_data", data={"a": "x" * 30_000}, transient={"display_id": "d"})
    assert budget.take(update, places) is Flow.FINE
    assert budget.take(update, places) is Flow.FINE
    assert budget.stored > 90_000
