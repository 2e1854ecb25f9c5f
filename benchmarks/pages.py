"""Measure the page of a large class's mistakes, and the slowest pages of hostile texts.

Each text fills a notebook in every place where a student can put one. What a page may hold is
set in `hw_grading/rendering/limits.py`.
"""

import copy
import gc
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from traitlets.config import Config

from hw_grading import configure
from hw_grading.desk import mistakes as groups
from hw_grading.desk.desks import HomeworkDesk
from hw_grading.desk.pictures import Thumbnails
from hw_grading.homework.course import REPOSITORY, Course
from hw_grading.plugins.formgrader import EscapingExporter
from hw_grading.rendering.answers import answer_html
from hw_grading.rendering.feedback.exporter import page_of
from hw_grading.rendering.feedback.summary import PageFacts
from hw_grading.rendering.limits import PageLimits
from hw_support.submission.file import MAX_CELLS

sys.path.insert(0, str(REPOSITORY / "tests" / "browser"))
from mistakes_class import ASSIGNMENT, write_wrong_class

STUDENTS = 700
LENGTH = 20_000  # characters of one text
CELLS = 40
PARTS = {  # of texts; {} is another number each time
    "words": "a word ",
    "emphasis": "* *",
    "emphasis of two kinds": "*_",
    "formulas that do not end": "_a $x_{{",
    "other formulas": "$a_{}$ ",
    "formulas of letters": "$" + "x" * 1_900 + "{}$ ",
    "lists": "\n- -",
    "lists in lists": "\n* * ",
    "quotes": "\n> ",
    "links": "[](",
    "references": "[a][b]_",
    "code": "`a",
    "bold HTML": "<b a={}><p>",
    "lists of HTML": "<ul>",
    "entities": "&",
    "table": "|a|b|\n|-|-|\n",
    "letters that look bold": "\N{MATHEMATICAL DOUBLE-STRUCK DIGIT ZERO}word ",
    "signs that no code has": "$",
    "names of characters": '"\\N{{',
    "directions of writing": "\N{RIGHT-TO-LEFT OVERRIDE}",
    "codes of a terminal": "\x1b[",
}


def run() -> None:
    """Print the CPU time of the slowest pages of each kind, and of those of hw2."""
    pages: dict[str, Callable[[list[NotebookNode]], object]] = {
        "desk": desk,
        "feedback": lambda cells: page_of(PageFacts("x", "hw2"), cells, ()),
        "formgrader": formgrader(),
    }
    mistakes()
    texts = {name: text_of(part) for name, part in PARTS.items()}
    texts["emphasis that begins"] = " _aa" * 2_500 + "_{" * 5_000
    texts["a long run"] = "_" * 10_000 + "{<'" + "_" * 9_000
    honest = nbformat.read(REPOSITORY / "source" / "hw2" / "hw2.ipynb", 4).cells
    for kind, page in pages.items():
        seconds = {}
        for name, text in texts.items():
            for form, cells in notebooks(text).items():
                seconds[f"{name}, {form}"] = seconds_of(page, cells)
        slowest = sorted(seconds, key=seconds.__getitem__, reverse=True)[:3]
        shown = "; ".join(f"{seconds[name]:.2f} s ({name})" for name in slowest)
        print(
            f"{kind}: hw2 {seconds_of(page, honest):.2f} s; the slowest of {len(seconds)}: {shown}"
        )


def mistakes() -> None:
    """Print the CPU time of the desk's page of mistakes, and of one group, for a class of 700."""
    with tempfile.TemporaryDirectory() as folder:
        write_wrong_class(Path(folder), STUDENTS)
        desk = HomeworkDesk(Course(Path(folder)), ASSIGNMENT, Thumbnails())
        first = groups.all_groups(desk)["questions"][0]
        test, group = first["cell"], first["groups"][0]["id"]
        page = seconds_of(lambda _: groups.all_groups(desk), [])
        opened = seconds_of(lambda _: groups.group(desk, test, group), [])
        desk.close()
    print(f"mistakes of {STUDENTS} students: {page:.2f} s; one group opened: {opened:.2f} s")


def seconds_of(page: Callable[[list[NotebookNode]], object], cells: list[NotebookNode]) -> float:
    """Return the CPU time of making a page."""
    gc.collect()
    start = time.process_time()
    page(cells)
    return time.process_time() - start


def text_of(part: str) -> str:
    """Return a text of the part with other numbers, again and again."""
    text = "".join(part.format(number) for number in range(LENGTH // len(part.format(0)) + 1))
    return text[:LENGTH]


def notebooks(text: str) -> dict[str, list[NotebookNode]]:
    """Return the cells of notebooks that have the text in one place each, and in all."""
    html = new_output("display_data", {"text/html": text})
    printed = new_output("stream", text=text)
    error = new_output("error", ename="E", evalue=text, traceback=[text])
    short = text[:200]
    shorter = new_output("stream", text=short), new_output("display_data", {"text/html": short})
    made = {
        "text": [new_markdown_cell(text)],
        "code": [new_code_cell(text)],
        "code in lines": [new_code_cell("\n".join(text[n : n + 80] for n in range(0, LENGTH, 80)))],
        "raw text": [new_raw_cell(text)],
        "HTML": [new_code_cell("x", outputs=[html] * 3)],
        "printed": [new_code_cell("x", outputs=[printed, error] * 10)],
    }
    made["everything"] = [cell for cells in made.values() for cell in cells]
    found = {form: CELLS * cells for form, cells in made.items()}
    half = MAX_CELLS // 2
    found["many cells"] = half * [new_markdown_cell(short)]
    found["many cells"] += half * [new_code_cell(short, outputs=[*shorter])]
    return {form: [*map(with_new_id, cells)] for form, cells in found.items()}


def with_new_id(cell: NotebookNode) -> NotebookNode:
    """Return a copy of a cell with an id of its own."""
    return NotebookNode(copy.deepcopy(cell), id=new_raw_cell().id)


def desk(cells: list[NotebookNode]) -> object:
    """Make the desk's page of a student, whose answers share its limits."""
    limits = PageLimits()
    return [answer_html(cell, limits) for cell in cells]


def formgrader() -> Callable[[list[NotebookNode]], object]:
    """Return what makes formgrader's page of a submission."""
    config = Config()
    configure(config)
    exporter = EscapingExporter(config=config)
    return lambda cells: exporter.from_notebook_node(new_notebook(cells=cells))
