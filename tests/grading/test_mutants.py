"""Mutants are distinct, their keys are stable, and those called equivalent survive."""

from __future__ import annotations

import ast

import pytest
from equivalent import EQUIVALENT
from guarded import judge
from harness import FUNCTIONS, load_cells
from mutants import OPERATORS, all_mutants, mutants_of

MUTANTS = all_mutants()


def test_there_are_at_least_200_of_every_function_and_by_every_operator():
    assert len(MUTANTS) >= 200
    assert {mutant.function for mutant in MUTANTS} == set(FUNCTIONS)
    unused = {change.__name__ for change in OPERATORS} - {m.operator for m in MUTANTS}
    assert unused <= {"assignment"}  # no solution has a += in it


@pytest.mark.parametrize("function", FUNCTIONS)
def test_mutants_differ_from_each_other_and_from_the_original(function):
    mutants = mutants_of(function)
    sources = {mutant.source for mutant in mutants}
    assert len(sources) == len({mutant.key for mutant in mutants}) == len(mutants)
    original = ast.unparse(ast.parse(load_cells()[function].source))
    assert original not in sources
    for source in sources:
        compile(source, function, "exec")


def test_known_changes_are_made():
    sources = {mutant.key for mutant in mutants_of("layer_forward")}
    assert {
        "out, dout_ds = activation_fn(x @ W - b)",  # another operator
        "out, dout_ds = activation_fn(x * W + b)",  # * for @
        "out, dout_ds = activation_fn(W @ x + b)",  # operands swapped
        "out, dout_ds = -activation_fn(x @ W + b)",  # sign
        "dout_ds, out = activation_fn(x @ W + b)",  # elements swapped
        "pass  # return (out, (x, W, dout_ds))",  # statement dropped
    } <= sources


def test_every_mutant_that_is_called_equivalent_exists_and_survives():
    known = [mutant for mutant in MUTANTS if mutant.key in EQUIVALENT.get(mutant.function, {})]
    assert len(known) == sum(map(len, EQUIVALENT.values())), "a key that no mutant has"
    killed = [mutant for mutant, verdict in judge(known, range(3), tests="own") if verdict.lost]
    assert not killed, [f"{mutant.function}: {mutant.key}" for mutant in killed]
