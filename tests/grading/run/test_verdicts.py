"""How the ends of cells and the examiner's verdicts become scores; no process is started.

`Kernel` and `Examination` stand in for the real ones: a cell ends as the test says.
"""

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
from hw_grading.outcome import GraderFault, HelperEnded, Outcome, Status
from hw_grading.run import submission
from hw_grading.run.faults import settled
from hw_grading.run.kernel import Ended, Used
from hw_grading.run.settings import RunSettings
from hw_grading.run.submission import SubmissionRun
from hw_grading.sandbox.watch import Stop
from hw_support.submission.problems import Kind

MISSING = new_output("error", ename="ModuleNotFoundError", evalue="No module", traceback=[])
WRONG = new_output("error", ename="AssertionError", evalue="wrong", traceback=[])
PASSED = Verdict([], None, None, False, [], "", "", False, False)


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
        self.clock = SimpleNamespace(
            is_over=lambda: self.is_over, of_all="all of its time", used=lambda: 9.5
        )
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
    run: SubmissionRun

    @property
    def scores(self) -> dict[str, float]:
        graded = [cell for cell in self.nb.cells if cell.metadata.get("nbgrader", {}).get("grade")]
        return {cell.metadata.nbgrader.grade_id: determine_grade(cell)[0] for cell in graded}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """A function that runs cells; `verdicts` are the examiner's, by grade id."""

    def run_cells(*cells: NotebookNode, **about: Any) -> Run:
        verdicts, sound = about.pop("verdicts", {}), about.pop("sound", ())
        files = about.pop("files", {})
        about = {"outputs": {}, "ends": {}, **about}
        kernel, examined = Kernel(**about), []

        class Examination:
            def __init__(self, *_: Any) -> None:
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
        return Run(outcome, nb, kernel, examined, made)

    return run_cells


def examined(name: str, points: float = 2) -> NotebookNode:
    return check(name, f"{EXAMINED}# {name}", points)


Runs = Callable[..., Run]


def test_a_submission_without_failures_is_graded(run: Runs) -> None:
    cells = new_markdown_cell("text"), new_code_cell("x = 1"), check("one", "assert x == 1")
    done = run(*cells)
    assert (done.outcome.status, done.outcome.reasons) == (Status.GRADED, ())
    assert [(part.cell, part.earned) for part in done.outcome.parts] == [("one", 2)]
    assert done.nb.metadata.language_info.name == "python"
    begin, *ran = done.kernel.ran
    assert "begin(" in begin
    assert ran == ["x = 1", "assert x == 1", "ended"]  # without `Checks` there is no examiner
    assert (done.run.used, done.run.kernel_died) == (Used(7.5, 9.5), False)


def test_a_run_that_has_not_begun_has_used_no_time() -> None:
    before = Used(3, 4)
    made = SubmissionRun(new_notebook(), 0, RunSettings(), Homework("toys"), before=before)
    assert (made.used, made.kernel_died) == (before, False)


def test_an_interrupted_test_scores_0_and_is_not_called_again(run: Runs) -> None:
    loop, beside = check("loop", "while True: pass"), check("beside", "pass")
    done = run(loop, beside, ends={loop.source: False})
    assert done.scores == {"loop": 0, "beside": 2}
    assert done.outcome.unscored == ()
    assert done.nb.cells[0].outputs[0].evalue == "did not finish: the grader interrupted it"
    assert [ran for ran in done.kernel.ran if "refuse_interrupted" in ran] != []
    assert done.outcome.parts[0].message == "did not finish: the grader interrupted it"


@pytest.mark.parametrize("name", ["test", "answer"])
def test_after_the_last_cell_that_could_run_tests_score_0(name: str, run: Runs) -> None:
    answer, first = code("exit()", "answer", solution=True), check("test", "f()")
    last = examined("last")
    by = {"answer": answer, "test": first}[name]
    end = Ended(Kind.KERNEL, f"the kernel died in {name}", by)
    done = run(check("before"), answer, first, last, ends={by.source: end})
    assert done.scores == {"before": 2, "test": 0, "last": 0}
    assert done.outcome.status is Status.SUBMISSION_FAILED
    why = f"The rest of the notebook was not run: the kernel died in {name}. Its tests score 0."
    assert done.outcome.reasons == (why,)
    assert done.nb.cells[-1].outputs[0].evalue == f"did not finish: the kernel died in {name}"


def test_no_cell_runs_when_the_time_of_all_is_used_up(run: Runs) -> None:
    done = run(check("late"), is_over=True)
    assert done.scores == {"late": 0}
    assert "the notebook used up all of its time before cell 'late'" in done.outcome.reasons[0]


def test_no_cell_runs_after_exit(run: Runs) -> None:
    done = run(check("last"), exited_in=code("exit()", "leaves"))
    assert done.scores == {"last": 0}
    assert "cell 'leaves' ended the kernel by exit() or quit()" in done.outcome.reasons[0]


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


# -- the examiner


def test_the_examiner_gets_each_locked_cell_once(run: Runs) -> None:
    locked = {name: code(f"{name} = 1", name, locked=True) for name in ("first", "later", "last")}
    cells = [locked["first"], new_code_cell("y = 2"), examined("one"), locked["later"]]
    cells += [new_code_cell("z = 3"), examined("two"), examined("three"), locked["last"]]
    verdicts = dict.fromkeys(("one", "two", "three"), PASSED)
    done = run(*cells, verdicts=verdicts)
    later = [("later", "later = 1")]
    assert done.examined == [([], "one"), (later, "two"), ([], "three")]
    assert done.scores == dict.fromkeys(verdicts, 2)


def test_the_examiners_outputs_are_the_score_and_the_parts(run: Runs) -> None:
    two = {"output_type": "execute_result", "metadata": {}, "execution_count": None}
    part = {"what": "a part", "points": 1.0, "message": "", "second_try": False}
    part |= {"excused": "", "fresh": False}
    parts = [part, {**part, "message": "wrong"}]
    given = verdict(outputs=[{**two, "data": {"text/plain": "1"}}], parts=parts)
    done = run(examined("test"), outputs={}, verdicts={"test": given})
    assert done.scores == {"test": 1}
    assert [(part.earned, part.message) for part in done.outcome.parts] == [(1, ""), (0, "wrong")]


def test_a_verdict_counts_though_the_kernel_ended_afterwards(run: Runs) -> None:
    test, after = examined("test"), examined("after")
    end = Ended(Kind.TIME_LIMIT, "it was killed", test)
    done = run(test, after, ends={test.source: end}, verdicts={"test": PASSED})
    assert done.scores == {"test": 2, "after": 0}
    assert "it was killed" in done.outcome.reasons[0]


@pytest.mark.parametrize(
    ("ended_in_time", "died", "ended", "cause"),
    [
        (False, False, False, "stopped answering in cell 'test': it broke the protocol"),
        (False, False, True, "stopped answering in cell 'test': it broke the protocol"),
        (True, False, False, "a limit was reached"),
        (True, False, True, "a limit was reached"),
        # The examiner may have killed the kernel, if it has not seen it end.
        (True, True, False, "stopped answering in cell 'test': it broke the protocol"),
        (True, True, True, "a limit was reached"),
    ],
)
def test_why_a_notebook_cannot_be_asked_any_more(
    ended_in_time: bool, died: bool, ended: bool, cause: str, run: Runs
) -> None:
    test = examined("test")
    ends = {test.source: Ended(Kind.TIME_LIMIT, "a limit was reached", test)}
    gone = verdict(gone="it broke the protocol", ended=ended, outputs=[WRONG])
    done = run(test, ends=ends if ended_in_time else {}, died=died, verdicts={"test": gone})
    assert done.scores == {"test": 0}
    assert cause in done.outcome.reasons[0]


def test_a_kernel_that_waits_for_no_question_is_killed(run: Runs) -> None:
    with pytest.raises(ExaminerFailed):
        run(examined("test"))
    done = run(examined("test"), helper_was_ended=True)
    assert done.kernel.ran.count("killed") == 1
    done = run(examined("test"), verdicts={"test": PASSED})
    assert "killed" not in done.kernel.ran


def test_answers_that_the_examiner_cannot_check_in_time_score_0(run: Runs) -> None:
    done = run(examined("test"), examined("next"), helper_was_ended=True)
    assert done.scores == {"test": 0, "next": 0}
    assert "cell 'test' took more than 60 s of CPU time" in done.outcome.reasons[0]


def test_an_examiner_that_fails_is_the_graders_fault(run: Runs) -> None:
    with pytest.raises(GraderFault, match="no room"):
        run(examined("test"), verdicts={"test": ExaminerFailed("no room")})


# -- faults of the instructor's cells


NO_MODULE = "import no_such_module"


def test_only_the_instructors_own_cells_have_faults(run: Runs) -> None:
    answer = code(NO_MODULE, "answer", solution=True)
    cells = answer, new_code_cell(f"{NO_MODULE}  # too"), check("test", "assert f()")
    outputs = {cell.source: [MISSING] for cell in cells[:2]} | {"assert f()": [WRONG]}
    done = run(*cells, outputs=outputs)
    assert (done.scores, done.outcome.unscored) == ({"test": 0}, ())
    assert [part.cell for part in done.outcome.parts] == ["answer", "test"]


def test_a_module_that_the_homework_brings_is_no_fault(run: Runs) -> None:
    source = "import own.deep, beside, no_such_module"
    files = {"own/deep.py": b"", "beside.py": b""}
    done = run(check("test", source), outputs={source: [MISSING]}, files=files)
    assert "no module 'no_such_module'" in done.outcome.reasons[0]
    source = "import own.deep, beside"
    done = run(check("test", source), outputs={source: [MISSING]}, files=files)
    assert (done.scores, done.outcome.unscored) == ({"test": 0}, ())


def test_below_a_fault_only_full_marks_are_scores(run: Runs) -> None:
    cells = [check("above", "assert 0"), code(NO_MODULE, "setup", locked=True)]
    cells += [code("import neither_here", "too", locked=True), check("full"), check("lost", "f()")]
    outputs = {NO_MODULE: [MISSING], "import neither_here": [MISSING], "assert 0": [WRONG]}
    done = run(*cells, outputs=outputs | {"f()": [WRONG]})
    assert done.outcome.unscored == ("lost",)
    assert (done.scores["above"], done.scores["full"]) == (0, 2)
    because = "has no score, because of a fault of the homework: cell 'setup', line 1: there is no"
    assert because in done.outcome.reasons[0]
    assert {part.cell for part in done.outcome.parts} == {"above", "setup", "too", "full"}
    first, *_ = done.nb.cells[-1].outputs  # before the student's own, so nbgrader scores it
    assert first.ename == "NotScored"


@pytest.mark.parametrize(
    ("change", "unscored"),
    [
        ({}, ()),
        ({"above": "cell 'setup' has failed"}, ("test",)),
        ({"fault": "test cell 'test' is not Python"}, ("test",)),
        ({"above": "cell 'setup' has failed", "outputs": []}, ()),  # full marks
        ({"fault": "test cell 'test' is not Python", "outputs": []}, ("test",)),
    ],
)
def test_the_examiner_finds_faults_of_a_test_and_above_it(
    change: dict[str, Any], unscored: tuple[str, ...], run: Runs
) -> None:
    found = verdict(**{"outputs": [WRONG], **change})
    done = run(examined("test"), verdicts={"test": found})
    assert done.outcome.unscored == unscored
    assert [part.cell for part in done.outcome.parts] == (["test"] if not unscored else [])


def test_a_test_that_the_solutions_pass_has_no_fault(run: Runs) -> None:
    cells = [code(NO_MODULE, "setup", locked=True), check("sound", f"{NO_MODULE}\nf()")]
    cells += [check("below", "assert x"), examined("examined"), examined("further")]
    outputs = {source: [MISSING] for source in (NO_MODULE, cells[1].source, "assert x")}
    further = verdict(outputs=[WRONG], above="cell 'setup' has failed")
    verdicts = {"examined": verdict(fault="it has no memory"), "further": further}
    sound = ("sound", "examined", "further")
    done = run(*cells, outputs=outputs, verdicts=verdicts, sound=sound)
    assert (done.scores["sound"], done.scores["further"]) == (0, 0)
    assert done.outcome.unscored == ("below", "examined")
    assert "because of a fault of the grader: it has no memory" in done.outcome.reasons[1]


def test_a_result_that_is_no_score_leaves_the_test_to_a_person(run: Runs) -> None:
    nine = new_output("execute_result", {"text/plain": "9"}, execution_count=1)
    done = run(check("test", "9"), check("next"), outputs={"9": [nine]})
    assert done.outcome.unscored == ("test",)
    [problem] = done.nb.metadata.hw_grading.problems
    assert problem["message"].startswith("Cell 'test' has no score: it returned '9', expected a")
    assert done.nb.cells[-2].outputs[0].ename == "NotScored"
