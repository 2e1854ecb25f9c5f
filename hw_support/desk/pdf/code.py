"""Write code cells and their outputs as typst."""

import re
from collections.abc import Mapping
from typing import Any

from hw_support.desk.pdf.html import html_text
from hw_support.desk.pdf.markdown import Formula
from hw_support.desk.pdf.sheet import Sheet
from hw_support.desk.pdf.text import broken, clean, literal, terminal_text

_LONGEST_WORD = 70
_MOST_LINES, _LAST_LINES = 120, 40
_SHORT_OUTPUT = 20  # lines; a shorter output stays on one page
_LONGEST_LINE = 2_000
_PICTURES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp")
_NOTHING_SAID = re.compile(r"<(?:IPython\.core\.display\.|Figure size )[^\n]*>")


def written_code(source: str, kind: str, language: str, shows: bool = False) -> str:
    """Return typst for the whole source of a cell, "answer" (marked), "given" or "test" (small).

    The language is for the colours. If outputs follow (`shows`), a short cell stays on one page
    with them.
    """
    shown = literal(broken(clean(source).expandtabs(4), _LONGEST_WORD))
    followed = ", shows: true" if shows else ""
    return f"#code({literal(kind)}, {literal(language)}, {shown}{followed})\n"


def written_outputs(outputs: list[Any], sheet: Sheet, small: bool) -> str:
    """Return typst for a code cell's outputs, maybe in small type; ``""`` if it has none."""
    shown = ""
    for output in _merged(outputs):
        match output.get("output_type"):
            case "stream":
                shown += _printed(_as_text(output["text"]), sheet, output.get("name") == "stderr")
            case "error":
                shown += _printed(_traceback(output), sheet, True)
            case "display_data" | "execute_result":
                shown += _rich(output, sheet)
            case _:
                sheet.warn("an output of an unknown kind is shown as text.")
                shown += _printed(str(dict(output)), sheet)
    if not shown:
        return ""
    pictures = any("image(" in line.typst for line in sheet.lines)
    short = not pictures and shown.count("\\n") < _SHORT_OUTPUT
    flags = "".join(f"{name}: true, " for name, on in (("small", small), ("short", short)) if on)
    return f"#outputs({flags}[{shown}])\n"


def outputs_as_text(outputs: list[Any]) -> str:
    """Return outputs as plain text when they cannot be typeset; for pictures, their kind."""
    parts = []
    for output in _merged(outputs):
        data = output.get("data") or {}
        plain = _as_text(output.get("text") or data.get("text/plain"))
        text = _traceback(output) if output.get("output_type") == "error" else plain
        parts += [*terminal_text(text).split("\n"), *(f"[{kind}]" for kind in data)]
    cut = [f"[… {len(parts) - _MOST_LINES:,} lines left out …]"] if len(parts) > _MOST_LINES else []
    return "\n".join(map(_cut, [*parts[:_MOST_LINES], *cut]))


def _merged(outputs: list[Any]) -> list[dict[str, Any]]:
    """Return outputs, with the pieces of one stream joined."""
    merged: list[dict[str, Any]] = []
    for output in map(dict, outputs):
        if output.get("output_type") == "stream":
            output["text"] = _as_text(output.get("text"))
            last = merged[-1] if merged else {}
            if all(last.get(key) == output.get(key) for key in ("output_type", "name")):
                last["text"] += output["text"]
                continue
        merged.append(output)
    return merged


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return "".join(map(str, value))
    return "" if value is None else str(value)


def _traceback(output: Mapping[str, Any]) -> str:
    lines = output.get("traceback") or []
    return "\n".join(map(str, lines)) or f"{output.get('ename')}: {output.get('evalue')}"


def _rich(output: Mapping[str, Any], sheet: Sheet) -> str:
    """Return typst for the form of an output that looks best on paper."""
    data: Mapping[str, Any] = output.get("data") or {}
    plain = _as_text(data.get("text/plain")).strip("\n")
    for kind in _PICTURES:
        if kind in data:
            size = (output.get("metadata") or {}).get(kind) or {}
            width = size.get("width") if isinstance(size, Mapping) else None
            pixels = float(width) if isinstance(width, int | float) and 0 < width < 1e5 else 0
            return sheet.picture(_as_text(data[kind]), kind, "plot", pixels)
    if plain and not _NOTHING_SAID.fullmatch(plain):
        return _printed(plain, sheet)
    if "text/latex" in data:
        return sheet.formula(Formula(clean(_as_text(data["text/latex"])).strip(), display=True))
    if "text/markdown" in data:
        return _printed(_as_text(data["text/markdown"]), sheet)
    if "text/html" in data:
        sheet.warn("an output in HTML is shown as the text in it.")
        return _printed(html_text(_as_text(data["text/html"])) or "[HTML without text]", sheet)
    if others := ", ".join(kind for kind in data if kind != "text/plain"):
        sheet.warn(f"an output of the kind {others} cannot be shown on paper.")
        plain = plain or f"[an output of the kind {others}]"
    return _printed(plain, sheet)


def _printed(text: str, sheet: Sheet, error: bool = False) -> str:
    """Return typst for fixed-width text; long text is cut in the middle."""
    lines = terminal_text(text).strip("\n").split("\n")
    if lines == [""]:
        return ""
    if any(len(line) > _LONGEST_LINE for line in lines):
        sheet.warn(f"an output has lines of more than {_LONGEST_LINE:,} characters; they are cut.")

    def printed(part: list[str]) -> str:
        shown = literal(broken("\n".join(map(_cut, part)), _LONGEST_WORD))
        return f"#printed({shown}, error: {'true' if error else 'false'});"

    left_out = len(lines) - _MOST_LINES
    if left_out <= 0:
        return printed(lines)
    sheet.warn(f"an output of {len(lines):,} lines is cut; {left_out:,} of them are left out.")
    note = f"#note({literal(f'[… {left_out:,} lines left out …]')});"
    return printed(lines[: _MOST_LINES - _LAST_LINES]) + note + printed(lines[-_LAST_LINES:])


def _cut(line: str) -> str:
    left_out = len(line) - _LONGEST_LINE
    return line if left_out <= 0 else f"{line[:_LONGEST_LINE]} [… {left_out:,} characters left out]"
