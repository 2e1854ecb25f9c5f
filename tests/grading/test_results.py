"""The records of a toy course: gradebook by nbgrader's own API, graded notebooks by hand."""

import functools
import json
import os
import shutil
from datetime import datetime, timedelta

import pytest
from nbgrader.api import Gradebook

from hw_grading.gradebook.graded_notebook import Fault
from hw_grading.gradebook.results import read_results
from hw_grading.gradebook.scores import NoScores, Record
from hw_grading.outcome import Status
from hw_support.submission.problems import Kind, Severity

# These warnings come from nbgrader's code.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")

DUE = datetime(2022, 10, 5, 7)
SCHEME = "- 1: both <axes> have labels.\n- 1: it has a legend."
QUESTION = f"""### 1.2 Plots (6 points)
#### i. A plot (4 points)
Draw it.
<!-- BEGIN MARK SCHEME -->
{SCHEME}
<!-- END MARK SCHEME -->"""
PASSED = "passed  values at 0 [1 pt]\n"
FAILED = "FAILED  values at 1 [2 pt]\n        out: expected 2, got 3\n"


def cell(cell_type, source, grade_id=None, *, points=None, solution=False, outputs=()):
    metadata = {}
    if grade_id:
        flags = {"solution": solution, "locked": not solution, "grade": bool(points)}
        metadata["nbgrader"] = {"grade_id": grade_id, **flags}
    content = {"cell_type": cell_type, "source": source, "metadata": metadata}
    return content | ({"outputs": list(outputs)} if cell_type == "code" else {})


def stream(text):
    return {"output_type": "stream", "name": "stdout", "text": text}


def error(name, message):
    return {"output_type": "error", "ename": name, "evalue": message, "traceback": []}


def notebook(*, test=(), plot=(), answer="Because.", experiment=(), problems=(), finished=True):
    """A graded notebook (or, with its mark scheme, the instructor's own)."""
    cells = [
        cell("markdown", "## Part 1\n### 1.1a Double (3 points)"),
        cell("code", "def double(x): ...", "double", solution=True),
        cell("code", "checks.score()", "test_double", points=3, outputs=test),
        cell("markdown", QUESTION, "plot_question"),
        cell("code", "plt.show()", "plot", points=4, solution=True, outputs=plot),
        cell("markdown", answer, "answer", points=2, solution=True),
        cell("code", "try()", "experiment", solution=True, outputs=experiment),
    ]
    about = {"problems": list(problems), "finished": finished}
    return {"nbformat": 4, "metadata": {"hw_grading": about}, "cells": cells}


def problem(message, severity="failed", kind="time-limit"):
    return {"kind": kind, "cell": "double", "message": message, "severity": severity}


class ToyCourse:
    """A course with the assignment "hw2": one test of 3 points, two manual cells of 4 and 2."""

    def __init__(self, root):
        self.root = root
        self.write(root / "source" / "hw2", notebook())
        with self.gradebook() as book:
            book.add_assignment("hw2", duedate=DUE)
            book.add_assignment("hw1")
            book.add_notebook("hw2", "hw2")
            # Out of order: the order has to come from the notebook.
            for name, points, kind in [
                ("answer", 2, "markdown"),
                ("plot", 4, "code"),
                ("test_double", 3, "code"),
            ]:
                book.add_grade_cell(name, "hw2", "hw2", max_score=points, cell_type=kind)
            for name in ("plot", "answer", "double", "experiment"):
                book.add_solution_cell(name, "hw2", "hw2")

    def gradebook(self):
        return Gradebook(f"sqlite:///{self.root}/gradebook.db")

    @staticmethod
    def write(folder, content):
        folder.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / "hw2.ipynb").write_text(text, encoding="utf-8")

    def hand_in(self, student):
        self.write(self.root / "submitted" / student / "hw2", notebook())

    def grade(self, student, content, auto=3.0, manual=None, **submission):
        """Hand in, and grade as nbgrader does: `manual` has the points for "plot"."""
        self.hand_in(student)
        if content is not None:
            self.write(self.root / "autograded" / student / "hw2", content)
        with self.gradebook() as book:
            book.add_student(student)
            book.add_submission("hw2", student, timestamp=DUE, **submission)
            for name, score in (("test_double", auto), ("plot", None), ("answer", 0.0)):
                grade = book.find_grade(name, "hw2", "hw2", student)
                grade.auto_score, grade.needs_manual_grade = score, score is None
            if manual is not None:
                grade = book.find_grade("plot", "hw2", "hw2", student)
                grade.manual_score, grade.needs_manual_grade = manual, False
            book.db.commit()

    def result(self, student):
        _, results = read_results(self.root, "hw2")
        return next(r for r in results if r.record.student == student)


@functools.cache
def empty_course(folder):
    """Made once for all modules: copying a gradebook is quicker than making it."""
    return ToyCourse(folder).root


@pytest.fixture
def course(tmp_path, tmp_path_factory):
    root = tmp_path / "course"
    shutil.copytree(empty_course(tmp_path_factory.getbasetemp() / "empty-course"), root)
    copied = ToyCourse.__new__(ToyCourse)
    copied.root = root
    return copied


def test_scores_come_from_the_gradebook_and_the_order_from_the_notebook(course):
    course.grade("ada", notebook(), auto=1.5, manual=3.0)
    roster, (ada,) = read_results(course.root, "hw2")
    assert [c.name for c in roster.cells] == ["test_double", "plot", "answer"]
    assert [c.by_hand for c in roster.cells] == [False, True, True]
    assert ada.record.total == 4.5
    assert ada.status is Status.GRADED
    assert ada.reason == ""


def test_places_have_question_title_and_mark_scheme(course):
    roster, _ = read_results(course.root, "hw2")
    assert str(roster.places["test_double"]) == "1.1a Double"
    assert (roster.places["answer"].question, roster.places["answer"].title) == ("1.2", "i. A plot")
    assert roster.places["answer"].scheme == SCHEME
    assert roster.places["double"].scheme == ""


def test_only_manual_cells_without_points_wait_for_a_person(course):
    course.grade("ada", notebook())
    course.grade("bob", notebook(), manual=0.0)
    assert course.result("ada").record.waiting == 4
    assert course.result("bob").record.waiting == 0


def test_failed_parts_are_read_from_a_test_and_errors_from_any_cell(course):
    course.grade(
        "ada",
        notebook(
            test=[stream(["7 printed by the student", PASSED, "no line end"]), stream(FAILED)],
            plot=[error("NameError", "name 'pit' is not defined\nand more")],
            experiment=[stream(FAILED), error("NotImplementedError", "")],
        ),
    )
    assert course.result("ada").faults == (
        Fault("test_double", "values at 1 [2 pt]", "out: expected 2, got 3"),
        Fault("plot", "", "NameError: name 'pit' is not defined"),
    )
    assert str(course.result("ada").faults[0]) == (
        "double: values at 1 [2 pt]: out: expected 2, got 3"
    )


def test_a_cell_that_is_no_python_is_shown_by_its_line(course):
    shown = "  Cell In[1], line 2\n    if x\n        ^\nSyntaxError: expected ':'\n"
    output = error("SyntaxError", "expected ':' (1589703292.py, line 2)") | {"traceback": [shown]}
    course.grade("ada", notebook(plot=[output]))
    assert course.result("ada").faults == (
        Fault("plot", "", "SyntaxError: expected ':'; line 2: if x"),
    )


def test_a_failed_problem_makes_a_failed_submission_and_a_mended_one_does_not(course):
    course.grade("ada", notebook(problems=[problem("It looped.")]))
    course.grade("bob", notebook(problems=[problem("A tag went.", "mended", "metadata"), 7]))
    ada, bob = course.result("ada"), course.result("bob")
    assert (ada.status, ada.reason) == (Status.SUBMISSION_FAILED, "It looped.")
    assert bob.status is Status.GRADED
    assert [(p.kind, p.severity) for p in bob.problems] == [(Kind.METADATA, Severity.MENDED)]


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "{",
        "[" * 100_000,
        '"text"',
        '{"cells": {}}',
        "\ufeff{}",
        json.dumps(notebook(finished=False)),
    ],
)
def test_scores_without_a_whole_graded_notebook_are_not_called_graded(course, content):
    course.grade("ada", content)
    ada = course.result("ada")
    assert ada.status is Status.NOT_GRADED
    assert ada.reason.startswith("The submission has scores, but ")
    assert ada.record.total == 3


@pytest.mark.parametrize("odd", [None, 1, [], {}, "text", [None], [[]], {"nbgrader": 3}])
def test_malformed_cells_are_skipped(course, odd):
    content = notebook(test=[odd, {"output_type": "stream", "text": odd}, error(odd, odd)])
    content["cells"] += [odd, {"metadata": odd}, {"metadata": {"nbgrader": {"grade_id": odd}}}]
    course.grade("ada", content)
    assert course.result("ada").status is Status.GRADED
    course.write(course.root / "autograded" / "ada" / "hw2", notebook() | {"metadata": odd})
    assert course.result("ada").status is Status.GRADED


def test_a_link_or_pipe_in_place_of_a_graded_notebook_is_not_opened(course):
    course.grade("ada", None)
    folder = course.root / "autograded" / "ada" / "hw2"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "hw2.ipynb")
    assert "a pipe" in course.result("ada").reason
    (course.root / "submitted" / "ada" / "hw2" / "hw2.ipynb").write_text('{"cells": [')
    reason = course.result("ada").reason
    assert "a pipe" in reason
    assert "The notebook 'hw2.ipynb' cannot be read: the file ends in the middle (11 b" in reason
    assert "Ask the student for another file" in reason


def test_every_student_who_submitted_anything_is_listed_with_a_reason(course):
    submitted = course.root / "submitted"
    course.hand_in("handed-in")
    for folder in (
        "other-name/hw2",
        "no-folder",
        "empty/hw2",
        "only-hw1/hw1",
        "nothing",
        ".hidden/hw2",
        ".ipynb_checkpoints",
    ):
        (submitted / folder).mkdir(parents=True)
    (submitted / "other-name" / "hw2" / "hw2 (1).ipynb").touch()
    (submitted / "no-folder" / "hw2.ipynb").touch()
    (submitted / "stray.zip").touch()
    (submitted / "linked").mkdir()
    (submitted / "linked" / "hw2").symlink_to(submitted / "handed-in" / "hw2")
    course.grade("killed", notebook(), auto=None)
    course.hand_in("cut-off")
    (submitted / "cut-off" / "hw2" / "hw2.ipynb").write_text('{"cells": [')
    _, results = read_results(course.root, "hw2")
    reasons = {r.record.student: r.reason for r in results}
    assert {r.status for r in results} == {Status.NOT_GRADED}
    no_scores = "The notebook was submitted, but there are no scores"
    assert reasons == {
        "handed-in": f"{no_scores}: run `nbgrader autograde hw2`.",
        "killed": f"{no_scores}: run `nbgrader autograde hw2`.",
        "cut-off": "The notebook 'hw2.ipynb' cannot be read: the file ends in the middle "
        "(11 bytes): an upload or a copy was cut off. Submit the whole file again. Ask the student "
        "for another file, and run `nbgrader autograde hw2`.",
        "other-name": "No hw2.ipynb was submitted. In the folder hw2: 'hw2 (1).ipynb'.",
        "no-folder": "No hw2.ipynb was submitted. In the student's folder, which has no folder "
        "hw2: 'hw2.ipynb'.",
        "empty": "No hw2.ipynb was submitted. In the folder hw2: nothing.",
        "linked": f"{submitted / 'linked' / 'hw2'}: it is a symbolic link. Replace it with a copy "
        "of its target, and run `nbgrader autograde hw2`.",
        ".hidden": "Its name begins with a dot. Rename the folder, and run "
        "`nbgrader autograde hw2`.",
    }


@pytest.mark.parametrize("student", ["n" * 300, "..", "a/b", "a\0b", "\n"])
def test_a_student_id_that_no_folder_can_have_is_listed(course, student):
    with course.gradebook() as book:
        book.add_student(student)
        book.add_submission("hw2", student)
    assert course.result(student).status is Status.NOT_GRADED


def test_a_newer_version_than_the_graded_one_is_reported(course):
    course.grade("ada", notebook())
    stamp = course.root / "submitted" / "ada" / "hw2" / "timestamp.txt"
    for text, status in [
        ("2022-10-05 07:00:00 UTC", Status.GRADED),
        ("2022-10-05 00:30:00 America/Los_Angeles", Status.NOT_GRADED),
        ("no time", Status.GRADED),
        ("", Status.GRADED),
    ]:
        stamp.write_text(text)
        assert course.result("ada").status is status, text


def test_lateness_counts_from_the_extended_due_date(course):
    course.grade("ada", notebook(), extension=timedelta(hours=-3))
    course.grade("bob", notebook(), extension=timedelta(hours=1))
    assert course.result("ada").record.late == "3 h 0 min"
    assert course.result("bob").record.seconds_late == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, ""), (1, "1 min"), (3600, "1 h 0 min"), (86_400, "1 d 0 h"), (200_000, "2 d 7 h")],
)
def test_lateness_in_words(seconds, words):
    assert Record("ada", seconds_late=seconds).late == words


def test_the_penalty_is_taken_off_the_total_as_in_nbgraders_export(course):
    course.grade("ada", notebook(), auto=2.0)
    with course.gradebook() as book:
        book.find_submission_notebook("hw2", "hw2", "ada").late_submission_penalty = 1.5
        book.db.commit()
    assert course.result("ada").record.total == 0.5


def test_reading_neither_makes_nor_changes_a_gradebook(course, tmp_path):
    course.grade("ada", notebook())
    before = (course.root / "gradebook.db").read_bytes()
    read_results(course.root, "hw2")
    assert (course.root / "gradebook.db").read_bytes() == before
    with pytest.raises(NoScores, match="generate_assignment"):
        read_results(tmp_path, "hw2")
    assert not (tmp_path / "gradebook.db").exists()


def test_a_damaged_gradebook_or_an_unknown_assignment_says_so(course):
    with pytest.raises(NoScores, match="no homework 'hw3'"):
        read_results(course.root, "hw3")
    (course.root / "gradebook.db").write_text("no database, but long enough to be read as one" * 9)
    with pytest.raises(NoScores, match=r"The gradebook .* cannot be read"):
        read_results(course.root, "hw2")


def test_a_course_without_source_is_reported_with_grade_ids(course):
    shutil.rmtree(course.root / "source")
    course.grade("ada", notebook())
    roster, (ada,) = read_results(course.root, "hw2")
    assert ada.status is Status.GRADED
    assert str(roster.places["plot"]) == "plot"


def test_the_number_of_queries_does_not_grow_with_the_class(course, monkeypatch):
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    counts = []
    for students in (1, 4):
        for number in range(students):
            course.grade(f"student {students} {number}", notebook())
        seen = []
        record = lambda *arguments, seen=seen: seen.append(arguments[2])  # noqa: E731
        event.listen(Engine, "before_cursor_execute", record)
        read_results(course.root, "hw2")
        event.remove(Engine, "before_cursor_execute", record)
        counts.append(len(seen))
    assert counts[0] == counts[1] < 10
