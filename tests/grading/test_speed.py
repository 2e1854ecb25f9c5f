"""The part for the speed of `squared_distances`, by clocks that only these tests move."""

from types import FunctionType

import numpy as np
import pytest
from cells import notebook_of
from harness import fresh_namespace, score_cell

PART = "at least five times as fast as the loops"
LOOPS = 0.04  # seconds that the loops compute


class Clocks:
    """The clock on the wall and this thread's own."""

    def __init__(self):
        self.wall = self.cpu = 0.0

    def perf_counter(self):
        return self.wall

    def thread_time(self):
        return self.cpu

    def call(self, wall, cpu=0.0):
        self.wall += wall
        self.cpu += cpu


@pytest.fixture(scope="module")
def namespace():
    return fresh_namespace(notebook_of("hw0"))


def passes(namespace, loops, answer):
    """Whether the part passes; calls take the seconds that `loops` and `answer` give in turn."""
    clocks, names = Clocks(), dict(namespace)
    right = names["squared_distances"]

    def squared_distances_loops(A, B):
        clocks.call(next(loops), LOOPS)

    def squared_distances(A, B):
        clocks.call(next(answer) if len(A) == 120 else 0.0)  # in a process of the student's
        return right(A, B)

    names |= {
        "time": clocks,
        "seconds_of": FunctionType(names["seconds_of"].__code__, names),
        "squared_distances_loops": squared_distances_loops,
        "squared_distances": squared_distances,
    }
    result = score_cell(notebook_of("hw0").cells["test_squared_distances"], names)
    return next(part.passed for part in result.parts if part.what == PART)


def every(seconds):
    return iter(lambda: seconds, None)


def test_a_busy_processor_does_not_make_loops_fast(namespace):
    assert not passes(namespace, loops=every(40 * LOOPS), answer=every(LOOPS))
    assert not passes(namespace, loops=every(LOOPS), answer=every(LOOPS))


def test_an_answer_without_loops_is_fast_on_a_busy_machine(namespace):
    assert passes(namespace, loops=every(LOOPS), answer=every(LOOPS / 50))
    disturbed = np.where(np.arange(40) == 39, LOOPS / 50, LOOPS)
    assert passes(namespace, loops=every(LOOPS), answer=iter(disturbed))


def test_an_answer_that_computes_when_it_is_read_takes_the_time_of_its_loops(namespace):
    clocks, names = Clocks(), dict(namespace)
    right = names["squared_distances"]

    class Later:
        def __init__(self, A, B):
            self.points = A, B
            clocks.call(LOOPS / 50)

        def __array__(self, *args, **kwargs):
            clocks.call(LOOPS)
            return right(*self.points)

    names |= {"time": clocks, "seconds_of": FunctionType(names["seconds_of"].__code__, names)}
    names |= {"squared_distances_loops": lambda A, B: clocks.call(LOOPS, LOOPS)}
    names |= {"squared_distances": Later}
    result = score_cell(notebook_of("hw0").cells["test_squared_distances"], names)
    assert [part.what for part in result.parts if not part.passed] == [PART]
