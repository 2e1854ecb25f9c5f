"""What may pass of a student's HTML, markdown and outputs to a page that people open.

nbgrader's feedback and formgrader's pages are made by nbconvert, which trusts notebooks and copies
HTML out of them. Here no cell is trusted, the instructor's no more than a student's.

- *HTML* passes by an allow-list (`clean_html`): text, tables, code, pictures contained in the text,
  links to other sites and to headings. Nothing runs, nothing is loaded from elsewhere; of styles
  only the alignment of text is left; classes are those of coloured code, and ids have a prefix, so
  that they are never the page's own.
- *Formulas* of markdown become MathML (`hw_grading.pages.mathematics`). While markdown is rendered
  and cleaned, names that nobody can guess stand for them. Pages load nothing that reads TeX.
- *Outputs* pass as text, as PNG, JPEG, GIF and SVG pictures, and as such HTML (`clean_outputs`).
- *Size*: the time that parsers take grows with the square of some inputs, or worse. What takes too
  long, or is much larger or nested much deeper than any answer, is shown as text.

Student ids and names of notebooks, which templates write into their own parts, do not come by here.
"""

from __future__ import annotations

import base64
import html
import math
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import nh3
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from pygments.token import STANDARD_TYPES  # type: ignore[import-untyped]

from hw_grading.pages.aside import PICTURES, PLACEHOLDER, TAG, Formulas, Pictures, picture_uri
from hw_grading.pages.mathematics import Budget, Formula
from hw_support.submission.problems import encodable, shown
from hw_support.time_limit import TimeLimitReached, time_limit

_LONGEST_HTML = 500_000  # characters, without pictures
_LONGEST_MARKDOWN = 20_000
_MARKDOWN_SECONDS = 2.0  # the time of mistune's tables grows with the third power
_LONGEST_TEXT = 50_000  # of what is shown as text instead
_MOST_TAGS = 20_000
_MOST_COPIES = 5_000_000  # of formatting elements: an unclosed <b> is opened anew in each paragraph
_DEEPEST = 100
_MOST_TERMINAL_CODES = 2_000  # of one printed text
_LONGEST_TERMINAL_CODE = 40
_BUDGET = "hw_grading_formulas"


def _words(text: str) -> set[str]:
    return set(text.split())


_HEADINGS = _words("h1 h2 h3 h4 h5 h6")
_TAGS = _HEADINGS | _words(
    "a abbr b blockquote br caption cite code col colgroup dd del details dfn div dl dt em "
    "figcaption figure hr i img ins kbd li mark ol p pre q s samp small span strike strong sub "
    "summary sup table tbody td tfoot th thead tr tt u ul var"
)
_VOID_TAGS = _words("br col hr img")
_ID_PREFIX = "answer-"  # formgrader finds its fields by grade ids
_VALUES = {
    "align": re.compile(r"left|right|center", re.I),
    # formgrader writes parts of its own addresses into its pages, as they are.
    "href": re.compile(r"(?!.*/formgrader)(?:https?://|mailto:|#)[^\s\x00-\x20\x7f]+", re.I),
    "open": re.compile(r""),
    "src": PLACEHOLDER,
    "style": re.compile(r"\s*text-align:\s*(?:left|right|center)\s*;?\s*", re.I),
    **{name: re.compile(r"[0-9]{1,3}") for name in ("border", "colspan", "rowspan", "span")},
    **{name: re.compile(r"[0-9]{1,4}%?") for name in ("height", "start", "width")},
}
_FORMULA_IN_HTML = re.compile(r"(?<![\\$])(\${1,2})(?!\$)([^$]+)(?<!\\)\1")
_FORMATTING = re.compile(r"<(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s/>]", re.I)
_TERMINAL_CODE = re.compile(r"\x1b\[([^@-~\n]*)[@-~]")
_PYTHON = [[name] for name in ("python", "python3", "py", "py3", "ipython", "ipython3", "pycon")]


class _TooMuch(Exception):
    """The text is too large, or nested too deeply."""


def clean_html(text: str, picture: Callable[[str, str], str | None] | None = None) -> str:
    """Return HTML of which nothing runs, loads from elsewhere, or acts on the page around it.

    Parameters
    ----------
    text
        Any text.
    picture
        As for `render_markdown`.

    Returns
    -------
    str
        A fragment in which every element is closed. A text that is too large or too deeply nested
        comes back as preformatted text.
    """
    pictures = Pictures(picture or picture_uri)
    try:
        return pictures.put_back(_cleaned(pictures.put_aside(encodable(text))))
    except _TooMuch:
        return _as_text(text)


@pass_context
def markdown2html(context: Context, source: str) -> str:
    """Render markdown as nbconvert's `HTMLExporter.markdown2html` does, and clean it.

    Parameters
    ----------
    context
        The template's. The attachments of its variable ``cell`` are used, if there is one. In its
        ``resources`` it is kept what the page's formulas have used up.
    source
        Markdown with HTML and TeX in it.

    Returns
    -------
    str
        As `render_markdown`.
    """
    resources = context.get("resources")
    budget = Budget() if resources is None else resources.setdefault(_BUDGET, Budget())
    attachments = (context.get("cell") or {}).get("attachments") or {}
    return render_markdown(source, attachments, budget)


def render_markdown(
    source: str,
    attachments: Mapping[str, Any] | None = None,
    budget: Budget | None = None,
    picture: Callable[[str, str], str | None] | None = None,
) -> str:
    """Render markdown, and clean it.

    Parameters
    ----------
    source
        Markdown with HTML and TeX in it.
    attachments
        Pictures by name: data in base64 by type, as a cell of a notebook has them.
    budget
        Of the page's formulas; a new one by default.
    picture
        Returns the data URI for a picture, given its type and its data in base64, or None if it
        is not to be shown. By default all are that `clean_html` lets pass.

    Returns
    -------
    str
        HTML as of `clean_html`, with formulas as MathML. A note stands for an attachment that is
        missing or not shown. A source that is too large, or is not parsed within two seconds of
        computing, is shown as text.
    """
    pictures = Pictures(picture or picture_uri)
    formulas = Formulas(budget or Budget())
    short = pictures.put_aside(encodable(source))
    if len(short) > _LONGEST_MARKDOWN:
        return _as_text(source)
    renderer = _Renderer(attachments or {}, pictures, formulas)
    try:
        with time_limit(_MARKDOWN_SECONDS, 10 * _MARKDOWN_SECONDS):
            rendered = MarkdownWithMath(renderer=renderer).render(short)
        cleaned = _cleaned(rendered)
    except (Exception, TimeLimitReached):  # Exception: of four libraries on hostile text
        return _as_text(source)
    return pictures.put_back(formulas.put_back(cleaned))


def unchanged(text: str) -> str:
    """Return the text as it is.

    The filter to put in the place of nbconvert's ``strip_files_prefix``, which rewrites addresses
    after they were cleaned, and whose time grows with the square of some texts.
    """
    return text


def clean_outputs(cell: NotebookNode) -> int:
    """Clean the outputs of a code cell in which a student's code may have run.

    Parameters
    ----------
    cell
        A code cell with outputs that are valid in notebook format 4. They are changed in place.

    Returns
    -------
    int
        How many outputs were dropped or are shown otherwise than they were sent. HTML counts as
        soon as its text is another one, which may be harmless (a table's style is gone).
    """
    changed = 0
    kept = []
    for output in cell.outputs:
        if output.output_type in ("display_data", "execute_result"):
            changed += _clean_bundle(output)
        elif output.output_type == "stream":
            sent, output.text = _text(output.text), _calm(_text(output.text))
            changed += output.text != sent
        elif output.output_type == "error":
            sent, output.traceback = output.traceback, [_calm(line) for line in output.traceback]
            changed += output.traceback != sent
        else:
            changed += 1
            continue
        kept.append(output)
    cell.outputs = kept
    return changed


class CleanOutputs(Preprocessor):
    """Cleans the outputs of all code cells before a page is made of them.

    For a notebook whose outputs were cleaned when it was graded it changes nothing.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: Any, index: int
    ) -> tuple[NotebookNode, Any]:
        """Clean the outputs of one cell, if it is a code cell."""
        if cell.cell_type == "code":
            clean_outputs(cell)
        return cell, resources


# -- HTML


def _cleaned(text: str) -> str:
    """Clean HTML whose pictures are placeholders."""
    _limit(text)
    cleaned = _CLEANER.clean(text)
    _limit(cleaned)
    depth = 0
    for tag in TAG.finditer(cleaned):
        if tag["tag"] not in _VOID_TAGS:
            depth += -1 if tag["end"] else 1
        if depth > _DEEPEST:
            raise _TooMuch
    return cleaned


def _limit(text: str) -> None:
    tags = text.count("<")
    copies = len(_FORMATTING.findall(text)) * tags
    if len(text) > _LONGEST_HTML or tags > _MOST_TAGS or copies > _MOST_COPIES:
        raise _TooMuch


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name in _VALUES and not _VALUES[name].fullmatch(value):
        return None
    if name == "id":
        return _ID_PREFIX + value.removeprefix(_ID_PREFIX)
    if name == "href" and value.startswith("#"):
        return f"#{_ID_PREFIX}{value[1:].removeprefix(_ID_PREFIX)}"
    return value


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=_words("iframe math noscript object script style svg template title"),
    attributes={
        "*": {"title"},
        "a": {"href"},
        "col": {"span"},
        "colgroup": {"span"},
        "details": {"open"},
        "img": {"alt", "height", "src", "width"},
        "ol": {"start"},
        "table": {"border"},
        "td": {"align", "colspan", "rowspan", "style"},
        "th": {"align", "colspan", "rowspan", "style"},
        "tr": {"align", "style"},
        **{name: {"id"} for name in _HEADINGS},
    },
    allowed_classes={
        "a": {"anchor-link"},
        "div": {"highlight"},
        "span": set(STANDARD_TYPES.values()) - {""},
        "table": {"dataframe"},
    },
    attribute_filter=_attribute,
    url_schemes={"http", "https", "mailto", "data"},
    link_rel="noopener noreferrer",
)


def _as_text(text: str) -> str:
    # No template: cleaned once more it has to come out as it is, so without escaped quotes.
    more = len(text) - _LONGEST_TEXT
    end = f"\n… and {more:,} more characters" if more > 0 else ""
    return (
        "<p><em>Shown as text, because it is too large or too complicated.</em></p>\n"
        f"<pre>{html.escape(encodable(text[:_LONGEST_TEXT]), quote=False)}{end}</pre>"
    )


# -- markdown


class _Renderer(IPythonRenderer):
    """nbconvert's, but a missing attachment or a strange language is no reason to fail or wait.

    What it finds to be mathematics is put aside.
    """

    def __init__(
        self, attachments: Mapping[str, Any], pictures: Pictures, formulas: Formulas
    ) -> None:
        super().__init__(escape=False)
        self._attached = attachments
        self._pictures = pictures
        self._formulas = formulas
        self._placeholders: dict[str, str | None] = {}  # of attachments, each decoded once

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Show an attached picture by its placeholder."""
        if url.startswith("attachment:"):
            name = unquote(url.removeprefix("attachment:"))
            if name not in self._placeholders:
                bundle = self._attached.get(name) or {}
                found = (self._pictures.placeholder(m, _text(bundle.get(m))) for m in PICTURES)
                self._placeholders[name] = next(filter(None, found), None)
            placeholder = self._placeholders[name]
            if placeholder is None:
                why = "is not shown" if name in self._attached else "is missing"
                return f"<em>(the picture {html.escape(shown(name))} {why})</em>"
            url = placeholder
        return str(super().image(self._formulas.as_sources(text), url, title))

    def inline_math(self, body: str) -> str:
        """Put a formula in a line aside."""
        return self._formulas.put_aside(Formula(body, f"${body}$", display=False))

    def block_math(self, body: str) -> str:
        """Put a formula on its own line aside."""
        return self._formulas.put_aside(Formula(body, f"$${body}$$", display=True))

    def latex_environment(self, name: str, body: str) -> str:
        r"""Put a formula in ``\begin`` and ``\end`` aside."""
        tex = f"\\begin{{{name}}}{body}\\end{{{name}}}"
        return self._formulas.put_aside(Formula(tex, tex, display=True))

    def block_html(self, text: str) -> str:
        """Put the formulas in HTML aside, in which markdown does not look for any."""

        def put(match: re.Match[str]) -> str:
            tex = html.unescape(match[2])
            source = f"{match[1]}{tex}{match[1]}"
            return self._formulas.put_aside(Formula(tex, source, display=len(match[1]) == 2))

        return str(super().block_html(_FORMULA_IN_HTML.sub(put, text)))

    def block_code(self, code: str, info: str | None = None) -> str:
        """Colour Python only: some of pygments' 500 other languages take very long."""
        is_python = (info or "").split(maxsplit=1)[:1] in _PYTHON
        return str(super().block_code(code, info if is_python else None))

    def task_list_item(self, text: str, checked: bool = False) -> str:
        """Draw the box of a list of tasks, for which mistune uses a form's field."""
        box = "\N{BALLOT BOX WITH CHECK}" if checked else "\N{BALLOT BOX}"
        return f"<li>{box} {text}</li>\n"


# -- outputs


def _clean_bundle(output: NotebookNode) -> bool:
    """Clean a bundle of data by type, and say whether anything of it is shown otherwise."""
    sent = {mime: _text(value) for mime, value in output.data.items()}
    data = NotebookNode()
    if "text/plain" in sent:
        data["text/plain"] = _calm(sent["text/plain"])
    for mime in ("image/png", "image/jpeg", "image/gif"):
        if mime in sent and picture_uri(mime, sent[mime]):
            data[mime] = sent[mime]
    if "text/html" in sent and not _is_blank(cleaned := clean_html(sent["text/html"])):
        data["text/html"] = cleaned
    if sent.get("image/svg+xml") and not {"text/html", "image/png"} & set(data):
        svg = base64.b64encode(encodable(sent["image/svg+xml"]).encode()).decode("ascii")
        if uri := picture_uri("image/svg+xml", svg):
            data["text/html"] = f'<img src="{uri}" alt="plot">'
    if sent and not data:
        kinds = shown(", ".join(sorted(sent)), 200)
        data["text/plain"] = f"An output of type {kinds} is not shown."
    metadata = _sizes(output.get("metadata") or {}, data)
    for key in set(output) - {"output_type", "execution_count"}:
        del output[key]
    output.data, output.metadata = data, metadata
    return bool(dict(data) != sent)


def _sizes(metadata: Mapping[str, Any], data: Mapping[str, str]) -> NotebookNode:
    """Keep widths and heights of pictures, which nbconvert writes into attributes."""
    sizes = NotebookNode()
    for mime in data:
        entry = metadata.get(mime)
        entry = entry if isinstance(entry, dict) else metadata
        numbers = {key: entry[key] for key in ("width", "height") if _is_size(entry.get(key))}
        if mime.startswith("image/") and numbers:
            sizes[mime] = NotebookNode(numbers)
    return sizes


def _is_size(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and 0 < value < 10_000


def _is_blank(cleaned: str) -> bool:
    return "<img" not in cleaned and not re.sub(r"<[^>]*>", "", cleaned).strip()


def _calm(text: str) -> str:
    """Drop a text's colours if they are so many that nbconvert would work on them for minutes."""
    codes = _TERMINAL_CODE.findall(text)
    few = len(codes) <= _MOST_TERMINAL_CODES
    if few and all(len(code) <= _LONGEST_TERMINAL_CODE for code in codes):
        return text
    return _TERMINAL_CODE.sub("", text)


def _text(value: Any) -> str:
    """Join a text that a notebook may hold in lines; of anything else, return nothing."""
    lines = value if isinstance(value, list) else [value]
    return "".join(lines) if all(isinstance(line, str) for line in lines) else ""
