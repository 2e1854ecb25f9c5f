"""Formgrader's pages escape ids and names, need no network, and link to the desk.

Its list of submissions copes with an invalid time.
"""

import contextlib
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import escape
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode

from hw_grading.homework.folders import read_time
from hw_grading.rendering import FORMULAS
from hw_support.submission.file import UserError
from hw_support.submission.problems import plain

_LONGEST = 1_000  # characters of an id, a name or a path
_OURS = jinja2.FileSystemLoader([Path(__file__).with_name("templates"), FORMULAS.parent])


class EscapingExporter(HTMLExporter):
    """Makes the page of a submission. The filters in ``nbgrader_config.py`` clean its cells."""

    def __init__(self, **named: Any) -> None:
        super().__init__(extra_loaders=[_OURS], **named)

    def from_filename(self, filename: str, resources: Any = None, **named: Any) -> Any:
        """Make the page of a notebook's file."""
        values = (resources or {}).items()
        texts = {k: str(escape(_on_a_line(v))) if isinstance(v, str) else v for k, v in values}
        return super().from_filename(filename, texts, **named)

    def from_notebook_node(self, nb: NotebookNode, resources: Any = None, **named: Any) -> Any:
        """Make the page, and leave out nbconvert's last step, which parses all of it once more.

        It would give a text to pictures that have none, and mark cells of other templates.
        """
        return super(HTMLExporter, self).from_notebook_node(nb, resources, **named)


def adapt() -> None:
    """Adapt formgrader if it runs in this process. Calling it again changes nothing."""
    if formgrader := sys.modules.get("nbgrader.server_extensions.formgrader.formgrader"):
        formgrader.Environment = _environment  # type: ignore[attr-defined]
        formgrader.HTMLExporter = EscapingExporter  # type: ignore[attr-defined]
    if api := sys.modules.get("nbgrader.apps.api"):
        api.NbGraderAPI.get_submitted_timestamp = _submitted_timestamp


def _environment(loader: jinja2.BaseLoader) -> jinja2.Environment:
    loaders = [_OURS, loader, jinja2.PrefixLoader({"nbgrader": loader})]
    loader = jinja2.ChoiceLoader(loaders)
    return jinja2.Environment(loader=loader, autoescape=True, finalize=_on_a_line)


def _on_a_line(value: Any) -> Any:
    """Return a text without line breaks, which would end a string in a script."""
    return plain(value, _LONGEST) if type(value) is str else value


def _submitted_timestamp(self: Any, assignment: str, student: str) -> datetime | None:
    course = self.coursedir
    with contextlib.suppress(UserError):
        return read_time(Path(course.format_path(course.submitted_directory, student, assignment)))
    return None
