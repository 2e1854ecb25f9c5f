"""How submissions that misbehave are stopped, and what they score. Each test runs a kernel."""

import json
import time
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from toy_course import EXAMINED, check, code

from hw_grading.homework.homework import CellLimits, Homework, Manifest
from hw_grading.outcome import GraderFault
from hw_grading.run import kernel
from hw_grading.run.faults import settled
from hw_grading.run.kernel import Clock
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import SubmissionRun
from hw_grading.sandbox import kernel_process
from hw_support.submission.problems import Kind, Problem, Severity

slow = pytest.mark.slow
smoke = pytest.mark.smoke  # short ones of what decides points


def limited(grade_id: str, **seconds: float) -> Homework:
    """A homework in which one cell has limits of its own."""
    return Homework("toys", Manifest(limits={grade_id: CellLimits(**seconds)}))


class Run:
    """The outcome of running cells (plain ones are given by their source)."""

    def __init__(self, *cells: str | NotebookNode, **options: Any) -> None:
        nb = new_notebook(cells=[new_code_cell(c) if isinstance(c, str) else c for c in cells])
        nb.metadata.update(options.pop("metadata", {}))
        seed, homework = options.pop("seed", 0), options.pop("homework", Homework(""))
        options = {"iopub_timeout": 10, "cpu_seconds_per_cell": 20} | options
        submission = SubmissionRun(nb, seed, RunSettings(**options), homework)
        outcome = settled(submission.run(), ())
        self.kernel_died = submission.kernel_died
        self.parts = [part for part in outcome.parts if part.cell]
        self.unscored = outcome.unscored
        self.nb = nbformat.from_dict(json.loads(outcome.notebook))
        nbformat.validate(self.nb)
        nbformat.writes(self.nb).encode()
        self.problems, self.seed = list(outcome.problems), outcome.seed
        graded = [c for c in self.nb.cells if c.metadata.get("nbgrader", {}).get("grade")]
        self.scores = {score.cell: score.earned or 0.0 for score in outcome.scores}
        self.tests = {c.metadata.nbgrader.grade_id: c for c in graded}

    def printed(self, name: str) -> str:
        """What a test cell printed."""
        return "".join(o.get("text", "") for o in self.tests[name].outputs)

    def only_problem(self) -> Problem:
        [problem] = self.problems
        return problem


SECRET = "secret_of_the_test = 15"
HIDES = f"assert f(1) == 1\n### BEGIN HIDDEN TESTS\n{SECRET}\n{{}}\n### END HIDDEN TESTS"


@slow
@smoke
@pytest.mark.parametrize(
    ("test", "shown"),
    [
        ("assert f(5) == secret_of_the_test, 'wrong for 5'", "AssertionError: wrong for 5"),
        ("assert f(5) == secret_of_the_test", "AssertionError"),
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


SAID = {
    "assert f(2) == 5": "line 2: AssertionError: f(2) == 5, f(2) is 4",
    "assert [f(x) for x in (1, 2)] == [2, g]": "line 2: AssertionError: [f(x) for x in (1, 2)] == "
    "[2, g], [f(x) for x in (1, 2)] is [2, 4], [2, g] is [2, 3]",
    "assert isinstance(f(1), str)": "line 2: AssertionError: isinstance(f(1), str), f(1) is 2, "
    "str is <class 'str'>",
    "assert callable([f])": "line 2: AssertionError: callable([f]), [f] is [<function f>]",
    "assert all(f(x) > 2 for x in [1])": "line 2: AssertionError: all((f(x) > 2 for x in [1]))",
    "assert not f(1)": "line 2: AssertionError: not f(1)",
    "assert f(2) == 5, 'own words'": "line 2: AssertionError: own words",
    "f(None)": "line 2: TypeError: unsupported operand type(s) for +: 'NoneType' and 'NoneType'",
    "def inner():\n    assert f(g) < 0\ninner()": "line 3: AssertionError: f(g) < 0, f(g) is 6",
}


@slow
def test_a_failed_plain_test_says_line_and_values() -> None:
    tests = [f"g = 3\n{test}" for test in SAID]
    tests += [f"### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS" for test in SAID]
    cells = [check(f"test{number}", test) for number, test in enumerate(tests)]
    run = Run("g = 3\ndef f(x):\n    return x + x", *cells)
    for said, part in zip([*SAID.values()] * 2, run.parts, strict=True):
        assert part.message.startswith(said)
        assert run.scores[part.cell] == 0


ODD = {
    "repr_that_fails": (
        "class Odd:\n    def __repr__(self): raise ValueError\nx = Odd()",
        "try:\n    assert x == 3\nexcept AssertionError:\n    pass",
    ),
    "repr_that_is_large": (
        "class Odd(list):\n    def __repr__(self): return 2 * 10**9 * 'x'\nx = Odd()",
        "try:\n    assert x == 3\nexcept AssertionError:\n    pass",
    ),
    "long_sum": ("x = 400", f"assert x == {' + '.join(400 * '1')}"),
}


@slow
def test_what_asserts_say_changes_no_outcome_of_a_test() -> None:
    cells = [one for name, (answer, test) in ODD.items() for one in (answer, check(name, test))]
    run = Run(*cells, check("next", "assert True"))
    assert run.scores == dict.fromkeys([*ODD, "next"], 2)
    assert run.problems == []


@slow
@pytest.mark.parametrize(
    "ends",
    [
        "os.kill(os.getpid(), 9)",
        pytest.param("time.sleep(60)", marks=smoke),
        "[print('y' * 10**5) for _ in iter(int, 1)]",
    ],
)
def test_a_test_cell_that_did_not_run_to_its_end_scores_0(ends: str) -> None:
    options = {"homework": limited("ends", wall_seconds=3.0), "output_bytes_per_cell": 10_000}
    run = Run("def f(): return 1", check("ends", f"import os, time\n{ends}"), **options)
    assert run.scores == {"ends": 0}
    assert "did not finish" in run.tests["ends"].outputs[0].evalue
    # A dropped output may be named before.
    assert run.problems[-1].severity is Severity.FAILED, run.problems


# Test cells with a fault of their own, and what is said of it.
FAULTY = {
    "no_python": ("x == 1\ndef", "line 2: it is not valid Python"),
    "no_module": ("pass\nimport no_such_module", "line 2: there is no module 'no_such_module'"),
    "hidden": ("pass\n### BEGIN HIDDEN TESTS\nfrom no_such.module import one\n"
    "### END HIDDEN TESTS", "line 3: there is no module 'no_such'"),
    "examined_no_python": (f"{EXAMINED}def", "line 3: it is not valid Python"),
    "examined_no_module": (f"{EXAMINED}import no_such_module", "'no_such_module' (line 3)"),
}  # fmt: skip


@slow
@smoke
def test_a_fault_of_a_test_cell_leaves_only_its_score_unknown() -> None:
    run = Run(
        "def f(): pass\nx = 1",
        *(check(name, source) for name, (source, _) in FAULTY.items()),
        check("guarded", "try: import no_such_module\nexcept ImportError: pass\nassert x == 2"),
        check("students", "g = lambda: __import__('no_such_module')\ng()"),
        check("beside", "assert x == 1"),
        check("examined", f"{EXAMINED}assert x == 1"),
        check("examined_handle", f"{EXAMINED}assert f.__doc__"),
    )
    assert run.unscored == (*FAULTY,)
    said = {problem.cell: problem.message for problem in run.problems}
    for name, (_, why) in FAULTY.items():
        assert f"Cell '{name}' has no score, because of a fault of the homework: " in said[name]
        assert why in said[name]
        assert run.scores[name] == 0  # also if somebody computes it from the outputs
    others = {name: score for name, score in run.scores.items() if name not in FAULTY}
    lost = {"guarded": 0, "students": 0, "examined_handle": 0}
    assert others == {"beside": 2, "examined": 2, **lost}
    assert {part.cell for part in run.parts} == {*others}


@slow
@smoke
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
@smoke
def test_a_locked_cell_that_an_answer_breaks_costs_its_points() -> None:
    result = code("result = f(1)", "calls", locked=True)
    run = Run(
        code("def f(x): return 1 / 0", "f", solution=True),
        result,
        check("one", "assert result == 1"),
        check("two", f"{EXAMINED}assert result == 1"),
    )
    assert (run.unscored, run.scores) == ((), {"one": 0, "two": 0})


# A package that is installed here has the name of the last one.
FILES = {
    "data.csv": b"1,2",
    "toytools.py": b"def right(): return 3",
    "deep/er.txt": b"er",
    "nox.py": b"is_the_courses = True",
}


@slow
@pytest.mark.parametrize(("sandbox", "fork_kernels"), [("bubblewrap", True), ("none", False)])
def test_each_submission_has_its_own_copy_of_the_homeworks_files(
    sandbox: str, fork_kernels: bool
) -> None:
    homework = Homework("toys", files=FILES)
    read = "assert open('data.csv').read() == '1,2'\nassert open('deep/er.txt').read() == 'er'\n"
    cells = [
        code("import nox, toytools\nrow = open('data.csv').read()", "setup", locked=True),
        "x = toytools.right()",
        check("reads", f"{read}assert x == toytools.right()"),
        check("examined", f"{EXAMINED}{read}assert x == toytools.right() and row == '1,2'"),
        check("modules", "assert nox.is_the_courses"),
        check("examined_modules", f"{EXAMINED}assert nox.is_the_courses"),
        check("writes", "n = open('data.csv', 'w').write('9'); m = open('new', 'w')"),
        check("examined_writes", f"{EXAMINED}n = open('data.csv', 'w').write('9')"),
        check("lists", "import glob\nassert len(glob.glob('*')) >= 5, glob.glob('*')"),
        "open('own.py', 'w').write('answer = 42')\nimport own, os",
        check("own", "assert own.answer == 42"),
        check("threads", "assert os.environ['OPENBLAS_NUM_THREADS'] == '3'"),
    ]
    options = {"sandbox": sandbox, "fork_kernels": fork_kernels, "blas_threads": 3}
    for _ in range(2):
        run = Run(*cells, homework=homework, **options)
        assert len(run.scores) == 9
        assert {*run.scores.values()} == {2}, run.parts


@slow
@smoke
@pytest.mark.parametrize("sandbox", ["bubblewrap", "none"])
def test_tests_see_the_notebooks_names_and_what_answers_print(sandbox: str) -> None:
    run = Run(
        "import numpy as np\nx = 1\ndef f(a):\n    print('noise')\n    return a + x",
        check("value", "assert x == 1\nprint('x is 1')"),
        check("call", "assert f(2) == 3"),
        check("binds", "x = 5"),
        "y = x",
        check("bound", "assert y == 5"),
        check("empty", " "),
        check("missing", "z"),
        sandbox=sandbox,
    )
    others = {"value": 2, "call": 2, "binds": 2, "bound": 2, "empty": 2}
    assert run.scores == others | {"missing": 0}
    assert [cell.execution_count for cell in run.nb.cells] == [1, 2, 3, 4, 5, 6, None, 7]
    assert run.printed("value") == "x is 1\n"
    assert run.printed("call") == "noise\n"


@slow
@smoke
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
@smoke
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import os; os._exit(0)", "the kernel died while running the cell that begins with 'impo"),
        ("exit()\nimport time; time.sleep(0.5)", "ended the kernel by exit() or quit()"),
        ("exit()", "the cell that begins with 'exit()' ended the kernel by exit() or"),
    ],
)
def test_after_the_kernel_died_only_later_tests_score_0(source: str, reason: str) -> None:
    run = Run("x = 1", check("before"), source, check("after"), check("last"))
    assert run.kernel_died is ("os._exit" in source)
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
@smoke
def test_errors_that_only_replies_tell_take_room() -> None:
    run = Run(*[UNTOLD_ERROR] * 4, output_bytes_per_submission=1_000_000)
    assert len(nbformat.writes(run.nb)) < 1_100_000
    [first] = run.nb.cells[0].outputs
    assert (first.ename, first.traceback) == ("ZeroDivisionError", ["x" * 900_000])


@slow
@pytest.mark.parametrize(
    ("source", "limit", "reason"),
    [
        ("while True: pass", "cpu_seconds", "within 1 s of CPU time"),
        ("import time; time.sleep(60)", "wall_seconds", "within 1 s: the grader interrupted it"),
    ],
)
def test_an_endless_cell_is_interrupted_and_the_next_one_is_run(
    source: str, limit: str, reason: str
) -> None:
    endless = code(source, "endless", solution=True)
    homework = limited("endless", **{limit: 1.0})
    run = Run("x = 1", endless, check("next", "assert x == 1"), homework=homework)
    assert run.scores == {"next": 2}
    problem = run.only_problem()
    assert (problem.kind, problem.cell) == (Kind.TIME_LIMIT, "endless")
    assert reason in problem.message


@slow
def test_a_cell_that_cannot_be_interrupted_costs_its_limit_once() -> None:
    stubborn = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    tests = [check(f"t{i}") for i in range(20)]
    run = Run(stubborn, *tests, cpu_seconds_per_cell=1)
    assert set(run.scores.values()) == {0}
    assert "within 1 s of CPU time, and could not be interrupted" in run.only_problem().message


@slow
def test_the_submission_as_a_whole_has_a_limit_of_cpu_time() -> None:
    run = Run(check("before"), "while True: pass", check("after"), cpu_seconds_per_submission=3)
    assert run.scores == {"before": 2, "after": 0}
    assert "the 3 s of CPU time for the whole submission" in run.only_problem().message


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
@smoke
def test_long_output_is_cut_and_costs_nothing() -> None:
    run = Run(
        "print('y' * 500_000)\nprint('z' * 500_000)\nx = 1",
        check("next", "assert x == 1"),
        output_bytes_per_cell=100_000,
    )
    assert run.scores == {"next": 2}
    assert {(p.kind, p.severity) for p in run.problems} == {(Kind.OUTPUT_LIMIT, Severity.REPAIRED)}
    assert len(nbformat.writes(run.nb)) < 50_000
    assert "output beyond 100,000 bytes was dropped" in run.nb.cells[0].outputs[0].text


@slow
@smoke
def test_hidden_inputs_are_drawn_from_the_seed_which_is_kept() -> None:
    drawing = "from hw_support.checks import fresh; fresh.generator('x').random()"
    test = check("draw", f"{EXAMINED}{drawing}")
    seeds = (2**128 - 1, 2**128 - 1, 2**128 - 2)
    runs = [Run(test, seed=seed) for seed in seeds]
    assert runs[0].scores == runs[1].scores != runs[2].scores
    assert [run.seed for run in runs] == [str(s) for s in seeds]


SLEEPS = "import time; time.sleep(600)"


def sleepers() -> list[int]:
    processes = psutil.process_iter(["cmdline"])
    return [one.pid for one in processes if SLEEPS in (one.info["cmdline"] or ())]


@slow
def test_without_a_sandbox_a_submission_leaves_no_process_file_or_stored_data(place: Path) -> None:
    leave = f"import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', {SLEEPS!r}])"
    before = sleepers()
    first = Run(
        leave, "open('left.txt', 'w').close()\nanswer = 42", "%store answer", sandbox="none"
    )
    assert "Stored 'answer'" in first.nb.cells[2].outputs[0].text
    deadline = time.monotonic() + 60
    while (left := {*sleepers()} - {*before}) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == set()
    assert list(place.iterdir()) == []
    found = "%store -r\nfound = 'answer' in globals()"
    assert Run(found, check("next", "assert not found"), sandbox="none").scores == {"next": 2}


@slow
@smoke
def test_a_kernel_that_never_starts_is_the_graders_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_process, "PROGRAM", ("-m", "nothing"))
    with pytest.raises(GraderFault, match="no kernel can be started"):
        Run(check("test"), startup_timeout=3, fork_kernels=False)


@slow
@smoke
def test_an_examiner_that_dies_is_the_graders_fault() -> None:
    with pytest.raises(GraderFault, match="the examiner has ended"):
        Run(check("test", f"{EXAMINED}import os; os._exit(1)"))
    assert Run(check("next")).scores == {"next": 2}


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
