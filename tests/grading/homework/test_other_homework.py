"""A notebook of another homework is recognised by its grade ids."""

import pytest

from hw_grading.grade.read import mistaken_for

OWN = {"setup", "signed", *(f"own{i}" for i in range(20))}
OTHER = {"setup", "signed", "a", "b", "c", "d"}
THIRD = {"setup", "signed", "a", "b", "x", "y"}


@pytest.mark.parametrize(
    ("found", "homework"),
    [
        (OTHER, "other"),
        (OTHER - {"a"}, "other"),
        (OTHER | {"own0", "own1", "own2"}, "other"),  # 15 % of its own cells
        (OTHER - {"a"} | {f"own{i}" for i in range(15)}, None),  # 75 %, and as much of the other
        ({"setup", "signed", "a", "b"}, None),  # no more than half of the other
        (OWN, None),
        (OWN | OTHER, None),  # both in one file: it is graded as the submitted homework
        ({"p", "q", "r"}, ""),
        ({"p", "q", "r", "own0"}, None),
        (set(), None),  # a notebook that lost its metadata
    ],
)
def test_only_a_clear_case_counts_as_another_homework(found, homework):
    assert mistaken_for(found, OWN, {"third": THIRD, "other": OTHER}) == homework
