"""What an instructor sees of a class, during grading and afterwards."""

import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest

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
        told.progress.ended(student, outcome, again=False)
        if not isinstance(outcome, NotGraded):
            told.progress.saved(student)


def test_the_table_names_who_has_a_problem_and_why(told: Told) -> None:
    run(told, ("ada", RIGHT), ("bob", FAILED), ("cyd", FAULT), ("dan", RIGHT))
    told.progress.ended("dan", NotGraded("the gradebook is locked"))
    table = told.progress.table()
    assert "hw2: 2 graded, 1 of them with problems, 2 not graded; 0 min" in table
    assert "  GRADED, WITH PROBLEMS\n    bob: Cell 'train' did not end within 300 s." in table
    assert "  NOT GRADED\n    cyd: 2 worker processes died while they ran it" in table
    assert "dan: the gradebook is locked" in table


def test_a_result_of_an_earlier_run_is_counted_separately(told: Told) -> None:
    told.progress.ended("ada", RIGHT, again=True)
    assert "1 from an earlier run" in told.progress.table()
    told.progress.ended("ada", RIGHT)  # its file was replaced: it ran after all
    assert "earlier run" not in told.progress.table()


def test_of_several_notebooks_the_worst_outcome_counts(told: Told) -> None:
    for outcome in (FAILED, RIGHT):
        told.progress.ended("ada", outcome)
    told.progress.saved("ada", FAILED, RIGHT)
    assert told.progress.counts()[Status.SUBMISSION_FAILED] == 1
    assert "ada: Cell 'train' did not end" in told.progress.table()


def test_each_outcome_is_a_line_of_json(told: Told) -> None:
    run(told, ("ada", RIGHT), ("bob", FAILED))
    assert [(e["student"], e["end"], e["seconds"]) for e in told.events()] == [
        ("ada", "graded", 3.0),
        ("bob", "submission failed", 9.0),
    ]


def test_a_read_only_folder_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "grading").write_text("a file")
    told = Told(tmp_path / "grading", ["ada", "bob"])
    run(told, ("ada", RIGHT), ("bob", RIGHT))
    told.progress.close("nbgrader autograde hw2")
    assert told.progress.counts()[Status.GRADED] == 2
    assert caplog.text.count("cannot be written") == 1


def test_a_stopped_run_says_who_is_left_and_how_to_go_on(
    told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    run(told, ("ada", RIGHT))
    told.progress.ended("bob", RIGHT, again=False)  # its scores were not saved
    told.progress.close("nbgrader autograde hw2")
    [said] = caplog.messages
    assert "1 graded, 0 of them with problems, 3 not graded" in said
    assert "The run ended before the scores of 3 students were saved" in said
    assert said.endswith("3 not graded. To grade the rest: nbgrader autograde hw2")
    assert "bob" not in said


def test_the_bar_counts_each_student_once(told: Told) -> None:
    run(told, ("ada", RIGHT), ("bob", FAULT))
    told.progress.ended("bob", FAULT)
    told.progress.close("nbgrader autograde hw2")
    assert "hw2: 2 of 4" in told.said.getvalue()
