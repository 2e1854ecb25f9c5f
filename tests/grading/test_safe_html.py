import base64
import gc
import itertools
import re
import struct
import time
import zlib
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import Mock

import nh3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.highlight import Highlight2HTML
from nbformat import NotebookNode
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
    new_raw_cell,
)
from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from hw_grading.pages import allowance, cleaning, safe_html
from hw_grading.pages.allowance import Allowance
from hw_grading.pages.colours import LONGEST_CODE
from hw_grading.pages.safe_html import clean_html, clean_outputs, highlight_code, markdown2html
from hw_grading.plugins.feedback.exporter import FeedbackExporter
from hw_grading.plugins.feedback.facts import Facts
from hw_grading.run import submission

COURSE = Path(__file__).resolve().parents[2]
FILTERS = {
    "markdown2html": "hw_grading.pages.safe_html.markdown2html",
    "clean_html": "hw_grading.pages.safe_html.clean_part",
    "highlight_code": "hw_grading.pages.safe_html.highlight_code",
    "strip_files_prefix": "hw_grading.pages.safe_html.unchanged",
}


def base64_of(raw):
    return base64.b64encode(raw).decode("ascii")


def png():
    """One grey pixel."""

    def chunk(name, data):
        crc = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + crc

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\x80"))
    return b"\x89PNG\r\n\x1a\n" + head + pixels + chunk(b"IEND", b"")


PNG = base64_of(png())
JPEG = base64_of(b"\xff\xd8\xff\xe0 and so on")
GIF = base64_of(b"GIF89a and so on")
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>run()</script><rect width="9"/></svg>'
SVG_URI = f"data:image/svg+xml;base64,{base64_of(SVG.encode())}"
PAGE_URI = f"data:text/html;base64,{base64_of(b'<script>run()</script>')}"

# One line each, so that each is one block of HTML in markdown too.
HOSTILE_HTML = {
    "script": "<script>run()</script>",
    "script of a site": "<script src=//evil.example/x.js></script>",
    "script in capitals": "<SCRIPT/x>run()</SCRIPT>",
    "script not closed": "<script>run()",
    "script as a module": '<script type="module">run()</script>',
    "script of mathjax": '<script type="text/x-mathjax-config">run()</script>',
    "script after an end": "</pre></div></body></html><script>run()</script>",
    "script in two": "<scr<script>ipt>run()</scr</script>ipt>",
    "event of a picture": '<img src=x onerror="run()">',
    "event with a slash": "<img/src=x/onerror=run()>",
    "event of an element": "<div onmouseover='run()' onclick=run()>x</div>",
    "event of details": "<details open ontoggle=run()><summary>x</summary></details>",
    "event of a body": "<body onload=run()>",
    "event of a video": "<video autoplay onplay=run()><source src=x onerror=run()></video>",
    "event of an input": "<input autofocus onfocus=run()>",
    "event of a marquee": "<marquee onstart=run()>x</marquee>",
    "event by animation": '<p style="animation: x 1s" onanimationstart=run()>x</p>',
    "javascript link": '<a href="javascript:run()">x</a>',
    "javascript link in disguise": '<a href=" &#1;JaVa&#x0A;ScRiPt&colon;run()">x</a>',
    "javascript behind files": '<a href="files/javascript:run()">x</a>',
    "vbscript link": '<a href="vbscript:run()">x</a>',
    "page in a link": f'<a href="{PAGE_URI}">x</a>',
    "link into the server": '<a href="/formgrader/submissions/x">x</a>',
    "link into formgrader": '<a href="http://localhost:8888/formgrader/x%22;run();%22">x</a>',
    "link without scheme": '<a href="//evil.example">x</a>',
    "file link": '<a href="file:///etc/passwd">x</a>',
    "link that sends pings": '<a href="https://example.org" ping="//evil.example">x</a>',
    "link with a name": '<a name="top">x</a>',
    "map": '<map name=m><area href="javascript:run()"></map><img usemap="#m" src=x>',
    "frame": '<iframe src="javascript:run()"></iframe>',
    "frame with a page": '<iframe srcdoc="&lt;script>run()&lt;/script>"></iframe>',
    "frameset": "<frameset><frame src=javascript:run()></frameset>",
    "object": f'<object data="{PAGE_URI}"></object>',
    "embed": f'<embed src="{SVG_URI}">',
    "applet": "<applet code=x></applet>",
    "portal": "<portal src=//evil.example></portal>",
    "refresh": '<meta http-equiv="refresh" content="0;url=javascript:run()">',
    "base": '<base href="//evil.example/">',
    "form": '<form action="javascript:run()"><input type=submit></form>',
    "button": '<form id=f></form><button form=f formaction="javascript:run()">x</button>',
    "password": '<form action="//evil.example"><input type=password></form>',
    "style": "<style>*{background:url(//evil.example)}</style>",
    "style not closed": "<style><img src=x onerror=run()>",
    "style of an element": '<p style="position:fixed;top:0;background:url(//evil.example)">x</p>',
    "style beside alignment": '<td style="text-align:left;background:url(//evil.example)">x</td>',
    "style instead of alignment": '<table><td style="text-align:url(//evil.example)">x</table>',
    "style sheet": '<link rel=stylesheet href="//evil.example/x.css">',
    "preload": '<link rel=preload as=image href="//evil.example/x">',
    "svg with a script": SVG,
    "svg with an event": "<svg onload=run()></svg>",
    "svg with a page": "<svg><foreignObject><iframe src=javascript:run()></foreignObject></svg>",
    "svg animated": '<svg><a><animate attributeName=href values="javascript:run()"/>x</a></svg>',
    "svg that sets": '<svg><set attributeName=onmouseover to="run()"/></svg>',
    "svg that uses": f'<svg><use href="{SVG_URI}#x"/></svg>',
    "svg with a picture": '<svg><image href="//evil.example/x.png"/></svg>',
    "mathml link": '<math href="javascript:run()"><mi>x</mi></math>',
    "mathml action": '<math><maction actiontype="statusline" xlink:href="javascript:run()">x',
    "mathml annotation": "<math><annotation-xml encoding=text/html><script>run()</script>",
    "mutation by mglyph": "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;"
    "&lt;img src=x onerror=run()&gt;'>",
    "mutation by form": "<form><math><mtext></form><form><mglyph><style></math>"
    "<img src=x onerror=run()>",
    "mutation by noscript": '<noscript><p title="</noscript><img src=x onerror=run()>">',
    "mutation by svg style": '<svg></p><style><a id="</style><img src=x onerror=run()>">',
    "mutation by textarea": '<textarea><p title="</textarea><img src=x onerror=run()>">',
    "mutation by xmp": '<xmp><p title="</xmp><img src=x onerror=run()>">',
    "mutation by title": '<title><p title="</title><img src=x onerror=run()>">',
    "mutation by comment": "<!--><img src=x onerror=run()>-->",
    "mutation by strange comment": "<!--x--!><img src=x onerror=run()>-->",
    "mutation by cdata": "<svg><![CDATA[><img src=x onerror=run()>]]>",
    "mutation by template": "<template><script>run()</script></template>",
    "mutation by select": "<select><option><style></select><img src=x onerror=run()></style>",
    "attribute not closed": '<img alt="<img src=x onerror=run()>',
    "quotes of three kinds": "<p title='\"><img src=x onerror=run()>`'>x</p>",
    "tag not closed": "<img src=x onerror=run() ",
    "instruction": "<?xml-stylesheet href='//evil.example'?><?php run() ?>",
    "end of the page": "</textarea></script></style></title></div></div></div></table>x",
    "remote picture": '<img src="https://evil.example/x.png">',
    "remote picture set": '<img srcset="https://evil.example/x.png 2x" src=data:,>',
    "remote picture lazily": '<img loading=lazy lowsrc="//evil.example" src="//evil.example/x">',
    "picture of the server": '<img src="/api/shutdown"><img src="prev">',
    "remote background": "<table background=//evil.example/x.png><tr><td>x</table>",
    "remote sound": "<audio src=//evil.example autoplay></audio><bgsound src=//evil.example>",
    "remote poster": "<video poster=//evil.example></video><track src=//evil.example>",
    "page as a picture": f'<img src="{PAGE_URI}">',
    "script as a picture": '<img src="javascript:run()">',
    "picture that is none": f'<img src="data:image/png;base64,{base64_of(b"<script>")}">',
    "picture not encoded": "<img src=\"data:image/svg+xml,<svg onload='run()'/>\">",
    "id of a field": "<div id=q1>x</div><h2 id=q1>x</h2><h2 id=q1-comment>x</h2>",
    "class of the page": '<div class="modal-backdrop nbgrader_cell tabbable">x</div>',
    "class for mathjax": '<pre class="tex2jax_process">$x$</pre>',
    "data for scripts": '<a data-toggle="tooltip" data-link="x" data-html="true">x</a>',
    "editable": "<p contenteditable autofocus tabindex=1 accesskey=x>x</p>",
    "own element": "<x-y is=z slot=a part=b>x</x-y>",
}
HOSTILE_MARKDOWN = {
    "link": "[x](javascript:run())",
    "link in disguise": "[x](JaVaScRiPt&colon;run()) [y](<java\tscript:run()>)",
    "link by reference": '[x][y]\n\n[y]: javascript:run() "\\"onclick=run()"',
    "link behind files": "[x](files/javascript:run())",
    "link in angles": "<javascript:run()> <https://x.example/\"onclick='run()>",
    "picture": '![x" onerror="run()](x "y\\" onerror=\\"run()")',
    "remote picture": "![x](https://evil.example/x.png)",
    "picture that is none": f"![x]({PAGE_URI})",
    "missing attachment": '![x](attachment:"><script>run()</script>.png)',
    "attachment of odd type": "![x](attachment:page) ![x](attachment:broken)",
    "language of code": '```x"><script>run()</script>\nx\n```',
    "diagram": "```mermaid\n</pre><script>run()</script>\n```",
    "heading": '# x <img src=x onerror=run()>\n\n# "><script>run()</script>',
    "table": "|<script>run()</script>|x|\n|-|-|\n|<img src=x onerror=run()>|[x](javascript:run())|",
    "mathematics": "$<img src=x onerror=run()>$ $$</p><script>run()</script>$$",
    "environment": "\\begin{x}<script>run()</script>\\end{x}",
    "code": "`<script>run()</script>` ``<img src=x onerror=run()>``",
    "entities": "&lt;script&gt;run()&lt;/script&gt; &#60;img src=x onerror=run()&#62;",
    "task": "- [x] <script>run()</script>",
    "html in a list": "- x\n\n  <script>\n\n  run()\n\n  </script>",
}
ODD_ATTACHMENTS = {
    "page": {"text/html": base64_of(b"<script>run()</script>")},
    "broken": {"image/png": '"><script>run()</script>'},
}
RUNS = re.compile(r"\s*(javascript|vbscript|data:(?!image/))", re.I)


class Page(HTMLParser):
    """What of a page could run, load, or act on the rest of it."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.html, self.tags, self.active, self.text = html, Counter(), Counter(), []
        self.sources, self.links, self.ids, self.classes = [], [], [], set()
        self.inside = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.inside = tag
        known = dict(attrs)
        if tag in MATHML and not set(known) <= MATHML_ATTRIBUTES:
            self.active[tag, *sorted(known)] += 1
        if tag not in HARMLESS_TAGS | MATHML:
            self.active[tag, *sorted((k, v or "") for k, v in attrs if k != "id")] += 1
        for name, value in attrs:
            value = value or ""
            if name.startswith("on") or name in ACTIVE_ATTRIBUTES or RUNS.match(value):
                self.active[tag, name, value] += 1
            if name == "style" and not re.fullmatch(r"text-align: ?\w+;?", value):
                self.active[tag, name, value] += 1
        self.sources += [known["src"]] if "src" in known and tag == "img" else []
        self.links += [known["href"]] if "href" in known and tag == "a" else []
        self.ids += [known["id"]] if "id" in known else []
        self.classes |= set((known.get("class") or "").split())

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside in ("script", "style"):
            self.active[self.inside, data] += 1
        else:
            self.text.append(data)

    def handle_comment(self, data):
        self.active["comment", data] += 1

    def handle_pi(self, data):
        self.active["instruction", data] += 1


HARMLESS_TAGS = set(
    """a abbr b blockquote body br caption code col colgroup dd del details div dl dt em
    h1 h2 h3 h4 h5 h6 head hr html i img ins kbd li mark nav ol p pre q s samp small span strong sub
    summary sup table tbody td tfoot th thead title tr u ul var""".split()  # noqa: SIM905
)
MATHML = set(
    """annotation math menclose mfrac mi mn mo mover mpadded mphantom mroot mrow ms mspace msqrt
    mstyle msub msubsup msup mtable mtd mtext mtr munder munderover semantics""".split()  # noqa: SIM905
)
MATHML_ATTRIBUTES = set(
    """accent accentunder class depth display displaystyle encoding fence form height largeop
    linebreak linethickness lspace mathbackground mathcolor mathsize mathvariant maxsize minsize
    notation rspace scriptlevel separator stretchy width""".split()  # noqa: SIM905
)
ACTIVE_ATTRIBUTES = set(
    """action background cite content data formaction http-equiv is longdesc lowsrc manifest name
    ping poster srcdoc srcset usemap xlink:href xmlns""".split()  # noqa: SIM905
)


def assert_harmless(html):
    """Of HTML made of HTML, in which no mathematics may be."""
    assert not MATHML & set(Page(html).tags)
    return assert_harmless_with_formulas(html)


def assert_harmless_with_formulas(html):
    """Of HTML made of markdown."""
    page = Page(html)
    assert not page.active
    ours = {"anchor-link", "highlight", "dataframe", "formula", "left", "right", "close"}
    assert not page.classes - ours - {"n", "o", "k"}
    assert all(
        re.match(r"data:(,$|image/(png|jpeg|gif|svg\+xml);base64,)", s) for s in page.sources
    )
    assert all(re.match(r"https?://|mailto:|#answer-", link) for link in page.links)
    assert not [link for link in page.links if "formgrader" in link]
    assert all(i.startswith("answer-") for i in page.ids)
    return page


def context(attachments=None):
    return {"cell": {"attachments": attachments or {}}}


def display(data, metadata=None):
    return new_output("display_data", data=data, metadata=metadata or {})


def code_cell(*outputs):
    return new_code_cell("1", outputs=list(outputs))


def cleaned_output(data, metadata=None):
    cell = code_cell(display(data, metadata))
    clean_outputs(cell)
    return cell.outputs[0]


# -- clean_html


@pytest.mark.parametrize("html", HOSTILE_HTML.values(), ids=HOSTILE_HTML)
def test_hostile_html_comes_out_harmless(html):
    assert_harmless(clean_html(html))
    assert_harmless(clean_html(f"<b>x {html} y"))
    assert_harmless(markdown2html(context(), html))
    assert_harmless(markdown2html(context(), f"# x {html}\n\n- y {html}"))


PIECES = """<p <table> <td> </p> <svg> <math> <mtext> <style> </style> <!-- --> <b> </b> <img
    <a|href= src= |onerror=run()| javascript: <![CDATA[ ]]> &lt; &#x3c; \\href{""".split()  # noqa: SIM905
ATOMS = st.sampled_from(
    [*HOSTILE_HTML.values(), *"<>\"'`&;=/! \n$\\", *(p.replace("|", " ") for p in PIECES)]
)


@given(st.lists(ATOMS, max_size=12).map("".join))
@settings(max_examples=300)
def test_any_mixture_of_hostile_html_comes_out_harmless(html):
    once = clean_html(html)
    assert_harmless(once)
    assert_harmless(clean_html(once))


def test_honest_html_passes():
    html = (
        '<h2 id="answer-x">x</h2><p>a <b>b</b> <code>c &lt; d</code> &amp; <sub>2</sub></p>'
        '<table class="dataframe" border="1"><tbody><tr style="text-align: right;"><th>1</th>'
        '<td colspan="2">2</td></tr></tbody></table><ol start="3"><li>x</li></ol><hr>'
        f'<img src="data:image/png;base64,{PNG}" alt="plot" width="300" height="20">'
        '<a href="https://example.org/a?b=1&amp;c=2" rel="noopener noreferrer">x</a>'
        '<div class="highlight"><pre><span class="n">x</span></pre></div>'
        "<details><summary>x</summary>y</details>"
    )
    assert clean_html(html) == html


@pytest.mark.parametrize(
    ("kind", "data"),
    [("png", PNG), ("jpeg", JPEG), ("gif", GIF), ("svg+xml", base64_of(SVG.encode()))],
)
def test_pictures_within_the_text_pass(kind, data):
    uri = f"data:image/{kind};base64,{data}"
    assert Page(clean_html(f'<img src="{uri}">')).sources == [uri]
    assert Page(markdown2html(context(), f"![x]({uri})")).sources == [uri]


def test_a_picture_shown_very_often_has_a_limited_size():
    data = base64_of(png() + bytes(3_000_000))
    attachments = {"x.png": {"image/png": data}}
    page = markdown2html(context(attachments), "![x](attachment:x.png)\n" * 500)
    assert len(page) < 40_000_000
    assert Page(page).sources[0] == f"data:image/png;base64,{data}"


def test_ids_and_links_within_a_cell_lead_to_each_other_and_not_to_the_page():
    page = Page(markdown2html(context(), "# A heading\n\n[x](#A-heading)"))
    assert page.ids == ["answer-A-heading"]
    assert page.links == ["#answer-A-heading"] * 2


def test_tex_in_html_of_outputs_stays_text():
    tex = r"$\frac{a}{b}$ $\href{x}{y}$"
    assert clean_html(tex) == tex


NAMES = " ".join(f"a{n}" for n in range(1_200))
TOO_MANY_ATTRIBUTES = {
    "names": f"<p {NAMES}>x</p>",
    "of an end tag": f"<p>x</p {NAMES}>",
    "with values": f"<p {NAMES.replace(' ', '=1 ')}>x</p>",
    "with slashes": f"<p/{NAMES.replace(' ', '/')}>x</p>",
    "with ends of tags in quotes": "<p " + NAMES.replace(" ", "='>' ") + ">x</p>",
    "without spaces": "<p " + NAMES.replace(" ", '=">"') + ">x</p>",
    "on lines": "<p\n" + NAMES.replace(" ", "\r\f\t") + ">x</p>",
    "not ended": f"<p {NAMES}",
    "like tags": f"<p {NAMES.replace('a', '<a')}>x</p>",
    "after a quotation mark": f"it's <p {NAMES}>x</p>",
    "after quotes not closed": f'<!-- <a b="> --> <p {NAMES}>x</p>',
    "after a script": f"<script>i<n; '</script><p {NAMES}>x</p>",
    "of formatting elements": "".join(f"<b x{k} {NAMES[:100]}></b>" for k in range(1_000)),
    "in many tags": ("<p" + " a" * 990 + ">x</p>") * 110,
}


@pytest.mark.parametrize("html", TOO_MANY_ATTRIBUTES.values(), ids=TOO_MANY_ATTRIBUTES)
def test_tags_with_very_many_attributes_are_shown_as_text(html):
    assert clean_html(html).startswith("<p><em>Shown as text")


@pytest.mark.parametrize(
    "html",
    [
        f'<svg><path d="M {NAMES} L {NAMES}" style="{NAMES}"/></svg><p>x</p>',
        f"<img alt='{NAMES}' title=\"{NAMES} it's\"><p>x</p>",
        f"a < b, \"{NAMES}', <b>{NAMES}</b> <!-- {NAMES} ' --> {NAMES}",
        '<table border="1" class="dataframe">' + '<tr><td title="a b">1</td></tr>' * 4_000,
        '<a href="https://example.org" title="x" class="y">x</a>' * 900,
        f"<script>if (i < {NAMES}) {{ run('\") }}</script><p>x</p>",
    ],
    ids=["drawing", "picture", "text", "table", "links", "script"],
)
def test_long_texts_and_values_are_no_attributes(html):
    assert "Shown as text" not in clean_html(html)


TAG_PIECES = st.sampled_from(
    ["<p", "</p", "<div ", ">", " ", "/", "=", "'", '"', "a1", "a2", "<!--", "-->"]
)


@given(st.lists(TAG_PIECES, max_size=30).map("".join))
@settings(max_examples=500)
def test_no_attribute_that_a_parser_finds_is_overlooked(html):
    found = []
    nh3.Cleaner(
        tags={"p", "div"},
        attributes={"*": {"a1", "a2", "a1a1", "a1a2", "a2a1", "a2a2"}},
        attribute_filter=lambda *attribute: found.append(attribute),
    ).clean(html)
    starts = cleaning._TAG_START.finditer(html)
    assert len(found) <= sum(cleaning._attributes(html, start.end())[0] for start in starts)


@pytest.mark.parametrize(
    "html",
    [
        "<a" * 10_000,
        ("<a" + "b" * 22) * 20_000,
        ('<a x="' + "y" * 40) * 10_000,
        "<p x='" * 20_000,
        "<p " + " " * 480_000,
        "<p" + "/" * 480_000,
        "<p " + "=" * 480_000,
        "<p x" + " =" * 200_000,
    ],
    ids=lambda html: f"{html[:12]!a}-{len(html)}",
)
def test_counting_attributes_takes_a_bounded_time(html):
    taken, cleaned = seconds(clean_html, html)
    assert taken < 5  # seconds of computing: a tenth here; if tags were read again, 12 for some
    assert_harmless(cleaned)


def test_text_that_was_shown_as_text_stays_as_it_is():
    text = clean_html(f"<p {NAMES}>&lt;<b>x</b></p>")
    assert clean_html(text, allowance=Allowance(0)) == clean_html(text) == text
    forged = text.replace("a7 ", "<script>run()</script>")
    for left in (0, 10):
        assert_harmless(clean_html(forged, allowance=Allowance(left)))


# -- markdown2html


@pytest.mark.parametrize("source", HOSTILE_MARKDOWN.values(), ids=HOSTILE_MARKDOWN)
def test_hostile_markdown_comes_out_harmless(source):
    assert_harmless_with_formulas(markdown2html(context(ODD_ATTACHMENTS), source))


HONEST_MARKDOWN = [
    "# A heading\n\ntext *emphasis* **strong** ~~gone~~\n\n> quoted",
    "$a < b$ and $x_1$, also $y_2 > \\hat{x}_1$ & $c*d*e$",
    "$$ \\begin{aligned} a &< b \\\\ c &= d \\end{aligned} $$",
    "\\begin{align}\na &< b\\\\\nc &> d\n\\end{align}",
    "`a<b` and ``x `y` z``",
    "| a | b |\n|---|:-:|\n| 1 | `x|y` |",
    "```python\nif a < b:\n    pass\n```\n\n    indented < code",
    "1. one\n2. two\n   - three\n\nterm\n: what it is",
    '[a link](https://example.org/?a=1&b=2 "title") <https://example.org> <a@example.org>',
    "![a picture](attachment:photo.png)",
    "a<br>b, <sub>1</sub>, &lt;tag&gt; &amp; &copy;",
]


@pytest.mark.parametrize("source", HONEST_MARKDOWN)
def test_honest_markdown_renders_as_nbconvert_renders_it(source):
    attachments = {"photo.png": {"image/png": PNG}}
    ours = markdown2html(context(attachments), source)
    theirs = HTMLExporter().markdown2html(context(attachments), source)
    assert shape(ours) == shape(theirs)
    assert "too complicated" not in ours


def shape(html):
    """Texts, tags and addresses, without the attributes that we change on purpose.

    TeX stands for MathML, without delimiters.
    """
    page = Page(AS_TEX.sub(r"\1", html))
    links = [link.replace("#answer-", "#") for link in page.links]
    text = re.sub(r"[$\s]", "", "".join(page.text))
    return text, page.tags, page.sources, links


AS_TEX = re.compile(
    r"(?:<span class=.formula.>)?<math(?:.(?!</math>))*<annotation[^>]*>([^<]*)</annotation>"
    r"</semantics></math>(?:</span>)?"
)


def test_boxes_of_tasks_can_be_read():
    text = "".join(Page(markdown2html(context(), "- [x] done\n- [ ] open")).text)
    assert "☑ done" in text
    assert "☐ open" in text


@pytest.mark.parametrize("address", ["a%20photo.png", "<a photo.png>"])
def test_attachments_with_spaces_in_their_names_are_found(address):
    address = address.replace("<", "<attachment:") if "<" in address else f"attachment:{address}"
    attachments = {"a photo.png": {"image/png": [PNG[:20] + "\n", PNG[20:]]}}
    page = Page(markdown2html(context(attachments), f"![x]({address})"))
    assert page.sources == [f"data:image/png;base64,{PNG}"]


def test_a_missing_attachment_is_named_and_the_rest_is_shown():
    text = "".join(Page(markdown2html(context(), "![x](attachment:x.png) and *more*")).text)
    assert "x.png" in text
    assert "and more" in text


# -- time


@pytest.fixture
def no_callbacks_of_the_collector():
    """Hypothesis sets one, and Python passes over what is raised in it: our time limit."""
    callbacks, gc.callbacks[:] = gc.callbacks[:], []
    yield
    gc.callbacks[:] = callbacks


def seconds(function, *arguments):
    start = time.process_time()
    result = function(*arguments)
    return time.process_time() - start, result


@pytest.mark.slow
@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 20_000,
        "<div>" * 1_000_000,
        "<b><i>" * 10_000,
        "".join(f"<b a={n}><p>" for n in range(5_000)),
        "<table><tr><td>" * 6_000,
        "<a><div>" * 9_000,
        "<a " + " ".join(f"a{n}" for n in range(60_000)) + ">",
        "word " * 1_000_000,
        "<" * 5_000_000,
        "<!-- " * 1_000_000,
        '<img src="data:image/png;base64,' + "A" * 5_000_000,
    ],
    ids=lambda html: f"{html[:15]}-{len(html)}",
)
def test_html_of_any_size_and_depth_takes_a_bounded_time(html):
    taken, cleaned = seconds(clean_html, html)
    assert taken < 60  # seconds of computing: a few here; without a bound, hours
    assert len(cleaned) < 2_000_000
    assert_harmless(cleaned)


@pytest.mark.parametrize(
    "source",
    [
        "|-\n|" * 5_000,
        "\\\\[" * 6_600,
        "![" * 10_000,
        "[a](" * 1_250_000,
        "> " * 10_000,
        "- " * 10_000,
        "# x\n" * 5_000,
        "**a" * 6_600,
        "<div>\n\n" * 2_800,
        "[a]: x" + "y" * 9_000 + "\n\n" + "[a]" * 3_000,
        "```" + "`" * 19_000,
    ],
    ids=lambda source: f"{source[:6]!a}-{len(source)}",
)
@pytest.mark.usefixtures("no_callbacks_of_the_collector")
def test_markdown_of_any_kind_takes_a_bounded_time(source, monkeypatch):
    monkeypatch.setattr(safe_html, "_MARKDOWN_SECONDS", 0.3)
    taken, cleaned = seconds(markdown2html, context(), source)
    assert taken < 20
    assert_harmless(cleaned)


def test_too_large_content_is_shown_as_text():
    answer = "The cache holds $x$, <b>W</b> and the derivative. " * 600
    text = "".join(Page(markdown2html(context(), answer)).text)
    assert answer in text


# -- highlight_code


def test_honest_code_is_coloured_as_nbconvert_colours_it():
    code = "%matplotlib inline\n@wraps(f)\ndef f(x):\n\treturn f'{x}' < 1  # ≤\n\n!ls\n"
    for text in (code, ""):
        assert highlight_code(context(), text) == Highlight2HTML(pygments_lexer="ipython3")(text)


@pytest.mark.parametrize("source", [" \n" * 25_000, "match" + " " * 50_000], ids=["lines", "line"])
@pytest.mark.usefixtures("no_callbacks_of_the_collector")
def test_code_that_takes_long_to_colour_has_no_colours(source):
    taken, shown = seconds(highlight_code, context(), f"{source}the_end = '<b>'")
    assert taken < 20  # seconds of computing: one here; without a bound, minutes
    assert "the_end = &#39;&lt;b&gt;&#39;" in shown
    assert "span" not in shown
    assert assert_harmless(shown).tags["pre"] == 1


def test_code_has_the_language_of_the_course_whatever_its_metadata_say():
    cell = new_code_cell("%%html\n<b>x</b>")
    shown = highlight_code(context(), cell.source, metadata={"magics_language": "html"})
    assert shown == highlight_code(context(), cell.source)


def test_long_code_is_cut_and_control_characters_can_be_seen():
    shown = "".join(Page(highlight_code(context(), "x" * (LONGEST_CODE + 7))).text)
    assert "7 more characters" in shown
    assert len(shown) < LONGEST_CODE + 100
    shown = "".join(Page(highlight_code(context(), "a = 1\rb = 2\r\n\u202ec\x1b[2J")).text)
    assert shown.strip() == r"a = 1\rb = 2" + "\n" + r"\u202ec\x1b[2J"


def test_the_texts_of_a_page_share_their_time():
    page = {"resources": {}, "cell": {}}
    highlight_code(page, "x = 1")
    (allowance,) = page["resources"].values()
    assert isinstance(allowance, Allowance)
    for show in (lambda: highlight_code(page, "x + x"), lambda: markdown2html(page, "*x*")):
        before = allowance.seconds
        show()
        assert allowance.seconds < before
    allowance.seconds = 0
    assert "span" not in highlight_code(page, "x = 1")
    assert "Shown as text" in markdown2html(page, "*x*")


# -- clean_outputs


@pytest.mark.parametrize(
    "kind",
    [
        "application/javascript",
        "text/latex",
        "text/markdown",
        "text/vnd.mermaid",
        "application/pdf",
        "application/vnd.jupyter.widget-view+json",
        "application/vnd.plotly.v1+json",
        "image/webp",
        "x<script>run()</script>",
    ],
)
def test_other_types_are_dropped_and_named(kind):
    assert cleaned_output({kind: "run()", "text/plain": "x"}).data == {"text/plain": "x"}
    alone = cleaned_output({kind: "run()"}).data
    assert list(alone) == ["text/plain"]
    assert kind in alone["text/plain"]
    assert "run()" not in alone["text/plain"].replace(kind, "")


@pytest.mark.parametrize(("kind", "data"), [("png", PNG), ("jpeg", JPEG), ("gif", GIF)])
def test_pictures_pass_with_their_sizes_and_nothing_else(kind, data):
    mime = f"image/{kind}"
    hostile = {"alt": "<script>", "unconfined": True, "isolated": True}
    metadata = {mime: {"width": 300, "height": 20.5, **hostile}, "filenames": {mime: "//evil"}}
    output = cleaned_output({mime: data, "text/plain": "<Figure>"}, metadata)
    assert output.data == {mime: data, "text/plain": "<Figure>"}
    assert output.metadata == {mime: {"width": 300, "height": 20.5}}


@pytest.mark.parametrize(
    "size", ["1 onerror=run()", "300", True, float("nan"), float("inf"), -1, 1e9, [1], None]
)
def test_invalid_sizes_are_dropped(size):
    for metadata in ({"image/png": {"width": size}}, {"height": size}):
        assert cleaned_output({"image/png": PNG}, metadata).metadata == {}


@pytest.mark.parametrize(
    "data", [PNG[:-2], PNG + "!", '"><script>run()</script>', JPEG, "", 7, ["x", 7], {"a": 1}]
)
def test_other_data_does_not_pass_as_a_png(data):
    output = NotebookNode(output_type="display_data", data={"image/png": data}, metadata={})
    cell = NotebookNode(cell_type="code", outputs=[output])
    assert clean_outputs(cell) == 1
    assert list(output.data) == ["text/plain"]


def test_html_is_cleaned_and_empty_html_is_replaced_by_another_format():
    output = cleaned_output({"text/html": "<b>x<script>run()</script></b>", "text/plain": "x"})
    assert output.data == {"text/html": "<b>x</b>", "text/plain": "x"}
    output = cleaned_output({"text/html": "<div><script>run()</script></div>", "image/png": PNG})
    assert output.data == {"image/png": PNG}


def test_an_svg_becomes_a_picture_unless_there_is_one():
    output = cleaned_output({"image/svg+xml": SVG, "text/plain": "<Figure>"})
    assert output.data == {
        "text/html": f'<img src="{SVG_URI}" alt="plot">',
        "text/plain": "<Figure>",
    }
    assert clean_html(output.data["text/html"]) == output.data["text/html"]
    assert set(cleaned_output({"image/svg+xml": SVG, "image/png": PNG}).data) == {"image/png"}


def test_a_table_of_pandas_passes():
    table = (
        "<div>\n<style scoped>\n .dataframe th { vertical-align: top; }\n</style>\n"
        '<table border="1" class="dataframe">\n  <thead>\n    <tr style="text-align: right;">\n'
        "      <th></th>\n      <th>loss</th>\n    </tr>\n  </thead>\n  <tbody>\n    <tr>\n"
        "      <th>0</th>\n      <td>0.69 &lt; 1</td>\n    </tr>\n  </tbody>\n</table>\n</div>"
    )
    shown = cleaned_output({"text/html": table, "text/plain": "x"}).data["text/html"]
    assert re.sub(r"\s", "", shown) == re.sub(r"\s|<style.*?</style>", "", table, flags=re.S)


def test_characters_shown_otherwise_are_counted():
    honest = [
        display({"text/plain": "1"}),
        display({"image/png": PNG + "\n", "text/plain": ["a", "b"]}, {"needs_background": "light"}),
        new_output("stream", text="\x1b[31mred\x1b[0m"),
        new_output("error", ename="ValueError", evalue="x", traceback=["\x1b[31mx\x1b[0m"]),
    ]
    hostile = [display({"text/html": "<script>"}), display({"text/latex": "x", "text/plain": "1"})]
    odd = NotebookNode(output_type="pyout", text="<script>")
    cell = NotebookNode(cell_type="code", outputs=[*honest, *hostile, odd])
    assert clean_outputs(cell) == 3
    assert [o.output_type for o in cell.outputs][:4] == [o.output_type for o in honest]
    assert odd not in cell.outputs
    assert clean_outputs(cell) == 0


@pytest.mark.parametrize("codes", ["\x1b[1ma" * 500_000, "\x1b[" + "0;" * 1_000_000 + "0m"])
def test_too_many_colours_are_removed(codes):
    stream = new_output("stream", text=codes)
    error = new_output("error", ename="x", evalue="x", traceback=[codes])
    cell = code_cell(stream, error, display({"text/plain": codes}))
    taken, changed = seconds(clean_outputs, cell)
    assert taken < 60  # seconds of computing: a few here; without a bound, hours
    assert changed == 3
    assert "\x1b" not in stream.text + error.traceback[0] + cell.outputs[2].data["text/plain"]


# -- the pages of nbgrader


@pytest.fixture(scope="module")
def exporters():
    """The exporters of `nbgrader generate_feedback` and of formgrader."""
    config = Config()
    config.TemplateExporter.filters = FILTERS
    config.HTMLExporter.preprocessors = ["hw_grading.pages.safe_html.CleanOutputs"]
    formgrader = FormgradeExtension(config=config)
    formgrader.update_config(formgrader.build_extra_config())
    return {
        "feedback": FeedbackExporter(),  # whatever the configuration says
        "formgrade": HTMLExporter(config=formgrader.config),
    }


def rendered(exporter, cells):
    marks = [cell.metadata.get("nbgrader", {}) for cell in cells]
    comments = {mark["grade_id"]: mark["comment"] for mark in marks if "comment" in mark}
    resources = {
        "nbgrader": {"notebook": "hw2", "score": 1, "max_score": 2, "late_penalty": 0},
        "metadata": {"name": "hw2", "path": "."},
        "base_url": "",
        "notebook_id": "hw2",
        "index": 0,
        "total": 1,
        "student": "x",
        "facts": Facts("x", comments=comments),
    }
    html, _ = exporter.from_notebook_node(new_notebook(cells=cells), resources)
    return Page(html)


def answer(source, number, **kept):
    marks = {"grade": True, "solution": True, "points": 2, "score": 1, "grade_id": f"q{number}"}
    cell = new_markdown_cell(source, **kept)
    cell.metadata["nbgrader"] = {**marks, "locked": False, "task": False, "comment": source}
    return cell


def streams(text):
    return [
        new_output("stream", text=text),
        new_output("stream", name="stderr", text=text),
        new_output("error", ename=text, evalue=text, traceback=[text, f"\x1b[31m{text}\x1b[0m"]),
        display({"text/plain": text}),
    ]


def cells_of(texts):
    """Each text in every place where a student can put one."""
    cells = []
    for number, text in enumerate(texts):
        cell = code_cell(
            display({"text/html": text, "text/plain": "x"}, {"text/html": {"isolated": True}}),
            display({"text/markdown": text, "application/javascript": text}),
            display({"text/latex": text, "image/svg+xml": text}),
            display({"image/png": PNG}, {"image/png": {"width": f"1 {text}", "alt": text}}),
            *streams(f"\x1b[1;31m{text}\x1b[0m \x1b[38;5;9m</script>{text}\x1b[{text}m"),
        )
        cell.source = text
        clean_outputs(cell)
        cells += [answer(text, number, attachments=ODD_ATTACHMENTS), new_raw_cell(text), cell]
    return cells


@pytest.mark.parametrize("page", ["feedback", "formgrade"])
def test_nothing_of_a_hostile_notebook_runs_or_loads_in(exporters, page):
    hostile = [*HOSTILE_HTML.values(), *HOSTILE_MARKDOWN.values()]
    harmless = rendered(exporters[page], cells_of("xx"))
    found = rendered(exporters[page], cells_of(hostile))
    assert comparable(found.active) == comparable(harmless.active)
    assert found.tags["script"] == harmless.tags["script"]
    assert (found.tags["script"] > 0) == (page == "formgrade")
    assert all(source.startswith("data:") for source in found.sources)
    assert not [link for link in found.links if RUNS.match(link)]
    fields = [i for i in found.ids if i.startswith("q")]
    assert len(fields) == len(set(fields))


def comparable(active):
    """Without the colours of a terminal, and without the numbers of cells."""
    colour = re.compile(r"color: rgb\([\d,]+\)")
    others = (a for a in active if not (a[:2] == ("span", "style") and colour.fullmatch(a[2])))
    return {re.sub(r"\d+", "0", repr(what)) for what in others}


def test_feedback_loads_nothing_and_has_no_script(exporters):
    cells = [answer("$x$", 1), code_cell(display({"image/png": PNG}))]
    found = rendered(exporters["feedback"], cells)
    assert found.tags["script"] == 0
    loads = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[\"']([^\"']*)", found.html)
    assert not [address for address in loads if not address.startswith("data:")]
    assert not re.search(r"url\([\"']?(?:https?:)?//|@import|import ", found.html)
    assert "cdnjs" not in found.html
    assert ".formula {" in found.html


@pytest.mark.parametrize("page", ["feedback", "formgrade"])
def test_printed_tags_and_colours_come_out_escaped_in(exporters, page):
    text = "</pre></script><script>run()</script>"
    cell = code_cell(*streams(f"{text}\x1b[31m{text}\x1b[38;2;1;2;3m{text}\x1b[x{text}\x1b[0m"))
    clean_outputs(cell)
    harmless = rendered(exporters[page], [code_cell(*streams("x"))])
    found = rendered(exporters[page], [cell])
    assert found.tags["script"] == harmless.tags["script"]
    assert "&lt;/script&gt;&lt;script&gt;run()" in found.html


@pytest.mark.parametrize("page", ["feedback", "formgrade"])
def test_outputs_that_were_not_cleaned_in_grading_do_not_run_in(exporters, page):
    outputs = [{"text/html": html} for html in HOSTILE_HTML.values()]
    outputs += [{"application/javascript": "run()"}, {"text/markdown": "<script>run()</script>"}]
    widget = "application/vnd.jupyter.widget-view+json"
    outputs += [{"image/svg+xml": SVG}, {widget: {"model_id": "x", "version_major": 2}}]
    size = {"width": "1 onerror=run()"}
    elsewhere = {"filenames": {"image/png": "https://evil.example/x.png"}}
    pictures = [display({"image/png": PNG}, m) for m in ({"image/png": size}, size, elsewhere)]
    harmless = rendered(exporters[page], [code_cell(display({"text/plain": "x"}))])
    found = rendered(exporters[page], [code_cell(*map(display, outputs), *pictures)])
    assert found.tags["script"] == harmless.tags["script"]
    assert comparable(found.active) == comparable(harmless.active)
    assert all(source.startswith("data:") for source in found.sources)


@pytest.mark.parametrize("page", ["feedback", "formgrade"])
@pytest.mark.usefixtures("no_callbacks_of_the_collector")
def test_code_that_takes_long_to_colour_is_shown_in(exporters, page):
    cell = new_code_cell("x = 1\n" + " \n" * 20_000 + "y = 2")
    taken, found = seconds(rendered, exporters[page], [cell])
    assert taken < 60  # seconds of computing: two here; without a bound, minutes
    assert "y = 2" in "".join(found.text)


@pytest.fixture
def slow_html(monkeypatch):
    """Each HTML takes four seconds to clean."""
    seconds_later = itertools.count(step=4)
    monkeypatch.setattr(allowance.time, "thread_time", lambda: next(seconds_later))
    return [code_cell(display({"text/html": f"<b>{n}</b>"})) for n in range(9)]


def test_html_beyond_the_time_of_a_submission_becomes_text_in_grading(slow_html, monkeypatch):
    monkeypatch.setattr(submission, "_SECONDS_FOR_HTML", 10.0)
    settings = Mock(wall_seconds_per_submission=1.0)
    run = submission.Submission(new_notebook(), 0, settings, Mock())
    for index, cell in enumerate(slow_html):
        run._settle(cell, index)
    shown = [cell.outputs[0].data["text/html"] for cell in slow_html]
    assert shown[:3] == ["<b>0</b>", "<b>1</b>", "<b>2</b>"]
    assert all("<pre>&lt;b&gt;" in html for html in shown[3:])


@pytest.mark.parametrize("page", ["feedback", "formgrade"])
def test_html_beyond_the_time_of_a_page_becomes_text_in(exporters, page, slow_html):
    html = rendered(exporters[page], slow_html).html
    assert html.count("Shown as text") in (6, 7, 8)  # two or three were cleaned, maybe twice
    assert "<b>0</b>" in html
    assert "<b>8</b>" not in html
    assert "&lt;b&gt;8&lt;/b&gt;" in html


@pytest.mark.parametrize("page", ["feedback", "formgrade"])
def test_an_honest_notebook_is_shown_whole_in(exporters, page):
    written = "# My answer\n\n$a < b$ and $x_1$, `c<d`\n\n|a|b|\n|-|-|\n|1|2|\n\n![x](attachment:p)"
    plot = display({"image/png": PNG, "text/plain": "<Figure>"}, {"image/png": {"width": 300}})
    table = display({"text/html": '<table class="dataframe"><tr><td>7</td></tr></table>'})
    cell = code_cell(plot, table, new_output("stream", text="loss < 0.1"))
    clean_outputs(cell)
    cells = [answer(written, 1, attachments={"p": {"image/jpeg": JPEG}}), cell]
    found = rendered(exporters[page], cells)
    text = "".join(found.text)
    assert found.tags["math"] >= 2  # in the comment too
    for part in ("My answer", "a < b", "x_1", "c<d", "7", "loss < 0.1"):
        assert part in text
    assert f"data:image/jpeg;base64,{JPEG}" in found.sources
    assert f"data:image/png;base64,{PNG}" in found.sources
    assert found.tags["table"] >= 2
    assert "dataframe" in found.classes
    assert 'width="300"' in found.html


def test_the_course_uses_these_filters():
    config = PyFileConfigLoader("nbgrader_config.py", path=str(COURSE)).load_config()
    assert config.TemplateExporter.filters == FILTERS
    assert config.HTMLExporter.preprocessors == ["hw_grading.pages.safe_html.CleanOutputs"]


def test_formgraders_own_pages_escape_what_they_print(monkeypatch):
    from jinja2 import Environment
    from nbgrader.server_extensions.formgrader import formgrader

    monkeypatch.setattr(formgrader, "Environment", Environment)  # as nbgrader has it
    assert formgrader.Environment().from_string("{{ x }}").render(x="<b>") == "<b>"
    PyFileConfigLoader("nbgrader_config.py", path=str(COURSE)).load_config()
    assert formgrader.Environment().from_string("{{ x }}").render(x="<b>") == "&lt;b&gt;"
