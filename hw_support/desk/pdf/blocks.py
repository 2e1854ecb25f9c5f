"""Write pandoc's blocks, which were Markdown, as typst expressions.

Text becomes string literals, so a cell cannot bring typst code with it; a formula is evaluated as
mathematics, after `markdown` has looked at it. HTML that only styles is left out, a little of
it is kept, and the rest is shown as its source.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hw_support.desk.pdf.html import Piece, html_pieces
from hw_support.desk.pdf.markdown import Formula, restored
from hw_support.desk.pdf.sheet import Sheet
from hw_support.desk.pdf.text import CLOSE, FORMULA, OPEN, break_long, excerpt, joined, literal

__all__ = ["LONGEST_IN_HEADING", "TextCell", "TooDeepError", "formula_expression", "plain_text"]

_DEEPEST = 24  # lists in lists, quotations in quotations
_MOST_COLUMNS = 20
_LONGEST_WORD = 40
LONGEST_IN_HEADING = 25
_LONGEST_IN_FORMULA = 70  # characters of text, which do not wrap
_PASSED_OVER = re.compile(r"\\(?:color|hline)\b")
_RULED_ARRAY = re.compile(r"\\begin\{array\}\s*(?:\[\w\])?\s*\{[^}]*\|")
_WRAPPED = {
    "Emph": "emph", "Strong": "strong", "Strikeout": "strike", "Underline": "underline",
    "Superscript": "super", "Subscript": "sub", "SmallCaps": "smallcaps",
}  # fmt: skip
_TAGS = {
    "b": "strong", "strong": "strong", "i": "emph", "em": "emph", "u": "underline",
    "ins": "underline", "s": "strike", "del": "strike", "sup": "super", "sub": "sub",
}  # fmt: skip
_STYLE = {"span", "font", "center", "div", "p", "small", "big", "mark", "kbd", "tt", "code", "var"}
_STYLE |= {"details", "summary", "section", "article", "abbr", "samp", "cite", "q", "a"}
_KNOWN = {*_TAGS, *_STYLE, "br", "hr", "img"}
_ALIGN = {"AlignLeft": "left", "AlignRight": "right", "AlignCenter": "center"}


class TooDeepError(ValueError):
    """Blocks are nested deeper than paper can show."""


def plain_text(inlines: list[Any], formulas: list[Formula]) -> str:
    """Return the words of some inlines, formulas as TeX."""
    parts = []
    for inline in inlines:
        kind, content = inline["t"], inline.get("c")
        if kind in ("Space", "SoftBreak", "LineBreak"):
            parts.append(" ")
        elif kind == "Str":
            parts.append(content)
        elif kind == "Code":
            parts.append(content[1])
        elif kind in _WRAPPED:
            parts.append(plain_text(content, formulas))
        elif kind in ("Link", "Image", "Span", "Quoted", "Cite"):
            parts.append(plain_text(content[1], formulas))
    return restored("".join(parts), formulas)


def formula_expression(formula: Formula, converted: str | None, sheet: Sheet) -> str:
    """Return the expression for a formula: mathematics, or TeX and a warning."""

    def as_tex() -> str:
        sheet.warn(f"a formula that cannot be converted is shown as TeX: {excerpt(formula.source)}")
        call = "texblock" if formula.display else "texline"
        return f"{call}({literal(break_long(formula.source, _LONGEST_WORD))})"

    if converted == "":
        return ""
    strings = re.findall(r'"(?:\\.|[^"\\])*"', converted or "")
    if converted is None or max(map(len, strings), default=0) > _LONGEST_IN_FORMULA:
        return as_tex()
    call = "display" if formula.display else "inline"
    tag = re.search(r"\\tag\*?\{([^{}]*)\}", formula.tex)
    label = f", number: {literal(f'({tag[1]})')}" if tag and formula.display else ""
    if lost := _lost(formula, tags_shown=1 if label else 0):
        sheet.warn(f"{lost} cannot be shown in a formula: {excerpt(formula.source)}")
    tex = f", {literal(formula.source)}" if formula.display else ""
    shown = f'{call}(eval({literal(converted)}, mode: "math"){tex}{label})'
    return sheet.risky(shown, as_tex)


def _lost(formula: Formula, tags_shown: int) -> str:
    """Name what pandoc passes over in a formula without a word; empty if there is nothing."""
    lost = dict.fromkeys(_PASSED_OVER.findall(formula.tex))
    if len(re.findall(r"\\tag\b", formula.tex)) > tags_shown:
        lost[r"\tag"] = None
    if _RULED_ARRAY.search(formula.tex):
        lost["a line between columns"] = None
    return ", ".join(lost)


@dataclass
class TextCell:
    """One Markdown cell, and what is needed to write it.

    Attributes
    ----------
    sheet : Sheet
        Where warnings and pictures go.
    formulas : list of Formula
        Those that were taken out of the cell.
    converted : mapping of Formula to (str or None)
        All formulas of the notebook, as `pdf_markdown.converted_formulas` returns them.
    attachments : mapping of str to dict
        The cell's pictures: by file name, a base64 text for each media type.
    longest : int
        Words of more characters may be broken.
    """

    sheet: Sheet
    formulas: list[Formula]
    converted: Mapping[Formula, str | None]
    attachments: Mapping[str, Any] = field(default_factory=dict)
    longest: int = _LONGEST_WORD
    _depth: int = 0

    def blocks(self, blocks: list[Any], depth: int = 0) -> str:
        """Return the expression for some blocks; TooDeepError if they are nested too deep."""
        if depth > _DEEPEST:
            raise TooDeepError("lists or quotations are nested too deep")
        return joined([self._block(block, depth + 1) for block in blocks])

    def _block(self, block: dict[str, Any], depth: int) -> str:
        kind: str = block["t"]
        content: Any = block.get("c")
        match kind:
            case "Para" | "Plain":
                return self._paragraph(content) if kind == "Para" else self.inlines(content)
            case "Header":
                heading = replace(self, longest=LONGEST_IN_HEADING)
                return f"heading(level: {content[0]}, {heading.inlines(content[2])})"
            case "CodeBlock":
                return self.source(content[1], content[0][1][:1])
            case "BlockQuote":
                return f"quote(block: true, {self.blocks(content, depth)})"
            case "BulletList":
                items = ",".join(self.blocks(item, depth) for item in content)
                return f"list({items})"
            case "OrderedList":
                items = ",".join(self.blocks(item, depth) for item in content[1])
                return f"enum(start: {int(content[0][0])}, {items})"
            case "HorizontalRule":
                return "rule"
            case "RawBlock":
                return self._html_block(content[1])
            case "Table":
                return self._table(content, depth)
        raise TooDeepError(f"a block of the kind {kind} is not known")

    def _paragraph(self, inlines: list[Any]) -> str:
        """Return the expression for a paragraph.

        It is not a call of typst's ``par``, which leaves out displayed formulas and pictures.
        """
        written = self.inlines(inlines)
        return "" if written == "[]" else f"parbreak(),{written},parbreak()"

    def source(self, text: str, language: list[str]) -> str:
        """Return the expression for a block of code within text."""
        name = f", lang: {literal(language[0])}" if language else ""
        shown = break_long(restored(text, self.formulas).rstrip("\n").expandtabs(4), _LONGEST_WORD)
        return f"source({literal(shown)}{name})"

    def _html_block(self, source: str) -> str:
        pieces: list[Piece] = []
        if source.count("<!--") > source.count("-->"):
            unknown = ["!--"]
        else:
            pieces = html_pieces(source)
            unknown = sorted({what for kind, what, _, _ in pieces if kind != "text"} - _KNOWN)
        if unknown:
            names = excerpt(", ".join(f"<{tag}>" for tag in unknown))
            self.sheet.warn(f"HTML is shown as its source, because of {names}.")
            return self.source(source, ["html"])
        inlines = _inlines_of(pieces)
        if all(i["t"] == "Str" and not i["c"].strip() for i in inlines):
            return ""  # comments
        return self._paragraph(inlines)

    def _table(self, content: list[Any], depth: int) -> str:
        columns, head, bodies = content[2], content[3], content[4]
        heads = head[1]
        rows = [row for body in bodies for row in (*body[2], *body[3])]
        if len(columns) > _MOST_COLUMNS:
            self.sheet.warn(
                f"a table of {len(columns)} columns is too wide for the page; its cells are shown"
                " one below the other."
            )
            lines = [self.blocks(cell[4], depth) for row in (*heads, *rows) for cell in row[1]]
            return f"list({','.join(lines)})"
        narrow = replace(self, longest=max(8, 100 // len(columns)))  # words are broken earlier
        aligned = ",".join(_ALIGN.get(column[0]["t"], "left") for column in columns)
        parts = [
            "table.header(" + ",".join(f"strong({c})" for c in narrow._row(row, depth)) + ")"
            for row in heads
        ]
        parts += [cell for row in rows for cell in narrow._row(row, depth)]
        size = 1.0 if len(columns) <= 6 else max(0.55, 6 / len(columns))
        return f"grid_of({len(columns)}, ({aligned},), {size:.2f}em, {','.join(parts)})"

    def _row(self, row: list[Any], depth: int) -> list[str]:
        return [self.blocks(cell[4], depth) for cell in row[1]]

    def inlines(self, inlines: list[Any]) -> str:
        """Return the expression for some inlines; TooDeepError if they are nested too deep."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise TooDeepError("emphasis is nested too deep")
        parts: list[str] = []
        self._write(_with_tags(inlines), parts)
        self._depth -= 1
        return joined(parts)

    def _write(self, inlines: list[Any], parts: list[str]) -> None:
        i = 0
        words: list[str] = []
        closed = {
            inline["c"][1]: place
            for place, inline in enumerate(inlines)
            if inline["t"] == "Tag" and inline["c"][0] == "close"
        }  # the last place of each

        def flush() -> None:
            if words:
                parts.extend(self._words("".join(words)))
                words.clear()

        while i < len(inlines):
            kind, content = inlines[i]["t"], inlines[i].get("c")
            i += 1
            if kind == "Str":
                words.append(content)
                continue
            if kind in ("Space", "SoftBreak"):
                words.append(" ")
                continue
            flush()
            if kind == "Tag":
                styled = content[0] == "open" and content[1] in _TAGS
                if styled and i <= closed.get(content[1], -1) and None not in content[2].values():
                    end = _closing(inlines, i, content[1])
                    parts.append(f"{_TAGS[content[1]]}({self.inlines(inlines[i:end])})")
                    i = end + 1
                else:
                    parts.append(self._tag(content))
            else:
                parts.append(self._inline(kind, content))
        flush()

    def _inline(self, kind: str, content: Any) -> str:
        if kind in _WRAPPED:
            return f"{_WRAPPED[kind]}({self.inlines(content)})"
        match kind:
            case "LineBreak":
                return "linebreak()"
            case "Code":
                text = break_long(restored(content[1], self.formulas), self.longest)
                return f"raw({literal(text)})"
            case "Link":
                return self._link(self.inlines(content[1]), content)
            case "Image":
                return self._image(content[2][0], plain_text(content[1], self.formulas))
            case "RawInline":
                return f"raw({literal(restored(content[1], self.formulas))})"
        raise TooDeepError(f"an inline of the kind {kind} is not known")

    def _words(self, text: str) -> list[str]:
        """Return the literals of some text, and the formulas between them."""
        parts = []
        for n, piece in enumerate(FORMULA.split(text)):
            if n % 2:
                formula = self.formulas[int(piece)]
                parts.append(formula_expression(formula, self.converted[formula], self.sheet))
            elif piece:
                parts.append(literal(break_long(piece, self.longest)))
        return parts

    def _link(self, shown: str, content: list[Any]) -> str:
        address = self._address(content[2][0])
        if address.startswith("#"):
            return shown
        allowed = re.match(r"(?:https?|mailto):", address)
        link = f"link({literal(address)}, {shown})" if allowed else shown
        if plain_text(content[1], self.formulas) in (address, address.removeprefix("mailto:")):
            return link
        return f"({link}, footnote({literal(break_long(address, _LONGEST_WORD))})).join()"

    def _address(self, address: str) -> str:
        """Return an address with what was taken for a formula in it, which pandoc has quoted."""
        for sign in (OPEN, CLOSE):
            address = address.replace(urllib.parse.quote(sign), sign)
        return restored(address, self.formulas)

    def _image(self, address: str, alt: str, width: float = 0) -> str:
        address = self._address(address)
        if address.startswith("attachment:"):
            name = urllib.parse.unquote(address.removeprefix("attachment:"))
            bundle = self.attachments.get(name)
            if isinstance(bundle, Mapping) and bundle:
                kind, content = next(iter(bundle.items()))
                if isinstance(content, str):
                    return self.sheet.picture(content, kind, alt or name, width)
            self.sheet.warn(f"its attachment {excerpt(name)} is missing; its name is shown.")
        elif found := re.match(r"data:(image/[\w.+-]+);base64,", address):
            return self.sheet.picture(address[found.end() :], found[1], alt, width)
        else:
            self.sheet.warn(
                f"the picture {excerpt(address)} is not in the notebook, and is not fetched;"
                " its address is shown. Paste the picture into the cell to have it printed."
            )
        return f"raw({literal(break_long(f'[picture: {alt} {address[:500]}]', _LONGEST_WORD))})"

    def _tag(self, tag: Piece) -> str:
        """Return the expression for a tag that stands by itself."""
        kind, name, attributes, source = tag
        if name == "br":
            return "linebreak()"
        if name == "hr":
            return "rule"
        if name == "img" and kind == "open":
            width = re.fullmatch(r"(\d{1,4})(?:px)?", attributes.get("width") or "")
            pixels = float(width[1]) if width else 0
            return self._image(attributes.get("src") or "", attributes.get("alt") or "", pixels)
        if name in _KNOWN and None not in attributes.values():
            address = attributes.get("href")
            return f"footnote({literal(break_long(address, _LONGEST_WORD))})" if address else ""
        self.sheet.warn(f"the HTML tag {excerpt(source)} is shown as text.")
        return f"raw({literal(restored(source, self.formulas))})"


def _with_tags(inlines: list[Any]) -> list[Any]:
    """Return inlines with raw HTML taken apart; comments are left out."""
    result: list[Any] = []
    for inline in inlines:
        if inline["t"] != "RawInline":
            result.append(inline)
        else:
            result += _inlines_of(html_pieces(inline["c"][1]))
    return result


def _inlines_of(pieces: list[Piece]) -> list[Any]:
    """Return tags and texts in the form of pandoc's inlines."""
    return [
        {"t": "Str", "c": re.sub(r"\s+", " ", piece[1])}
        if piece[0] == "text"
        else {"t": "Tag", "c": piece}
        for piece in pieces
    ]


def _closing(inlines: list[Any], start: int, tag: str) -> int:
    """Return where a tag is closed."""
    while inlines[start]["t"] != "Tag" or inlines[start]["c"][:2] != ("close", tag):
        start += 1
    return start
