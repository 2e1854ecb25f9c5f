"""Formgrader's pages: what nbconvert, which trusts notebooks, writes into them.

``nbgrader_config.py`` names these filters and this preprocessor. The texts of a page share their
`PageLimits`, because formgrader's server answers nobody else while it makes a page.
"""

from collections.abc import MutableMapping
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_output

from hw_grading.rendering.answers import code_html, html_of, outputs_html, text_html
from hw_grading.rendering.limits import PageLimits

# In nbconvert's resources for a page: its limits, and what was already cleaned for it.
_LIMITS, _CLEAN = "hw_grading_limits", "hw_grading_clean"


@pass_context
def markdown2html(context: Context, source: str) -> str:
    """Render markdown, with the attachments of the `cell` in the template's context."""
    attachments = (context.get("cell") or {}).get("attachments")
    resources = context.get("resources")
    return _kept(text_html(source, attachments, _limits(resources)), resources)


@pass_context
def highlight_code(context: Context, source: str, **_: Any) -> str:
    """Colour code as Python. nbconvert would take any language that a cell's metadata names."""
    resources = context.get("resources")
    return _kept(code_html(source, _limits(resources)), resources)


@pass_context
def clean_part(context: Context, text: str) -> str:
    """Clean HTML, unless it was made here and nothing has changed it since."""
    resources = context.get("resources") or {}
    return text if text in resources.get(_CLEAN, ()) else html_of(text, _limits(resources))


def unchanged(text: str) -> str:
    """Return HTML as it is: nbconvert would search it for links that it cannot have, and slowly."""
    return text


class CleanOutputs(Preprocessor):
    """Puts one output of clean HTML in the place of all outputs of a code cell."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: Any, index: int
    ) -> tuple[NotebookNode, Any]:
        """Clean the outputs of one cell, if it is a code cell."""
        if cell.cell_type == "code":
            html = _kept(outputs_html(cell, _limits(resources)), resources)
            cell.outputs = [new_output("display_data", {"text/html": html})] if html else []
        return cell, resources


def _limits(resources: MutableMapping[str, Any] | None) -> PageLimits:
    return PageLimits() if resources is None else resources.setdefault(_LIMITS, PageLimits())


def _kept(html: str, resources: MutableMapping[str, Any] | None) -> str:
    """Note that this HTML of the page is clean."""
    if resources is not None:
        resources.setdefault(_CLEAN, set()).add(str(html))
    return str(html)
