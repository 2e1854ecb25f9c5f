"""Mutants are distinct, their keys are stable, and mutants listed as equivalent lose no points."""

import ast

import pytest
from cells import equivalent_of, homeworks, notebook_of
from guarded import judge
from mutants import OPERATORS, all_mutants, mutants_of

HOMEWORKS = homeworks()
FUNCTIONS = [(homework, name) for homework in HOMEWORKS for name in notebook_of(homework).functions]


@pytest.mark.parametrize("homework", HOMEWORKS)
def test_every_function_has_mutants(homework):
    notebook = notebook_of(homework)
    assert {mutant.function for mutant in all_mutants(notebook)} == set(notebook.functions)


def test_there_are_at_least_200_of_hw2_and_by_every_operator():
    mutants = all_mutants(notebook_of("hw2"))
    assert len(mutants) >= 200
    unused = {change.__name__ for change in OPERATORS} - {m.operator for m in mutants}
    assert unused <= {"assignment"}  # no solution has a += in it


@pytest.mark.parametrize(("homework", "function"), FUNCTIONS)
def test_mutants_differ_from_each_other_and_from_the_original(homework, function):
    notebook = notebook_of(homework)
    mutants = mutants_of(notebook, function)
    sources = {mutant.source for mutant in mutants}
    assert len(sources) == len({mutant.key for mutant in mutants}) == len(mutants)
    original = ast.unparse(ast.parse(notebook.cells[function].source))
    assert original not in sources
    for source in sources:
        compile(source, function, "exec")


def test_known_changes_are_made():
    sources = {mutant.key for mutant in mutants_of(notebook_of("hw2"), "layer_forward")}
    assert {
        "out, dout_ds = activation_fn(x @ W - b)",  # another operator
        "out, dout_ds = activation_fn(x * W + b)",  # * for @
        "out, dout_ds = activation_fn(W @ x + b)",  # operands swapped
        "out, dout_ds = -activation_fn(x @ W + b)",  # sign
        "dout_ds, out = activation_fn(x @ W + b)",  # elements swapped
        "pass  # return (out, (x, W, dout_ds))",  # statement dropped
    } <= sources


@pytest.mark.parametrize("homework", HOMEWORKS)
def test_every_mutant_that_is_called_equivalent_exists_and_survives(homework):
    notebook, equivalent = notebook_of(homework), equivalent_of(homework)
    known = [m for m in all_mutants(notebook) if m.key in equivalent.get(m.function, {})]
    assert len(known) == sum(map(len, equivalent.values())), "a key that no mutant has"
    judged = judge(notebook, known, range(3), tests="own")
    killed = [mutant for mutant, verdict in judged if verdict.lost]
    assert not killed, [f"{mutant.function}: {mutant.key}" for mutant in killed]
