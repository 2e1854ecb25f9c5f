"""nbgrader's own quickstart course: two notebooks, and nothing in them that knows this project."""

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from toy_course import run

from hw_grading.__main__ import main
from hw_grading.desk.answers import Answers
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.results import read_results
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.source_notebook import solved
from hw_grading.outcome import Status
from hw_support.submission.cells import grade_id_of, text_of

# One course serves all tests of this file: they have to be in one worker.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("quickstart")]

OURS = f"""
load_subconfig({str(REPOSITORY / "nbgrader_config.py")!r})
c = get_config()
c.CourseDirectory.root = {{root!r}}
c.CourseDirectory.course_id = "course101"
"""
STUDENTS = ("right", "wrong", "half")  # the last one hands in one notebook only


def answered(released: NotebookNode, source: NotebookNode, student: str) -> NotebookNode:
    """A released notebook with the instructor's answers, or with few and wrong ones."""
    right = solved(released, source)
    for cell, own in zip(right.cells, released.cells, strict=True):
        if student == "wrong":
            given = cell if grade_id_of(cell) == "squares" else own
            cell.source = given.source.replace("raise ValueError", "raise TypeError")
    return right


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The course, graded. `test_any_course.py` compares its scores with those of stock nbgrader."""
    place = tmp_path_factory.mktemp("quickstart")
    assert run(place, "quickstart", "course101").returncode == 0
    root = place / "course101"
    (root / "nbgrader_config.py").write_text(OURS.format(root=str(root)))
    assert run(root, "generate_assignment", "ps1").returncode == 0
    for student in STUDENTS:
        folder = root / "submitted" / student / "ps1"
        folder.mkdir(parents=True)
        for path in sorted((root / "release" / "ps1").glob("*.ipynb")):
            if student != "half" or path.stem == "problem1":
                pair = (nbformat.read(p / path.name, 4) for p in (path.parent, root / "source/ps1"))
                nbformat.write(answered(*pair, student), folder / path.name)
    assert run(root, "autograde", "ps1").returncode == 0
    return Course(root)


def test_all_notebooks_are_in_the_results(course: Course) -> None:
    results = read_results(course, "ps1")
    assert [cell.name for cell in results.cells][-3:] == [
        "cell-938593c4a215c6cc",
        "part-a",
        "part-b",
    ]
    found = {result.student.id: result for result in results.handed_in}
    assert {name: one.status for name, one in found.items()} == {
        **dict.fromkeys(STUDENTS, Status.GRADED),
        "half": Status.SUBMISSION_FAILED,
    }
    assert "problem2.ipynb was not submitted" in found["half"].reason
    assert {name: one.score for name, one in found.items()} == {"right": 3, "wrong": 1, "half": 3}
    run_of = found["right"].run
    assert run_of is not None
    assert run_of.number == 1
    assert {"squares", "part-a"} <= set(run_of.answers)
    assert run_of.problems == ()


def test_report_explain_and_regrade_know_them(course, capsys):
    words = ["--course", str(course.root)]
    assert main([*words, "report", "ps1"]) == 0
    assert "graded 2, graded with problems 1, not graded 0" in capsys.readouterr().out
    assert main([*words, "explain", "ps1", "--student", "wrong"]) == 0
    said = capsys.readouterr().out
    assert "squares_invalid_input, 0 of 1 points by tests" in said
    assert "TypeError: n must be greater than or equal to 1" in said
    assert main([*words, "regrade", "ps1"]) == 0
    assert "No score changed. 3 students compared." in capsys.readouterr().out


def test_the_desk_and_the_feedback_show_them(course: Course) -> None:
    book = ManualGrading(course, "ps1")
    cells = [question.cell for question in book.questions()]
    book.close()
    assert cells[-2:] == ["part-a", "part-b"]
    answers = Answers(course, "ps1", lambda: cells)
    submission, shown = answers.read("right")
    assert submission.status is Status.GRADED
    assert set(cells) <= {*shown, "cell-938593c4a215c6cc"}
    assert "squares" in shown  # tests grade it, and a person may read it too
    assert "fibonnaci" in text_of(shown["part-a"]["source"])
    assert answers.read("wrong")[0].glances["part-b"].empty
    half, _ = answers.read("half")
    assert (half.status, "part-a" in half.glances) == (Status.SUBMISSION_FAILED, False)
    assert run(course.root, "generate_feedback", "ps1").returncode == 0
    folder = course.root / "feedback" / "right" / "ps1"
    pages = {path.stem: path.read_text() for path in folder.glob("*.html")}
    assert [*sorted(pages)] == ["problem1", "problem2"]
    assert "fibonnaci" in pages["problem2"]


def test_a_score_by_hand_stays_when_notebooks_are_graded_again(course: Course) -> None:
    def queue(change: bool = False) -> set[str]:
        with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
            found = gradebook.find_submission("ps1", "right")
            grades = {g.name: g for notebook in found.notebooks for g in notebook.grades}
            for name in ("sum_of_squares_equation", "part-a") if change else ():
                grades[name].manual_score, grades[name].needs_manual_grade = 1.0, False
            gradebook.db.commit()
            return {name for name, grade in grades.items() if grade.needs_manual_grade}

    before = queue(change=True)
    assert run(course.root, "autograde", "ps1", "--force").returncode == 0
    assert queue() == before
    alone = run(course.root, "autograde", "ps1", "--force", "--notebook", "problem1")
    assert alone.returncode != 0
    assert "all notebooks of a submission are graded together" in alone.stdout + alone.stderr
