"""Which time counts against limits on a machine where other processes compute too."""

import pytest
from nbformat.v4 import new_code_cell

from hw_grading.homework.homework import Manifest
from hw_grading.run import kernel
from hw_grading.run.kernel import Clock
from hw_grading.run.settings import RunSettings


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(kernel, "monotonic", time)
    return time


def begun(**settings: float) -> tuple[Clock, list[float]]:
    """Return a clock, and the seconds that its kernel has computed and waited."""
    times = [5.0, 7.0]
    begun = Clock(RunSettings(**settings), Manifest(), lambda: (times[0], times[1]))
    begun.begin(new_code_cell())
    return begun, times


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
    cell, times = begun(wall_seconds_per_cell=180, cpu_seconds_per_cell=60)
    time.now += passed
    times[:] = 5 + computed, 7 + waited
    assert cell.limit_reached() == reached


def test_an_interrupted_cell_gets_some_seconds_to_end(time: Time) -> None:
    cell, times = begun(wall_seconds_per_cell=180, cpu_seconds_per_cell=60)
    times[0] += 61
    cell.begin_end(10)
    times[0] += 61
    time.now += 15
    times[1] += 6
    assert cell.limit_reached() == ""
    time.now += 1
    assert cell.limit_reached() == "within 10 s"


@pytest.mark.parametrize(
    ("passed", "waited", "is_over"),
    [(999, 0, False), (1000, 0, True), (2500, 1501, False), (2500, 1500, True), (4000, 3999, True)],
)
def test_time_that_a_submission_waited_does_not_count_either(
    passed: float, waited: float, is_over: bool, time: Time
) -> None:
    clock, times = begun(wall_seconds_per_submission=1000)
    time.now += passed
    times[1] = waited
    clock.begin(new_code_cell())
    assert clock.is_over() is is_over
    reached = "within the 1000 s for the whole submission" if is_over else ""
    assert clock.limit_reached() == reached
    clock.begin_end(10)
    assert clock.limit_reached() == ""
