"""What a result depends on besides the submission, and when a job runs a second time."""

import socket
import subprocess
import threading
from pathlib import Path

import nbformat
import pytest

from hw_grading.batch import job
from hw_grading.batch.job import (
    OURS,
    Job,
    digest_of_packages,
    installed,
    run,
    run_elsewhere,
    why_unfit,
)
from hw_grading.examiner import client
from hw_grading.examiner.client import ExaminerEnded, ExaminerFailed
from hw_grading.homework.homework import Homework
from hw_grading.outcome import GraderFault, HelperEnded, Outcome, Status
from hw_grading.run.submission import Submission


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
    faults: list[GraderFault], attempts: int, fault: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, ran = list(faults), []

    def run_it(self: Submission) -> Outcome:
        ran.append(self._seed)
        if left:
            raise left.pop(0)
        return Outcome(Status.GRADED)

    monkeypatch.setattr(Submission, "run", run_it)
    text = nbformat.writes(nbformat.v4.new_notebook())
    outcome = run(Job("student", 7, text, {}, {}, Homework("toys")))
    assert ran == [7] * attempts
    assert outcome.reasons == ((fault,) if fault else ())
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


def test_a_worker_with_other_packages_is_unfit_and_grades_nobody() -> None:
    expected = {**installed(), "numpy": "1.0", OURS: "another"}
    outcome = run_elsewhere(Job("s", 0, "{}", {}, expected, Homework("toys")))
    assert outcome.status is Status.NOT_GRADED
    assert f"{OURS} {installed()[OURS][:20]}, expected another; numpy " in outcome.reasons[0]


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), TypeError("a mistake")])
def test_every_other_error_leaves_the_submission_without_a_score(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Submission) -> Outcome:
        raise error

    monkeypatch.setattr(Submission, "run", fail)
    text = nbformat.writes(nbformat.v4.new_notebook())
    outcome = run(Job("student", 0, text, {}, {}, Homework("toys")))
    assert outcome.status is Status.NOT_GRADED
    assert str(error) in outcome.reasons[0]


def test_after_a_dead_kernel_there_is_a_second_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []

    def run_it(self: Submission) -> Outcome:
        ran.append(self)
        return Outcome(Status.SUBMISSION_FAILED, ("it died",))

    monkeypatch.setattr(Submission, "run", run_it)
    monkeypatch.setattr(Submission, "kernel_died", True)
    text = nbformat.writes(nbformat.v4.new_notebook())
    outcome = run(Job("student", 0, text, {}, {}, Homework("toys")))
    assert outcome.status is Status.SUBMISSION_FAILED
    assert len(ran) == 2


def test_an_examiner_that_is_dying_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    requests, theirs = socket.socketpair()
    theirs.close()  # as the system does first
    with subprocess.Popen(["sleep", "600"]) as process:
        dying = client._Examiner(process, requests, Homework("toys").digest())
        monkeypatch.setattr(client, "_examiner", dying)
        monkeypatch.setattr(client, "_SECONDS_TO_END", 60.0)
        has_ended = dying.has_ended

        def end_meanwhile(within: float = 0.0) -> bool:
            if within:
                threading.Timer(0.2, process.kill).start()
            return has_ended(within)

        monkeypatch.setattr(dying, "has_ended", end_meanwhile)
        link, _ = socket.socketpair()
        with pytest.raises(ExaminerEnded, match="has ended"):
            client.Examination(link, client.Request(0, 0, [], []), Homework("toys"))
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
    assert digest_of_packages([here]) == digest_of_packages([there])
    assert digest_of_packages([here]) != digest_of_packages([package("other", a="1", b="3")])
    assert digest_of_packages([here]) != digest_of_packages([package("renamed", a="1", c="2")])


def test_a_released_homework_changes_no_result_of_another_one(tmp_path: Path) -> None:
    folder = tmp_path / "hw_support" / "submission" / "released"
    folder.mkdir(parents=True)
    before = digest_of_packages([tmp_path / "hw_support"])
    (folder / "hw3.json").write_text("{}")
    assert digest_of_packages([tmp_path / "hw_support"]) == before
    (folder.parent / "file.py").write_text("x = 1")
    assert digest_of_packages([tmp_path / "hw_support"]) != before
