"""The sample class of HOMEWORK_NAME: right submissions, and wrong ones with one mistake each."""

from pathlib import Path
from typing import Any

from hw_grading.commands.sample import (
    LATE,
    Submission,
    blank,
    points_of_parts,
    points_of_tests,
    replace_in,
)
from hw_grading.homework.course import Course

SOURCE = Course(Path(__file__).parents[3]).source("HOMEWORK_NAME") / "HOMEWORK_NAME.ipynb"


def sample_class(released: Any) -> list[Submission]:
    """Return the submissions of the sample class. One is the released notebook without changes."""
    parts = ["values", "x is left as it was"]
    values = points_of_parts(SOURCE, "test_running_mean", *parts)

    def untouched(notebook: Any) -> None:
        pass

    def sums(notebook: Any) -> None:
        replace_in(notebook, "running_mean", " / np.arange(1, len(x) + 1)", "")

    return [
        Submission("all-right", untouched, {}),
        Submission("blank", lambda notebook: blank(notebook, released), points_of_tests(released)),
        Submission("late", untouched, {}, handed_in=LATE),
        Submission("sums", sums, {"test_running_mean": values}),
    ]
