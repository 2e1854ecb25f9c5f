"""The sample class of HOMEWORK_NAME: right submissions, and wrong ones with one mistake each."""

from typing import Any

from hw_grading.commands.sample import LATE, Submission, blank, replace_in


def sample_class(released: Any) -> list[Submission]:
    """Return the submissions of the sample class. One is the released notebook without changes."""

    def untouched(notebook: Any) -> None:
        pass

    def sums(notebook: Any) -> None:
        replace_in(notebook, "running_mean", " / np.arange(1, len(x) + 1)", "")

    return [
        Submission("all-right", untouched),
        Submission("blank", lambda notebook: blank(notebook, released)),
        Submission("late", untouched, handed_in=LATE),
        Submission("sums", sums),
    ]
