"""Grade ids tell which homework a notebook is; those that homeworks share tell nothing."""

from pathlib import Path

import pytest
from tiny_homeworks import answered_notebook, release_of

from hw_support.submission.released import (
    closest,
    grade_ids_in,
    mistaken_for,
    named_in,
)

OWN = {"setup", "signed", *(f"own{i}" for i in range(20))}
OTHER = {"setup", "signed", "a", "b", "c", "d"}
THIRD = {"setup", "signed", "a", "b", "x", "y"}


@pytest.mark.parametrize(
    ("found", "homework"),
    [
        (OTHER, "other"),
        (OTHER - {"a"}, "other"),
        (OTHER | {"own0", "own1"}, "other"),  # a tenth of the right one
        (OTHER | {"own0", "own1", "own2"}, None),
        ({"setup", "signed", "a", "b"}, None),  # no more than half of the other
        ({"setup", "signed"}, None),
        (set(), None),
        (OWN, None),
        (OWN | OTHER, None),  # both in one file: it is graded as the submitted homework
        ({"p", "q", "r"}, None),
    ],
)
def test_only_a_clear_case_counts_as_another_homework(found, homework):
    mistaken = mistaken_for(found, OWN, {"other": OTHER})
    assert (mistaken.homework if mistaken else None) == homework


def test_the_other_homework_with_most_cells_is_named():
    mistaken = mistaken_for(OTHER, OWN, {"third": THIRD, "other": OTHER})
    assert mistaken.homework == "other"
    assert (mistaken.found, mistaken.of, mistaken.found_of_own) == (4, 4, 0)


def test_a_homework_whose_cells_are_all_in_another_is_not_mistaken_for_it():
    small = {"setup", "a"}
    assert mistaken_for(small, OTHER, {"small": small}) is None
    assert mistaken_for(OTHER, small, {"other": OTHER}).homework == "other"


def test_a_course_of_one_homework_has_no_other():
    assert mistaken_for({"p"}, OWN, {}) is None


def test_several_homeworks_can_be_closest_by_common_ids():
    known = {"own": OWN, "other": OTHER}
    assert closest({"setup", "a"}, known) == ["other"]
    assert closest({"setup"}, known) == ["own", "other"]
    assert closest({"q"}, known) == []


@pytest.mark.parametrize(
    ("name", "homeworks"),
    [
        ("ps1.ipynb", ["ps1"]),
        ("3031234567_ps1.ipynb", ["ps1"]),
        ("PS1 (2).ipynb", ["ps1"]),
        ("ps1-repaired.ipynb", ["ps1"]),
        ("ps10.ipynb", ["ps10"]),
        ("maps1.ipynb", []),
        ("ps1 and ps10.ipynb", ["ps1", "ps10"]),
    ],
)
def test_a_files_name_names_a_homework_as_a_word_of_its_own(name, homeworks):
    assert named_in(Path(name), {"ps1": 0, "ps10": 0}) == homeworks


def test_ids_of_a_notebook_are_those_that_its_release_lists():
    assert grade_ids_in(answered_notebook("ps1")) == release_of("ps1").grade_ids
