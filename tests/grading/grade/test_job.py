"""What a result depends on besides the submission, and when a job runs a second time."""

import contextlib
import socket
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from hw_grading.answering import forking
from hw_grading.examiner import client
from hw_grading.examiner.client import ExaminerEnded, ExaminerFailed
from hw_grading.grade import job
from hw_grading.grade.job import (
    OURS,
    Job,
    digest_of_packages,
    installed,
    run,
    run_elsewhere,
    seed_of_run,
    why_unfit,
)
from hw_grading.homework.homework import Homework
from hw_grading.outcome import GraderFault, HelperEnded, Outcome, Status
from hw_grading.run.submission import SubmissionRun
from hw_support.submission.problems import Kind, Problem, Severity

Runs = Callable[..., list[SubmissionRun]]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    """A function that takes how runs end, the last one for all later runs; it returns the runs."""

    def end_in(*ends: Outcome | Exception) -> list[SubmissionRun]:
        ran: list[SubmissionRun] = []

        def run_it(self: SubmissionRun) -> Outcome:
            ran.append(self)
            end = ends[min(len(ran), len(ends)) - 1]
            if isinstance(end, Exception):
                raise end
            return end

        monkeypatch.setattr(SubmissionRun, "run", run_it)
        return ran

    return end_in


JOB = Job("student", nbformat.writes(nbformat.v4.new_notebook()), {}, {}, Homework("toys"))
GRADED = Outcome("{}")
DIED = Outcome("{}", (Problem(Kind.KERNEL, Severity.FAILED, "it died"),))
AGAIN = (
    "The kernel ended for no known reason: the notebook was run a second time, with other inputs."
)


@pytest.mark.parametrize(
    ("faults", "attempts", "fault"),
    [
        ([], 1, None),
        ([ExaminerEnded("killed")], 2, None),
        ([HelperEnded("killed")], 2, None),
        ([HelperEnded("killed"), HelperEnded("killed again")], 2, "killed again"),
        ([ExaminerFailed("a hidden test is wrong")], 1, "a hidden test is wrong"),
    ],
)
def test_a_submission_runs_again_if_a_grader_process_has_ended(
    faults: list[GraderFault], attempts: int, fault: str | None, runs: Runs
) -> None:
    ran = runs(*faults, GRADED)
    outcome = run(JOB)
    assert len(ran) == len({one._seed for one in ran}) == attempts
    assert outcome.why == (fault or "")
    assert outcome.status == (Status.NOT_GRADED if fault else Status.GRADED)


@pytest.mark.parametrize("error", [GraderFault("no bwrap"), OSError(24, "Too many open files")])
def test_a_worker_that_cannot_make_a_sandbox_is_unfit(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    settings = {"sandbox": "bubblewrap", "blas_threads": 1}
    monkeypatch.setattr(job, "_check_sandbox", fail)
    assert str(error.args[-1]) in why_unfit(settings, installed())


def test_packages_that_the_course_names_belong_to_a_result() -> None:
    assert "pytest" not in installed()
    found = installed(["PyTest", "not-there"])
    assert found["pytest"] == pytest.__version__
    assert "not-there" not in found
    assert why_unfit({}, {**found, "not-there": "1"}) == "not-there missing, expected 1"


def test_a_worker_with_other_packages_is_unfit_and_grades_nobody() -> None:
    expected = {**installed(), "numpy": "1.0", OURS: "another"}
    outcome = run_elsewhere(replace(JOB, versions=expected))
    assert outcome.status is Status.NOT_GRADED
    assert f"{OURS} {installed()[OURS][:20]}, expected another; numpy " in outcome.why


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), TypeError("a mistake")])
def test_every_other_error_leaves_the_submission_without_a_score(
    error: Exception, runs: Runs
) -> None:
    runs(error)
    outcome = run(JOB)
    assert outcome.status is Status.NOT_GRADED
    assert str(error) in outcome.why


@pytest.mark.parametrize(
    ("cpu_seconds", "runs_again"),
    [(900, True), (901, False)],
)
def test_after_a_dead_kernel_it_runs_again_if_half_of_its_time_is_left(
    cpu_seconds: float, runs_again: bool, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = runs(DIED)
    monkeypatch.setattr(SubmissionRun, "kernel_died", True)
    monkeypatch.setattr(SubmissionRun, "cpu_seconds_used", cpu_seconds)
    outcome = run(JOB)
    assert outcome.status is Status.SUBMISSION_FAILED
    assert outcome.why == (f"{AGAIN} it died" if runs_again else "it died")
    assert len({one._seed for one in ran}) == len(ran) == 1 + runs_again
    assert outcome.cpu_seconds == cpu_seconds * len(ran)


def test_no_two_runs_of_a_job_have_the_same_seed_but_in_tests_of_a_course() -> None:
    seeds = [seed_of_run(JOB, attempt) for attempt in (1, 2, 1, 2)]
    assert len({*seeds}) == 4
    same = replace(JOB, seed="07")
    assert same.key != JOB.key
    jobs = [same, replace(same, student="other"), replace(same, seed="08"), same]
    first, *other, again = ([seed_of_run(job, attempt) for attempt in (1, 2)] for job in jobs)
    assert first == again
    assert len({*first, *other[0], *other[1]}) == 6
    assert all(0 <= seed < 2**128 for seed in (*seeds, *first))


def test_an_examiner_that_is_dying_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    requests, theirs = socket.socketpair()
    theirs.close()  # as the system does first
    with subprocess.Popen(["sleep", "600"]) as process, contextlib.ExitStack() as at_the_end:
        at_the_end.callback(process.kill)
        dying = client._Server(requests, process.pid)
        dying.serves = Homework("toys").digest()
        monkeypatch.setattr(client, "_server", dying)
        monkeypatch.setattr(forking, "_SECONDS_TO_END", 60.0)
        has_ended = dying.has_ended

        def end_meanwhile(within: float = 0.0) -> bool:
            if within:
                threading.Timer(0.2, process.kill).start()
            return has_ended(within)

        monkeypatch.setattr(dying, "has_ended", end_meanwhile)
        link, _ = socket.socketpair()
        with pytest.raises(ExaminerEnded, match="has ended"):
            client.Examination(link, Homework("toys"), root_pid=0, seed=0, first=[], instructors=[])
        assert dying.has_ended()
    requests.close()


def test_the_digest_of_packages_knows_names_and_contents_only(tmp_path: Path) -> None:
    def package(name: str, **files: str) -> Path:
        for file, text in files.items():
            path = tmp_path / name / "package" / f"{file}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / name / "package"

    here, there = package("here", a="1", b="2"), package("there", a="1", b="2")
    (there / "__pycache__").mkdir()
    # Python's temporary file for a compiled module, which is renamed when it is finished.
    (there / "__pycache__" / "a.cpython-311.pyc.140737").write_bytes(b"")
    (there / ".ruff_cache").mkdir()  # which no wheel has
    (there / ".ruff_cache" / "CACHEDIR.TAG").touch()
    (there / "pyproject.toml").write_text("[project]")  # nor this
    assert digest_of_packages([here]) == digest_of_packages([there])
    assert digest_of_packages([here]) != digest_of_packages([package("other", a="1", b="3")])
    assert digest_of_packages([here]) != digest_of_packages([package("renamed", a="1", c="2")])
