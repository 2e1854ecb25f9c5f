"""The sample class of hw2."""

from typing import Any

from hw_grading.commands.sample import LATE, SampleSubmission, blank, cell_of, replace_in


def sample_class(released: Any) -> list[SampleSubmission]:
    """Return the submissions of the sample class.

    Parameters
    ----------
    released
        The released notebook, for the submission that hands it in as it came.
    """

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
        SampleSubmission("all-right", untouched),
        SampleSubmission("blank", lambda notebook: blank(notebook, released)),
        SampleSubmission("broadcasting-mistake", broadcasting),
        SampleSubmission("deleted-test-cell", deleted_test),
        SampleSubmission("endless-loop", endless_loop),
        SampleSubmission("late", untouched, handed_in=LATE),
        SampleSubmission("mean-gradients", mean_gradients),
        SampleSubmission("syntax-error", syntax_error),
        SampleSubmission("unstable-sigmoid", unstable),
        SampleSubmission("wrong-loss", wrong_loss),
    ]
