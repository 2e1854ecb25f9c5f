"""Hidden parts check only what the notebook asks for and what a visible part checks too."""

import pytest
from cells import homeworks
from promises import promises, read_by_students, visible_parts

HIDDEN = [
    pytest.param(homework, hidden, id=f"{homework}-{hidden.cell}-{hidden.part}")
    for homework in homeworks()
    for hidden in promises(homework)
]


@pytest.mark.parametrize(("homework", "hidden"), HIDDEN)
def test_the_released_notebook_promises_the_checks_of_hidden_parts(homework, hidden):
    assert hidden.promise
    assert " ".join(hidden.promise.split()) in read_by_students(homework)


@pytest.mark.parametrize(("homework", "hidden"), HIDDEN)
def test_a_hidden_part_has_a_visible_twin_in_its_own_cell(homework, hidden):
    assert hidden.twin in visible_parts(homework, hidden.cell)


@pytest.mark.parametrize("homework", homeworks())
def test_some_parts_are_hidden(homework):
    assert promises(homework)
