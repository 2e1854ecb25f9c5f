"""Make pandoc's blocks from Markdown safe, so that pandoc can write them as typst.

Text becomes string literals, so a cell cannot contain typst code. A formula or picture becomes the
name of its definition in the cell's sheet. HTML that only styles is left out, a few tags are kept,
and the rest is shown as its source.
"""

import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

from hw_support.desk.pdf.html import Piece, html_pieces
from hw_support.desk.pdf.markdown import plain_text, restored
from hw_support.desk.pdf.sheet import Sheet
from hw_support.desk.pdf.text import CLOSE, FORMULA, OPEN, broken, excerpt, literal

_DEEPEST = 24  # lists in lists, quotations in quotations
_MOST_COLUMNS = 20
_LONGEST_WORD = 40
LONGEST_IN_HEADING = 25
_NO_ATTRIBUTES = ["", [], []]
_LEFT = {"t": "AlignLeft"}
_TAGS = {
    "b": "strong", "strong": "strong", "i": "emph", "em": "emph", "u": "underline",
    "ins": "underline", "s": "strike", "del": "strike", "sup": "super", "sub": "sub",
}  # fmt: skip
_KNOWN = {*_TAGS, "br", "hr", "img", "span", "font", "center", "div", "p", "small", "big", "mark",
          "kbd", "tt", "code", "var", "details", "summary", "section", "article", "abbr", "samp",
          "cite", "q", "a"}  # fmt: skip


class TooDeepError(ValueError):
    """Blocks are nested too deeply for a page."""


def typst_block(code: str) -> dict[str, Any]:
    """Return a block that pandoc copies unchanged."""
    return {"t": "RawBlock", "c": ["typst", code]}


def _typst(code: str) -> dict[str, Any]:
    return {"t": "RawInline", "c": ["typst", code]}


class TextCell:
    """One Markdown cell; its sheet gets the warnings, formulas and pictures."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet, self._formulas = sheet, sheet.formulas
        self._warn = sheet.warn
        self._longest = _LONGEST_WORD  # longer words may be broken

    def blocks(self, blocks: list[Any], depth: int = 0) -> list[Any]:
        """Return blocks with all text in literals; TooDeepError if they are nested too deep."""
        if depth > _DEEPEST:
            raise TooDeepError("its lists or quotations are nested too deep")
        safe = []
        for block in blocks:
            made = [self._block(block, depth + 1)]
            if not depth and block["t"] in ("BulletList", "OrderedList"):
                # Typst would join this list to one that ends right before it.
                made = [typst_block("#block["), *made, typst_block("]")]
            safe += made
        return safe

    def _block(self, block: dict[str, Any], depth: int) -> dict[str, Any]:
        content: Any = block.get("c")
        match kind := block["t"]:
            case "Para" | "Plain":
                return {"t": kind, "c": self._inlines(content)}
            case "Header":
                self._longest = LONGEST_IN_HEADING
                heading = [content[0], _NO_ATTRIBUTES, self._inlines(content[2])]
                self._longest = _LONGEST_WORD
                return {"t": kind, "c": heading}
            case "CodeBlock":
                return self._source(restored(content[1], self._formulas), content[0][1][:1])
            case "BlockQuote":
                return {"t": kind, "c": self.blocks(content, depth)}
            case "BulletList":
                return {"t": kind, "c": [self.blocks(item, depth) for item in content]}
            case "OrderedList":
                items = [self.blocks(item, depth) for item in content[1]]
                return {"t": kind, "c": [content[0], items]}
            case "HorizontalRule":
                return block
            case "RawBlock":
                return self._html_block(content[1])
            case "Table":
                return self._table(content, depth)
        raise TooDeepError(f"it has a block of an unknown kind, {kind}")

    def _source(self, text: str, language: list[str]) -> dict[str, Any]:
        name = f", lang: {literal(language[0])}" if language else ""
        shown = broken(text.rstrip("\n").expandtabs(4), _LONGEST_WORD)
        return typst_block(f"#source({literal(shown)}{name})")

    def _html_block(self, source: str) -> dict[str, Any]:
        tags = {what for kind, what, _, _ in html_pieces(source) if kind != "text"}
        is_open = source.count("<!--") > source.count("-->")
        unknown = ["!--"] if is_open else sorted(tags - _KNOWN)
        if not unknown:
            return {"t": "Para", "c": self._inlines([{"t": "RawInline", "c": ["html", source]}])}
        names = excerpt(", ".join(f"<{tag}>" for tag in unknown))
        self._warn(f"HTML with {names} is shown as source.")
        return self._source(restored(source, self._formulas), ["html"])

    def _table(self, content: list[Any], depth: int) -> dict[str, Any]:
        _, _, columns, head, bodies, foot = content
        parts = [head[1], *(part for body in bodies for part in body[2:]), foot[1]]
        rows = [row for part in parts for row in part]
        if len(columns) > _MOST_COLUMNS:
            below = "its cells are shown one below the other"
            self._warn(f"a table of {len(columns)} columns is too wide for the page; {below}.")
            return {"t": "BulletList", "c": [self.blocks(c[4], depth) for r in rows for c in r[1]]}
        for column in columns:
            column[0] = _LEFT if column[0]["t"] == "AlignDefault" else column[0]
        self._longest = max(8, 100 // len(columns))  # words are broken earlier
        for cell in (cell for row in rows for cell in row[1]):
            cell[4] = self.blocks(cell[4], depth)
        self._longest = _LONGEST_WORD
        return {"t": "Table", "c": [_NO_ATTRIBUTES, [None, []], columns, head, bodies, foot]}

    def _inlines(self, inlines: list[Any], depth: int = 0) -> list[Any]:
        """Return inlines with all text in literals."""
        if depth > _DEEPEST:
            raise TooDeepError("its emphasis is nested too deep")
        written: list[Any] = []
        words: list[str] = []
        opened: list[tuple[str, int]] = []  # tags, and their places in `written`
        for inline in [*_with_tags(inlines), {"t": "End"}]:
            kind, content = inline["t"], inline.get("c")
            if kind in ("Str", "Space", "SoftBreak"):
                words.append(content if kind == "Str" else " ")
                continue
            written.append(self._words("".join(words)))
            words.clear()
            if kind == "Tag":
                self._tag(content, written, opened)
            elif kind in ("Emph", "Strong", "Strikeout"):
                written.append({"t": kind, "c": self._inlines(content, depth + 1)})
            elif kind == "LineBreak":
                written.append(inline)
            elif kind == "Code":
                text = broken(restored(content[1], self._formulas), self._longest)
                written.append(_typst(f"#raw({literal(text)});"))
            elif kind == "Link":
                written += self._link(self._inlines(content[1], depth + 1), content)
            elif kind == "Image":
                written.append(self._image(content[2][0], plain_text(content[1], self._formulas)))
            elif kind != "End":
                raise TooDeepError(f"it has an inline element of an unknown kind, {kind}")
        for _, place in opened:  # never closed
            written[place] = _typst("")
        return written

    def _words(self, text: str) -> dict[str, Any]:
        """Return a text as literals, with the names of the formulas between them."""
        parts = FORMULA.split(text)
        for n, part in enumerate(parts):
            if n % 2:
                parts[n] = self._sheet.formula(self._formulas[int(part)])
            elif part:
                parts[n] = f"#({literal(broken(part, self._longest))});"
        return _typst("".join(parts))

    def _link(self, shown: list[Any], content: list[Any]) -> list[Any]:
        address = self._address(content[2][0])
        if re.match(r"(?:https?|mailto):", address):
            shown = [_typst(f"#link({literal(address)})["), *shown, _typst("];")]
        plain = plain_text(content[1], self._formulas)
        if address.startswith("#") or plain in (address, address.removeprefix("mailto:")):
            return shown
        return [*shown, _typst(f"#footnote({literal(broken(address, _LONGEST_WORD))});")]

    def _address(self, address: str) -> str:
        """Return an address with its "formulas", which pandoc has quoted, restored."""
        for sign in (OPEN, CLOSE):
            address = address.replace(urllib.parse.quote(sign), sign)
        return restored(address, self._formulas)

    def _image(self, address: str, alt: str, width: float = 0) -> dict[str, Any]:
        address = self._address(address)
        if found := re.match(r"data:(image/[\w.+-]+);base64,", address):
            return _typst(self._sheet.picture(address[found.end() :], found[1], alt, width))
        if address.startswith("attachment:"):
            name = urllib.parse.unquote(address.removeprefix("attachment:"))
            bundle = (self._sheet.cell.get("attachments") or {}).get(name)
            for kind, picture in bundle.items() if isinstance(bundle, Mapping) else ():
                if isinstance(picture, str):
                    return _typst(self._sheet.picture(picture, kind, alt or name, width))
            self._warn(f"its attachment {excerpt(name)} is missing; its name is shown.")
        else:
            self._warn(
                f"the picture {excerpt(address)} is not in the notebook and is not downloaded; "
                "its address is shown. To print the picture, paste it into the cell."
            )
        shown = broken(f"[picture: {alt} {address[:500]}]", _LONGEST_WORD)
        return _typst(f"#raw({literal(shown)});")

    def _tag(self, piece: Piece, written: list[Any], opened: list[tuple[str, int]]) -> None:
        """Write an HTML tag as typst; an opening tag is kept until its closing tag."""
        kind, name, attributes, source = piece
        whole = None not in attributes.values()
        if name == "br" and kind == "open":
            written.append({"t": "LineBreak"})
        elif name == "hr" and kind == "open":
            written.append(_typst("#horizontalrule;"))
        elif name == "img" and kind == "open":
            width = re.fullmatch(r"(\d{1,4})(?:px)?", attributes.get("width") or "")
            pixels = float(width[1]) if width else 0
            address, alt = attributes.get("src") or "", attributes.get("alt") or ""
            written.append(self._image(address, alt, pixels))
        elif name not in _KNOWN or not whole:
            self._warn(f"the HTML tag {excerpt(source)} is shown as text.")
            written.append(_typst(f"#raw({literal(restored(source, self._formulas))});"))
        elif name in _TAGS and kind == "open":
            opened.append((name, len(written)))
            written.append(_typst(f"#{_TAGS[name]}["))
        elif name in [tag for tag, _ in opened]:
            while opened[-1][0] != name:  # not closed within this pair
                written[opened.pop()[1]] = _typst("")
            opened.pop()
            written.append(_typst("];"))
        elif href := attributes.get("href"):
            written.append(_typst(f"#footnote({literal(broken(href, _LONGEST_WORD))});"))


def _with_tags(inlines: list[Any]) -> list[Any]:
    """Return inlines with raw HTML split into tags and texts; comments are left out."""
    result: list[Any] = []
    for inline in inlines:
        if inline["t"] != "RawInline":
            result.append(inline)
            continue
        for piece in html_pieces(inline["c"][1]):
            text = {"t": "Str", "c": re.sub(r"\s+", " ", piece[1])}
            result.append(text if piece[0] == "text" else {"t": "Tag", "c": piece})
    return result
