"""Odd answers: parts that fail give no points, and their message names the problem."""

import functools

import pytest
from cells import homeworks, notebook_of
from guarded import Job, run_jobs
from odd import MUTATES, NEVER_RETURNS, ODDITIES, odd_answer

import hw_support.attempts

pytestmark = pytest.mark.slow

NOTEBOOKS = [notebook_of(homework) for homework in homeworks()]
# A worker judges a function's odd answers once for all tests.
BY_FUNCTION = [
    pytest.param(
        notebook,
        function,
        marks=pytest.mark.xdist_group(f"odd {notebook.homework} {function}"),
        id=f"{notebook.homework}-{function}",
    )
    for notebook in NOTEBOOKS
    for function in notebook.functions
]
TAKE_ARRAYS = [
    pytest.param(notebook, function, id=f"{notebook.homework}-{function}")
    for notebook in NOTEBOOKS
    for function in notebook.functions
    if function not in notebook.settings.no_arrays
]
A_FEW = [
    pytest.param(notebook, function, id=f"{notebook.homework}-{function}")
    for notebook in NOTEBOOKS
    for function in (*notebook.functions[:2], *notebook.functions[-3:-1])
]


@pytest.fixture(autouse=True)
def short_limit(monkeypatch):
    monkeypatch.setattr(hw_support.attempts, "CPU_SECONDS", 1.0)  # children inherit it


@functools.cache
def odd_ones(notebook, function, oddities=ODDITIES):
    costly = (name for name in notebook.settings.costly if name != function)
    left_out = notebook.tests_of(*costly)  # they need more time than the tests here allow
    tests = [t for t in notebook.tests_of(*notebook.functions) if t not in left_out]
    answers = [odd_answer(notebook, function, oddity) for oddity in oddities]
    jobs = [Job(answer, ((0, tuple(tests)),)) for answer in answers]
    judged = list(run_jobs(notebook, jobs))
    assert not [(str(a), done.died) for a, done in zip(answers, judged, strict=True) if done.died]
    return [
        (answer, oddity, done.runs[0])
        for answer, oddity, done in zip(answers, oddities, judged, strict=True)
    ]


def parts_of(notebook, function, run):
    return [part for test in notebook.tests_of(function) for part in run[test].parts]


@pytest.mark.parametrize(("notebook", "function"), BY_FUNCTION)
def test_an_odd_answer_gets_no_points_and_its_reason(notebook, function):
    for answer, oddity, run in odd_ones(notebook, function):
        as_an_array = oddity.as_an_array if function in notebook.settings.one_array else ()
        parts = parts_of(notebook, function, run)
        failed = [part for part in parts if not part.passed]
        assert parts, f"{answer}: the cell gave up\n{run[notebook.tests_of(function)[0]].printed}"
        assert failed if oddity.partly_right or as_an_array else failed == parts, answer
        said = " ".join(part.message for part in failed)
        assert any(word in said for word in as_an_array or oddity.words), f"{answer}: {said}"


@pytest.mark.parametrize(("notebook", "function"), BY_FUNCTION)
def test_an_odd_answer_costs_no_other_function_points(notebook, function):
    # A function that reads the cache, the student's own, cannot be tried without it.
    readers = notebook.settings.caches.get(function, ())
    own = set(notebook.tests_of(function, *readers))
    for answer, _, run in odd_ones(notebook, function):
        lost = {test: result.failed_parts for test, result in run.items() if result.lost}
        assert not lost.keys() - own, f"{answer}: {lost}"


@pytest.mark.parametrize(("notebook", "function"), TAKE_ARRAYS)
def test_a_function_that_writes_into_its_arguments_is_reported(notebook, function):
    for answer, oddity, run in odd_ones(notebook, function, (MUTATES,)):
        said = " ".join(part.message for part in parts_of(notebook, function, run))
        assert any(word in said for word in oddity.words), f"{answer}: {said}"


@pytest.mark.slow
@pytest.mark.parametrize(("notebook", "function"), A_FEW)
def test_an_endless_loop_is_stopped_part_by_part_and_others_are_graded(
    notebook, function, monkeypatch
):
    monkeypatch.setattr(hw_support.attempts, "CPU_SECONDS", 0.3)  # for each try of each part
    for answer, oddity, run in odd_ones(notebook, function, NEVER_RETURNS):
        for part in parts_of(notebook, function, run):
            assert any(word in part.message for word in oddity.words), f"{answer}: {part}"
        lost = {test for test, result in run.items() if result.lost}
        assert lost == set(notebook.tests_of(function)), answer
