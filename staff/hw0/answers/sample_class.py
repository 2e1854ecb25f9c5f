"""A small sample class of hw0: submissions that are right or wrong in one thing each."""

from typing import Any

from hw_grading.commands.sample import LATE, SampleSubmission, blank, cell_of, replace_in

NO_PLOT = """\
steps = np.logspace(-1, -12, 56)
errors = [abs(central_difference(np.sin, 1.0, h) - np.cos(1.0)) for h in steps]
print(min(errors))
"""


def sample_class(released: Any) -> list[SampleSubmission]:
    """Return the submissions of the sample class.

    Parameters
    ----------
    released
        The released notebook, for the submission that hands it in as it came.
    """

    def untouched(notebook: Any) -> None:
        pass

    def n_by_n(notebook: Any) -> None:  # (n, 1) - (n,)
        replace_in(notebook, "squared_errors", "- targets[:, None]", "- targets")

    def forward_difference(notebook: Any) -> None:
        replace_in(notebook, "central_difference", "- f(x - h)) / (2 * h)", "- f(x)) / h")

    def no_plot(notebook: Any) -> None:
        cell_of(notebook, "error_plot").source = NO_PLOT

    return [
        SampleSubmission("all-right", untouched),
        SampleSubmission("blank", lambda notebook: blank(notebook, released)),
        SampleSubmission("forward-difference", forward_difference),
        SampleSubmission("late", untouched, handed_in=LATE),
        SampleSubmission("n-by-n-trap", n_by_n),
        SampleSubmission("no-plot", no_plot),
    ]
