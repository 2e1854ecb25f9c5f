"""Compare the reference solution's training cell with the per-example way.

Both ways run the source notebook's own code in this process, one after the other, several times.
The per-example way is the plain one. It calls ``backward_pass``, takes the mean of the results, and
runs ``forward_pass`` on the unchanged test set.
"""

import contextlib
import io
import statistics
import time
from typing import Any

import nbformat

from hw_grading.commands.sample import cell_of, replace_in, solved
from hw_grading.homework.course import REPOSITORY, Course

REPEATS = 3
LOOK_QUICKLY = "test_history.append(look_at_test_set())"
LOOK_PLAINLY = """g_test, _ = forward_pass(test_images, Ws, bs, activations)
            test_history.append(mean_loss_and_accuracy(g_test, y_test))"""
BY_ONE_PRODUCT = "grad_Ws, grad_bs = mean_gradients(g - y_train[batch, None], caches)"
PER_EXAMPLE = """grad_Ws, grad_bs = (
                [gradient.mean(axis=0) for gradient in gradients]
                for gradients in backward_pass(logistic_loss(g, y_train[batch])[1], caches)
            )"""


def run() -> None:
    """Print the medians of both ways and the ratio of each pair."""
    source = nbformat.read(Course(REPOSITORY).source("hw2") / "hw2.ipynb", as_version=4)
    fast = solved(source, source)
    slow = solved(source, source)
    replace_in(slow, "train", BY_ONE_PRODUCT, PER_EXAMPLE)
    replace_in(slow, "train", LOOK_QUICKLY, LOOK_PLAINLY)
    pairs = []
    for repeat in range(REPEATS):
        pair = seconds_of_training(fast), seconds_of_training(slow)
        pairs.append(pair)
        print(
            f"run {repeat + 1}: reference {pair[0]:.1f} s, per example {pair[1]:.1f} s",
            flush=True,
        )
    one, many = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(slow / fast for fast, slow in pairs)
    print(f"medians: reference {one:.1f} s, per example {many:.1f} s, ratio {ratio:.1f}")


def seconds_of_training(notebook: Any) -> float:
    """Run a notebook up to the training; return the seconds of the training."""
    names = names_before_training(notebook)
    exec(cell_of(notebook, "train").source, names)
    with contextlib.redirect_stdout(io.StringIO()):
        start = time.perf_counter()
        exec(cell_of(notebook, "train_run").source, names)
        return time.perf_counter() - start


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
