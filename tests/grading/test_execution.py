"""How submissions that misbehave are stopped, and what they score. Each test runs a kernel."""

import copy
import json
import time
import tracemalloc
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.utils import determine_grade
from toy_course import code

from hw_grading.homework.homework import CellLimits, Homework, Manifest
from hw_grading.homework.notes import add_problems, read_problems
from hw_grading.outcome import GraderFault
from hw_grading.run import kernel, submission
from hw_grading.run.kernel import Clock
from hw_grading.run.outputs import Outputs
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import Submission
from hw_grading.sandbox import fork_client
from hw_grading.sandbox.watch import Watch
from hw_support.submission.problems import Kind, Problem, Severity

slow = pytest.mark.slow


def check(name: str, source: str = "pass", points: float = 2) -> NotebookNode:
    """A test cell."""
    return code(source, name, grade=True, points=points, locked=True)


def limited(grade_id: str, **seconds: float) -> Homework:
    """A homework in which one cell has limits of its own."""
    return Homework("toys", Manifest(limits={grade_id: CellLimits(**seconds)}))


class Run:
    """The outcome of running cells (plain ones are given by their source)."""

    def __init__(self, *cells: str | NotebookNode, **options: Any) -> None:
        nb = new_notebook(cells=[new_code_cell(c) if isinstance(c, str) else c for c in cells])
        nb.metadata.update(options.pop("metadata", {}))
        add_problems(nb, options.pop("problems", []))
        seed, homework = options.pop("seed", 0), options.pop("homework", Homework(""))
        options = {"iopub_timeout": 10, "cpu_seconds_per_cell": 20} | options
        outcome = Submission(nb, seed, RunSettings(**options), homework).run()
        self.parts = [part for part in outcome.parts if part.cell]
        self.unscored = getattr(outcome, "unscored", ())
        self.nb = nb
        nbformat.validate(self.nb)
        nbformat.writes(self.nb).encode()
        self.problems: list[Problem] = read_problems(self.nb)
        graded = [c for c in self.nb.cells if c.metadata.get("nbgrader", {}).get("grade")]
        self.scores = {c.metadata.nbgrader.grade_id: determine_grade(c)[0] for c in graded}
        self.tests = {c.metadata.nbgrader.grade_id: c for c in graded}

    def printed(self, name: str) -> str:
        """What a test cell printed."""
        return "".join(o.get("text", "") for o in self.tests[name].outputs)

    def only_problem(self) -> Problem:
        [problem] = self.problems
        return problem


@slow
def test_more_points_than_a_test_has_are_no_points() -> None:
    run = Run(check("too_much", "2.5"), check("next"))
    assert run.scores == {"too_much": 0, "next": 2}
    assert "'2.5', expected a score from 0 to 2" in run.only_problem().message
    assert run.nb.cells[0].source.startswith("### Notes from the grader")


SECRET = "secret_of_the_test = 15"
HIDES = f"assert f(1) == 1\n### BEGIN HIDDEN TESTS\n{SECRET}\n{{}}\n### END HIDDEN TESTS"


@slow
@pytest.mark.parametrize(
    ("test", "shown"),
    [
        ("assert f(5) == secret_of_the_test, 'wrong for 5'", "AssertionError: wrong for 5"),
        ("f(0)", "return 1 / x * x"),  # the student's own line
        ("x_of_the_test = = 1", "SyntaxError"),
        ("import time; time.sleep(60)", "KeyboardInterrupt"),
    ],
)
def test_a_graded_test_and_its_traceback_have_no_hidden_line(test: str, shown: str) -> None:
    homework = limited("hides", wall_seconds=2.0)
    run = Run(
        "def f(x):\n    return 1 / x * x", check("hides", HIDES.format(test)), homework=homework
    )
    assert run.tests["hides"].source == "assert f(1) == 1"
    text = strip_ansi(nbformat.writes(run.nb).encode().decode("unicode_escape"))
    assert shown in text
    assert not [line for line in (SECRET, "HIDDEN", test) if line in text]
    assert run.scores["hides"] == 0


@slow
@pytest.mark.parametrize(
    "ends",
    [
        "os._exit(0)",
        "os.kill(os.getpid(), 9)",
        "time.sleep(60)",
        "[print('y' * 10**5) for _ in iter(int, 1)]",
    ],
)
def test_a_test_cell_that_did_not_run_to_its_end_scores_0(ends: str) -> None:
    options = {"homework": limited("ends", wall_seconds=3.0), "output_bytes_per_cell": 10_000}
    run = Run("def f(): return 1", check("ends", f"import os, time\n{ends}"), **options)
    assert run.scores == {"ends": 0}
    assert "did not finish" in run.tests["ends"].outputs[0].evalue
    assert run.problems[0].severity is Severity.FAILED


@slow
def test_without_checks_no_examiner_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "Examination", None)
    assert Run(check("beside", "assert 1 == 1")).scores == {"beside": 2}


EXAMINED = "from hw_support import Checks\nchecks = Checks('f')\n"


# Test cells with a fault of their own, and what is said of it.
FAULTY = {
    "no_python": ("x == 1\ndef", "line 2: it is not valid Python"),
    "no_module": ("pass\nimport no_such_module", "line 2: there is no module 'no_such_module'"),
    "hidden": ("pass\n### BEGIN HIDDEN TESTS\nfrom no_such.module import one\n"
    "### END HIDDEN TESTS", "line 3: there is no module 'no_such'"),
    "examined_no_python": (f"{EXAMINED}def", "'examined_no_python' is not plain Python: "),
    "examined_no_module": (f"{EXAMINED}import no_such_module", "'no_such_module' (line 3)"),
    "examined_handle": (f"{EXAMINED}assert f.__doc__", "plain data only"),
}  # fmt: skip


@slow
def test_a_fault_of_a_test_cell_leaves_only_its_score_unknown() -> None:
    run = Run(
        "def f(): pass\nx = 1",
        *(check(name, source) for name, (source, _) in FAULTY.items()),
        check("guarded", "try: import no_such_module\nexcept ImportError: pass\nassert x == 2"),
        check("students", "g = lambda: __import__('no_such_module')\ng()"),
        check("beside", "assert x == 1"),
        check("examined", f"{EXAMINED}assert x == 1"),
    )
    assert run.unscored == (*FAULTY,)
    said = {problem.cell: problem.message for problem in run.problems}
    for name, (_, why) in FAULTY.items():
        assert f"Cell '{name}' has no score, because of a fault of the homework: " in said[name]
        assert why in said[name]
        assert run.scores[name] == 0  # also if somebody computes it from the outputs
    others = {name: score for name, score in run.scores.items() if name not in FAULTY}
    assert others == {"guarded": 0, "students": 0, "beside": 2, "examined": 2}
    assert {part.cell for part in run.parts} == {*others}


@slow
def test_tests_that_lose_points_below_a_locked_fault_are_unknown() -> None:
    run = Run(
        check("above", "assert 0"),
        code("%matplotlib inline\nimport no_such_module as m\nright = 1", "setup", locked=True),
        "x = 1",
        check("needs_it", "assert x == right"),
        check("needs_it_not", "assert x == 1"),
        check("examined", f"{EXAMINED}assert x == right"),
        check("examined_too", f"{EXAMINED}assert x == 1"),
    )
    assert run.unscored == ("needs_it", "examined")
    others = [run.scores[name] for name in ("above", "needs_it_not", "examined_too")]
    assert others == [0, 2, 2]
    assert "cell 'setup', line 2: there is no module 'no_such_module'" in run.problems[0].message
    assert "locked cell 'setup': No module named 'no_such_module'" in run.problems[1].message


@slow
def test_a_locked_cell_that_an_answer_breaks_costs_its_points() -> None:
    result = code("result = f(1)", "calls", locked=True)
    run = Run(
        code("def f(x): return 1 / 0", "f", solution=True),
        result,
        check("one", "assert result == 1"),
        check("two", f"{EXAMINED}assert result == 1"),
    )
    assert (run.unscored, run.scores) == ((), {"one": 0, "two": 0})


FILES = {"data.csv": b"1,2", "toytools.py": b"def right(): return 3", "deep/er.txt": b"er"}


@slow
@pytest.mark.parametrize("sandbox", ["bubblewrap", "none"])
@pytest.mark.parametrize("fork_kernels", [True, False])
def test_each_submission_has_its_own_copy_of_the_homeworks_files(
    sandbox: str, fork_kernels: bool
) -> None:
    homework = Homework("toys", files=FILES)
    read = "assert open('data.csv').read() == '1,2'\nassert open('deep/er.txt').read() == 'er'\n"
    cells = [
        code("import toytools\nrow = open('data.csv').read()", "setup", locked=True),
        "x = toytools.right()",
        check("reads", f"{read}assert x == toytools.right()"),
        check("examined", f"{EXAMINED}{read}assert x == toytools.right() and row == '1,2'"),
        check("writes", "n = open('data.csv', 'w').write('9'); m = open('new', 'w')"),
        check("examined_writes", f"{EXAMINED}n = open('data.csv', 'w').write('9')"),
        check("lists", "import glob\nassert len(glob.glob('*')) == 4, glob.glob('*')"),
    ]
    for _ in range(2):
        run = Run(*cells, homework=homework, sandbox=sandbox, fork_kernels=fork_kernels)
        assert run.scores == dict.fromkeys(run.scores, 2), run.parts


@slow
@pytest.mark.parametrize("sandbox", ["bubblewrap", "none"])
def test_tests_see_the_notebooks_names_and_what_answers_print(sandbox: str) -> None:
    run = Run(
        "import numpy as np\nx = 1\ndef f(a):\n    print('noise')\n    return a + x",
        check("value", "assert x == 1\nprint('x is 1')"),
        check("call", "assert f(2) == 3"),
        check("binds", "x = 5"),
        "y = x",
        check("bound", "assert y == 5"),
        check("missing", "z"),
        sandbox=sandbox,
    )
    assert run.scores == {"value": 2, "call": 2, "binds": 2, "bound": 2, "missing": 0}
    assert run.printed("value") == "x is 1\n"
    assert run.printed("call") == "noise\n"


@slow
def test_students_cannot_replace_names_of_locked_cells() -> None:
    run = Run(
        code("import math\nright = 4", "setup", locked=True),
        code("answer = 3", "answer", solution=True),
        "right = 3\nlen = None",
        check("compares", f"{EXAMINED}assert answer == right"),
        check("builtins", f"{EXAMINED}assert len([1]) == 1"),
        code("right = answer", "later", locked=True),
        check("again", f"{EXAMINED}assert answer == right"),
    )
    assert run.scores == {"compares": 0, "builtins": 2, "again": 2}


@slow
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "import os; os._exit(0)",
            "the kernel died while running the cell that begins with 'import os",
        ),
        ("import os; os.kill(os.getpid(), 9)", "the kernel died while running"),
        ("exit()\nimport time; time.sleep(0.5)", "ended the kernel by exit() or quit()"),
        ("exit()", "the cell that begins with 'exit()' ended the kernel by exit() or quit()"),
    ],
)
def test_after_the_kernel_died_only_later_tests_score_0(source: str, reason: str) -> None:
    run = Run("x = 1", check("before"), source, check("after"), check("last"))
    assert run.scores == {"before": 2, "after": 0, "last": 0}
    assert reason in run.problems[-1].message
    assert run.problems[-1].severity is Severity.FAILED
    assert "did not finish" in run.tests["last"].outputs[0].evalue


UNTOLD_ERROR = """
shell = get_ipython()
def showtraceback(*_, **__): shell._last_traceback = ["x" * 900_000]
shell.showtraceback = showtraceback
1 / 0
"""


@slow
def test_errors_that_only_replies_tell_take_room() -> None:
    run = Run(*[UNTOLD_ERROR] * 4, output_bytes_per_submission=1_000_000)
    assert size_in_a_file([o for cell in run.nb.cells[1:] for o in cell.outputs]) < 1_100_000


LOOP = code("while True: pass", "loop", solution=True)
SLEEP = code("import time; time.sleep(60)", "sleep", solution=True)


@slow
@pytest.mark.parametrize(
    ("cell", "options", "reason"),
    [
        (LOOP, {"homework": limited("loop", cpu_seconds=1.0)}, "within 1 s of CPU time"),
        (
            SLEEP,
            {"homework": limited("sleep", wall_seconds=1.0)},
            "within 1 s: the grader interrupted it",
        ),
    ],
)
def test_an_endless_cell_is_interrupted_and_the_next_one_is_run(
    cell: NotebookNode, options: dict[str, Any], reason: str
) -> None:
    run = Run("x = 1", cell, check("next", "assert x == 1"), **options)
    assert run.scores == {"next": 2}
    problem = run.only_problem()
    assert (problem.kind, problem.cell) == (Kind.TIME_LIMIT, cell.metadata.nbgrader.grade_id)
    assert reason in problem.message


@slow
def test_a_cell_that_cannot_be_interrupted_costs_its_limit_once() -> None:
    stubborn = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    tests = [check(f"t{i}") for i in range(20)]
    run = Run(stubborn, *tests, cpu_seconds_per_cell=1)
    assert set(run.scores.values()) == {0}
    assert "within 1 s of CPU time, and could not be interrupted" in run.only_problem().message


@slow
@pytest.mark.parametrize(
    ("source", "options", "reason"),
    [
        (
            "import time; time.sleep(60)",
            {"wall_seconds_per_submission": 1.5},
            "the 1.5 s for the whole submission",
        ),
        (
            "while True: pass",
            {"cpu_seconds_per_submission": 3},
            "the 3 s of CPU time for the whole submission",
        ),
    ],
)
def test_the_submission_as_a_whole_has_a_limit(
    source: str, options: dict[str, Any], reason: str, monkeypatch: Any
) -> None:
    begin, began = Clock.begin, [0.0]

    def begin_cell(self: Clock, cell: NotebookNode, *times: float) -> None:
        if cell.source == source and not began[-1]:
            began.append(time.monotonic())
        begin(self, cell, *times)

    # The clock stands still until that cell begins, however long that takes.
    monkeypatch.setattr(Clock, "begin", begin_cell)
    monkeypatch.setattr(kernel, "monotonic", lambda: began[-1] and time.monotonic() - began[-1])
    run = Run(check("before"), source, check("after"), **options)
    assert run.scores == {"before": 2, "after": 0}
    assert all(reason in p.message for p in run.problems)


@slow
def test_an_endless_function_is_not_called_again_in_its_test() -> None:
    test = (
        "from hw_support import Checks\nchecks = Checks('f')\n"
        "@checks.part('loops', points=1)\ndef _():\n    f(True)\n"
        "@checks.part('returns', points=1)\ndef _():\n    f(False)\n"
        "@checks.part('another', points=1)\ndef _():\n    g()\nchecks.score()"
    )
    again = test.replace("f(True)", "f(False)")
    answers = "def f(loop):\n    while loop: pass\ndef g(): pass"
    run = Run(answers, check("f", test, 3), check("again", again, 3))
    assert run.scores == {"f": 1, "again": 1}  # `f` raises at once in later cells
    printed = " ".join(run.printed("f").split())
    assert "did not return within 5 s" in printed
    assert "`f` is not called again: it did not return within the time limit" in printed


TRY_F = """
from hw_support import Checks
checks = Checks('f')
@checks.part('it', points=2)
def _():
    f(3)
checks.score()
"""


@slow
@pytest.mark.parametrize("first", [check("f", TRY_F), code("%time f(3)", "first", solution=True)])
def test_a_function_that_a_limit_has_ended_raises_from_then_on(first: NotebookNode) -> None:
    answers = "def f(x):\n    while x: pass\n    return x\ndef g(): f(3)\ndef h(): return 3"
    run = Run(
        *(answers, first, "f(0)", "g()", check("g", TRY_F.replace("f(3)", "g()"))),
        *(check("h", "assert h() == 3"), "def f(x): return x", check("anew", "assert f(3) == 3")),
        cpu_seconds_per_cell=6,
    )
    assert {name: run.scores[name] for name in ("g", "h", "anew")} == {"g": 0, "h": 2, "anew": 2}
    for cell in run.nb.cells[-6:-4]:
        said = "`f` is not called again: it did not return within a time limit before"
        assert said in cell.outputs[0].evalue
    assert "`f` is not called again" in " ".join(run.printed("g").split())
    # Only the first cell was interrupted, unless the first was a test: a part ends before its cell.
    assert len(run.problems) == (first.metadata.nbgrader.grade_id == "first")


@slow
def test_long_output_is_cut_and_costs_nothing() -> None:
    run = Run(
        "print('y' * 500_000)\nprint('z' * 500_000)\nx = 1",
        check("next", "assert x == 1"),
        output_bytes_per_cell=100_000,
    )
    assert run.scores == {"next": 2}
    assert {(p.kind, p.severity) for p in run.problems} == {(Kind.OUTPUT_LIMIT, Severity.MENDED)}
    assert len(nbformat.writes(run.nb)) < 50_000
    assert "output beyond 100,000 bytes was dropped" in run.nb.cells[1].outputs[0].text


@slow
def test_a_plot_redrawn_many_times_is_not_much_output() -> None:
    redrawn = (
        "from IPython.display import clear_output, display, HTML\n"
        "for i in range(100):\n    clear_output(wait=True); display(HTML('x' * 50_000))\n"
        "shown = display(HTML(''), display_id=True)\n"
        "for i in range(100): shown.update(HTML('y' * 50_000))"
    )
    run = Run(redrawn, check("next"), output_bytes_per_cell=200_000)
    assert run.problems == []
    assert run.scores == {"next": 2}


@slow
@pytest.mark.parametrize("size", [1_000, 100_000])
def test_endless_output_is_stopped_in_bounded_memory(size: int) -> None:
    flood = f"import sys\nwhile True:\n    print('y' * {size}); sys.stdout.flush()"
    before = _memory()
    run = Run(
        flood,
        check("after"),
        cpu_seconds_per_cell=3,
        iopub_timeout=5,
        output_bytes_per_cell=100_000,
    )
    assert _memory() - before < 400_000_000
    assert any(p.severity is Severity.FAILED for p in run.problems)
    assert len(nbformat.writes(run.nb)) < 200_000


def _memory() -> int:
    """Return the peak memory of this process in bytes."""
    status = Path("/proc/self/status").read_text()
    return 1000 * int(status.split("VmHWM:")[1].split()[0])


@slow
def test_a_file_beside_the_notebook_hides_no_module() -> None:
    run = Run(
        "for name in ('colorsys', 'my_helper'):\n"
        "    open(f'{name}.py', 'w').write('answer = 42')\n"
        "import colorsys, my_helper, os\nhere = hasattr(colorsys, 'answer')",
        check("standard", "assert here is False"),
        "own = my_helper.answer",
        check("own", "assert own == 42"),
        "threads = os.environ['OPENBLAS_NUM_THREADS']",
        check("threads", "assert threads == '3'"),
        blas_threads=3,
    )
    assert run.scores == {"standard": 2, "own": 2, "threads": 2}


@slow
@pytest.mark.parametrize("sandbox", ["bubblewrap", "none"])
def test_data_that_one_submission_stores_is_hidden_from_the_next(sandbox: str) -> None:
    first = Run("answer = 42", "%store answer", check("first"), sandbox=sandbox)
    assert "Stored 'answer'" in first.nb.cells[1].outputs[0].text
    run = Run(
        "%store -r\nfound = 'answer' in globals()",
        check("second", "assert found is False"),
        sandbox=sandbox,
    )
    assert run.scores == {"second": 2}


@slow
def test_hidden_inputs_are_drawn_from_the_seed_which_is_kept() -> None:
    drawing = "from hw_support import fresh; fresh.generator('x').random()"
    test = check("draw", f"{EXAMINED}{drawing}")
    seeds = (2**128 - 1, 2**128 - 1, 2**128 - 2)
    runs = [Run(test, seed=seed) for seed in seeds]
    assert runs[0].scores == runs[1].scores != runs[2].scores
    assert [run.nb.metadata["hw_grading"]["seed"] for run in runs] == [str(s) for s in seeds]


@slow
@pytest.mark.parametrize("sandbox", ["bubblewrap", "none"])
def test_no_process_and_no_file_is_left(sandbox: str, request: pytest.FixtureRequest) -> None:
    # In a sandbox, the folders of the fork server outlive the run.
    place = request.getfixturevalue("place") if sandbox == "none" else None
    leave = (
        "import subprocess, sys, shutil, os\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open('left.txt', 'w').close()"
    )
    before = {p.pid for p in psutil.process_iter()}
    Run(leave, check("next"), sandbox=sandbox)
    deadline = time.monotonic() + 60
    while (left := _sleepers(before)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []
    assert place is None or list(place.iterdir()) == []


def _sleepers(before: set[int]) -> list[list[str]]:
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        line = process.info["cmdline"] or []
        if process.pid not in before and "import time; time.sleep(600)" in line:
            found.append(line)
    return found


@slow
def test_the_graders_kernel_runs_whatever_the_notebook_names() -> None:
    named = {"kernelspec": {"name": "none-such", "display_name": "None", "language": "julia"}}
    assert Run(check("test"), metadata=named).scores == {"test": 2}


@slow
def test_a_kernel_that_never_starts_is_the_graders_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fork_client, "_MODULE", ["-m", "nothing"])
    with pytest.raises(GraderFault, match="no kernel can be started"):
        Run(check("test"), startup_timeout=3, fork_kernels=False)


@slow
def test_an_examiner_that_dies_is_the_graders_fault() -> None:
    with pytest.raises(GraderFault, match="the examiner has ended"):
        Run(check("test", f"{EXAMINED}import os; os._exit(1)"))
    assert Run(check("next")).scores == {"next": 2}


@slow
def test_a_watchdog_that_fails_is_the_graders_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(self: Watch) -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr(Watch, "_check", blind)
    with pytest.raises(GraderFault, match="could not watch"):
        Run("import time; time.sleep(150)", check("test"))


def clock_with(monkeypatch: pytest.MonkeyPatch, **settings: float) -> tuple[Clock, list[float]]:
    """Return a clock of a cell that has begun: and the time, the seconds computed and waited."""
    times = [1000.0, 5.0, 7.0]
    monkeypatch.setattr(kernel, "monotonic", lambda: times[0])
    clock = Clock(RunSettings(**settings), Manifest(), lambda: (times[1], times[2]))
    clock.begin(new_code_cell())
    return clock, times


@pytest.mark.parametrize(
    ("passed", "waited", "computed", "reached"),
    [
        (179, 0, 60, ""),
        (180, 0, 0, "within 180 s"),
        (180, 100, 0, ""),
        (300, 110, 0, "within 180 s"),
        (300, 200, 0, ""),
        (719, 700, 0, ""),
        (721, 720, 0, "within 180 s"),  # too long, even if it waited
        (100, 0, 61, "within 60 s of CPU time"),
    ],
)
def test_time_that_a_cell_waited_for_a_processor_does_not_count(
    passed: float, waited: float, computed: float, reached: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {"wall_seconds_per_cell": 180.0, "cpu_seconds_per_cell": 60.0}
    clock, times = clock_with(monkeypatch, **limits)
    times[:] = 1000 + passed, 5 + computed, 7 + waited
    assert clock.limit_reached() == reached


def test_an_interrupted_cell_gets_some_seconds_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, times = clock_with(monkeypatch, wall_seconds_per_cell=180, cpu_seconds_per_cell=60)
    times[:] = 1061, 66, 7
    clock.begin_end(10)
    times[:] = 1076, 127, 13
    assert clock.limit_reached() == ""
    times[0] += 1
    assert clock.limit_reached() == "within 10 s"


@pytest.mark.parametrize(
    ("passed", "waited", "is_over"),
    [(999, 0, False), (1000, 0, True), (2500, 1501, False), (2500, 1500, True), (4000, 3999, True)],
)
def test_time_that_a_submission_waited_does_not_count_either(
    passed: float, waited: float, is_over: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, times = clock_with(monkeypatch, wall_seconds_per_submission=1000)
    times[:] = 1000 + passed, 5, waited
    clock.begin(new_code_cell())
    assert clock.is_over() is is_over
    reached = "within the 1000 s for the whole submission" if is_over else ""
    assert clock.limit_reached() == reached
    clock.begin_end(10)
    assert clock.limit_reached() == ""


DISPLAYED = {"transient": {"display_id": "d"}, "metadata": {}}
STREAM, DISPLAY, UPDATE = "stream", "display_data", "update_display_data"


def text(size: int) -> dict[str, Any]:
    return {"name": "stdout", "text": "y" * size}


def shown(size: int) -> dict[str, Any]:
    return {**DISPLAYED, "data": {"text/plain": "x" * size}}


def sent(limit: int, *messages: tuple[str, dict[str, Any]]) -> Outputs:
    outputs = Outputs(limit)
    for kind, content in messages:
        outputs.take(kind, copy.deepcopy(content))
    return outputs


def size_in_a_file(outputs: list[NotebookNode]) -> int:
    nb = new_notebook(cells=[new_code_cell(outputs=outputs)])
    nbformat.validate(nb)
    return len(nbformat.writes(nb).encode())


DEEP, TOO_DEEP = (json.loads("[" * n + "1" + ", 1" * 99 + "]" * n) for n in (100, 300))


@pytest.mark.parametrize(
    "data",
    [
        {"text/plain": "\x01" * 5_000},
        {"text/plain": "\u2028" * 5_000},
        {"text/plain": "é😀" * 5_000},
        {"text/plain": '"\\' * 5_000},
        {"application/json": DEEP},
        {"application/json": [12345678901234567890] * 1_000},
        {},
    ],
    ids=lambda data: repr(data)[:50],
)
def test_kept_outputs_fill_their_room_in_the_file(data: dict[str, Any]) -> None:
    outputs = sent(300_000, *[(DISPLAY, {"metadata": {}, "data": data})] * 1_500)
    assert outputs.dropped
    assert 20_000 < size_in_a_file(outputs.all()) <= 300_000


@pytest.mark.parametrize(
    ("messages", "dropped"),
    [
        ([("clear_output", {}), (DISPLAY, shown(50_000))] * 100, False),
        ([("clear_output", {"wait": True}), (DISPLAY, shown(50_000))] * 100, False),
        ([(DISPLAY, shown(1)), *[(UPDATE, shown(50_000)), (UPDATE, shown(1))] * 300], False),
        ([(DISPLAY, shown(50_000))] * 2, True),
        ([(DISPLAY, shown(1))] * 3 + [(UPDATE, shown(40_000))], False),
        ([(UPDATE, shown(200_000))], False),  # of a display in another cell
        ([("clear_output", {"wait": True})] * 2 + [(STREAM, text(90_000))] * 2, True),
        ([(STREAM, text(0))] * 1_000, True),
        ([("comm_msg", {"data": "x" * 200_000}), ("status", {})], False),
    ],
)
def test_only_output_that_replaces_none_takes_room(
    messages: list[tuple[str, dict[str, Any]]], dropped: bool
) -> None:
    outputs = sent(100_000, *messages)
    assert bool(outputs.dropped) is dropped
    assert size_in_a_file(outputs.all()) < 101_000


def test_an_update_replaces_the_first_display_with_its_id() -> None:
    outputs = sent(10_000, (DISPLAY, shown(1)), (DISPLAY, shown(2)), (UPDATE, shown(3)))
    assert [len(output.data["text/plain"]) for output in outputs.all()] == [3, 2]


def test_a_large_output_is_dropped_with_little_memory() -> None:
    outputs = Outputs(2_000_000)
    data = {"application/json": [*range(10**6)]}
    tracemalloc.start()
    outputs.take("display_data", {"data": data, "metadata": {}})
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 30_000_000
    assert outputs.dropped < 10_000_000
    [note] = outputs.all()
    assert "was dropped" in note.text


def test_what_decides_a_score_is_kept_beyond_the_limit() -> None:
    error = {"ename": "E", "evalue": "e" * 10**6, "traceback": ["t" * 10**6] * 5}
    data = {"text/plain": "1.5", "text/html": "h" * 10**6}
    result = {"data": data, "metadata": {}, "execution_count": 1}
    loud = {"name": "stderr", "text": "w" * 10**6}
    some = [("error", error), ("execute_result", result), (STREAM, loud), (DISPLAY, shown(10**6))]
    outputs = sent(10_000, *some * 3)
    *kept, note = outputs.all()
    assert "output beyond 10,000 bytes was dropped" in note.text
    assert [o.output_type for o in kept] == ["error", "execute_result", "stream"]
    assert (len(kept[0].evalue), len(kept[0].traceback)) == (500, 1)
    assert kept[1].data == {"text/plain": "1.5"}


@pytest.mark.parametrize(
    "odd",
    [
        ("error", {"ename": 1, "evalue": "", "traceback": []}),
        (STREAM, {"text": ["a", 1]}),
        (DISPLAY, {"data": "text", "metadata": {}}),
        ("execute_result", {"data": {"text/plain": "1"}}),
        (DISPLAY, {"data": {"application/json": TOO_DEEP}, "metadata": {}}),
    ],
)
def test_an_output_that_no_notebook_can_contain_is_ignored(odd: Any) -> None:
    assert sent(1_000, odd).all() == []


@slow
def test_outputs_arrive_whoever_prints_them() -> None:
    in_a_thread = """
from threading import Thread
thread = Thread(target=print, args=("in a thread",))
thread.start()
thread.join()
"""
    below_python = """
import os
from subprocess import run
os.write(1, b"below ")
done = run(["echo", "Python"])
"""
    cells = ["print('one', end='')", "pass", in_a_thread, below_python, "1 / 0"]
    ran = Run(*cells).nb.cells
    said = ["".join(o.get("text", "") for o in cell.outputs) for cell in ran]
    assert said[:4] == ["one", "", "in a thread\n", "below Python\n"]
    assert [cell.execution_count for cell in ran] == [1, 2, 3, 4, 5]


def test_text_printed_piece_by_piece_is_one_output() -> None:
    names = ["stdout", "stdout", "", "stderr", "stderr", "stdout"]
    messages = [(STREAM, {"name": n, "text": "ab"}) if n else (DISPLAY, shown(1)) for n in names]
    said = [(o.get("name"), o.get("text")) for o in sent(10_000, *messages).all()]
    assert said == [("stdout", "abab"), (None, None), ("stderr", "abab"), ("stdout", "ab")]
