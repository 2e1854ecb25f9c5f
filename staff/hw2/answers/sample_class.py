"""The sample class of hw2."""

from __future__ import annotations

from typing import Any

from nbgrader import utils

from hw_grading.commands.sample import LATE, Submission, blank, cell_of, replace_in


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
