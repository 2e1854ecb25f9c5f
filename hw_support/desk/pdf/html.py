"""Read the small pieces of HTML in text cells and outputs."""

import re
from html.parser import HTMLParser

Piece = tuple[str, str, dict[str, str | None], str]

_BLOCKS = {"p", "div", "tr", "li", "table", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "br", "hr"}


class _Pieces(HTMLParser):
    """Collects tags and texts, see `html_pieces`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[Piece] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.pieces.append(("open", tag, dict(attrs), self.get_starttag_text() or f"<{tag}>"))

    def handle_endtag(self, tag: str) -> None:
        self.pieces.append(("close", tag, {}, f"</{tag}>"))

    def handle_data(self, data: str) -> None:
        self.pieces.append(("text", data, {}, data))

    def handle_decl(self, decl: str) -> None:
        self.pieces.append(("open", "!", {}, f"<!{decl}>"))

    def unknown_decl(self, data: str) -> None:
        self.handle_decl(f"[{data}]")

    def handle_pi(self, data: str) -> None:
        self.pieces.append(("open", "?", {}, f"<?{data}>"))


def html_pieces(source: str) -> list[Piece]:
    """Return the tags and texts of HTML, even if malformed; comments are left out.

    Each is ``(kind, what, attributes, source)``. `kind` is "open", "close" or "text". `what` is the
    tag's name or the text. An attribute without a value is None. An unfinished tag is text.
    """
    parser = _Pieces()
    parser.feed(source)
    parser.close()
    return parser.pieces


def html_text(source: str) -> str:
    """Return the text of some HTML: a line for each block, table cells two spaces apart."""
    text, unseen = "", False
    for kind, what, _, _ in html_pieces(source):
        if kind == "text":
            text += "" if unseen else re.sub(r"\s+", " ", what)
        elif what in ("script", "style"):
            unseen = kind == "open"
        elif what in _BLOCKS or kind == "close":
            text += "\n" if what in _BLOCKS else "  " if what in ("td", "th") else ""
    lines = (line.strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
