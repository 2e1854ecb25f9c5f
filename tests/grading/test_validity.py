"""The tests catch wrong answers and accept right ones, and docs/validity.md is up to date."""

import dataclasses
import functools
import itertools
import re
from collections import Counter

import pytest
from answers import right_answers, whole_submissions, wrong_answers
from causes_told import labels_of_no_answer, told_of
from cells import Notebook, equivalent_of, homeworks, notebook_of
from guarded import judge
from mutants import all_mutants
from validity_digests import out_of_date, page_of
from validity_page import overview

from hw_grading.homework.instructor_cells import as_released

HOMEWORKS = homeworks()
# Answers with wrong ones, but not those that train.
FUNCTIONS = [
    (homework, name)
    for homework in HOMEWORKS
    for name in dict.fromkeys(answer.function for answer in wrong_answers(homework))
    if name not in notebook_of(homework).slow
]
SLOW = [(homework, name) for homework in HOMEWORKS for name in notebook_of(homework).slow]
QUICK = [one for one in FUNCTIONS if one[1] not in notebook_of(one[0]).settings.costly]
WHOLE = [(homework, "whole") for homework in HOMEWORKS]
EVERY_THIRD, EVERY_SIXTH = slice(None, None, 3), slice(None, None, 6)
A_FEW_THAT_TRAIN = slice(1, None, 12)  # half a minute each; `make validity` takes all


def together(functions, how="one-process"):
    """Return parameters of tests. Those with the same verdicts run in one process of pytest."""
    return [
        pytest.param(*one, marks=pytest.mark.xdist_group("-".join([*one, how])))
        for one in functions
    ]


def wrong_ones(homework, function):
    return [answer for answer in wrong_answers(homework) if answer.function == function]


def right_ones(homework, function):
    answers = [*right_answers(homework), *whole_submissions(homework)]
    return [answer for answer in answers if answer.function == function]


@pytest.mark.parametrize("homework", HOMEWORKS)
def test_the_page_is_current(homework):
    changed = out_of_date(notebook_of(homework))
    assert not changed, f"docs/validity/{homework}.md: run `make validity HW={homework}`"


@pytest.mark.parametrize("homework", HOMEWORKS)
def test_the_page_says_that_all_goals_are_met(homework):
    page = page_of(homework).read_text(encoding="utf-8")
    assert re.search(rf"^\| {homework} \|.*\| all \d+ met \|$", page, re.M)
    assert "**no**" not in page


def test_the_overview_is_made_of_the_pages():
    assert page_of().read_text(encoding="utf-8") == overview()


@pytest.mark.parametrize("homework", HOMEWORKS)
def test_there_are_enough_answers_of_each_kind_with_unique_names(homework):
    notebook = notebook_of(homework)
    wrong, right = wrong_answers(homework), right_answers(homework)
    answered = {*notebook.functions, *notebook.slow}
    counts = Counter(answer.function for answer in wrong)
    assert all(counts[function] >= 5 for function in answered)
    assert {answer.function for answer in right} == answered
    whole = whole_submissions(homework)
    assert len(whole) >= 2
    for answers in (wrong, right, whole):
        assert Counter(map(str, answers)).most_common(1)[0][1] == 1


def test_there_are_enough_answers_to_hw2():
    assert len(wrong_answers("hw2")) >= 60
    assert len(right_answers("hw2")) >= 40
    assert len(whole_submissions("hw2")) >= 4


@functools.cache
def judged_wrong(homework, function, seed):
    tests = "all" if seed < 2 else "own"
    wrong = wrong_ones(homework, function)
    return list(judge(notebook_of(homework), wrong, [seed], tests=tests))


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("homework", "function"), together(FUNCTIONS))
def test_a_wrong_answer_is_caught_in_its_own_cell_only(homework, function, seed):
    notebook = notebook_of(homework)
    for answer, verdict in judged_wrong(homework, function, seed):
        assert not verdict.died, answer
        assert verdict.caught, f"not caught: {answer}"
        is_no_answer = notebook.settings.is_no_answer(answer)
        assert bool(verdict.lost_elsewhere) == is_no_answer, f"{answer}: {verdict.lost_elsewhere}"


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
@pytest.mark.parametrize(("homework", "function"), together(FUNCTIONS))
def test_every_likely_cause_shown_for_a_wrong_answer_is_judged_true(homework, function, seed):
    settings = notebook_of(homework).settings
    for answer, verdict in judged_wrong(homework, function, seed):
        told = told_of(answer, verdict, settings)
        assert not told.not_judged, (
            f"{told.answer}: judge this cause in staff/{homework}/answers/validity.toml; "
            "tests/grading/causes_told.py prints the lines"
        )
        assert not told.false, told.answer


@pytest.mark.parametrize("homework", HOMEWORKS)
def test_every_judged_cause_belongs_to_an_existing_wrong_answer(homework):
    assert not labels_of_no_answer(notebook_of(homework))


@pytest.mark.parametrize("seeds", [[0], pytest.param([1, 2], marks=pytest.mark.slow)], ids=str)
@pytest.mark.parametrize(("homework", "function"), [*FUNCTIONS, *WHOLE])
def test_a_right_answer_loses_no_point(homework, function, seeds):
    for answer, verdict in judge(notebook_of(homework), right_ones(homework, function), seeds):
        assert not verdict.died, answer
        messages = {test: verdict.failed_parts(test) for test in verdict.lost}
        assert not messages, f"{answer}: {messages}"


@pytest.mark.slow
@pytest.mark.parametrize("homework", HOMEWORKS)
def test_nearly_all_mutants_are_caught(homework):
    notebook, equivalent = notebook_of(homework), equivalent_of(homework)
    mutants = [m for m in all_mutants(notebook) if m.key not in equivalent.get(m.function, {})]
    sample = mutants[EVERY_THIRD]
    left = [m for m, verdict in judge(notebook, sample, tests="own") if not verdict.caught]
    assert len(left) <= 0.01 * len(sample), [f"{m.function}: {m.key}" for m in left]


@functools.cache
def judged_in_isolation(homework, function):
    """Return some wrong answers with their verdicts, and some right ones; validity.py takes all."""
    notebook = notebook_of(homework)
    wrong, right = wrong_ones(homework, function), right_ones(homework, function)
    return [list(judge(notebook, a[EVERY_SIXTH], isolated=True)) for a in (wrong, right)]


@pytest.mark.slow
@pytest.mark.parametrize(("homework", "function"), together([*FUNCTIONS, *WHOLE], "isolated"))
def test_in_isolation_wrong_answers_are_caught_and_right_ones_lose_no_point(homework, function):
    wrong, right = judged_in_isolation(homework, function)
    for answer, verdict in wrong:
        assert not verdict.died, answer
        assert verdict.caught, f"not caught: {answer}"
    for answer, verdict in right:
        assert not verdict.died, answer
        messages = {test: verdict.failed_parts(test) for test in verdict.lost}
        assert not messages, f"{answer}: {messages}"


def desk_of(notebook):
    """Return the notebook with the test cells that students have."""
    cells = [
        dataclasses.replace(cell, source=as_released(cell.source, "code")) if cell.is_test else cell
        for cell in notebook.cells.values()
    ]
    return Notebook(notebook.homework, cells, notebook.settings)


@pytest.mark.slow
@pytest.mark.parametrize(("homework", "function"), together([*QUICK, *WHOLE], "isolated"))
def test_each_part_that_passes_in_one_process_passes_in_grading(homework, function):
    notebook = notebook_of(homework)
    graded = list(itertools.chain(*judged_in_isolation(homework, function)))
    on_the_desk = judge(desk_of(notebook), [answer for answer, _ in graded])
    for (answer, desk), (_, grader) in zip(on_the_desk, graded, strict=True):
        own = desk.own_tests
        for test, result in desk.runs[0].items():
            later = {part.what: part.passed for part in grader.runs[0][test].parts}
            for part in result.parts:
                assert part.what in later, f"{answer}: {grader.runs[0][test]}"
                same = later[part.what] == part.passed
                # In cells of other functions, a part may pass in grading that a bug elsewhere fails
                # here.
                spared = later[part.what] and test not in own
                assert same or spared, f"{answer}: {test}, {part.what}"
