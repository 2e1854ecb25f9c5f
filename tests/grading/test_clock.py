"""Which time counts against limits on a machine where other processes compute too."""

import pytest
from nbformat.v4 import new_code_cell

from hw_grading.homework.homework import Manifest
from hw_grading.run import clock
from hw_grading.run.clock import Clock
from hw_grading.run.settings import RunSettings


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(clock, "monotonic", time)
    return time


def begun(**settings: float) -> Clock:
    begun = Clock(RunSettings(**settings), Manifest())
    begun.begin(new_code_cell(), computed=5, waited=7)
    return begun


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
    passed: float, waited: float, computed: float, reached: str, time: Time
) -> None:
    cell = begun(wall_seconds_per_cell=180, cpu_seconds_per_cell=60)
    time.now += passed
    assert cell.limit_reached(5 + computed, 7 + waited) == reached


def test_waiting_at_most_doubles_a_submissions_time(time: Time) -> None:
    cells = begun(wall_seconds_per_cell=180, wall_seconds_per_submission=1000)
    time.now += 990
    cells.end(waited=7 + 600)
    time.now += 600
    cells.begin(new_code_cell(), 0, 0)
    time.now += 11
    assert cells.limit_reached(0, 0) == "within the 1000 s for the whole submission"
    cells.end(waited=600)
    time.now += 398
    assert not cells.is_over()
    time.now += 1
    assert cells.is_over()
