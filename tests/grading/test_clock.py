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
    begun.begin(new_code_cell())
    return begun


@pytest.mark.parametrize(
    ("passed", "waited", "goes_on"),
    [
        (180, 0, False),  # it slept, or computed
        (180, 100, True),
        (300, 110, False),
        (300, 200, True),
        (719, 700, True),
        (721, 720, False),  # too long, even if it waited
    ],
)
def test_a_cell_that_waited_for_the_processor_continues(
    passed: float, waited: float, goes_on: bool, time: Time
) -> None:
    cell = begun(wall_seconds_per_cell=180, wall_seconds_per_submission=3600)
    time.now += passed
    assert cell.goes_on(waited, computed=passed - waited) is goes_on


@pytest.mark.parametrize(
    ("computed", "waited", "goes_on"),
    [(0, 0, False), (0, 200, True), (200, 0, True), (5, 50, False), (500, 0, True)],
)
def test_a_cell_that_idles_ends_earlier_than_one_that_computes(
    computed: float, waited: float, goes_on: bool, time: Time
) -> None:
    cell = begun(cpu_seconds_per_cell=60, wall_seconds_per_cell=900)
    assert cell.allowed == 3 * 60 + 60
    time.now += 300
    assert cell.goes_on(waited, computed) is goes_on
    assert ("that all cells together" in cell.within()) is not goes_on


def test_cells_share_an_idle_time_and_then_have_little_each(time: Time) -> None:
    cells = begun(cpu_seconds_per_cell=60, wall_seconds_per_cell=900)
    for left in (140, 40, 5, 5):
        time.now += 100
        cells.end(waited=0, computed=0)
        cells.begin(new_code_cell())
        assert cells.allowed == left


def test_waiting_at_most_doubles_a_submissions_time(
    time: Time,
) -> None:
    cells = begun(wall_seconds_per_cell=180, wall_seconds_per_submission=1000)
    time.now += 990
    cells.end(waited=600, computed=0)
    assert cells.left() == 180
    time.now += 600
    assert cells.left() == 10
    cells.end(waited=600, computed=0)
    assert cells.left() == 180
    time.now += 411
    assert cells.is_over()
