"""Whole runs of `nbgrader autograde` over classes of bad submissions.

One run grades a class of odd names, files and cells; the tests check its results. Broken files and
cells whose result is only a score are in the golden class; `tests/hostile/test_people.py` has names
that are refused. The grading of a second course is started again.
"""

import copy
import os
from dataclasses import dataclass

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbgrader.api import Gradebook
from toy_course import (
    ASSIGNMENT,
    FULL_MARKS,
    TESTS,
    ToyCourse,
    check,
    code,
    python_notebook,
    run,
    text,
)

from hw_grading.analysis.report import report
from hw_grading.commands.sample import cell_of
from hw_grading.desk.answers import Answers
from hw_grading.gradebook.runs import digests_before
from hw_grading.homework.notes import NOTES_HEADING
from hw_grading.notebooks import cells_by_id

# One class serves many tests of this file: they have to be in one worker.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bad-input")]

ODD_NAMES = ["ünïcødé-学生", "a.b@c-d.example+e", "x" * 128]


@dataclass
class Graded:
    """A class after one run: the course, the run's output, its exit status."""

    course: ToyCourse
    log: str
    status: int

    def total(self, student: str) -> float:
        scores = self.course.test_scores(student)
        assert len(scores) == 3, f"{student} has no submission"
        assert None not in scores.values(), f"{student} has no score"
        return sum(score for score in scores.values() if score is not None)

    def reasons(self, student: str) -> str:
        """The reasons in the graded notebook; each is also in the log and in the notes on top."""
        nb = self.course.graded(student)
        messages = [p.message for p in self.course.problems(student)]
        assert nb.cells[0].source.startswith(NOTES_HEADING) == bool(messages)
        for message in messages:
            assert f"{student}: {message}" in self.log
        return "\n".join(messages)


def other_homework() -> NotebookNode:
    """A notebook that shares only the title's grade id with the toy homework."""
    cells = [text("# Other toys", "title", locked=True)]
    for name in ("once", "again", "at_last"):
        solution = "### BEGIN SOLUTION\nx = 1\n### END SOLUTION"
        cells += [code(solution, name, solution=True), check(f"test_{name}", points=1)]
    return python_notebook(*cells)


def submit_class(course: ToyCourse) -> None:
    submit = course.submit
    submit("a-good-first", course.answered)
    submit("zz-good-last", course.answered)
    for name in ODD_NAMES:
        submit(name, course.answered)

    submit("not-json", "<html>Session expired</html>")
    course.folder("no-notebook")
    nbformat.write(course.answered, course.folder("misnamed") / "hw2 (1).ipynb")
    (course.folder("linked") / "hw2.ipynb").symlink_to(course.root / "source/hw2/hw2.ipynb")
    (course.folder("a-folder") / "hw2.ipynb").mkdir()

    nb = course.answer(double="def double(x): return 0")
    cell_of(nb, "test_double").metadata.nbgrader.update(points=500, schema_version=2)
    submit("edited-points", nb)

    nb = course.answer(double="def double(x): return 0")
    cell_of(nb, "test_double").outputs = [
        new_output("execute_result", data={"text/plain": "2.0"}, execution_count=1)
    ]
    nb.metadata["kernelspec"] = {"name": "julia-1.9", "display_name": "Julia", "language": "julia"}
    submit("outputs-and-kernel", nb)

    nb = copy.deepcopy(course.answered)
    nb.cells.remove(cell_of(nb, "why"))
    submit("deleted", nb)

    nb = course.answer(why="YOUR ANSWER HERE")
    place = nb.cells.index(cell_of(nb, "why"))
    nb.cells[place:place] = [new_markdown_cell("In a cell of its own.")]
    nb.cells.append(new_code_cell("print('below')"))
    submit("added", nb)

    nb = copy.deepcopy(course.answered)
    nb.cells.reverse()
    cell_of(nb, "title").metadata.nbgrader["schema_version"] = 99
    submit("reversed", nb)

    nb = copy.deepcopy(course.answered)
    cell_of(nb, "why").attachments = {f"{n}": {"image/png": ""} for n in range(100_000)}
    submit("many-pictures", nb)  # more than two megabytes: a worker reads it

    other = course.course.source("hw1")
    other.mkdir()
    nbformat.write(other_homework(), other / "hw1.ipynb")
    assert run(course.root, "generate_assignment", "--create", "hw1").returncode == 0
    submit("other", nbformat.read(course.course.release("hw1") / "hw1.ipynb", as_version=4))

    submit("os-exit", course.answer(triple="import os; os._exit(1)"))

    submit("extra-files", course.answered)
    folder = course.folder("extra-files")
    for name in ("random", "numpy", "nbgrader", "hw_grading", "hw_support", "ipykernel_launcher"):
        (folder / f"{name}.py").write_text("raise RuntimeError('shadowed')")
    (folder / "data").mkdir()
    (folder / "data" / "notes.txt").write_text("mine")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "secret").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")
    (folder / "timestamp.txt").write_text("yesterday, I think")
    (folder / "scratch.ipynb").write_text("[]")


NOT_READ = {
    "not-json": "expected JSON, found text that begins with '<html>Session",
    "no-notebook": "there is no such file",
    "misnamed": "there is no such file, but there is 'hw2 (1).ipynb': rename",
    "linked": "found a symbolic link",
    "a-folder": "found a folder",
    "many-pictures": "expected at most 200 attached pictures, found 100,000",
}


@pytest.fixture(scope="module")
def graded(generated_course: ToyCourse, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    course = generated_course.copied(tmp_path_factory.mktemp("class") / "course")
    submit_class(course)
    done = course.grade()
    return Graded(course, done.stderr, done.returncode)


def test_everyone_whose_notebook_can_be_read_is_graded(graded: Graded) -> None:
    assert graded.status == 1, graded.log
    students = {p.name for p in (graded.course.root / "submitted").iterdir()}
    for student in students - {*NOT_READ}:
        graded.total(student)
        assert graded.course.graded(student).metadata.hw_grading.finished, student
    assert graded.log.count("NOT GRADED: ") == len(NOT_READ)
    assert "Traceback" not in graded.log


@pytest.mark.parametrize("student", NOT_READ)
def test_what_cannot_be_read_is_not_graded_and_named(graded: Graded, student: str) -> None:
    said = [line for line in graded.log.split("\n") if "The notebook 'hw2.ipynb' cannot be" in line]
    assert sum(NOT_READ[student] in line for line in said) >= 1
    assert set(graded.course.scores(student).values()) <= {None}
    assert not (graded.course.root / "autograded" / student / ASSIGNMENT).exists()
    table = report(graded.course.root, ASSIGNMENT, 400)
    remark = table.partition(f"\n{student} ")[2].split("\n")[1].strip()
    assert remark.startswith("NOT GRADED: ")
    assert NOT_READ[student] in remark


@pytest.mark.parametrize(
    ("student", "total", "reasons"),
    [
        *((name, FULL_MARKS, []) for name in ("a-good-first", "zz-good-last", *ODD_NAMES)),
        ("edited-points", 4, []),
        ("outputs-and-kernel", 4, []),
        ("deleted", FULL_MARKS, ["'why' was deleted"]),
        ("added", FULL_MARKS, ["'why' was left empty: an added cell at its place"]),
        ("reversed", FULL_MARKS, ["'test_double' was moved"]),
        ("other", 0, ["This is the notebook of hw1, not of hw2. It has most of the cells"]),
        ("os-exit", 2, ["the kernel died while running cell 'triple'"]),
        ("extra-files", FULL_MARKS, ["'dangling'", "and 7 more were ignored", "'scratch.ipynb'"]),
    ],
)
def test_each_submission_ends_in_its_score_and_its_reason(graded, student, total, reasons):
    assert graded.total(student) == total
    found = graded.reasons(student)
    assert bool(found) == bool(reasons)
    for reason in reasons:
        assert reason in found


def test_an_answer_in_an_added_cell_waits_a_deleted_one_is_none(graded: Graded) -> None:
    scores = graded.course.scores("deleted")
    assert (scores["why"], scores["sketch"]) == (0, None)
    scores = graded.course.scores("added")
    assert (scores["why"], scores["sketch"]) == (None, None)
    answers = Answers(graded.course.course, ASSIGNMENT, lambda: ["why", "sketch"])
    glances = answers.submission("added").glances
    assert (glances["why"].excerpt, glances["why"].empty) == ("In a cell of its own.", False)
    with Gradebook(graded.course.course.db_url) as gradebook:
        before = digests_before(gradebook.db.connection(), ASSIGNMENT, "added")
    assert {name: before[name] for name in glances} == {k: v.digest for k, v in glances.items()}
    nb = graded.course.graded("added")
    assert cells_by_id(nb)["sketch"]["source"] == "print('o')\n\nprint('below')"


def test_files_beside_the_notebook_are_ignored(graded: Graded) -> None:
    folder = graded.course.root / "autograded" / "extra-files" / ASSIGNMENT
    names = ("dangling", "secret", "pipe", "data/notes.txt")
    assert not any(os.path.lexists(folder / name) for name in names)
    assert "'data/notes.txt'" in graded.log
    assert "expected a time such as" in graded.log


def test_grading_without_running_is_refused(graded: Graded) -> None:
    done = graded.course.grade("--no-execute", "--force", "--student", "os-exit")
    assert done.returncode == 1
    assert "--no-execute" in done.stderr
    assert graded.total("os-exit") == 2


def test_what_is_new_unfinished_or_without_scores_is_graded_again(course: ToyCourse) -> None:
    for student in ("kept", "lost", "cut"):
        course.submit(student, course.answered)
    course.submit("again", course.answer(double="def double(x):\n    return x"))
    course.grade()
    course.submit("again", course.answered)
    before = (course.root / "autograded/kept/hw2/hw2.ipynb").stat().st_mtime_ns
    with Gradebook(course.course.db_url) as gradebook:
        gradebook.remove_student("lost")
    cut = course.root / "autograded/cut/hw2/hw2.ipynb"
    cut.unlink()  # it is read-only
    nbformat.write(course.answered, cut)
    course.submit("excluded", course.answered)
    done = course.grade("--CourseDirectory.student_id_exclude=excluded,nobody")
    assert done.returncode == 0
    assert "cut: hw2.ipynb was not graded completely" in done.stderr
    assert "lost: it has no scores in the gradebook: grading it again" in done.stderr
    assert "again: hw2.ipynb was graded in another version: grading it again" in done.stderr
    assert "kept: " not in done.stderr
    assert course.graded("cut").metadata.hw_grading.finished
    assert course.scores("excluded") == {}
    assert course.test_scores("lost") == course.test_scores("again") == TESTS
    assert (course.root / "autograded/kept/hw2/hw2.ipynb").stat().st_mtime_ns == before
