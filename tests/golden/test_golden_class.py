"""Every submission of the golden class has the results that are written down."""

import difflib
import os
from pathlib import Path

import pytest
from as_in_class import EVERY_RUN, expect_same
from golden_class import (
    CONFIG,
    EXPECTED,
    HOMEWORKS,
    described,
    graded_class,
    hand_in,
    read_expected,
)

from hw_grading.commands.grade_file import grade_file
from hw_grading.gradebook.results import read_results
from hw_grading.homework.course import Course, scratch_course
from hw_support.errors import UserError

HOW = (
    f"The golden class has other results than {EXPECTED.name}, as above. If they are meant to "
    "change, write the file anew (python tests/golden/golden_class.py), and give the reason in the "
    "commit's message."
)


def differences(texts: dict[str, str]) -> str:
    """Return the lines by which these results differ from those that are written down."""
    expected = read_expected()
    lines: list[str] = []
    for heading, text in texts.items():
        both = expected.get(heading, "").split("\n"), text.split("\n")
        found = difflib.unified_diff(*both, heading, heading, "expected", "found", lineterm="")
        lines += [*found]
    return "\n".join(lines)


@pytest.mark.slow
@pytest.mark.smoke
def test_a_few_of_the_golden_class_have_the_expected_results(tmp_path: Path) -> None:
    texts = graded_class(tmp_path, described()["quick"], quick=True)
    named = [name for names in described()["quick"].values() for name in names]
    assert len([heading for heading in texts if " / " in heading]) == len(named)
    found = differences(texts)
    assert not found, f"{found}\n{HOW}"


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("homework", HOMEWORKS)
def test_the_whole_golden_class_has_the_expected_results(tmp_path: Path, homework: str) -> None:
    texts = graded_class(tmp_path, [homework])
    assert texts.keys() == {heading for heading in read_expected() if heading.startswith(homework)}
    found = differences(texts)
    assert not found, f"{found}\n{HOW}"


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("homework", HOMEWORKS)
def test_golden_submissions_get_what_their_class_gives_them(tmp_path: Path, homework: str) -> None:
    """The quick ones; with HW_ALL_GOLDEN the whole class."""
    course = scratch_course(tmp_path / "course")
    with (course.folder / "nbgrader_config.py").open("a") as config:
        config.write(f"{CONFIG}{EVERY_RUN}")
    course = Course(course.folder)
    log = tmp_path / "log.txt"
    course.run_nbgrader("generate_assignment", homework, log=log)
    quick = described()["quick"][homework]
    hand_in(course, homework, () if os.environ.get("HW_ALL_GOLDEN") else quick)
    course.nbgrader("autograde", homework, log=log)  # fails: some have no readable notebook
    graded, others = 0, []
    for one in read_results(course, homework).handed_in:
        path = course.submitted(one.student.id, homework) / f"{homework}.ipynb"
        try:
            alone = grade_file(course, homework, path, student=one.student.id)
        except UserError as why:
            others += [] if one.run is None else [f"{one.student.id}: not graded alone: {why}"]
            continue
        graded += 1
        try:
            expect_same(alone, one)
        except AssertionError as error:
            others.append(f"{one.student.id}: {error}")
    assert not others, "\n\n".join(others)
    assert graded >= 3
