"""Formgrader's pages escape ids and names, need no network, and link to the desk."""

import sys
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import escape
from nbconvert.exporters import HTMLExporter

from hw_grading.pages import FORMULAS

_OURS = jinja2.FileSystemLoader([Path(__file__).with_name("templates"), FORMULAS.parent])


class EscapingExporter(HTMLExporter):
    """Makes the page of a submission. The filters in ``nbgrader_config.py`` clean its cells."""

    def __init__(self, **named: Any) -> None:
        super().__init__(extra_loaders=[_OURS], **named)

    def from_filename(self, filename: str, resources: Any = None, **named: Any) -> Any:
        """Make the page of a notebook's file."""
        values = (resources or {}).items()
        texts = {key: str(escape(v)) if isinstance(v, str) else v for key, v in values}
        return super().from_filename(filename, texts, **named)


def adapt() -> None:
    """Adapt formgrader if it runs in this process. Calling it again changes nothing."""
    if formgrader := sys.modules.get("nbgrader.server_extensions.formgrader.formgrader"):
        formgrader.Environment = _environment  # type: ignore[attr-defined]
        formgrader.HTMLExporter = EscapingExporter  # type: ignore[attr-defined]


def _environment(loader: jinja2.BaseLoader) -> jinja2.Environment:
    loaders = [_OURS, loader, jinja2.PrefixLoader({"nbgrader": loader})]
    return jinja2.Environment(loader=jinja2.ChoiceLoader(loaders), autoescape=True)
