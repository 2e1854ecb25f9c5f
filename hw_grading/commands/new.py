"""Makes a new homework: one notebook, which you can release and grade at once.

It has a question of each usual kind: a function with its test, a plot and a text that people grade.
"""

import keyword
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from hw_grading.homework.course import CONFIG, Course
from hw_support.submission.cells import NEW_CELL
from hw_support.submission.file import UserError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_SETTINGS = """try:
    from hw_grading import configure
except ImportError as error:
    raise SystemExit(
        f"{error}. Without the grader, nbgrader would run student code without a sandbox. "
        "Install hw-grading, or take these lines out of nbgrader_config.py."
    ) from None

c = get_config()
configure(c)
"""
_KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
_GIVEN = {"locked": True}  # what nbgrader's panel writes for a type of cell
_ANSWER = {"solution": True}
_TEST = {"grade": True, "locked": True, "points": 0}  # a release gives it the points of its parts


def new(course: Course, assignment: str) -> list[Path]:
    """Write the notebook of a homework into a course, and return what was written.

    An empty folder first becomes a course, by an ``nbgrader_config.py``. If writing fails, nothing
    is left. `UserError` if the name cannot be used.
    """
    if not _NAME.fullmatch(assignment) or keyword.iskeyword(assignment):
        raise UserError(
            f"{assignment!r} cannot be the name of a homework, because its staff code is a Python "
            "package of that name. Choose a name such as hw3: a letter from A to Z, then "
            "letters, digits and _, at most 40 characters, and no word of Python"
        )
    if (folder := course.source(assignment)).exists():
        raise UserError(f"{folder} exists already. Choose another name, or move it away first")
    settings = [course.folder / f"{CONFIG}.py"] if is_empty(course.folder) else []
    notebook = folder / f"{assignment}.ipynb"
    try:
        for path in settings:
            path.write_text(_SETTINGS, encoding="utf-8", newline="\n")
        folder.mkdir(parents=True)
        nbformat.write(notebook_of(assignment), notebook)
    except BaseException:
        for path in settings:
            path.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return [*settings, notebook]


def is_empty(folder: Path) -> bool:
    """Whether a folder has nothing but hidden files and folders."""
    return folder.is_dir() and all(path.name.startswith(".") for path in folder.iterdir())


def notebook_of(assignment: str) -> NotebookNode:
    """Return the notebook of a new homework."""
    made: NotebookNode = new_notebook(cells=[*_cells(assignment)], metadata={"kernelspec": _KERNEL})
    return made


def _cells(assignment: str) -> Iterator[NotebookNode]:
    yield _cell("markdown", "front", _FRONT.replace("HOMEWORK", assignment))
    yield _cell("markdown", "imports-text", _IMPORTS_TEXT)
    yield _cell("code", "imports", _IMPORTS, _GIVEN)
    yield _cell("markdown", "running-mean-text", _FUNCTION_TEXT)
    yield _cell("code", "running_mean", _FUNCTION, _ANSWER)
    yield _cell("code", "test_running_mean", _FUNCTION_TEST, _TEST)
    yield _cell("markdown", "plot_question", _PLOT_TEXT, _GIVEN)
    yield _cell("code", "plot", _PLOT, _ANSWER | {"grade": True, "points": 2})
    yield _cell("markdown", "meaning_question", _MEANING_TEXT, _GIVEN)
    yield _cell("markdown", "meaning", _MEANING, _ANSWER | {"grade": True, "points": 3})
    yield _cell("markdown", "submit", _SUBMIT.replace("HOMEWORK", assignment))
    yield _cell("code", "check", "hw_support.check()")


def _cell(kind: str, name: str, text: str, marks: dict[str, Any] | None = None) -> NotebookNode:
    """Return a cell; one with marks has its name as grade id."""
    cell: NotebookNode = NEW_CELL[kind](text.strip(), id=name)
    if marks is not None:
        flags = dict.fromkeys(("grade", "solution", "locked", "task"), False)
        about = {"schema_version": 3, "grade_id": name, **flags, **marks}
        cell.metadata["nbgrader"] = NotebookNode(about)
    return cell


_FRONT = """
# HOMEWORK: a running mean

- **Points:** {{ points }}

Say here in a few sentences what this homework is about.

- **Answer** in the cells that say `YOUR CODE HERE` or *YOUR ANSWER HERE*. Delete the line
  `raise NotImplementedError()` when you start. You may add cells of your own.
- **Tests** stand below your functions and are folded: run them, and read what they print. When you
  are graded, each test runs on further inputs of the same kinds. An answer that passes all tests
  that you see loses no point in grading.
- **One mistake costs points once.** If a test fails, it runs again with our versions of your
  earlier functions. The better result counts.
- **People** read the plot and the text.
"""

_IMPORTS_TEXT = """
## Setup

Run the next cell first, each time you open the notebook.
"""

_IMPORTS = """
import matplotlib.pyplot as plt
import numpy as np

import hw_support
from hw_support import Checks

samples = np.random.default_rng(0).normal(1.0, 2.0, 500)
"""

_FUNCTION_TEXT = r"""
## Q1 Running mean ({{ points test_running_mean | words }})

The running mean of $x_1, \dots, x_n$ is the mean of what has come so far,

$$ m_k = \frac{1}{k} \sum_{i=1}^{k} x_i, \qquad k = 1, \dots, n. $$

The first mean divides by 1, not by 0. The function must not change its argument.
"""

_FUNCTION = '''
def running_mean(x):
    """Mean of the first 1, 2, ..., n of n numbers.

    Parameters
    ----------
    x : float64 array (n,), n >= 1; unchanged afterwards

    Returns
    -------
    float64 array (n,); entry k is the mean of x[0], ..., x[k]

    >>> running_mean(np.array([1.0, 3.0, 5.0]))
    array([1., 2., 3.])
    """
    ### BEGIN SOLUTION
    return np.cumsum(x) / np.arange(1, len(x) + 1)
    ### END SOLUTION
'''

_FUNCTION_TEST = """
# Test of running_mean: run this cell.
checks = Checks(
    "running_mean",
    returns="means",
    cases=[([2.0, 4.0, -3.0, 5.0], [2.0, 3.0, 1.0, 2.0]), ([7.0], [7.0])],
)
checks.table("values", 4, "means")
checks.untouched("x is left as it was", 1)
checks.score()
"""

_PLOT_TEXT = """
## Q2 The plot ({{ points plot | words }})

Plot the running mean of `samples` against the number of samples. Give the plot a title and a label
on each axis.

<!-- BEGIN MARK SCHEME -->
**Mark scheme (graders only), {{ points plot | words }}**

- 1: one curve over 500 samples, which comes to rest near 1.
- 1: a title, and a label on each axis.
<!-- END MARK SCHEME -->
"""

_PLOT = """
### BEGIN SOLUTION
plt.plot(range(1, 501), running_mean(samples))
plt.title("The mean comes to rest near 1")
plt.xlabel("number of samples")
plt.ylabel("mean so far")
plt.show()
### END SOLUTION
"""

_MEANING_TEXT = """
## Q3 What it means ({{ points meaning | words }})

What does the plot show when it becomes flat, and what does it not show? Name one kind of samples
for which it never becomes flat.

<!-- BEGIN MARK SCHEME -->
**Mark scheme (graders only), {{ points meaning | words }}**

- 1: a flat curve says that further samples hardly change the mean.
- 1: it does not say that the mean is right: samples may be biased, or depend on each other.
- 1: an example, such as samples with a trend, or from a distribution without a mean.
<!-- END MARK SCHEME -->
"""

_MEANING = """
<!-- BEGIN SOLUTION -->
When the curve is flat, more samples hardly change the mean. It does not show that the mean is the
right one: all samples may be too large by the same amount. For samples that grow all the time, such
as prices over many years, the curve never becomes flat.
<!-- END SOLUTION -->
"""

_SUBMIT = """
## Submit

Save, run the next cell, and do what it lists: it runs a copy of your notebook, as the grader does.
Then submit this one file under its name, `HOMEWORK.ipynb`.
"""
