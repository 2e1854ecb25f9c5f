"""A class's answers to hw2's question about the loss: 24 plots, and what a person gives each.

They are for screenshots, tests and benchmarks of grading by hand. The losses are invented.
"""

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from nbformat import NotebookNode
from nbformat.v4 import new_output

from hw_support import label_axes
from hw_support.figures import facts_of
from hw_support.figures.facts import KEY

_BLUE, _ORANGE = "#0072B2", "#D55E00"  # as in the notebook
_LABELS = 'title="Loss falls within an epoch", xlabel="iteration", ylabel="mean loss (nats)"'
_RIGHT = """
ax.plot(training_loss, color=BLUE, linewidth=0.8, label="training (one batch)")
ax.plot(test_loss, color=ORANGE, linewidth=2, label="test (all 2,019 images)")
ax.set_yscale("log")
label_axes(ax, LABELS)
"""
_GREY = _RIGHT.replace("BLUE", '"0.6"').replace("ORANGE", '"k"')
_BY_ARRAYS = """
for name, array in {"train": training_loss, "test": test_loss}.items():
    ax.semilogy(range(1, 606), array, label=f"{name} loss", alpha=0.8)
ax.set(LABELS)
ax.legend(title="loss", loc="lower left")
"""
_SWAPPED = _RIGHT.replace('"training (one batch)"', '"x"').replace(
    '"test (all 2,019 images)"', '"training (one batch)"'
)
# The code of each answer, the numbers of the rubric's items that a person gives it, and how often.
_ANSWERS = [
    (_RIGHT, "1234", 6),
    (_GREY, "1234", 3),
    (_BY_ARRAYS, "1234", 3),
    (_RIGHT.replace("LABELS)", "LABELS, legend=False)"), "124", 2),
    (_BY_ARRAYS.replace("ax.set(LABELS)", 'ax.set_xlabel("iteration")'), "124", 1),
    (_SWAPPED.replace('"x"', '"test (all 2,019 images)"'), "134", 2),
    (_RIGHT.replace("_loss,", "_loss[:121],"), "234", 1),
    (_RIGHT.replace("BLUE", "ORANGE"), "123", 1),
    (_RIGHT.replace('ax.set_yscale("log")', ""), "123", 1),
    (_RIGHT.replace(', label="test (all 2,019 images)"', ""), "124", 1),
    (_RIGHT + 'ax.plot(np.convolve(training_loss, np.ones(9) / 9, "valid"), "k:", label="smooth")\n'
     "ax.legend()", "1234", 1),
    (_RIGHT.replace("LABELS)", "LABELS, legend=False)") + 'ax.text(300, 0.3, "training")\n'
     'ax.text(300, 0.05, "test")', "1234", 1),
    ("ax.plot(np.reshape(training_loss, (5, 121)).mean(1), 'o-')\nax.set(LABELS)", "3", 1),
]  # fmt: skip


@dataclass(frozen=True)
class LossPlot:
    """One answer."""

    source: str
    items: str  # the numbers of the rubric's items that a person gives it, from 1
    output: NotebookNode  # as a graded run leaves it


def loss_plots() -> Iterator[LossPlot]:
    """Yield the answers of the class, in an order that looks random."""
    code = [(source, items) for source, items, times in _ANSWERS for _ in range(times)]
    for number, one in enumerate(np.random.default_rng(1).permutation(len(code))):
        source, items = code[one]
        source = source.replace("LABELS", _LABELS).strip()
        begin = "fig, ax = plt.subplots(figsize=(7, 3.6))"
        whole = source.replace("label_axes", "hw_support.label_axes")
        yield LossPlot(f"{begin}\n{whole}", items, _drawn(source, number))


def _drawn(source: str, number: int) -> NotebookNode:
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    steps = np.arange(605)
    test = 0.63 * np.exp(-steps / (90 + 3 * number)) + 0.06
    noise = np.random.default_rng(number).lognormal(0, 0.25, len(steps))
    learned = 1 - test / test[0]  # at first a network says the same of every batch
    arrays = {"training_loss": test * noise**learned, "test_loss": test}
    names: dict[str, Any] = {"ax": figure.subplots(), "np": np, "label_axes": label_axes}
    exec(source, names | arrays | {"BLUE": _BLUE, "ORANGE": _ORANGE})
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    picture = {"image/png": base64.b64encode(stream.getvalue()).decode("ascii")}
    metadata = {KEY: facts_of(figure, arrays)}
    output: NotebookNode = new_output("display_data", data=picture, metadata=metadata)
    return output
