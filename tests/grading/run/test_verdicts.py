"""How the ends of cells and the examiner's verdicts become scores; no process is started.

`Kernel` and `Examination` stand in for the real ones: a cell ends as the test says.
"""

import copy
import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.utils import determine_grade
from toy_course import EXAMINED, check, code

from hw_grading.examiner.client import ExaminerFailed, Verdict
from hw_grading.homework.homework import Homework
from hw_grading.homework.notebook import uses_checks
from hw_grading.outcome import GraderFault, HelperEnded, Outcome, Status
from hw_grading.run import submission
from hw_grading.run.faults import settled
from hw_grading.run.kernel import Ended
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import SubmissionRun
from hw_grading.sandbox.watch import Stop
from hw_support.submission.problems import Kind

MISSING = new_output("error", ename="ModuleNotFoundError", evalue="No module", traceback=[])
WRONG = new_output("error", ename="AssertionError", evalue="wrong", traceback=[])
STDERR = new_output("stream", name="stderr", text="a warning\n")
STDOUT = new_output("stream", name="stdout", text="-7")
PASSED = Verdict([], None, None, None, False, [], "", "", False, False)


def verdict(**changes: Any) -> Verdict:
    return Verdict(**{**vars(PASSED), **changes})


@dataclass
class Kernel:
    """A kernel whose cells end as the test says; all that it ran is noted."""

    outputs: dict[str, list[NotebookNode]]  # by source
    ends: dict[str, Exception | bool]  # by source: False if it was interrupted
    died: bool = False
    exited_in: NotebookNode | None = None
    is_over: bool = False  # whether its time was used up
    helper_was_ended: bool = False
    ran: list[str] = field(default_factory=list)
    fails: Exception | None = None  # instead of a start
    stop: Stop | None = None

    def __post_init__(self) -> None:
        self.link = nullcontext()
        self.clock = SimpleNamespace(is_over=lambda: self.is_over, of_all="all of its time")
        self.watch = SimpleNamespace(
            root_pid=1,
            used_seconds=7.5,
            stop=self.stop,
            begin_helper=lambda *_: None,
            end_helper=lambda: self.helper_was_ended,
            kill=lambda *_: self.ran.append("killed"),
        )

    def connect(self, seconds: float) -> dict[str, Any]:
        if self.fails:
            raise self.fails
        return {"language_info": {"name": "python"}}

    def end(self) -> None:
        self.ran.append("ended")

    def run_cell(self, cell: NotebookNode, instead: str | None = None) -> bool:
        self.ran.append(instead or cell.source)
        if instead is None:
            cell.outputs = nbformat.from_dict(self.outputs.get(cell.source, []))
        end = self.ends.get(cell.source, True)
        if isinstance(end, Exception) and (instead is None or "answer()" in instead):
            raise end
        return end is not False


@dataclass
class Run:
    """The outcome of a run of some cells, and what the kernel and the examiner were given."""

    outcome: Outcome
    nb: NotebookNode
    kernel: Kernel
    examined: list[tuple[list[tuple[str, str]], str]]  # the trusted cells before, and the test

    @property
    def scores(self) -> dict[str, float | None]:
        return {score.cell: score.earned for score in self.outcome.scores}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """A function that runs cells; `verdicts` are the examiner's, by grade id."""

    def run_cells(*cells: NotebookNode, **about: Any) -> Run:
        verdicts, sound = about.pop("verdicts", {}), about.pop("sound", ())
        files = about.pop("files", {})
        about = {"outputs": {}, "ends": {}, **about}
        kernel, examined = Kernel(**about), []

        class Examination:
            def __init__(self, *_: Any, **__: Any) -> None:
                kernel.ran.append("examiner started")
                self.process, self.end = lambda: None, lambda: None

            def begin(self, trusted: Any, name: str, source: str) -> None:
                examined.append((trusted, name))

            def has_verdict(self, seconds: float) -> bool:
                return examined[-1][1] in verdicts

            def verdict(self, seconds: float) -> Verdict:
                found = verdicts.get(examined[-1][1], ExaminerFailed("no verdict"))
                if isinstance(found, Exception):
                    raise found
                return found

        monkeypatch.setattr(submission, "Kernel", lambda *_: kernel)
        monkeypatch.setattr(submission, "Examination", Examination)
        nb = new_notebook(cells=list(cells))
        made = SubmissionRun(nb, 0, RunSettings(), Homework("toys", files=files))
        outcome = made.run()
        assert json.loads(outcome.notebook) == nb
        outcome = settled(outcome, sound)
        nb = nbformat.from_dict(json.loads(outcome.notebook))
        nbformat.validate(nb)
        shown = {name: determine_grade(cell)[0] for name, cell in graded_in(nb).items()}
        given = {score.cell: score.earned for score in outcome.scores}
        # A reader of the notebook alone finds the same; a test without a score shows an error.
        assert shown == {name: earned or 0 for name, earned in given.items()}
        return Run(outcome, nb, kernel, examined)

    return run_cells


def graded_in(nb: NotebookNode) -> dict[str, NotebookNode]:
    marked = [cell for cell in nb.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    return {cell.metadata.nbgrader.grade_id: cell for cell in marked}


def examined(name: str, points: float = 2) -> NotebookNode:
    return check(name, f"{EXAMINED}# {name}", points)


Runs = Callable[..., Run]


def result(shown: str) -> NotebookNode:
    return new_output("execute_result", {"text/plain": shown}, execution_count=1)


@pytest.mark.parametrize(
    ("outputs", "score"),
    [
        ([], 2),
        ([STDOUT], 2),
        ([result("0.5")], 0.5),
        ([result("2.0")], 2),
        ([result("2.5")], None),
        ([result("-1")], None),
        ([result("nan")], None),
        ([result("")], None),
        ([result("None of these")], 2),  # full marks, as in nbgrader
        ([STDOUT, result("9")], None),
        ([WRONG, result("9")], 0),  # nbgrader takes the first that decides
        ([STDERR, result("9")], 0),
        ([result("9"), WRONG], None),
        ([result("1"), result("9")], 1),
        ([STDERR], 0),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_the_score_is_nbgraders_if_it_lies_between_0_and_the_points(
    outputs: list[NotebookNode], score: float | None, run: Runs
) -> None:
    done = run(check("test", "1"), outputs={"1": outputs})
    assert done.scores == {"test": score}
    assert done.outcome.unscored == (("test",) if score is None else ())
    [problem] = done.outcome.problems or [None]
    assert (problem is None) == (score is not None)
    if problem:
        assert problem.message.startswith("Cell 'test' has no score: it returned ")
        assert problem.message.endswith(", expected a number from 0 to 2.")


DIED = "the kernel died in it"
GONE = {"link_error": "it broke the protocol", "outputs": [WRONG]}
STOPPED = "stopped answering in cell 'test': it broke the protocol"
FAILED = {"verdicts": {"test": verdict(outputs=[WRONG])}}
TEST, NEXT = examined("test"), examined("next")
LIMIT = {TEST.source: Ended(Kind.TIME_LIMIT, "a limit was reached", TEST)}
LOOP, LEFT = check("loop", "while True: pass"), code("exit()", "answer", solution=True)


@pytest.mark.parametrize(
    ("cells", "about", "scores", "why"),
    [
        ([new_markdown_cell("text"), check("one")], {}, {"one": 2}, ""),
        ([LOOP, check("next")], {"ends": {LOOP.source: False}}, {"loop": 0, "next": 2}, ""),
        # No further cell runs.
        (
            [check("before"), LEFT, check("last", "f()"), NEXT],
            {"ends": {"exit()": Ended(Kind.KERNEL, DIED, LEFT)}},
            {"before": 2, "last": 0, "next": 0},
            f"The rest of the notebook was not run: {DIED}. Its tests score 0.",
        ),
        ([check("late")], {"is_over": True}, {"late": 0}, "used up all of its time before cell"),
        ([check("last")], {"exited_in": LEFT}, {"last": 0}, "'answer' ended the kernel by exit()"),
        # A verdict counts though the kernel ended afterwards.
        (
            [TEST, NEXT],
            {"ends": LIMIT, "verdicts": {"test": PASSED}},
            {"test": 2, "next": 0},
            "a limit was reached",
        ),
        # Why a notebook cannot be asked any more.
        ([TEST], {"verdicts": {"test": verdict(**GONE)}}, {"test": 0}, STOPPED),
        ([TEST], {"verdicts": {"test": verdict(**GONE, kernel_ended=True)}}, {"test": 0}, STOPPED),
        (
            [TEST],
            {"verdicts": {"test": verdict(**GONE)}, "ends": LIMIT},
            {"test": 0},
            "a limit was reached",
        ),
        (  # the examiner may have killed the kernel, if it has not seen it end
            [TEST],
            {"verdicts": {"test": verdict(**GONE)}, "ends": LIMIT, "died": True},
            {"test": 0},
            STOPPED,
        ),
        (
            [TEST],
            {"verdicts": {"test": verdict(**GONE, kernel_ended=True)}, "ends": LIMIT, "died": True},
            {"test": 0},
            "a limit was reached",
        ),
        # It cannot check the answers in time.
        (
            [TEST, NEXT],
            {"helper_was_ended": True},
            {"test": 0, "next": 0},
            "cell 'test' took more than 60 s of CPU time",
        ),
        # Only the instructor's own cells have faults, and no module that the homework brings.
        (
            [code("import no_such_module", "answer", solution=True), check("test", "f()")],
            {"outputs": {"import no_such_module": [MISSING], "f()": [WRONG]}},
            {"test": 0},
            "",
        ),
        (
            [check("test", "import own.deep, beside")],
            {
                "outputs": {"import own.deep, beside": [MISSING]},
                "files": {"own/deep.py": b"", "beside.py": b""},
            },
            {"test": 0},
            "",
        ),
        (
            [check("test", "import own, nothing_of_it")],
            {"outputs": {"import own, nothing_of_it": [MISSING]}, "files": {"own.py": b""}},
            {"test": None},
            "because of a fault of the homework: line 1: there is no module 'nothing_of_it'",
        ),
        # The examiner finds faults in a test and above it.
        ([TEST], FAILED, {"test": 0}, ""),
        (
            [TEST],
            {"verdicts": {"test": verdict(outputs=[WRONG], fault_above="cell 'setup' has failed")}},
            {"test": None},
            "because of a fault of the homework: cell 'setup' has failed",
        ),
        (
            [TEST],
            {"verdicts": {"test": verdict(fault_above="cell 'setup' has failed")}},
            {"test": 2},
            "",
        ),
        (
            [TEST],
            {"verdicts": {"test": verdict(fault="it is no Python")}},
            {"test": None},
            "homework",
        ),
        # What the solutions pass has no fault.
        (
            [TEST],
            {
                "verdicts": {
                    "test": verdict(outputs=[WRONG], fault_above="cell 'setup' has failed")
                },
                "sound": ["test"],
            },
            {"test": 0},
            "",
        ),
        (
            [TEST],
            {"verdicts": {"test": verdict(fault="it has no memory")}, "sound": ["test"]},
            {"test": None},
            "because of a fault of the grader: it has no memory",
        ),
    ],
)
def test_each_end_of_a_cell_gives_scores_and_a_reason(
    cells: list[NotebookNode],
    about: dict[str, Any],
    scores: dict[str, float | None],
    why: str,
    run: Runs,
) -> None:
    done = run(*copy.deepcopy(cells), **about)
    assert done.scores == scores
    assert why in done.outcome.why
    assert (done.outcome.status is Status.GRADED) == (not why)
    unscored = [name for name, score in scores.items() if score is None]
    assert not [part for part in done.outcome.parts if part.cell in unscored]
    for name in unscored:
        # Before the student's own outputs, so nbgrader scores it.
        assert graded_in(done.nb)[name].outputs[0].ename == "NotScored"
    is_killed = "verdicts" not in about and any(map(uses_checks, cells))
    assert done.kernel.ran.count("killed") == (is_killed and "ends" not in about)


def test_below_a_fault_only_full_marks_are_scores(run: Runs) -> None:
    missing = "import no_such_module"
    cells = [check("above", "assert 0"), code(missing, "setup", locked=True), check("full")]
    outputs = {missing: [MISSING], "assert 0": [WRONG], "f()": [WRONG]}
    done = run(*cells, check("lost", "f()"), outputs=outputs)
    assert done.scores == {"above": 0, "full": 2, "lost": None}
    because = "has no score, because of a fault of the homework: cell 'setup', line 1: there is no"
    assert because in done.outcome.why
    assert {part.cell for part in done.outcome.parts} == {"above", "setup", "full"}


def test_an_interrupted_test_is_not_called_again(run: Runs) -> None:
    done = run(LOOP, ends={LOOP.source: False})
    assert [ran for ran in done.kernel.ran if "refuse_interrupted" in ran]
    assert done.outcome.parts[0].message == "did not finish: the grader interrupted it"
    assert "examiner started" not in done.kernel.ran  # without `Checks` there is none


@pytest.mark.parametrize(
    ("stop", "said"),
    [
        (None, r"OSError: no files \(hw_grading/run/submission.py, line"),
        (Stop(Kind.MEMORY_LIMIT, "it is full"), r"it is full\)"),
    ],
)
def test_a_kernel_that_does_not_start_is_tried_again(
    stop: Stop | None, said: str, run: Runs
) -> None:
    with pytest.raises(HelperEnded, match=rf"no kernel can be started \({said}"):
        run(check("test"), fails=OSError("no files"), stop=stop)


@pytest.mark.parametrize("verdicts", [{}, {"test": ExaminerFailed("no verdict")}])
def test_an_examiner_that_fails_is_the_graders_fault(verdicts: Any, run: Runs) -> None:
    with pytest.raises(GraderFault, match="no verdict"):
        run(examined("test"), verdicts=verdicts)


def test_the_examiner_gets_each_locked_cell_once(run: Runs) -> None:
    locked = {name: code(f"{name} = 1", name, locked=True) for name in ("first", "later", "last")}
    cells = [locked["first"], new_code_cell("y = 2"), examined("one"), locked["later"]]
    cells += [new_code_cell("z = 3"), examined("two"), examined("three"), locked["last"]]
    verdicts = dict.fromkeys(("one", "two", "three"), PASSED)
    done = run(*cells, verdicts=verdicts)
    later = [("later", "later = 1")]
    assert done.examined == [([], "one"), (later, "two"), ([], "three")]


def test_the_examiners_number_is_the_score_of_the_parts(run: Runs) -> None:
    part = {"what": "a part", "points": 1.0, "message": "", "second_try": False}
    part |= {"excused": "", "fresh": False, "fingerprint": ""}
    parts = [part, {**part, "message": "wrong"}]
    given = verdict(outputs=[result("1.0")], score=1.0, parts=parts)
    done = run(examined("test"), outputs={}, verdicts={"test": given})
    assert done.scores == {"test": 1}
    assert [(part.earned, part.message) for part in done.outcome.parts] == [(1, ""), (0, "wrong")]
