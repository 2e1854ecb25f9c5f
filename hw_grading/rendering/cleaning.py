"""Decides which HTML may enter a page: an allow-list, and limits on size.

nh3 parses as browsers do, and keeps what the lists below name: nothing runs, nothing is loaded from
elsewhere, no element covers the page's own. A text that would keep a parser or a browser busy is
returned as plain text.
"""

import html
import re
from collections.abc import Mapping
from itertools import accumulate
from typing import Any
from urllib.parse import unquote

import nh3
from pygments.token import STANDARD_TYPES  # type: ignore[import-untyped]

from hw_grading.rendering.limits import NotShown, PageLimits
from hw_grading.rendering.pictures import bundle_of, uri_in
from hw_grading.texts import cut
from hw_support.submission.problems import encodable

MAX_PICTURES = 12  # in one text, or in the outputs of one cell
_LONGEST_HTML = 300_000  # characters without pictures
LONGEST_TYPED = 50_000  # characters of a text that is shown as it was typed
_MAX_TAGS = 12_000
# Browsers and nh3 open an unclosed <b> again in each paragraph, and compare each with all others.
_FORMATTING = re.compile(
    r"<(?:a|b|big|code|em|font|html|i|nobr|s|small|strike|strong|tt|u)[\s/>]", re.I
)
_MAX_COPIES = 250_000
_MAX_SPANS = 100  # cells of more than nine rows or columns
_SPAN = re.compile(r"(?:col|row)?span\s*=\s*[\"']?\s*[0-9]{2}", re.I)
_DEEPEST = 100  # browsers take seconds to draw some elements within each other
_TAG = re.compile(r'<(/?)(?!br\b|col\b|hr\b|img\b)[a-z](?:[^">]|"[^"]*")*>')  # in clean HTML
PICTURE_URI = re.compile(r"data:(image/[a-z+]{1,20});base64,([A-Za-z0-9+/=]*)")
_NOTE = "Shown as text, because it is too large or too complicated."


def _words(text: str) -> set[str]:
    return set(text.split())


_HEADINGS = _words("h1 h2 h3 h4 h5 h6")
_MATHEMATICS = _words(
    "math mfrac mi mn mo mover mphantom mroot mrow ms mspace msqrt mstyle msub msubsup msup mtable "
    "mtd mtext mtr munder munderover"
)
_OTHERS = _words(
    "a abbr b blockquote br caption cite code col colgroup dd del details dfn div dl dt em "
    "figcaption figure hr i img ins kbd li mark ol p pre q s samp small span strike strong sub "
    "summary sup table tbody td tfoot th thead tr tt u ul var"
)
_FLAGS = _words("accent accentunder displaystyle fence largeop movablelimits separator stretchy")
_LENGTHS = _words("linethickness lspace maxsize minsize rspace")
_VALUES = {  # what the value of an attribute must be; `title`, `alt` and `alttext` may be any text
    **dict.fromkeys(_FLAGS, re.compile("true|false")),
    **dict.fromkeys(_LENGTHS, re.compile(r"[0-9]{0,2}(?:\.[0-9]{1,6})?(?:em|ex|pt|px)?")),
    **dict.fromkeys(("colspan", "rowspan", "span"), re.compile(r"[1-9][0-9]?")),
    **dict.fromkeys(
        ("height", "start", "width"), re.compile(r"[0-9]{1,4}%?|[0-9]{0,2}(?:\.[0-9]{1,6})?em")
    ),
    "align": re.compile(r"left|right|center", re.I),
    "border": re.compile(r"[0-9]{1,3}"),
    "columnalign": re.compile("left|right|center"),
    "display": re.compile("block|inline"),
    "form": re.compile("prefix|infix|postfix"),
    # formgrader writes parts of its addresses into its pages without escaping.
    "href": re.compile(r"(?!.*/formgrader)(?:https?://|mailto:)[^\s\x00-\x20\x7f]+", re.I),
    "mathvariant": re.compile("normal"),
    "open": re.compile(""),
    "scriptlevel": re.compile("[0-3]"),
    "style": re.compile(r"\s*text-align:\s*(?:left|right|center)\s*;?\s*", re.I),
}
_ALLOWED: dict[str, Any] = {
    "tags": _HEADINGS | _MATHEMATICS | _OTHERS,
    "clean_content_tags": _words(
        "annotation annotation-xml iframe noscript object script style svg template title"
    ),
    "attributes": {
        "*": {"title"},
        "a": {"href"},
        **{name: {"span"} for name in ("col", "colgroup")},
        "details": {"open"},
        "img": {"alt", "height", "src", "width"},
        "ol": {"start"},
        "table": {"border"},
        **{name: {"align", "colspan", "rowspan", "style"} for name in ("td", "th")},
        "tr": {"align", "style"},
        "math": {"alttext", "display"},
        "mo": {"form", *_FLAGS, *_LENGTHS},
        **{name: {"mathvariant"} for name in ("mi", "mn", "mtext")},
        "mspace": {"width"},
        "mstyle": {"displaystyle", "scriptlevel"},
        **{name: {"accent", "accentunder"} for name in ("mover", "munder", "munderover")},
        "mfrac": {"linethickness"},
        "mtable": {"displaystyle"},
        "mtd": {"columnalign"},
    },
    "allowed_classes": {
        "div": {"highlight", "html", "outputs"},
        "p": {"note"},
        "pre": {"error", "stderr", "text"},
        "span": {"formula", *STANDARD_TYPES.values()} - {""},
        "table": {"dataframe"},
    },
    "url_schemes": {"http", "https", "mailto", "data", "attachment"},
    "link_rel": "noopener noreferrer",
}


def clean_html(
    text: str, attachments: Mapping[str, Any] | None = None, limits: PageLimits | None = None
) -> str:
    """Return HTML that runs no script, loads nothing from elsewhere and leaves its page alone.

    Every element of it is closed. `attachments` are pictures by name, each as data by type: an
    address ``attachment:NAME`` becomes the picture. Pictures count for the `limits` of the page;
    the caller counts the words.
    """
    text = encodable(text)
    bare = without_pictures(text)
    tags, formatting = bare.count("<"), len(_FORMATTING.findall(bare))
    too_large = len(bare) > _LONGEST_HTML or tags > _MAX_TAGS or formatting * tags > _MAX_COPIES
    if too_large or len(_SPAN.findall(bare)) > _MAX_SPANS:
        return as_text(cut(text, LONGEST_TYPED))
    allow = _Allow(attachments or {}, limits or PageLimits())
    clean = nh3.clean(text, attribute_filter=allow.attribute, **_ALLOWED)
    steps = (-1 if end else 1 for end in _TAG.findall(clean))
    too_deep = max(accumulate(steps), default=0) > _DEEPEST
    return as_text(cut(text, LONGEST_TYPED)) if too_deep else clean


def without_pictures(text: str) -> str:
    """Return HTML without the pictures in it, which are long but take no parser's time."""
    return PICTURE_URI.sub("", text)


def as_text(text: str, note: str = _NOTE) -> str:
    """Return a text that was cut as plain text, under a note that says why."""
    shown = html.escape(encodable(text), quote=False)
    return f"<p><em>{note}</em></p>\n<pre>{shown}</pre>"


class _Allow:
    """Allows the values of one text's attributes, and a limited number of pictures."""

    def __init__(self, attachments: Mapping[str, Any], limits: PageLimits) -> None:
        self._attachments, self._limits = attachments, limits
        self._pictures = MAX_PICTURES

    def attribute(self, tag: str, name: str, value: str) -> str | None:
        """Return the value of an attribute, or None to drop it. An exception would let it pass."""
        if name == "src":
            return self._source(value)
        return value if name not in _VALUES or _VALUES[name].fullmatch(value) else None

    def _source(self, address: str) -> str | None:
        self._pictures -= 1
        if self._pictures < 0:
            return None
        bundle: Any = bundle_of(address)
        if address.startswith("attachment:"):
            bundle = self._attachments.get(unquote(address.removeprefix("attachment:")))
        try:
            return uri_in(bundle, self._limits)
        except NotShown:
            return None
