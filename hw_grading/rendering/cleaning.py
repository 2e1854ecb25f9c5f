"""Decides which HTML may enter a page: an allow-list, and limits on size for the browser.

Texts in this file that contain tags are added to cleaned HTML. They are not templates: a template
would escape quotes, and cleaned HTML must not change when it is cleaned again.
"""

import html
import math
import re
from collections.abc import Callable

import nh3
from pygments.token import STANDARD_TYPES  # type: ignore[import-untyped]

from hw_grading.gradebook.terminal import cut
from hw_grading.rendering import words
from hw_grading.rendering.allowance import Allowance
from hw_grading.rendering.aside import PLACEHOLDER, TAG, Pictures, picture_uri
from hw_support.submission.problems import encodable

_LONGEST_HTML = 500_000  # characters, not counting pictures
_LONGEST_TEXT = 50_000  # characters shown, if the HTML is shown as text
_MOST_TAGS = 20_000
_MOST_COPIES = 5_000_000  # browsers reopen an unclosed <b> in each paragraph
_MOST_ATTRIBUTES = 1_000  # of one tag; parsers compare each name with all before it
_MOST_ATTRIBUTES_OF_ALL = 100_000
_MOST_READ = 5_000_000  # characters of all tags; one within another is read twice
_MOST_SPANNED = 20_000  # places that cells of tables take beyond one each
_DEEPEST = 100
# The second <html> gives its attributes to the first one, so all of them are compared too.
_FORMATTING = re.compile(
    r"<(?:a|b|big|code|em|font|html|i|nobr|s|small|strike|strong|tt|u)[\s/>]", re.I
)
# The beginning of a tag, the rest of its name, and one attribute, as browsers read them. No part is
# ever read again (`+` after another sign of repetition), so quotation marks that are not closed
# cost nothing. Anything that begins like a tag counts as one, even in a comment or in quotes.
_TAG_START = re.compile(r"</?[a-z]", re.I)
_TAG_NAME = re.compile(r"[^\t\n\f\r />]*+")
_ATTRIBUTE = re.compile(
    r"""[\t\n\f\r /]*+[^\t\n\f\r />][^\t\n\f\r />=]*+
    (?:[\t\n\f\r\ ]*+=[\t\n\f\r\ ]*+(?:"[^"]*+"?+|'[^']*+'?+|[^\t\n\f\r\ >]++)?+)?+""",
    re.VERBOSE,
)

_NOTE = "<p><em>Shown as text, because it is too large or too complicated.</em></p>"
_IS_TEXT = re.compile(rf"{re.escape(_NOTE)}\n<pre>[^<>]*</pre>")
_HEADINGS = words("h1 h2 h3 h4 h5 h6")
_TAGS = _HEADINGS | words(
    "a abbr b blockquote br caption cite code col colgroup dd del details dfn div dl dt em "
    "figcaption figure hr i img ins kbd li mark ol p pre q s samp small span strike strong sub "
    "summary sup table tbody td tfoot th thead tr tt u ul var"
)
_SPAN = re.compile(r' (?:colspan|rowspan|span)="([0-9]+)"')  # in a cleaned tag
_VOID_TAGS = words("br col hr img")
_ID_PREFIX = "answer-"  # formgrader finds its fields by grade ids, so our ids have a prefix
_VALUES = {
    "align": re.compile(r"left|right|center", re.I),
    # formgrader writes parts of its addresses into its pages without escaping.
    "href": re.compile(r"(?!.*/formgrader)(?:https?://|mailto:|#)[^\s\x00-\x20\x7f]+", re.I),
    "open": re.compile(r""),
    "src": PLACEHOLDER,
    "style": re.compile(r"\s*text-align:\s*(?:left|right|center)\s*;?\s*", re.I),
    "border": re.compile(r"[0-9]{1,3}"),
    **{name: re.compile(r"[1-9][0-9]{0,2}") for name in ("colspan", "rowspan", "span")},
    **{name: re.compile(r"[0-9]{1,4}%?") for name in ("height", "start", "width")},
}


def clean_html(
    text: str,
    picture: Callable[[str, str], str | None] | None = None,
    allowance: Allowance | None = None,
) -> str:
    """Return HTML that runs no script, loads nothing from elsewhere and leaves its page alone.

    Every element of it is closed. A text that is too large or nested too deeply, or for which
    `allowance` has no time left, is returned as preformatted text. `allowance` also limits the
    pictures. `picture` is as for `hw_grading.rendering.safe_html.render_markdown`.
    """
    allowance = allowance or Allowance()
    if len(text) <= _LONGEST_HTML and _IS_TEXT.fullmatch(text):
        return encodable(text)  # `as_text` has made it
    if allowance.spent:
        return as_text(text)
    pictures = Pictures(picture or picture_uri, allowance)
    with allowance.counting():
        try:
            return pictures.put_back(cleaned(pictures.put_aside(encodable(text))))
        except ValueError:
            return as_text(text)


def cleaned(text: str) -> str:
    """Clean HTML with placeholders for pictures; `ValueError` if it is too much for a page."""
    _limit(text)
    clean = _CLEANER.clean(text)
    _limit(clean)
    depth = spanned = 0
    for tag in TAG.finditer(clean):
        spanned += math.prod(map(int, _SPAN.findall(tag[0]))) - 1
        if tag["tag"] not in _VOID_TAGS:
            depth += -1 if tag["end"] else 1
        if depth > _DEEPEST or spanned > _MOST_SPANNED:
            raise ValueError("the text is nested too deeply, or its tables are too large")
    return clean


def _limit(text: str) -> None:
    tags = text.count("<")
    formatting = len(_FORMATTING.findall(text))
    if len(text) > _LONGEST_HTML or tags > _MOST_TAGS or formatting * tags > _MOST_COPIES:
        raise ValueError("the text is too large")
    in_all = in_formatting = read = 0
    for start in _TAG_START.finditer(text):
        attributes, end = _attributes(text, start.end())
        in_all += attributes
        in_formatting += attributes if _FORMATTING.match(text, start.start()) else 0
        read += end - start.start()
        if in_all > _MOST_ATTRIBUTES_OF_ALL or read > _MOST_READ:
            raise ValueError("the text has too many attributes")
    # parsers compare each formatting element with all others of its kind
    if in_formatting * formatting > _MOST_COPIES:
        raise ValueError("the text has too many attributes")


def _attributes(text: str, place: int) -> tuple[int, int]:
    """Return how many attributes a tag has, given a place in its name, and where it ends."""
    name = _TAG_NAME.match(text, place)
    assert name is not None
    number, place = 0, name.end()
    if text[place : place + 1] == ">":
        return number, place
    while attribute := _ATTRIBUTE.match(text, place):
        number, place = number + 1, attribute.end()
        if number > _MOST_ATTRIBUTES:
            raise ValueError("a tag has too many attributes")
    return number, place


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
    clean_content_tags=words("iframe math noscript object script style svg template title"),
    attributes={
        "*": {"title"},
        "a": {"href"},
        **{name: {"span"} for name in ("col", "colgroup")},
        "details": {"open"},
        "img": {"alt", "height", "src", "width"},
        "ol": {"start"},
        "table": {"border"},
        **{name: {"align", "colspan", "rowspan", "style"} for name in ("td", "th")},
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


def as_text(text: str) -> str:
    """Return an oversized text as plain text, under a note that says why."""
    return f"{_NOTE}\n<pre>{html.escape(encodable(cut(text, _LONGEST_TEXT)), quote=False)}</pre>"
