"""Graders' comments on answers: below the line of code that they are about, or below the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from hw_grading.gradebook.comments import Comment
from hw_grading.gradebook.runs import source_digest
from hw_grading.notebooks import cells_by_id
from hw_grading.rendering.feedback.summary import comment_html
from hw_support.submission.cells import continues, grade_id_of, text_of


@dataclass(frozen=True)
class Note:
    """A comment, and what it is about, such as "line 3"; "" for the whole answer."""

    about: str
    text: Markup


@dataclass(frozen=True)
class Piece:
    """Lines of code as HTML, and the comment on the last one of them."""

    code: Markup
    note: Note | None = None


class Notes:
    """Where each comment stands, for cells that are asked for once, in the notebook's order."""

    def __init__(self, comments: Sequence[Comment], cells: Sequence[Mapping[str, Any]]) -> None:
        answers = cells_by_id({"cells": cells})
        self._below: dict[str, list[Note]] = {}
        self._at: dict[str, dict[int, Note]] = {}  # by line of an answer's joined cells
        self._lines: dict[str, int] = {}  # of the answer's cells before this one
        for comment in comments:
            source = text_of(answers.get(comment.cell, {}).get("source"))
            is_code = answers.get(comment.cell, {}).get("cell_type") == "code"
            is_current = comment.digest == source_digest(source)
            earlier = "" if is_current else "an earlier version of your answer"
            line = f"line {comment.line}" if comment.line else ""
            note = Note(", ".join(filter(None, [line, earlier])), comment_html(comment.text))
            if is_current and is_code and 0 < comment.line <= source.count("\n") + 1:
                self._at.setdefault(comment.cell, {})[comment.line] = note
            else:
                self._below.setdefault(comment.cell, []).append(note)

    def split(self, cell: Mapping[str, Any], code: Markup) -> tuple[Piece, ...]:
        """Return a cell's code, divided after each line that has a comment."""
        name = grade_id_of(cell) or continues(cell) or ""
        first, lines = self._lines.get(name, 0), code.split("\n")
        # An empty line joins two cells.
        self._lines[name] = first + text_of(cell.get("source")).count("\n") + 2
        pieces, begin = [], 0
        for line, note in sorted(self._at.get(name, {}).items()):
            if first < line <= first + len(lines):
                shown = Markup("\n").join(lines[begin : line - first])
                pieces.append(Piece(shown, note))
                begin = line - first
        rest = Markup("\n").join(lines[begin:])
        return (*pieces, Piece(rest)) if rest else tuple(pieces)

    def below(self, cell: Mapping[str, Any]) -> list[Note]:
        """Return the comments on a whole answer, and on what it was before."""
        return self._below.get(grade_id_of(cell) or "", [])
