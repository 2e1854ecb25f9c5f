"""Shows answers and texts as clean HTML. The renderer bounds the size of all that it parses."""

import ast
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from hw_grading.gradebook.graded_notebook import outputs_of
from hw_grading.rendering.answers import (
    answer_html,
    code_html,
    outputs_html,
    printed_html,
    text_html,
)
from hw_grading.rendering.cleaning import as_text
from hw_grading.rendering.pictures import pictures_of
from hw_support.submission.cells import text_of

LINES_OF_NUMBERS = 15
_MOST_NUMBERS = 20_000  # characters at the end of a printed text


@lru_cache(maxsize=200)
def markdown(text: str) -> str:
    """Return markdown with TeX as HTML: a question, a mark scheme or a comment."""
    return str(text_html(text)) if text else ""


def answer(cell: Mapping[str, Any]) -> str:
    """Return an answer, a cell of a graded notebook with unchecked content."""
    return _or_text(answer_html, cell)


def beside(cell: Mapping[str, Any]) -> str:
    """Return the pictures, code without docstrings, or text of a cell beside an answer."""
    return _or_text(_beside, cell)


def _or_text(make: Callable[[Mapping[str, Any]], str], cell: Mapping[str, Any]) -> str:
    try:
        return str(make(cell))
    except Exception:  # libraries may raise anything on a hostile cell
        return as_text(text_of(cell.get("source")), "Shown as text, because it cannot be rendered.")


def numbers_html(cell: Mapping[str, Any]) -> str:
    """Return the last printed lines of a cell, such as the numbers of a training; "" if none."""
    printed, results = "", []
    for output in outputs_of(cell):
        if output.get("output_type") == "stream" and output.get("name") != "stderr":
            printed += text_of(output.get("text"))
        elif output.get("output_type") == "execute_result":
            data = output.get("data")
            results.append(text_of(data.get("text/plain")) if isinstance(data, dict) else "")
    text = "\n".join(filter(None, [printed.rstrip(), *results]))[-_MOST_NUMBERS:]
    lines = text.rstrip().split("\n")[-LINES_OF_NUMBERS:]
    return str(printed_html("\n".join(line[:500] for line in lines)))


def without_docstrings(source: str) -> str:
    """Return code without its functions' docstrings. Code that does not parse stays as it is."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source
    lines: list[str | None] = []
    lines += source.replace("\r\n", "\n").replace("\r", "\n").split("\n")  # as Python counts them
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            text = node.body[0]
            first, last = text.lineno - 1, text.end_lineno or text.lineno
            before = (lines[first] or "").encode()[: text.col_offset]
            after = (lines[last - 1] or "").encode()[text.end_col_offset :]
            if len(node.body) > 1 and not before.strip() and not after.strip():
                lines[first:last] = [None] * (last - first)
    return "\n".join(line for line in lines if line is not None)


def _beside(cell: Mapping[str, Any]) -> str:
    source = text_of(cell.get("source"))
    if cell.get("cell_type") != "code":
        return text_html(source)
    if pictures_of(cell):
        return outputs_html(cell)
    return code_html(without_docstrings(source)) if source.strip() else ""
