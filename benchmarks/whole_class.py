"""Compare the time of grading a class with stock nbgrader's time."""

import statistics
import tempfile
from pathlib import Path
from typing import Any

import nbformat

from benchmarks.classes import STOCK, answers, make_course, seconds_of_grading
from hw_grading.commands.sample import replace_in
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.source_notebook import solved

REPEATS = 3
WITHOUT_TRAINING, TRAINING = 40, 8
LOOK_QUICKLY = "test_history.append(look_at_test_set())"
LOOK_PLAINLY = """g_test, _ = forward_pass(test_images, Ws, bs, activations)
            test_history.append(mean_loss_and_accuracy(g_test, y_test))"""
BY_ONE_PRODUCT = "grad_Ws, grad_bs = mean_gradients(g - y_train[batch, None], caches)"
PER_EXAMPLE = """grad_Ws, grad_bs = (
                [gradient.mean(axis=0) for gradient in gradients]
                for gradients in backward_pass(logistic_loss(g, y_train[batch])[1], caches)
            )"""


def run() -> None:
    """Print the seconds of a class without training, and of one that trains."""
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder) / "untrained", answers(), WITHOUT_TRAINING, "without training")
        compare(Path(folder) / "trained", trained(), TRAINING, "that train per example")


def trained() -> Any:
    """Return a right notebook that trains the plain way, with a gradient for each example."""
    source = nbformat.read(Course(REPOSITORY).source("hw2") / "hw2.ipynb", as_version=4)
    released = nbformat.read(Course(REPOSITORY).release("hw2") / "hw2.ipynb", as_version=4)
    notebook = solved(released, source)
    replace_in(notebook, "train", BY_ONE_PRODUCT, PER_EXAMPLE)
    replace_in(notebook, "train", LOOK_QUICKLY, LOOK_PLAINLY)
    return notebook


def compare(folder: Path, notebook: Any, students: int, kind: str) -> None:
    """Print the seconds of both ways and their ratio, for each pair of runs."""
    ours = make_course(folder / "ours", notebook, students)
    stock = make_course(folder / "stock", notebook, students, STOCK)
    ratios = []
    for repeat in range(REPEATS):
        here, there = seconds_of_grading(ours), seconds_of_grading(stock)
        ratios.append(there / here)
        print(
            f"run {repeat + 1}: {students} submissions {kind}: {here:.1f} s, stock {there:.1f} s, "
            f"{ratios[-1]:.2f} times",
            flush=True,
        )
    print(f"median of {students} {kind}: {statistics.median(ratios):.2f} times as fast")
