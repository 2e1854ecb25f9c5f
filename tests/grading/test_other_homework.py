"""A notebook of another homework is graded, and its student and the staff are told."""

import copy

import nbformat
import pytest
from nbformat import NotebookNode
from toy_course import ASSIGNMENT, ToyCourse, check, code, python_notebook, run, text

from hw_grading.analysis.report import report
from hw_grading.homework.cells import mistaken_for
from hw_support.submission.problems import Kind, Severity

HW1 = "hw1"


def other_homework() -> NotebookNode:
    """A notebook that shares only the title's grade id with the toy homework."""
    solution = "### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"
    cells = [text("# Other toys", "title", locked=True)]
    for name in ("once", "again", "at_last"):
        cells.append(code(f"def {name}(x):\n    {solution}", name, solution=True))
        cells.append(check(f"test_{name}", f"assert {name}(1) == 1", points=1))
    return python_notebook(*cells)


@pytest.mark.slow
def test_another_homework_is_named_and_still_gets_its_score(course: ToyCourse) -> None:
    """One student hands in the other homework, one both in one file, and one the right one."""
    folder = course.root / "source" / HW1
    folder.mkdir()
    nbformat.write(other_homework(), folder / f"{HW1}.ipynb")
    assert run(course.root, "generate_assignment", "--create", HW1).returncode == 0
    other = nbformat.read(course.root / "release" / HW1 / f"{HW1}.ipynb", as_version=4)
    both = copy.deepcopy(course.answered)
    both.cells += copy.deepcopy(other.cells[1:])
    for place, cell in enumerate(both.cells):
        cell["id"] = f"cell-{place}"
    for student, notebook in (("other", other), ("both", both), ("right", course.answered)):
        course.submit(student, notebook)
    assert course.grade().returncode == 0
    assert run(course.root, "generate_feedback", ASSIGNMENT).returncode == 0

    [problem] = course.problems("other")
    assert (problem.kind, problem.severity) == (Kind.OTHER_HOMEWORK, Severity.FAILED)
    said = "This is hw1, submitted as hw2"
    assert problem.message.startswith(f"{said}: it has most of the cells that only hw1 has")
    page = course.root / "feedback" / "other" / ASSIGNMENT / f"{ASSIGNMENT}.html"
    assert said in page.read_text(encoding="utf-8")
    assert f"graded with problems: {said}" in report(course.root, ASSIGNMENT, 200)
    assert {one.kind for one in course.problems("both")} == {Kind.UNKNOWN_CELL}
    assert course.problems("right") == ()
    totals = {name: sum(course.test_scores(name).values()) for name in ("other", "both", "right")}
    assert totals == {"other": 0.0, "both": 6.0, "right": 6.0}


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
        (set(), None),
        (OWN, None),
        (OWN | OTHER, None),  # both in one file: it is graded as the submitted homework
        ({"p", "q", "r"}, None),
    ],
)
def test_only_a_clear_case_counts_as_another_homework(found, homework):
    assert mistaken_for(found, OWN, {"third": THIRD, "other": OTHER}) == homework


def test_a_homework_within_another_is_not_mistaken_for_it():
    small = {"setup", "a"}
    assert mistaken_for(small, OTHER, {"small": small}) is None
    assert mistaken_for(OTHER, small, {"other": OTHER}) == "other"
