"""Hostile texts for pages, and what of an HTML page could run, load, or act on the page."""

import base64
import io
import re
import struct
import zlib
from collections import Counter
from html.parser import HTMLParser

from nbformat.v4 import new_code_cell, new_output
from PIL import Image
from pygments.token import STANDARD_TYPES


def base64_of(raw):
    return base64.b64encode(raw).decode("ascii")


def chunk(name, data):
    """Return a chunk of a PNG."""
    crc = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + crc


def png(width=1, height=1, kind=b"IHDR", extra=b"", pixels=b"\0\x80"):
    """Return a grey PNG, as bytes. Its header need not agree with its pixels."""
    head = chunk(kind, struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(pixels))
    return b"\x89PNG\r\n\x1a\n" + head + data + extra + chunk(b"IEND", b"")


def one_pixel(kind):
    stream = io.BytesIO()
    Image.new("L", (1, 1)).save(stream, kind)
    return stream.getvalue()


PNG = base64_of(png())
JPEG, GIF = (base64_of(one_pixel(kind)) for kind in ("JPEG", "GIF"))
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" onclick="run()"/></svg>'
SVG_URI = f"data:image/svg+xml;base64,{base64_of(SVG.encode())}"
PAGE_URI = f"data:text/html;base64,{base64_of(b'<script>run()</script>')}"

# One line each, so that each is one block of HTML in markdown too.
HOSTILE_HTML = {
    "script": "<script>run()</script>",
    "script not closed": "<script>run()",
    "script of mathjax": '<script type="text/x-mathjax-config">run()</script>',
    "script in two": "<scr<script>ipt>run()</scr</script>ipt>",
    "event of a picture": '<img src=x onerror="run()">',
    "event of an element": "<div onmouseover='run()' onclick=run()>x</div>",
    "event of an input": "<input autofocus onfocus=run()>",
    "event by animation": '<p style="animation: x 1s" onanimationstart=run()>x</p>',
    "javascript link": '<a href="javascript:run()">x</a>',
    "javascript link in disguise": '<a href=" &#1;JaVa&#x0A;ScRiPt&colon;run()">x</a>',
    "javascript behind files": '<a href="files/javascript:run()">x</a>',
    "page in a link": f'<a href="{PAGE_URI}">x</a>',
    "link into formgrader": '<a href="http://localhost:8888/formgrader/x%22;run();%22">x</a>',
    "file link": '<a href="file:///etc/passwd">x</a>',
    "link that sends pings": '<a href="https://example.org" ping="//evil.example">x</a>',
    "link with a name": '<a name="top">x</a>',
    "frame": '<iframe src="javascript:run()"></iframe>',
    "frame with a page": '<iframe srcdoc="&lt;script>run()&lt;/script>"></iframe>',
    "object": f'<object data="{PAGE_URI}"></object>',
    "refresh": '<meta http-equiv="refresh" content="0;url=javascript:run()">',
    "base": '<base href="//evil.example/">',
    "form": '<form action="javascript:run()"><input type=submit></form>',
    "style": "<style>*{background:url(//evil.example)}</style>",
    "style of an element": '<p style="position:fixed;top:0;background:url(//evil.example)">x</p>',
    "style beside alignment": '<td style="text-align:left;background:url(//evil.example)">x</td>',
    "style sheet": '<link rel=stylesheet href="//evil.example/x.css">',
    "svg with a script": SVG,
    "svg with a page": "<svg><foreignObject><iframe src=javascript:run()></foreignObject></svg>",
    "svg that uses": f'<svg><use href="{SVG_URI}#x"/></svg>',
    "mathml link": '<math href="javascript:run()"><mi>x</mi></math>',
    "mathml action": '<math><maction actiontype="statusline" xlink:href="javascript:run()">x',
    "mutation by mglyph": "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;"
    "&lt;img src=x onerror=run()&gt;'>",
    "mutation by noscript": '<noscript><p title="</noscript><img src=x onerror=run()>">',
    "mutation by svg style": '<svg></p><style><a id="</style><img src=x onerror=run()>">',
    "mutation by comment": "<!--><img src=x onerror=run()>-->",
    "mutation by cdata": "<svg><![CDATA[><img src=x onerror=run()>]]>",
    "attribute not closed": '<img alt="<img src=x onerror=run()>',
    "instruction": "<?xml-stylesheet href='//evil.example'?><?php run() ?>",
    "end of the page": "</textarea></script></style></title></div></div></div></table>x",
    "remote picture": '<img src="https://evil.example/x.png">',
    "remote picture set": '<img srcset="https://evil.example/x.png 2x" src=data:,>',
    "remote background": "<table background=//evil.example/x.png><tr><td>x</table>",
    "page as a picture": f'<img src="{PAGE_URI}">',
    "picture that is none": f'<img src="data:image/png;base64,{base64_of(b"<script>")}">',
    "id of a field": "<div id=q1>x</div><h2 id=q1>x</h2><h2 id=q1-comment>x</h2>",
    "class of the page": '<div class="modal-backdrop nbgrader_cell tabbable">x</div>',
    "class for mathjax": '<pre class="tex2jax_process">$x$</pre>',
    "editable": "<p contenteditable autofocus tabindex=1 accesskey=x>x</p>",
}
HOSTILE_MARKDOWN = {
    "link": "[x](javascript:run())",
    "link in disguise": "[x](JaVaScRiPt&colon;run()) [y](<java\tscript:run()>)",
    "link behind files": "[x](files/javascript:run())",
    "picture": '![x" onerror="run()](x "y\\" onerror=\\"run()")',
    "picture that is none": f"![x]({PAGE_URI})",
    "missing attachment": '![x](attachment:"><script>run()</script>.png)',
    "attachment of odd type": "![x](attachment:page) ![x](attachment:broken)",
    "language of code": '```x"><script>run()</script>\nx\n```',
    "heading": '# x <img src=x onerror=run()>\n\n# "><script>run()</script>',
    "table": "|<script>run()</script>|x|\n|-|-|\n|<img src=x onerror=run()>|[x](javascript:run())|",
    "mathematics": "$<img src=x onerror=run()>$ $$</p><script>run()</script>$$",
    "code": "`<script>run()</script>` ``<img src=x onerror=run()>``",
    "html in a list": "- x\n\n  <script>\n\n  run()\n\n  </script>",
}
HOSTILE_TEX = {
    "link": r"\href{javascript:run()}{x}",
    "picture": r"\includegraphics{https://evil.example/x.png}",
    "class": r"\htmlClass{modal}{x}",
    "style": r"\htmlStyle{position: fixed}{x}",
    "attributes": r"\mmlToken{mi}[href='javascript:run()']{x}",
    "macro": r"\def\f{\href}\f{javascript:run()}{x}",
    "new command": r"\newcommand{\f}[1]{<script>#1</script>}\f{run()}",
    "text": r"\text{<script>run()</script>} \text{<img src=x onerror=run()>}",
    "end of the formula": r"</annotation></semantics></math><script>run()</script>",
    "entities twice": r"\text{&amp;lt;img src=x onerror=run()&amp;gt;} &#60;img onerror=run()&#62;",
    "colour": r"\color{red;background:url(//evil.example)}x \textcolor{\" onload=\"run()}{x}",
    "tag": r"\tag{<script>run()</script>} x",
    "length": r"\hspace{1em\" onload=\"run()} \\[1em\" onload=\"run()] \rule{9999em}{9999em}",
    "cover": r"\smash{Full marks} \llap{Full marks} \raisebox{-9em}{x} \kern{-9em} \hspace{-9em}x",
    "direction": "\\text{\u202e\u2066\ufffe\ufeff\u0085}",
    "accents": "x\u0300" * 300,
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
    """math mfrac mi mn mo mover mphantom mroot mrow ms mspace msqrt mstyle msub msubsup msup mtable
    mtd mtext mtr munder munderover""".split()  # noqa: SIM905
)
MATHML_ATTRIBUTES = set(
    """accent accentunder alttext columnalign display displaystyle fence form largeop linethickness
    lspace mathvariant maxsize minsize movablelimits rspace scriptlevel separator stretchy title
    width""".split()  # noqa: SIM905
)
ACTIVE_ATTRIBUTES = set(
    """action background cite content data formaction http-equiv is longdesc lowsrc manifest name
    ping poster srcdoc srcset usemap xlink:href xmlns""".split()  # noqa: SIM905
)


def assert_harmless(html):
    """Expect HTML that runs and loads nothing, and leaves the page around it alone."""
    page = Page(html)
    assert not page.active
    ours = {"code", "dataframe", "error", "highlight", "html", "long", "note", "outputs", "picture"}
    assert not page.classes - ours - {"stderr", "text"} - set(STANDARD_TYPES.values())
    assert all(re.match(r"data:image/(png|jpeg);base64,", source) for source in page.sources)
    assert all(re.match(r"https?://|mailto:", link) for link in page.links)
    assert not [link for link in page.links if "formgrader" in link]
    assert not page.ids
    sizes = [float(size) for size in re.findall(r'width="(-?[0-9.]+)em"', html)]
    assert all(0 <= size < 100 for size in sizes)
    return page


def display(data, metadata=None):
    return new_output("display_data", data=data, metadata=metadata or {})


def code_cell(*outputs):
    return new_code_cell("1", outputs=list(outputs))
