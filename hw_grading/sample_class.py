"""A sample class: submissions built in code from the source notebook, right and wrong.

Each submission is the released notebook with the instructor's solutions filled in, and then one
thing changed. The demonstration grades them, and so do tests and benchmarks.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import utils

from hw_grading.due_date import configured

ON_TIME = timedelta(hours=-5)
LATE = timedelta(days=1, hours=9)


@dataclass(frozen=True)
class Submission:
    """One student's submission.

    Attributes
    ----------
    student : str
        The student id, which in this class names what is wrong.
    change : callable
        Changes a solved notebook in place.
    handed_in : timedelta
        How long after the due date.
    points_lost : dict of str to float
        For each test cell that is not at full marks, the points that it must lose.
    """

    student: str
    change: Callable[[Any], None]
    points_lost: dict[str, float]
    handed_in: timedelta = ON_TIME


def cell_of(notebook: Any, grade_id: str) -> Any:
    """Return the cell with this grade id; KeyError if there is none."""
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
            return cell
    raise KeyError(f"no cell with the grade id {grade_id!r}")


def replace_in(notebook: Any, grade_id: str, old: str, new: str) -> None:
    """Replace text that stands in a cell exactly once; ValueError otherwise."""
    cell = cell_of(notebook, grade_id)
    if cell.source.count(old) != 1:
        raise ValueError(f"{old!r} stands {cell.source.count(old)} times in {grade_id}, not once")
    cell.source = cell.source.replace(old, new)


def solved(released: Any, source: Any) -> Any:
    """Return a copy of the released notebook with the solutions of the source in it."""
    notebook = copy.deepcopy(released)
    for cell in notebook.cells:
        if utils.is_solution(cell):
            solution = cell_of(source, cell.metadata.nbgrader.grade_id).source
            cell.source = "\n".join(
                line
                for line in solution.split("\n")
                if "BEGIN SOLUTION" not in line and "END SOLUTION" not in line
            )
    return notebook


def blank(notebook: Any, released: Any) -> None:
    """Put every answer back to the stub that was released."""
    for cell in notebook.cells:
        if utils.is_solution(cell):
            cell.source = cell_of(released, cell.metadata.nbgrader.grade_id).source


def sample_class(released: Any) -> list[Submission]:
    """Return the submissions of the sample class.

    Parameters
    ----------
    released
        The released notebook, for the submission that hands it in as it came.
    """
    full = {
        cell.metadata.nbgrader.grade_id: float(cell.metadata.nbgrader.points)
        for cell in released.cells
        if utils.is_grade(cell) and not utils.is_solution(cell)
    }

    def wrong_loss(notebook: Any) -> None:  # ln g in both branches
        replace_in(notebook, "logistic_loss", "np.log(np.where(y == 1, g, 1 - g))", "np.log(g)")

    def broadcasting(notebook: Any) -> None:
        replace_in(notebook, "logistic_loss", "y = np.reshape(y, (-1, 1))", "y = np.asarray(y)")

    def mean_gradients(notebook: Any) -> None:
        replace_in(
            notebook,
            "backward_pass",
            "x[:, :, None] * delta[:, None, :])",
            "(x.T @ delta / len(x)))",
        )

    def syntax_error(notebook: Any) -> None:
        replace_in(
            notebook, "create_bias_vectors", "for d in layer_dims[1:]]", "for d in layer_dims[1:]"
        )

    def endless_loop(notebook: Any) -> None:
        cell_of(
            notebook, "q1_3c"
        ).source = "reference_loss = 1.0\nwhile reference_loss > 0:\n    reference_loss += 1e-9"

    def deleted_test(notebook: Any) -> None:
        notebook.cells.remove(cell_of(notebook, "test_relu_activation"))
        replace_in(notebook, "relu_activation", "np.maximum(s, 0)", "np.abs(s)")

    def unstable(notebook: Any) -> None:
        cell = cell_of(notebook, "sigmoid_activation")
        head = cell.source[: cell.source.index("    x = np.asarray")]
        cell.source = head + "    out = 1 / (1 + np.exp(-x))\n    return out, out * (1 - out)"

    def untouched(notebook: Any) -> None:
        pass

    return [
        Submission("all-right", untouched, {}),
        Submission("blank", lambda notebook: blank(notebook, released), full),
        Submission(
            "broadcasting-mistake",
            broadcasting,
            {
                "test_logistic_loss": 5.0,
                # What the student cannot compute with it is not delivered.
                "test_q1_3a": 2.0,
                "test_q1_3d": 4.0,
            },
        ),
        Submission("deleted-test-cell", deleted_test, {"test_relu_activation": 3.0}),
        Submission("endless-loop", endless_loop, {"test_q1_3c": 2.0}),
        Submission("late", untouched, {}, handed_in=LATE),
        Submission(
            "mean-gradients", mean_gradients, {"test_backward_pass": 13.0, "test_q1_3d": 2.0}
        ),
        Submission(
            "syntax-error", syntax_error, {"test_create_bias_vectors": 2.0, "test_train": 12.0}
        ),
        Submission("unstable-sigmoid", unstable, {}),
        Submission("wrong-loss", wrong_loss, {"test_logistic_loss": 2.0}),
    ]


def write_class(course: Path, assignment: str = "hw2") -> list[Submission]:
    """Write the sample class into a course's ``submitted`` folder.

    Parameters
    ----------
    course
        A course folder with ``source`` and ``release``.
    assignment
        The assignment; its notebook has the same name.

    Returns
    -------
    list of Submission
        What was written, sorted by student.
    """
    name = f"{assignment}.ipynb"
    source = nbformat.read(course / "source" / assignment / name, as_version=4)
    released = nbformat.read(course / "release" / assignment / name, as_version=4)
    submissions = sample_class(released)
    due = configured(course)
    for submission in submissions:
        notebook = solved(released, source)
        submission.change(notebook)
        folder = course / "submitted" / submission.student / assignment
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / name)
        moment = (due + submission.handed_in).astimezone(UTC)
        (folder / "timestamp.txt").write_text(f"{moment:%Y-%m-%d %H:%M:%S} UTC", encoding="utf-8")
    return submissions
