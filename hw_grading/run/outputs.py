"""The outputs of a cell: which are kept, and how much of them.

Student code may have written everything in a message. So only outputs are kept that a notebook file
can contain, within a limit.
"""

import json
from collections.abc import Mapping
from itertools import groupby
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.validator import get_validator

from hw_support.figures.facts import with_checked_facts
from hw_support.submission.cells import text_of
from hw_support.submission.problems import encodable

_OVERHEAD = 900  # bytes that an output costs besides its size, unless it continues printed text
_OF_A_LINE = 12  # bytes of white space and quotes around a line in a notebook's file
_TOO_DEEP = "\n" + 150 * " "  # in JSON with indents, for functions that recurse
_LONGEST_BEYOND = 500  # characters that are kept of an output beyond the limit
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
