"""A small sample class of hw0: submissions that are right or wrong in one thing each."""

from pathlib import Path
from typing import Any

from hw_grading.commands.sample import (
    LATE,
    ON_TIME,
    Submission,
    blank,
    cell_of,
    points_of_parts,
    points_of_tests,
    replace_in,
)
from hw_grading.homework.course import Course

SOURCE = Course(Path(__file__).parents[3]).source("hw0") / "hw0.ipynb"
# The parts that each mistake fails; their points stand in the notebook.
FORWARD = [
    "numbers, with two steps",
    "values for arrays (3,) and (2, 3)",
    "nine digits at h = 1e-5",
    "fresh numbers and arrays, a fresh step",
]
N_BY_N = [
    "values of three errors, and of one",
    "the result is a column (n, 1)",
    "values for fresh predictions and targets",
]

NO_PLOT = """\
steps = np.logspace(-1, -12, 56)
errors = [abs(central_difference(np.sin, 1.0, h) - np.cos(1.0)) for h in steps]
print(min(errors))
"""


def sample_class(released: Any) -> list[Submission]:
    """Return the submissions of the sample class.

    Parameters
    ----------
    released
        The released notebook, for the submission that hands it in as it came.
    """
    test_of_difference, test_of_errors = "test_central_difference", "test_squared_errors"
    forward = points_of_parts(SOURCE, test_of_difference, *FORWARD)
    n_by_n_points = points_of_parts(SOURCE, test_of_errors, *N_BY_N)

    def untouched(notebook: Any) -> None:
        pass

    def n_by_n(notebook: Any) -> None:  # (n, 1) - (n,)
        replace_in(notebook, "squared_errors", "- targets[:, None]", "- targets")

    def forward_difference(notebook: Any) -> None:
        replace_in(notebook, "central_difference", "- f(x - h)) / (2 * h)", "- f(x)) / h")

    def no_plot(notebook: Any) -> None:
        cell_of(notebook, "error_plot").source = NO_PLOT

    return [
        Submission("all-right", untouched, {}, ON_TIME),
        Submission("blank", lambda notebook: blank(notebook, released), points_of_tests(released)),
        Submission("forward-difference", forward_difference, {test_of_difference: forward}),
        Submission("late", untouched, {}, handed_in=LATE),
        Submission("n-by-n-trap", n_by_n, {test_of_errors: n_by_n_points}),
        Submission("no-plot", no_plot, {}),
    ]
