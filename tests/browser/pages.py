"""The pages of ours that people read, made from small records of a class."""

import base64
import copy
import io
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import nbformat
from nbformat import NotebookNode
from server import ROOT
from test_results import FAILED, PASSED, ToyCourse, notebook, problem

from hw_grading.analysis.statistics import page_of, statistics_of
from hw_grading.gradebook.graded_notebook import read_places
from hw_grading.gradebook.results import Result
from hw_grading.gradebook.runs import Run
from hw_grading.gradebook.scores import Cell, Record, Score, Student
from hw_grading.homework.notes import add_problems
from hw_grading.outcome import Part, Status
from hw_grading.plugins.feedback import FeedbackExporter
from hw_grading.rendering.feedback.summary import Facts
from hw_support import label_axes
from hw_support.submission.problems import Kind, Problem, Severity


def a_plot() -> dict[str, Any]:
    """A plot, as a cell's output."""
    figure, ax = plt.subplots(figsize=(7, 3.6))
    ax.plot([3, 2, 1], color="#0072B2", label="training")
    label_axes(ax, title="Loss", xlabel="iteration", ylabel="mean loss (nats)")
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    plt.close(figure)
    picture = base64.b64encode(drawn.getvalue()).decode()
    return {"output_type": "display_data", "metadata": {}, "data": {"image/png": picture}}


def statistics_page(folder: Path) -> str:
    """The statistics of a class in which answers wait, tests failed and one notebook is broken."""
    course = ToyCourse(folder)
    course.grade("ada", notebook(), manual=3, parts=[PASSED])
    late = notebook(problems=[problem("The cell 'train' took too long.")])
    name = "a-student-with-a-name-as-long-as-addresses-are"
    course.grade(name, late, auto=1.0, parts=[FAILED])
    course.grade("dan", "{")
    course.hand_in("eve")
    return page_of(statistics_of(course.root, "hw2"))


def feedback_page(graded: NotebookNode) -> str:
    """A student's feedback, with everything that the box at the top can have."""
    places = read_places(ROOT / "source" / "hw2" / "hw2.ipynb")
    tests = [Cell(name, 6, by_hand=False) for name in ("test_sigmoid_activation", "test_train")]
    answers = [Cell(name, 4, by_hand=True) for name in ("q1_3b_iv", "q1_3e_i")]
    scores = [
        Score(tests[0], auto=1.0, waits=False),
        Score(tests[1], auto=6.0, waits=False),
        Score(answers[0], manual=3.0, extra=0.5, waits=False),
        Score(answers[1], auto=0.0),
    ]
    late = Record("ada", None, 90_000.0, 2.0, tuple(scores))
    words = "+2  names $x$ and `W`\n-1  not why\n\nRead **once** more:\n\n|a|b|\n|-|-|\n|1|2|"
    released = nbformat.read(ROOT / "release" / "hw2" / "hw2.ipynb", as_version=4)
    message = "out: expected 0.5, got 0. Input: s = 0"
    failed = Part("test_sigmoid_activation", "values", 5, 0, passed=False, message=message)
    run = Run("", {}, {}, "1", Status.GRADED, "", (), 1.0, 1.0, (failed,))
    facts = Facts(
        student="a-student-with-a-name-as-long-as-addresses-are@students.example.edu",
        homework="hw2",
        cells=(*tests, *answers),
        most=20,
        result=Result(
            Student("ada", "Ada", "", ""), late, run, Status.GRADED, score=10.5, penalty=2.0
        ),
        comments={"q1_3b_iv": words},
        places=places,
        instructors=frozenset(cell.source.strip() for cell in released.cells),
    )
    noted = [
        Problem(Kind.TIME_LIMIT, Severity.FAILED, "Cell 'train' took too long.", "relu_activation"),
        Problem(Kind.DELETED_CELL, Severity.MENDED, "Cell 'setup' was deleted: it was restored."),
        Problem(Kind.OTHER_NOTEBOOK, Severity.MENDED, f"'{'copy' * 20}.ipynb' was not graded."),
    ]
    graded = copy.deepcopy(graded)
    add_problems(graded, noted)
    wide = "a_name_without_an_end_" * 30
    own = nbformat.v4.new_code_cell(f"{wide} = 1  # mine\nprint({wide})")
    own.outputs = [
        nbformat.v4.new_output("stream", text=f"{wide}\n" * 90),
        nbformat.v4.new_output("error", ename="E", evalue=wide, traceback=[wide]),
        nbformat.from_dict(a_plot()),
    ]
    graded.cells.append(own)
    html, _ = FeedbackExporter().from_notebook_node(graded, {"facts": facts})
    return str(html)
