"""The arena itself: right answers get all points, wrong answers none."""

import pytest
from arena import NOTHING, POINTS, RIGHT, Arena, notebook

pytestmark = pytest.mark.slow


@pytest.mark.smoke
def test_right_answers_get_full_marks(arena: Arena) -> None:
    assert arena.attack(RIGHT).scores == POINTS


@pytest.mark.smoke
def test_wrong_answers_get_nothing(arena: Arena) -> None:
    assert arena.attack().scores == NOTHING


def test_the_same_holds_without_a_sandbox(arena: Arena) -> None:
    assert arena.grade(notebook(RIGHT), sandbox="none").scores == POINTS
    assert arena.grade(notebook({}), sandbox="none").scores == NOTHING
