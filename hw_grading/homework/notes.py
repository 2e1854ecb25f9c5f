"""The problems of a submission, as they are shown at the top of its graded notebook.

A cell there shows them to GSI and student. It escapes every message.
"""

import contextlib
import html
import re
from collections.abc import Collection, Iterable

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from hw_support.submission.problems import Kind, Problem, Severity, encodable, insert_cell

NOTES_HEADING = "### Notes from the grader"
# A line of a text that looks like the heading of the grader's notes.
_NOTES = re.compile(r"^[^\w\n]*notes from the grader[^\w\n]*$", re.IGNORECASE | re.MULTILINE)
MAX_STORED = 100  # one file can have thousands of problems; a person reads a few


def problems_in(entries: object) -> list[Problem]:
    """Return problems from JSON data; malformed ones are skipped."""
    found = []
    for entry in entries if isinstance(entries, list) else []:
        with contextlib.suppress(KeyError, ValueError, TypeError):
            kind, severity = Kind(entry["kind"]), Severity(entry["severity"])
            found.append(Problem(kind, severity, str(entry["message"]), entry["cell"]))
    return found


def limited(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return problems each only once; at most `MAX_STORED`, failures before all others."""
    kept = list(dict.fromkeys(problems))
    if len(kept) > MAX_STORED:
        kept.sort(key=lambda problem: problem.severity is not Severity.FAILED)
    return tuple(kept[:MAX_STORED])


def put_notes_on_top(nb: NotebookNode, problems: Collection[Problem] = ()) -> None:
    """Show problems in a markdown cell at the top, in place of all cells that look like it."""
    nb.cells = [c for c in nb.cells if not is_notes(c)]
    if problems:
        items = "\n".join(f"<li>{_inert(p.message)}</li>" for p in problems)
        source = f"{NOTES_HEADING}\n\n<ul>\n{items}\n</ul>"
        insert_cell(nb, 0, new_markdown_cell(source, id="notes-from-the-grader"))


def is_notes(cell: NotebookNode) -> bool:
    """Whether a cell comes from `put_notes_on_top` or has its heading; an answer is none."""
    is_answer = "nbgrader" in cell.get("metadata", {})
    is_text = cell.get("cell_type") == "markdown" and not is_answer
    return is_text and bool(_NOTES.search(str(cell.get("source", ""))))


def _inert(message: str) -> str:
    """Escape for an HTML block in markdown: no tag, no markdown (no blank line), no mathematics."""
    line = html.escape(encodable(" ".join(message.split())))
    return line.translate({ord("$"): "＄", ord("\\"): "⧵"})
