"""The pages of ours that people read, made from small records of a class."""

import base64
import io
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from feedback_pages import comment, page_of, valid
from graded_course import FAILED, PASSED, ToyCourse, cell, error, notebook, problem, stream

from hw_grading.__main__ import main
from hw_grading.analysis import statistics
from hw_support import label_axes

WIDE = "a_name_without_an_end_" * 30


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
    return statistics.page_of(statistics.statistics_of(course.root, "hw2"))


def feedback_page(folder: Path) -> str:
    """A student's feedback, with everything that the box at the top can have."""
    student = "a-student-with-a-name-as-long-as-addresses-are@students.example.edu"
    course = ToyCourse(folder)
    outputs = [stream(f"{WIDE}\n" * 90), error("E", WIDE), a_plot()]
    noted = [
        problem("Cell 'train' took too long."),
        problem("Cell 'setup' was deleted: it was restored.", "mended", "deleted-cell"),
        problem(f"'{'copy' * 20}.ipynb' was not graded.", "mended", "other-notebook"),
    ]
    answer = "Because $x^2 < 1$.\n\n|a|b|\n|-|-|\n|1|2|"
    content = valid(notebook(plot=outputs, answer=answer, problems=noted))
    content["cells"][0]["source"] += "\n\n" + "Read this. " * 60  # so long that it is folded
    course.write(course.root / "source" / "hw2", content)
    own = cell("code", f"{WIDE} = 1  # mine\nprint({WIDE})", outputs=[error("E", "mine")])
    content["cells"].insert(2, own | {"execution_count": None})
    course.grade(student, content, auto=1.0, manual=3.5, parts=[PASSED, FAILED])
    comment(course, "plot", "+2  names $x$ and `W`\n-1  not why\n\nRead **more**.", student)
    reason = ["--reason", "The question had two readings."]
    assert (
        main(["--course", str(course.root), "correct", "hw2", "plot", "--add", "1", *reason]) == 0
    )
    return page_of(course, student)
