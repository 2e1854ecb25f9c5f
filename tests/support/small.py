"""A homework of one function, whose test looks at more than its points; and how it is checked."""

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from tiny_homeworks import BY_HAND, CERTIFICATION, marked, notebook_of, tiny_description

from hw_grading.commands.sample import cell_of
from hw_support.student import check
from hw_support.student.opening import open_notebook
from hw_support.submission import released

SETUP = """import numpy as np

from hw_support import Checks, assert_close


def total_of(values):
    return np.sum(values)"""
TEST = """checks = Checks("double", inputs="x", returns="out")
checks.table("of numbers", 1, "out", cases=[([1.0, 2.0], [2.0, 4.0])])

@checks.part("of a total", 2)
def _():
    assert_close(double(total_of([1.0, max(2.0, 1.0)])), 6.0, what="out")

if double(0.5) != 1.0:
    checks.note(f"double(0.5) is {double(0.5):g}, and the text announces 1.")
checks.score()"""
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
ANSWERS = {
    "certification": CERTIFICATION.replace("### BEGIN SOLUTION\n", "").replace(
        "\n### END SOLUTION", ""
    ),
    "double": "def double(x):\n    return x + x",
    "sketch": "import matplotlib.pyplot as plt\nheights = [1, 4, 2]\nplt.plot(heights)\n"
    "plt.title('Heights')\nplt.show()",
    "why": "Because it is so.",
}


def small_notebook() -> NotebookNode:
    """As students get it: `double` and `sketch` are code, `why` is text."""
    empty = ANSWERS["certification"]
    for text in ("Ada", "30312345", "Turin, today"):
        empty = empty.replace(text, "YOUR ANSWER HERE")
    cells = [
        new_markdown_cell("# Small"),
        marked(new_markdown_cell(empty), "certification", points=1, **BY_HAND),
        marked(new_code_cell(SETUP), "setup", locked=True),
        new_markdown_cell("## Function (3 points)"),
        marked(new_code_cell(STUB), "double", solution=True),
        marked(new_code_cell(TEST), "test_double", grade=True, locked=True, points=3),
        new_code_cell("print(STEP)  # not graded"),
        new_markdown_cell("## Plot (2 points)"),
        marked(new_code_cell(STUB), "sketch", points=2, **BY_HAND),
        marked(new_markdown_cell("YOUR ANSWER HERE"), "why", points=2, **BY_HAND),
    ]
    return notebook_of(cells, "small")


def small_description() -> dict[str, Any]:
    """The homework's description as it is beside the notebook."""
    plots = {"sketch": "title, points=3, of=heights"}
    packages = ["numpy", "matplotlib"]
    return tiny_description(
        "small", small_notebook(), packages=packages, arrays=["heights"], plots=plots
    )


RELEASE = released.as_release(small_description())


def answered(**sources: str) -> NotebookNode:
    """The notebook with all answers, or others."""
    notebook = copy.deepcopy(small_notebook())
    cell_of(notebook, "double").source = "STEP = 1\n" + ANSWERS["double"]
    for name, source in {**ANSWERS, **sources}.items():
        if name != "double" or "double" in sources:
            cell_of(notebook, name).source = source
    return notebook


def checked(notebook: NotebookNode, folder: Path, release: Any = RELEASE) -> SimpleNamespace:
    """Run `check` on a notebook; return the findings, and the printed text on one line."""
    path = folder / "small.ipynb"
    nbformat.write(notebook, path)
    report = check.check(open_notebook(path, [release]))
    said = " ".join(" ".join(check.in_words(report)).split())
    parts = {part.what: part.passed for cell in report.checked for part in cell.run.parts}
    to_do = {c.released.grade_id: c.to_do for c in report.checked if c.to_do}
    return SimpleNamespace(report=report, said=said, parts=parts, to_do=to_do)
