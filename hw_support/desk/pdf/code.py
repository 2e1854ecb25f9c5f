"""Write code cells and their outputs as typst expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hw_support.desk.pdf.blocks import formula_expression
from hw_support.desk.pdf.html import html_text
from hw_support.desk.pdf.markdown import Formula
from hw_support.desk.pdf.sheet import Sheet
from hw_support.desk.pdf.text import break_long, clean, joined, literal, terminal_text

__all__ = ["code_expression", "formulas_of_outputs", "outputs_as_text", "outputs_expression"]

LONGEST_WORD = 70
_MOST_LINES, _LAST_LINES = 120, 40
_SHORT_OUTPUT = 20  # lines, which stay on one page
_LONGEST_LINE = 2_000
_PICTURES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp")
_NOTHING_SAID = re.compile(r"<(?:IPython\.core\.display\.|Figure size )[^\n]*>")


def code_expression(source: str, kind: str, language: str, shows: bool = False) -> str:
    """Return the expression for the source of a cell.

    Parameters
    ----------
    source : str
        All of it is shown.
    kind : {"answer", "given", "test"}
        Answers are marked; test cells are small.
    language : str
        For the colours.
    shows : bool
        Whether outputs follow, from which a short cell is not parted.
    """
    shown = break_long(clean(source).expandtabs(4), LONGEST_WORD)
    followed = ", shows: true" if shows else ""
    return f"code({literal(kind)}, {literal(language)}, {literal(shown)}{followed})"


def outputs_expression(
    outputs: list[Any], converted: Mapping[Formula, str | None], sheet: Sheet, small: bool
) -> str:
    """Return the expression for what a code cell showed; ``""`` if it showed nothing.

    Parameters
    ----------
    outputs : list of NotebookNode
        In nbformat 4.
    converted : mapping of Formula to (str or None)
        All formulas of the notebook.
    sheet : Sheet
        Where warnings and pictures go.
    small : bool
        Whether the type is small, as below test cells.
    """
    parts = []
    for output in _merged(outputs):
        kind = output.get("output_type")
        if kind == "stream":
            parts.append(_text(_as_text(output.get("text")), sheet, output.get("name") == "stderr"))
        elif kind == "error":
            parts.append(_text(_traceback(output), sheet, True))
        elif kind in ("display_data", "execute_result"):
            parts.append(_rich(output, converted, sheet))
        else:
            sheet.warn("an output of an unknown kind is shown as text.")
            parts.append(_text(str(dict(output)), sheet))
    if not any(parts):
        return ""
    shown = joined(parts)
    short = "image(" not in shown and shown.count("\\n") < _SHORT_OUTPUT
    flags = [f"{name}: true" for name, on in (("small", small), ("short", short)) if on]
    return f"outputs({', '.join([shown, *flags])})"


def outputs_as_text(outputs: list[Any]) -> str:
    """Return the text of outputs that cannot be set otherwise; for pictures, their kind."""
    parts = []
    for output in _merged(outputs):
        data = output.get("data") or {}
        plain = _as_text(output.get("text") or data.get("text/plain"))
        text = _traceback(output) if output.get("output_type") == "error" else plain
        parts += [*terminal_text(text).split("\n"), *(f"[{kind}]" for kind in data)]
    cut = [f"[… {len(parts) - _MOST_LINES:,} lines left out …]"] if len(parts) > _MOST_LINES else []
    return "\n".join(map(_cut, [*parts[:_MOST_LINES], *cut]))


def _merged(outputs: list[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield outputs; what one stream wrote in pieces is one output."""
    pending: dict[str, Any] | None = None
    for output in outputs:
        stream = output.get("output_type") == "stream"
        if pending and stream and output.get("name") == pending["name"]:
            pending["text"] += _as_text(output.get("text"))
            continue
        if pending:
            yield pending
        pending = None
        if stream:
            text = _as_text(output.get("text"))
            pending = {"output_type": "stream", "name": output.get("name"), "text": text}
        else:
            yield output
    if pending:
        yield pending


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return "".join(map(str, value))
    return "" if value is None else str(value)


def _traceback(output: Mapping[str, Any]) -> str:
    lines = output.get("traceback") or []
    return "\n".join(map(str, lines)) or f"{output.get('ename')}: {output.get('evalue')}"


def _rich(output: Mapping[str, Any], converted: Mapping[Formula, str | None], sheet: Sheet) -> str:
    """Return the expression for the form of an output that is best on paper."""
    data: Mapping[str, Any] = output.get("data") or {}
    plain = _as_text(data.get("text/plain")).strip("\n")
    for kind in _PICTURES:
        if kind in data:
            size = (output.get("metadata") or {}).get(kind) or {}
            width = size.get("width") if isinstance(size, Mapping) else None
            pixels = float(width) if isinstance(width, int | float) and 0 < width < 1e5 else 0
            return sheet.picture(_as_text(data[kind]), kind, "plot", pixels)
    if plain and not _NOTHING_SAID.fullmatch(plain):
        return _text(plain, sheet)
    if "text/latex" in data:
        formula = _formula(_as_text(data["text/latex"]))
        return formula_expression(formula, converted.get(formula), sheet)
    if "text/markdown" in data:
        return _text(_as_text(data["text/markdown"]), sheet)
    if "text/html" in data:
        text = html_text(_as_text(data["text/html"]))
        sheet.warn("an output in HTML is shown as the text in it.")
        return _text(text or "[HTML without text]", sheet)
    others = [kind for kind in data if kind != "text/plain"]
    if others:
        sheet.warn(f"an output of the kind {', '.join(others)} cannot be shown on paper.")
        return _text(plain or f"[an output of the kind {', '.join(others)}]", sheet)
    return _text(plain, sheet)


def _formula(source: str) -> Formula:
    source = clean(source).strip()
    return Formula(source, source.strip("$").strip(), True)


def formulas_of_outputs(outputs: list[Any]) -> list[Formula]:
    """Return the formulas that these outputs consist of."""
    found = []
    for output in outputs:
        data = output.get("data") or {}
        if "text/latex" in data:
            found.append(_formula(_as_text(data["text/latex"])))
    return found


def _text(text: str, sheet: Sheet, error: bool = False) -> str:
    """Return the expression for text in a fixed-width type; long text is cut in the middle."""
    lines = terminal_text(text).strip("\n").split("\n")
    if lines == [""]:
        return ""
    parts = [lines]
    left_out = len(lines) - _MOST_LINES
    if left_out > 0:
        parts = [lines[: _MOST_LINES - _LAST_LINES], lines[-_LAST_LINES:]]
        sheet.warn(f"an output of {len(lines):,} lines is cut; {left_out:,} of them are left out.")
    if any(len(line) > _LONGEST_LINE for line in lines):
        sheet.warn(f"an output has lines of more than {_LONGEST_LINE:,} characters; they are cut.")
    shown = [
        f"printed({literal(break_long(chr(10).join(map(_cut, part)), LONGEST_WORD))},"
        f" error: {'true' if error else 'false'})"
        for part in parts
    ]
    if left_out > 0:
        shown.insert(1, f"note({literal(f'[… {left_out:,} lines left out …]')})")
    return joined(shown)


def _cut(line: str) -> str:
    left_out = len(line) - _LONGEST_LINE
    return line if left_out <= 0 else f"{line[:_LONGEST_LINE]} [… {left_out:,} characters left out]"
