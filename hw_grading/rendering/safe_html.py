"""Formgrader's pages: what nbconvert, which trusts notebooks, writes into them.

``nbgrader_config.py`` names these filters and this preprocessor. The texts of a page share their
`Limits`, because formgrader's server answers nobody else while it makes a page.
"""

from collections.abc import MutableMapping
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_output

from hw_grading.rendering.answers import Limits, code_html, outputs_html, text_html
from hw_grading.rendering.cleaning import clean_html

_KEY = "hw_grading_limits"  # in nbconvert's resources for a page


@pass_context
def markdown2html(context: Context, source: str) -> str:
    """Render markdown, with the attachments of the `cell` in the template's context."""
    attachments = (context.get("cell") or {}).get("attachments")
    return text_html(source, attachments, _limits(context.get("resources")))


@pass_context
def highlight_code(context: Context, source: str, **_: Any) -> str:
    """Colour code as Python. nbconvert would take any language that a cell's metadata names."""
    return code_html(source, _limits(context.get("resources")))


@pass_context
def clean_part(_: Context, text: str) -> str:
    """Clean HTML once more, which changes nothing if it is clean."""
    return clean_html(text)


class CleanOutputs(Preprocessor):
    """Puts one output of clean HTML in the place of all outputs of a code cell."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: Any, index: int
    ) -> tuple[NotebookNode, Any]:
        """Clean the outputs of one cell, if it is a code cell."""
        if cell.cell_type == "code":
            html = outputs_html(cell, _limits(resources))
            cell.outputs = [new_output("display_data", {"text/html": str(html)})] if html else []
        return cell, resources


def _limits(resources: MutableMapping[str, Any] | None) -> Limits:
    return Limits() if resources is None else resources.setdefault(_KEY, Limits())
