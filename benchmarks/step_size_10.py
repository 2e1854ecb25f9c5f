"""Measure dead units and accuracy after an epoch with step size 10, for two gradients."""

import contextlib
import io
from typing import Any

import nbformat
import numpy as np

from benchmarks.whole_class import BY_ONE_PRODUCT
from hw_grading.commands.sample import cell_of
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.source_notebook import solved

SEEDS = 4
# The derivative of a clipped loss times that of the sigmoid, as some students write it.
CLIPPED = """slope = logistic_loss(g, y_train[batch])[1] * caches[-1][2]
            grad_Ws, grad_bs = mean_gradients(slope, caches)"""


def run() -> None:
    """Print the share of dead hidden units and the test accuracy, for each gradient and seed."""
    source = nbformat.read(Course(REPOSITORY).source("hw2") / "hw2.ipynb", as_version=4)
    notebook = solved(source, source)
    exact = cell_of(notebook, "train").source
    for way, code in [("exact", exact), ("clipped", exact.replace(BY_ONE_PRODUCT, CLIPPED))]:
        names = names_before_training(notebook)
        exec(code, names)
        for seed in range(SEEDS):
            dead, accuracy = after_an_epoch(names, seed)
            print(f"{way}, seed {seed}: dead {dead:.0%}, test accuracy {accuracy:.3f}", flush=True)


def after_an_epoch(names: dict[str, Any], seed: int) -> tuple[float, float]:
    """Return the share of units that are 0 for every training image, and the test accuracy."""
    names["rng"] = rng = np.random.default_rng(seed)  # it draws the first weights too
    with contextlib.redirect_stdout(io.StringIO()):
        weights, biases, *_, accuracies = names["train"](step_size=10, epochs=1, rng=rng)
    hidden = names["X_train"].reshape(-1, 784) @ weights[0] + biases[0]
    return float(np.mean(~np.any(hidden > 0, axis=0))), float(accuracies[-1])


def names_before_training(notebook: Any) -> dict[str, Any]:
    """Run the answers and the given cells above the training cell, and return their names."""
    names: dict[str, Any] = {}
    train = cell_of(notebook, "train")
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in notebook.cells[: notebook.cells.index(train)]:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            if cell.cell_type == "code" and grade_id and not grade_id.startswith("test_"):
                exec(cell.source, names)
    return names
