"""The tests catch wrong answers, let right ones through, and docs/validity.md says so."""

from __future__ import annotations

from collections import Counter

import pytest
from answers import right_answers, whole_submissions, wrong_answers
from equivalent import EQUIVALENT
from guarded import judge
from harness import FUNCTIONS, charged
from mutants import all_mutants
from validity import PAGE, _modules, digest

WRONG, RIGHT, MUTANTS = wrong_answers(), right_answers(), all_mutants()
EVERY_THIRD = slice(None, None, 3)
A_FEW_THAT_TRAIN = slice(1, None, 7)  # half a minute each; `make validity` takes all


def answering(function, answers):
    return [answer for answer in answers if answer.function == function]


def test_the_page_is_current():
    assert digest() in PAGE.read_text(encoding="utf-8"), "docs/validity.md: run `make validity`"


def test_the_page_says_that_all_goals_are_met():
    assert "| **no** |" not in PAGE.read_text(encoding="utf-8")


def test_the_digest_takes_in_what_test_cells_import():
    names = {path.name for path in _modules()}
    assert names >= {"checks.py", "compare.py", "hidden.py", "reference.py", "fresh.py"}


def test_there_are_enough_answers_of_each_kind_and_no_two_of_one_name():
    wrong = Counter(answer.function for answer in WRONG)
    assert all(wrong[function] >= 5 for function in (*FUNCTIONS, "train"))
    assert len(WRONG) >= 60
    assert len(RIGHT) >= 40
    assert {answer.function for answer in RIGHT} == {*FUNCTIONS, "train"}
    assert len(whole_submissions()) >= 4
    for answers in (WRONG, RIGHT, whole_submissions()):
        assert Counter(map(str, answers)).most_common(1)[0][1] == 1


@pytest.mark.parametrize("seeds", [[0], pytest.param([1], marks=pytest.mark.slow)], ids=str)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_wrong_answer_is_caught_where_it_is_and_charged_for_no_other_function(function, seeds):
    for answer, verdict in judge(answering(function, WRONG), seeds):
        assert not verdict.died, answer
        assert verdict.caught, f"not caught: {answer}"
        elsewhere = {t: p for t, p in verdict.lost_elsewhere.items() if charged(t) in FUNCTIONS}
        assert answer.no_value or not elsewhere, f"{answer}: {elsewhere}"


@pytest.mark.parametrize("seeds", [[0], pytest.param([1, 2], marks=pytest.mark.slow)], ids=str)
@pytest.mark.parametrize("function", [*FUNCTIONS, "whole"])
def test_a_right_answer_loses_no_point(function, seeds):
    for answer, verdict in judge(answering(function, [*RIGHT, *whole_submissions()]), seeds):
        assert not verdict.died, answer
        messages = {test: verdict.failed_parts(test) for test in verdict.lost}
        assert not messages, f"{answer}: {messages}"


@pytest.mark.slow
def test_nearly_all_mutants_are_caught():
    sample = [m for m in MUTANTS if m.key not in EQUIVALENT.get(m.function, {})][EVERY_THIRD]
    left = [mutant for mutant, verdict in judge(sample, tests="own") if not verdict.caught]
    assert len(left) <= 0.01 * len(sample), [f"{m.function}: {m.key}" for m in left]


@pytest.mark.slow
@pytest.mark.parametrize("function", FUNCTIONS)
def test_in_isolation_wrong_answers_are_caught_and_right_ones_lose_no_point(function):
    for answer, verdict in judge(answering(function, WRONG)[EVERY_THIRD], isolated=True):
        assert not verdict.died, answer
        assert verdict.caught, f"not caught: {answer}"
    for answer, verdict in judge(answering(function, RIGHT)[EVERY_THIRD], isolated=True):
        assert not verdict.died, answer
        messages = {test: verdict.failed_parts(test) for test in verdict.lost}
        assert not messages, f"{answer}: {messages}"


@pytest.mark.slow
def test_a_wrong_training_is_caught():
    for answer, verdict in judge(answering("train", WRONG)[A_FEW_THAT_TRAIN]):
        assert verdict.caught, f"not caught: {answer}"


@pytest.mark.slow
def test_a_right_training_loses_no_point():
    for answer, verdict in judge(answering("train", RIGHT)[A_FEW_THAT_TRAIN]):
        assert not verdict.lost, f"{answer}: {verdict.failed_parts('test_train')}"
