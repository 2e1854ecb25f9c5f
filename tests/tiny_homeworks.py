"""Homeworks of a few cells, ps1 and ps2, with some grade ids in common; and a course of both."""

import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from hw_grading.homework.cells import description_of
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.homework.source_notebook import solved

ANSWERS = {"ps1": ["double", "half", "negative"], "ps2": ["cube", "root", "inverse", "sign"]}
DUE = {"ps1": "2030-09-10 23:59:59", "ps2": "2030-10-01 23:59:59"}
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
BY_HAND = {"grade": True, "solution": True}  # marks of an answer that a person grades
CERTIFICATION = f"""**Name:**
{BEGIN}
Ada
{END}

**Student id** (eight digits):
{BEGIN}
30312345
{END}

**Promise.** I wrote this myself.

**Place** and date of signing:
{BEGIN}
Turin, today
{END}"""


def marked(cell: NotebookNode, grade_id: str, **marks: Any) -> NotebookNode:
    """Give a cell nbgrader's metadata."""
    flags = {"grade": False, "solution": False, "locked": False, "task": False}
    cell.metadata["nbgrader"] = {"schema_version": 3, "grade_id": grade_id, **flags, **marks}
    return cell


def notebook_of(cells: list[NotebookNode], name: str = "cell") -> NotebookNode:
    """A notebook with these cells and a Python kernel."""
    for number, cell in enumerate(cells):
        cell["id"] = f"{name}-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def cell_of_test(answer: str, points: float) -> NotebookNode:
    """A test cell of two parts, with a hidden line."""
    source = f"""checks = Checks("{answer}")
### BEGIN HIDDEN TESTS
checks.fresh()
### END HIDDEN TESTS


@checks.part("it returns", points={points - 1:g})
def _():
    {answer}(1.0)


@checks.part("it returns elsewhere", points=1)
def _():
    {answer}(2.0)


checks.score()"""
    cell = new_code_cell(source)
    return marked(cell, f"test_{answer}", grade=True, locked=True, points=points)


def source_of(name: str) -> NotebookNode:
    """The instructor's notebook: each answer has a test worth 2 points, the certification 1."""
    answers = ANSWERS[name]
    points = 1 + 2 * len(answers)
    rows = "".join(f"| {answer} | write it | 2 |\n" for answer in answers)
    top = (
        f"# Problems {name}\n\n- **Due:** {{{{ due_date }}}}\n- **Points:** {points}\n\n"
        f"| part | what | points |\n|---|---|---:|\n| Certification | sign | 1 |\n{rows}"
    )
    cells = [
        new_markdown_cell(top),
        new_markdown_cell("## Certification (1 point)"),
        marked(new_markdown_cell(CERTIFICATION), "certification", points=1, **BY_HAND),
        marked(new_code_cell("from hw_support import Checks"), "setup", locked=True),
        new_markdown_cell(f"## Functions ({2 * len(answers)} points)"),
    ]
    for answer in answers:
        solution = f"{BEGIN}\n    return x\n    {END}"
        cells += [
            new_markdown_cell(f"### The function `{answer}` (2 points)"),
            marked(new_code_cell(f"def {answer}(x):\n    {solution}"), answer, solution=True),
            cell_of_test(answer, 2),
        ]
    optional = new_code_cell(f"{BEGIN}\npass\n{END}")
    cells.append(marked(optional, "try_it", solution=True))
    return notebook_of(cells, name)


def released_notebook(name: str) -> NotebookNode:
    """The notebook as students get it; nbgrader makes the same one, and checksums."""
    notebook = source_of(name)
    hidden = re.compile("### BEGIN HIDDEN TESTS\n.*?### END HIDDEN TESTS\n", re.DOTALL)
    solution = re.compile(f"^( *){BEGIN}$.*?{END}$", re.DOTALL | re.MULTILINE)
    for cell in notebook.cells:
        stub = r"\1YOUR ANSWER HERE"
        if cell.cell_type == "code":
            stub = r"\1# YOUR CODE HERE\n\1raise NotImplementedError()"
        cell.source = solution.sub(stub, hidden.sub("", cell.source))
    return notebook


def answered_notebook(name: str) -> NotebookNode:
    """The notebook with all that a student has to write, without outputs."""
    return solved(released_notebook(name), source_of(name))


def tiny_description(
    name: str, notebook: NotebookNode | None = None, **more: list[str] | dict[str, str]
) -> dict[str, Any]:
    """A homework's description, as students get it; by default that of ps1 or ps2."""
    return description_of(
        notebook or released_notebook(name),
        assignment=name,
        notebook=name,
        certification="certification",
        cpu_seconds_per_cell=60.0,
        cpu_seconds_for_cell={},
        output_bytes_per_cell=2_000_000,
        **{"packages": ["numpy"], **more},
    )


def write_homework(
    course: Path, name: str, notebook: NotebookNode, manifest: str, fresh: str = ""
) -> None:
    """Write the instructor's files of one homework; `fresh` draws fresh cases."""
    source, staff = course / "source" / name, course / "staff" / name
    for folder in (source, staff):
        folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, source / f"{name}.ipynb")
    (staff / "homework.toml").write_text(manifest, encoding="utf-8")
    if fresh:
        (staff / "fresh.py").write_text(fresh, encoding="utf-8")


def manifest_of(name: str) -> str:
    """The manifest of one homework."""
    return (
        f'title = "Problems {name}"\npoints = {1 + 2 * len(ANSWERS[name])}\ndue = "{DUE[name]}"\n'
        'certification = "certification"\nstart = ["Bring a <pencil> & paper."]\n'
        "[limits.try_it]\ncpu_seconds = 120\n"
    )


def write_course(folder: Path) -> Course:
    """Write a course of both into a new folder, with the settings of this one."""
    folder.mkdir(parents=True)
    shutil.copy(REPOSITORY / "nbgrader_config.py", folder)
    for name in ANSWERS:
        write_homework(folder, name, source_of(name), manifest_of(name))
    return Course(folder)
