"""Bad input: no points for the parts that fail, a message that names the matter, others graded."""

from __future__ import annotations

import functools

import pytest
from guarded import judge
from harness import FUNCTIONS, cells_charging
from odd import MUTATES, NEVER_RETURNS, ODDITIES, odd_answer

import hw_support.checks

pytestmark = pytest.mark.slow

# Whose caches, the student's own, another function's cell cannot do without.
NEEDED_BY = {"layer_forward": {"test_backward_pass"}, "forward_pass": {"test_backward_pass"}}
# A function's odd answers are judged once, for the tests of one worker.
BY_FUNCTION = [
    pytest.param(function, marks=pytest.mark.xdist_group(f"odd {function}"))
    for function in FUNCTIONS
]
TAKE_ARRAYS = [function for function in FUNCTIONS if not function.startswith("create_")]


@pytest.fixture(autouse=True)
def short_limit(monkeypatch):
    monkeypatch.setattr(hw_support.checks, "CPU_SECONDS", 1.0)  # children inherit it


@functools.cache
def odd_ones(function, oddities=ODDITIES):
    answers = [odd_answer(function, oddity) for oddity in oddities]
    judged = list(judge(answers, tests="functions"))
    assert not [(str(answer), verdict.died) for answer, verdict in judged if verdict.died]
    return [
        (answer, oddity, verdict.runs[0])
        for (answer, verdict), oddity in zip(judged, oddities, strict=True)
    ]


def parts_of(function, run):
    return [part for test in cells_charging(function) for part in run[test].parts]


@pytest.mark.parametrize("function", BY_FUNCTION)
def test_an_odd_answer_gets_no_points_and_its_reason(function):
    for answer, oddity, run in odd_ones(function):
        parts = parts_of(function, run)
        failed = [part for part in parts if not part.passed]
        assert parts, f"{answer}: the cell gave up\n{run[cells_charging(function)[0]].printed}"
        assert failed if oddity.partly_right else failed == parts, answer
        said = " ".join(part.message for part in failed)
        assert any(word in said for word in oddity.words), f"{answer}: {said}"


@pytest.mark.parametrize("function", BY_FUNCTION)
def test_an_odd_answer_takes_no_other_function_along(function):
    own = {*cells_charging(function), *NEEDED_BY.get(function, ())}
    for answer, _, run in odd_ones(function):
        lost = {test: result.failed_parts for test, result in run.items() if result.lost}
        assert not lost.keys() - own, f"{answer}: {lost}"


@pytest.mark.parametrize("function", TAKE_ARRAYS)
def test_who_writes_into_the_arguments_is_told(function):
    for answer, oddity, run in odd_ones(function, (MUTATES,)):
        said = " ".join(part.message for part in parts_of(function, run))
        assert any(word in said for word in oddity.words), f"{answer}: {said}"


@pytest.mark.slow
@pytest.mark.parametrize("function", ["sigmoid_activation", "backward_pass"])
def test_an_endless_loop_is_stopped_part_by_part_and_others_are_graded(function):
    for answer, oddity, run in odd_ones(function, NEVER_RETURNS):
        for part in parts_of(function, run):
            assert any(word in part.message for word in oddity.words), f"{answer}: {part}"
        lost = {test for test, result in run.items() if result.lost}
        assert lost == set(cells_charging(function)), answer
