"""What an instructor sees of a class, during grading and afterwards."""

import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from hw_grading.batch import progress
from hw_grading.batch.progress import Progress
from hw_grading.outcome import Graded, NotGraded, Outcome, Spent, Status, SubmissionFailed

RIGHT = Graded("{}", Spent(3.0, 1.0))
LATE = ("Cell 'train' did not end within 300 s.",)
FAILED = SubmissionFailed("{}", LATE, Spent(9.0, 8.0))
FAULT = NotGraded("2 worker processes died while they ran it", Spent(1.0))


class Told:
    """A progress without a terminal, and its messages."""

    def __init__(self, folder: Path, students: list[str]) -> None:
        self.said = io.StringIO()
        self.log = logging.getLogger(f"test.{folder.name}")
        self.folder = folder
        self.progress = Progress(students, folder, "hw2", self.log, self.said)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "hw2.jsonl").read_text().splitlines()]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path / "grading", ["ada", "bob", "cyd", "dan"])


def run(told: Told, *outcomes: tuple[str, Outcome]) -> None:
    for student, outcome in outcomes:
        told.progress.began(student)
        told.progress.ended(student, outcome, again=False)
        if not isinstance(outcome, NotGraded):
            told.progress.saved(student)


def test_the_table_names_who_failed_and_why(told: Told) -> None:
    run(told, ("ada", RIGHT), ("bob", FAILED), ("cyd", FAULT))
    table = told.progress.table()
    assert "graded 1, submission failed 1, not graded 1" in table
    assert "bob: Cell 'train' did not end within 300 s." in table
    assert "cyd: 2 worker processes died while they ran it" in table
    assert "bob: 9.0 s (8.0 s of CPU time)" in table


def test_a_result_of_an_earlier_run_is_counted_separately(told: Told) -> None:
    told.progress.ended("ada", RIGHT, again=True)
    told.progress.saved("ada")
    assert told.progress.counts[Status.GRADED] == 1
    assert "1 from an earlier run" in told.progress.table()


def test_each_outcome_is_a_line_of_json(told: Told) -> None:
    run(told, ("ada", RIGHT), ("bob", FAILED))
    told.progress.close("nbgrader autograde hw2")
    students = [event for event in told.events() if event["event"] == "student"]
    assert [(e["student"], e["end"]) for e in students] == [
        ("ada", "graded"),
        ("bob", "submission failed"),
    ]


def test_a_read_only_folder_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "grading").write_text("a file")
    told = Told(tmp_path / "grading", ["ada"])
    run(told, ("ada", RIGHT))
    told.progress.close("nbgrader autograde hw2")
    assert told.progress.counts[Status.GRADED] == 1


def test_a_submission_that_ran_when_the_run_ended_was_interrupted(told: Told) -> None:
    run(told, ("ada", RIGHT))
    for student in ("bob", "cyd"):  # there is one worker: cyd waits for it
        told.progress.began(student)
    told.progress.close("nbgrader autograde hw2")
    table = told.progress.table()
    assert "bob: it was interrupted" in table
    assert "The run ended before 2 students had a turn" in table
    assert "cyd" not in table
    assert "not graded 3" in table


def test_lines_say_how_many_are_done_and_how_long_the_rest_takes(
    told: Told, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = progress.monotonic()
    monkeypatch.setattr(progress, "monotonic", lambda: began + 60)
    caplog.set_level(logging.INFO)
    told.progress.ended("ada", RIGHT, again=False)
    [line] = caplog.messages
    assert line.startswith("1 of 4 done, 0 running, 0 failed, 1 a minute, about 3 min left")
