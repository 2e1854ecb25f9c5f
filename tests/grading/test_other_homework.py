"""A notebook of another homework is graded, and its student and the staff are told."""

import copy

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_notebook
from toy_course import ASSIGNMENT, ToyCourse, code, run, text

from hw_grading.analysis.report import report
from hw_grading.gradebook.results import read_results
from hw_grading.homework.cells import mistaken_for
from hw_grading.homework.notes import NOTES_HEADING, read_problems
from hw_grading.outcome import Status
from hw_support.submission.problems import Kind, Severity

# One class serves many tests of this file: they have to be in one worker.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("other-homework")]

OTHER = "hw1"


def other_homework() -> NotebookNode:
    """A notebook that shares only the title's grade id with the toy homework."""
    solution = "### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"
    cells = [text("# Other toys", "title", locked=True)]
    for name in ("once", "again", "at_last"):
        cells.append(code(f"def {name}(x):\n    {solution}", name, solution=True))
        test = f"assert {name}(1) == 1"
        cells.append(code(test, f"test_{name}", grade=True, points=1, locked=True))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


@pytest.fixture(scope="module")
def graded(generated_course: ToyCourse, tmp_path_factory: pytest.TempPathFactory) -> ToyCourse:
    """A class of three: one handed in the other homework, one both in one file."""
    course = generated_course.copied(tmp_path_factory.mktemp("other") / "course")
    folder = course.root / "source" / OTHER
    folder.mkdir()
    nbformat.write(other_homework(), folder / f"{OTHER}.ipynb")
    assert run(course.root, "generate_assignment", "--create", OTHER).returncode == 0
    released = course.root / "release" / OTHER / f"{OTHER}.ipynb"
    other = nbformat.read(released, as_version=4)
    both = copy.deepcopy(course.answered)
    both.cells += copy.deepcopy(other.cells[1:])
    for place, cell in enumerate(both.cells):
        cell["id"] = f"cell-{place}"
    course.submit("other", other)
    course.submit("both", both)
    course.submit("right", course.answered)
    assert course.grade().returncode == 0
    assert run(course.root, "generate_feedback", ASSIGNMENT).returncode == 0
    return course


def test_another_homework_gets_one_sentence_without_a_list_of_cells(graded: ToyCourse) -> None:
    [problem] = read_problems(graded.graded("other"))
    assert (problem.kind, problem.severity) == (Kind.OTHER_HOMEWORK, Severity.FAILED)
    assert problem.message.startswith("This is hw1, submitted as hw2: it has 6 of the 6 cells")
    assert "none of those that only hw2 has" in problem.message


def test_the_sentence_is_in_the_report_and_on_top_of_the_feedback(graded: ToyCourse) -> None:
    top = graded.graded("other").cells[0].source
    assert top.startswith(NOTES_HEADING)
    assert "This is hw1, submitted as hw2" in top
    assert "graded with problems: This is hw1, submitted as hw2" in report(
        graded.root, ASSIGNMENT, 200
    )
    feedback = graded.root / "feedback" / "other" / ASSIGNMENT / f"{ASSIGNMENT}.html"
    assert "This is hw1, submitted as hw2" in feedback.read_text(encoding="utf-8")


def test_the_other_homework_still_gets_its_score(graded: ToyCourse) -> None:
    assert set(graded.test_scores("other").values()) == {0.0}
    assert sum(graded.test_scores("right").values()) == 6.0


def test_a_notebook_with_cells_of_both_is_graded_as_the_submitted_homework(
    graded: ToyCourse,
) -> None:
    problems = read_problems(graded.graded("both"))
    assert {problem.kind for problem in problems} == {Kind.UNKNOWN_CELL}
    assert sum(graded.test_scores("both").values()) == 6.0


def test_other_students_are_not_affected(graded: ToyCourse) -> None:
    results = read_results(graded.course, ASSIGNMENT).handed_in
    failed = {r.student.id for r in results if r.status is Status.SUBMISSION_FAILED}
    assert failed == {"other"}
    assert read_problems(graded.graded("right")) == []


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
    mistaken = mistaken_for(found, OWN, {"third": THIRD, "other": OTHER})
    assert (mistaken.homework if mistaken else None) == homework


def test_a_homework_whose_cells_are_all_in_another_is_not_mistaken_for_it():
    small = {"setup", "a"}
    assert mistaken_for(small, OTHER, {"small": small}) is None
    assert mistaken_for(OTHER, small, {"other": OTHER}).homework == "other"
