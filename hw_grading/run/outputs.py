"""The outputs of cells: how many are kept, and the score and the parts that they give a test.

Student code may have written everything in a message. `Outputs` keeps only outputs that a notebook
file can contain, within a limit. nbgrader computes a test's score from its outputs. `parts_of`
returns the result of a cell as data.
"""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import nbformat
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbformat.validator import get_validator
from nbgrader.utils import determine_grade

from hw_grading.homework.notebook import is_test
from hw_grading.notebooks import error_of, errors_in
from hw_grading.outcome import PartResult
from hw_support.checks.parts import SECOND_TRY
from hw_support.figures.facts import with_checked_facts
from hw_support.source import parsed
from hw_support.submission.cells import grade_id_of, text_of
from hw_support.submission.problems import encodable, plain, quoted

_OVERHEAD = 900  # bytes that an output costs besides its size, unless it continues printed text
_OF_A_LINE = 12  # bytes of white space and quotes around a line in a notebook's file
_TOO_DEEP = "\n" + 150 * " "  # in JSON with indents, for functions that recurse
_LONGEST_BEYOND = 500  # characters that are kept of an output beyond the limit
_LONGEST_NAME, _LONGEST_MESSAGE = 120, 1_000  # characters of a part
_FIELDS = {
    "display_data": ("data", "metadata"),
    "error": ("ename", "evalue", "traceback"),
    "execute_result": ("data", "metadata", "execution_count"),
    "stream": ("name", "text"),
}


class Outputs:
    """The outputs of one cell, made of its messages; those beyond a limit in bytes are dropped.

    Output that replaces other output (`clear_output`, `update_display_data`) takes its place. So a
    plot may be redrawn 600 times. Beyond the limit, one output of each kind that decides a score is
    kept, shortened: people look for these first.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # With its bytes; by display id, or by its kind if it is beyond the limit.
        self._kept: dict[object, tuple[NotebookNode, int]] = {}
        self._is_cleared_later = False
        self.size = self.dropped = 0  # bytes

    def take(self, kind: str, content: Mapping[str, Any]) -> None:
        """Process a message. Kinds that make no output that a notebook can hold are ignored."""
        if kind == "clear_output" and content.get("wait"):
            self._is_cleared_later = True
        elif kind == "clear_output" or (self._is_cleared_later and kind in _FIELDS):
            self._is_cleared_later = False
            self._kept.clear()
            self.size = 0
        display = repr((content.get("transient") or {}).get("display_id"))[:100]
        if kind == "update_display_data" and display in self._kept:
            self._put("display_data", content, display)
        elif kind in _FIELDS:
            no_id = kind != "display_data" or display == "None" or display in self._kept
            self._put(kind, content, object() if no_id else display)

    def _put(self, kind: str, content: Mapping[str, Any], place: object) -> None:
        """Put an output into its place, which may be new."""
        fields = {field: content.get(field) for field in _FIELDS[kind]}
        if "metadata" in fields:
            fields["metadata"] = with_checked_facts(fields["metadata"])
        output = NotebookNode(output_type=kind, **fields)
        size = len(json.dumps(output, ensure_ascii=False))
        if not _is_valid(output):
            return
        if size <= self._limit:  # only then is there memory for its form in a file
            text = json.dumps(output, ensure_ascii=False, indent=1)
            if _TOO_DEEP in text:
                return
            last, _ = next(reversed(self._kept.values()), (NotebookNode(), 0))
            continues = kind == "stream" and output.name == last.get("name")
            size = _size(text) + (0 if continues else _OVERHEAD)
        more = size - self._kept.get(place, (None, 0))[1]
        if self.size + more <= self._limit:
            self.size += more
            self._kept[place] = output, size
            return
        self.dropped += size
        if decisive := _shortened(output):
            self._kept.setdefault(kind, (decisive, 0))

    def all(self) -> list[NotebookNode]:
        """Return what is kept. Printed text that came in pieces is joined."""
        sent = [output for output, _ in self._kept.values()]
        if self.dropped:
            note = f"\n… output beyond {self._limit:,} bytes was dropped\n"
            sent.append(NotebookNode(output_type="stream", name="stdout", text=note))
        outputs = []
        for _, group in groupby(sent, lambda output: output.get("name", id(output))):
            first, *rest = group
            if rest:
                first = NotebookNode(first, text="".join(text_of(o.text) for o in (first, *rest)))
            outputs.append(first)
        text = encodable(json.dumps(outputs, ensure_ascii=False))
        return list(nbformat.from_dict(json.loads(text)))


def _size(text: str) -> int:
    """Return about the bytes of an output's JSON in a notebook's file, which has text by lines."""
    lines = len(text.splitlines()) + sum(map(text.count, (r"\n", r"\r", r"\u")))
    return len(text.encode("utf-8", "replace")) + _OF_A_LINE * lines


def _shortened(output: NotebookNode) -> NotebookNode | None:
    """Return what decides a score in an output; None if nothing does."""

    def cut(text: object) -> str:
        return text_of(text)[:_LONGEST_BEYOND]

    if output.output_type == "error":
        last = [cut(frame) for frame in output.traceback[-1:]]
        return NotebookNode(
            output, ename=cut(output.ename), evalue=cut(output.evalue), traceback=last
        )
    if output.output_type == "execute_result":
        data = {"text/plain": cut(output.data.get("text/plain", ""))}
        return NotebookNode(output, data=data, metadata={})
    return NotebookNode(output, text=cut(output.text)) if output.get("name") == "stderr" else None


def _is_valid(output: NotebookNode) -> bool:
    """Return whether a notebook can contain an output. `nbformat.validate` would be far slower."""
    about: dict[str, Any] = {"id": "a", "metadata": {}, "source": "", "execution_count": None}
    cell = {"cell_type": "code", **about, "outputs": [output]}
    nb = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    return not get_validator(4, 5, name="fastjsonschema").iter_errors(nb)


# -- the outputs of a test


def said_in(cell: NotebookNode) -> str:
    """Return what a test's first error says, with the innermost of the cell's own lines."""
    errors = [one for one in errors_in(cell) if one["ename"] != "NotImplementedError"]
    line = _line_of(cell, errors[0]) if errors else None
    return f"line {line}: {_said_in(cell)}" if line else _said_in(cell)


def _said_in(cell: NotebookNode) -> str:
    errors = errors_in(cell)
    return error_of(errors[0]) if errors else _said_on_stderr(cell)


def _line_of(cell: NotebookNode, error: Mapping[str, Any]) -> int | None:
    own = rf"Cell In\[{cell.execution_count}\], line (\d+)"
    frames = (strip_ansi(frame) for frame in error["traceback"])
    lines = [int(found[1]) for frame in frames if (found := re.match(own, frame.lstrip()))]
    return lines[-1] if lines else None


def hide_source(cell: NotebookNode, released: str) -> None:
    """Give a test cell the text that students have, and cut its own lines from its errors."""
    if cell.source == released:
        return
    own = f"Cell In[{cell.execution_count}]"
    for error in errors_in(cell):
        if _is_assert_without_message(cell.source, _line_of(cell, error)):
            error["evalue"] = ""  # the grader's own words, which quote the line
        kept = [f for f in error["traceback"] if not strip_ansi(f).lstrip().startswith(own)]
        if kept and not error["evalue"]:
            kept[-1] = error["ename"]
        error["traceback"] = kept or [f"{error['ename']}: {error['evalue']}"]
    cell.source = released


def _is_assert_without_message(source: str, line: int | None) -> bool:
    if line is None:
        return False
    try:
        nodes = [*ast.walk(parsed(source))]
    except (SyntaxError, ValueError):
        return False
    asserts = [node for node in nodes if isinstance(node, ast.Assert) and not node.msg]
    return any(node.lineno <= line <= (node.end_lineno or line) for node in asserts)


def not_scored(why: str) -> NotebookNode:
    """Return the error that stands for a test's missing outputs."""
    shown = {"ename": "NotScored", "evalue": why, "traceback": [f"NotScored: {why}"]}
    return NotebookNode(output_type="error", **shown)


def why_no_score(cell: NotebookNode) -> str:
    """Return why a test's result is not a score; "" if it has one.

    nbgrader takes the first error or result. It gives full marks for "nan" and a negative number.
    """
    for output in cell.outputs:
        if output.output_type == "error" or output.get("name") == "stderr":
            return ""
        if output.output_type == "execute_result":
            text, most = text_of(output.data.get("text/plain")), cell.metadata.nbgrader["points"]
            try:
                is_score = 0 <= float(text) <= most
            except ValueError:
                is_score = bool(text)  # it is not a number: full marks, as in nbgrader
            said = f"returned {quoted(text, 30)}, expected a number from 0 to {most:g}"
            return "" if is_score else said
    return ""


def score_of(cell: NotebookNode) -> tuple[float, float]:
    """Return nbgrader's score of a test that has one, and its points."""
    score, most = determine_grade(cell)
    return float(score or 0.0), most


def parts_of(
    cell: NotebookNode, examined: Sequence[Mapping[str, Any]], said: str = ""
) -> Iterator[PartResult]:
    """Yield the parts of a code cell with a grade id.

    `examined` has the parts of a test, as in a `hw_grading.examiner.client.Verdict`. A test without
    parts is one part with nbgrader's score; `said` is what its error says. Another cell is one part
    if it ended in an error, unless it has no answer yet.
    """
    name = grade_id_of(cell) or ""
    errors = errors_in(cell)
    message = said or _said_in(cell)
    if not is_test(cell):
        if errors and errors[0]["ename"] != "NotImplementedError":
            yield PartResult(name, name, 0.0, 0.0, False, message)
        return
    score, most = score_of(cell)
    sum_of_parts = sum(part["points"] for part in examined if not part["message"])
    counts = not errors and abs(sum_of_parts - score) < 1e-9
    names: Counter[str] = Counter()
    for part in examined:
        what = plain(part["what"], _LONGEST_NAME)
        names[what] += 1
        what += f" ({names[what]})" if names[what] > 1 else ""
        earned = part["points"] if counts and not part["message"] else 0.0
        remark = SECOND_TRY if part["second_try"] else part["excused"]
        said = plain(part["message"] or remark, _LONGEST_MESSAGE)
        yield PartResult(
            name, what, part["points"], earned, not part["message"], said, part["fresh"]
        )
    if not examined:
        passed = not errors and score >= most
        yield PartResult(name, name, most, score, passed, "" if passed else message)
    elif not counts:
        yield PartResult(name, name, 0.0, score, not errors, message)


def _said_on_stderr(cell: NotebookNode) -> str:
    said = next((o.text for o in cell.outputs if o.get("name") == "stderr"), "")
    return f"printed to stderr: {plain(said, _LONGEST_MESSAGE)}" if said else ""
