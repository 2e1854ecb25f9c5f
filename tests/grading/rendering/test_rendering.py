"""What students wrote becomes HTML that runs nothing; honest work is shown as it was meant."""

import base64
import re

import nbformat
import pytest
from html_pages import (
    GIF,
    HOSTILE_HTML,
    HOSTILE_MARKDOWN,
    HOSTILE_TEX,
    JPEG,
    ODD_ATTACHMENTS,
    PNG,
    SVG,
    SVG_URI,
    Page,
    assert_harmless,
    base64_of,
    code_cell,
    display,
    png,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_output

from hw_grading.homework.course import REPOSITORY
from hw_grading.rendering.answers import (
    LONGEST_CODE,
    LONGEST_COLOURED,
    LONGEST_LINE,
    LONGEST_PRINTED,
    answer_html,
    code_html,
    outputs_html,
    printed_html,
    text_html,
)
from hw_grading.rendering.cleaning import MAX_PICTURES, clean_html
from hw_grading.rendering.limits import PageLimits
from hw_grading.rendering.markdown import LONGEST_TEX, LONGEST_TEXT
from hw_grading.rendering.pictures import MAX_BYTES, NotShown, content_of, pictures_of, uri_in


def outputs(*given, **named):
    return str(outputs_html(code_cell(*given), **named))


def text_in(html):
    return " ".join("".join(Page(html).text).split())


# -- attacks


@pytest.mark.parametrize("html", HOSTILE_HTML.values(), ids=HOSTILE_HTML)
def test_hostile_html_comes_out_harmless(html):
    for text in (html, f"<b>x {html} y"):
        assert_harmless(clean_html(clean_html(text)))
        assert_harmless(outputs(display({"text/html": text})))
    assert_harmless(text_html(f"{html}\n\n# x {html}\n\n- y {html}", ODD_ATTACHMENTS))


@pytest.mark.parametrize("source", HOSTILE_MARKDOWN.values(), ids=HOSTILE_MARKDOWN)
def test_hostile_markdown_comes_out_harmless(source):
    assert_harmless(text_html(source, ODD_ATTACHMENTS))


@pytest.mark.parametrize("tex", HOSTILE_TEX.values(), ids=HOSTILE_TEX)
def test_hostile_tex_comes_out_harmless(tex):
    page = assert_harmless(text_html(f"a ${tex}$ b\n\n$${tex}$$\n\n<p>${tex}$</p>"))
    assert not page.links
    assert not page.sources


PIECES = """<p <table> <td> </p> <svg> <math> <mtext> <mglyph> <style> </style> <!-- --> <b> </b>
    <img <a|href= src= |onerror=run()| javascript: <![CDATA[ ]]> &lt; &#x3c; \\href{ $ $$ { } &
    \\\\ _ ^ ` \\text{ \\frac \\left( \\begin{align} \\end{align} <code> ![ ](""".split()  # noqa: SIM905
HOSTILE = [*HOSTILE_HTML.values(), *HOSTILE_MARKDOWN.values(), *HOSTILE_TEX.values()]
ATOMS = st.sampled_from([*HOSTILE, *"<>\"'`&;=/! \n$\\", *(p.replace("|", " ") for p in PIECES)])


@given(st.lists(ATOMS, max_size=12).map("".join))
@settings(max_examples=300)
def test_any_mixture_comes_out_harmless(text):
    assert_harmless(clean_html(text))
    assert_harmless(clean_html(clean_html(text)))
    assert_harmless(text_html(text, ODD_ATTACHMENTS))


@pytest.mark.parametrize(
    "kind",
    [
        "application/javascript",
        "application/vnd.jupyter.widget-view+json",
        "x<script>run()</script>",
    ],
)
def test_outputs_of_other_types_are_named_or_shown_as_text(kind):
    assert text_in(outputs(display({kind: "run()", "text/plain": "x"}))) == "x"
    alone = outputs(display({kind: "<b>go()</b>"}))
    assert kind in text_in(alone)
    assert "go()" not in alone
    assert_harmless(alone)


def test_odd_json_is_no_fault():
    odd = [None, 7, [], {}, {"output_type": "stream", "text": 7}, {"output_type": "error"}]
    odd += [{"output_type": "display_data", "data": data} for data in (None, [], {}, {"a": {}})]
    odd += [{"output_type": "error", "traceback": [7, {}], "ename": [], "evalue": None}]
    odd += [{"output_type": "display_data", "data": {"image/png": {"a": 1}, "text/html": [1]}}]
    for cell_type in ("code", "markdown", None):
        for attachments in (None, 7, {"a": 7}, {"a": {"image/png": 7}}):
            cell = {"cell_type": cell_type, "source": ["![x](attachment:a)", "\ud800"]}
            assert_harmless(answer_html({**cell, "outputs": odd, "attachments": attachments}))


# -- what is too much


TOO_MUCH = {
    "elements within each other": "<details>" * 200 + "x",
    "a depth beyond them": "<div>" * 25_000,
    "open formatting": "".join(f"<b a={n}><p>" for n in range(5_000)),
    "attributes": "<a " + " ".join(f"{n:x}" for n in range(300_000)) + ">",
    "signs": "<" * 5_000_000,
    "columns": "<table><tr>" + "<td colspan=99>x</td>" * 900,
    "rows": "<table><tr>" + "<th ROWSPAN = '60'>x</th>" * 900,
}


@pytest.mark.parametrize("html", TOO_MUCH.values(), ids=TOO_MUCH)
def test_html_that_is_too_much_is_shown_as_text(html):
    cleaned = clean_html(html)
    assert cleaned.startswith("<p><em>Shown as text")
    assert len(cleaned) < 300_000
    assert_harmless(cleaned)


# What the parser of markdown needs with the square of its length, beyond the bounds and within.
@pytest.mark.parametrize(
    ("source", "is_text"),
    [
        ("|-\n|" * 201, True),
        ("x | y\n" * 201, True),
        ("\\\\[" * 301, True),
        ("*_" * 500, False),
        ("*_" * 501, True),
        ("x" * (LONGEST_TEXT + 1), True),
        ("word " * (LONGEST_TEXT // 5), False),
        ("![" * 10_000, False),
        ("[a]: x" + "y" * 9_000 + "\n\n" + "[a]" * 3_000, True),  # 27 MB of addresses
        ("![x](data:image/png;base64," + "A" * 9_000_000 + ")", False),
    ],
    ids=lambda value: f"{value[:6]!a}-{len(value)}" if isinstance(value, str) else value,
)
def test_markdown_beyond_a_bound_is_shown_as_text(source, is_text):
    html = text_html(source, {"a": {"image/png": PNG}})
    assert html.startswith("<p><em>Shown as text") == is_text
    assert len(html) < 500_000
    assert_harmless(html)


BOMBS = {
    "macro that calls itself": r"\def\a{\a\a}\a",
    "braces": "{" * 900 + "x" + "}" * 900,
    "powers": "x^{" * 400 + "y" + "}" * 400,
    "columns": r"\begin{matrix}" + "&" * 1_900 + r"\end{matrix}",
    "rows": r"\begin{matrix}" + r"\\" * 900 + r"\end{matrix}",
    "open braces": "{" * LONGEST_TEX,
}


@pytest.mark.parametrize("tex", BOMBS.values(), ids=BOMBS)
def test_a_formula_bomb_stays_small_and_the_next_one_is_set(tex):
    html = text_html(f"$${tex}$$\n\n$$\\frac{{1}}{{2}}$$")
    assert len(html) < 300_000
    deepest = now = 0
    for end in re.findall(r"<(/?)", html):
        now += -1 if end else 1
        deepest = max(deepest, now)
    assert deepest < 110  # browsers take 500
    assert "<mfrac>" in html


def test_texts_and_pictures_of_a_page_share_its_limits():
    limits = PageLimits(words=0)
    assert "Shown as text" in text_html("*x*", None, limits)
    assert "<span" not in code_html("x = 1", limits)
    assert "<b>" not in outputs(display({"text/html": "<b>x</b>"}), limits=limits)
    picture = f"![x](data:image/png;base64,{PNG})"
    limits = PageLimits(words=40)  # a picture's data are no words
    assert "<img" in text_html(picture, None, limits)
    assert "Shown as text" in text_html("word", None, limits)
    limits = PageLimits(words=20 + 6 + 1)  # of the text, and of one formula
    assert re.findall("<math|<code>", text_html("$x$ $y$", None, limits)) == ["<math", "<code>"]
    limits = PageLimits(plain=15)
    assert text_in(printed_html("x" * 10, "text", limits)) == "x" * 10
    assert text_in(code_html("y" * 10, limits)) == "yyyyy … and 5 more characters"
    assert text_in(printed_html("z", "text", limits)) == "… and 1 more characters"
    plot = display({"image/png": base64_of(png(pixels=bytes(range(256))))})
    limits = PageLimits(pictures=500)
    assert outputs(plot, plot, plot, limits=limits).count("<img") == 1
    assert "is not shown: it is too large" in outputs(plot, limits=limits)


# -- pictures


def jpeg_of(scans):
    raw = base64.b64decode(JPEG)
    return base64_of(raw[:-2] + scans * b"\xff\xda" + raw[-2:])


@pytest.mark.parametrize(
    ("mime", "data", "why"),
    [
        ("image/png", base64_of(png(10_000, 10_000)), "more than 16 million pixels"),
        ("image/png", "A" * (2 * MAX_BYTES), "more than 10 MB"),
        ("image/png", base64_of(png(5_000, 5_000)[:20]), "it is not a PNG"),
        ("image/png", PNG + "!", "it is not a PNG"),
        ("image/png", JPEG, "it is not a PNG"),
        ("image/jpeg", jpeg_of(100), "more than 60 scans"),
        ("image/gif", GIF, "of the kind image/gif is not shown: open the notebook"),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_that_is_not_drawn_is_named(mime, data, why):
    with pytest.raises(NotShown, match=why):
        uri_in({mime: data})
    uri = f"data:{mime};base64,{data}"
    html = outputs(display({mime: data, "text/plain": "<Figure>"}))
    assert re.search(why, text_in(html))
    attached = str(text_html("![](attachment:a)", {"a": {mime: data}}))
    assert 'alt="a"' in attached
    for page in (html, attached, clean_html(f'<img src="{uri}">'), text_html(f"![x]({uri})")):
        assert not Page(str(page)).sources


@pytest.mark.parametrize(("mime", "data"), [("image/png", PNG), ("image/jpeg", JPEG)])
def test_a_picture_is_shown_wherever_it_stands(mime, data):
    uri = f"data:{mime};base64,{data}"
    assert base64_of(content_of(mime, f"{data[:9]}\n{data[9:]}\n")) == data
    lines = {mime: [data[:20] + "\n", data[20:]]}
    for html in (
        clean_html(f'<img src="{uri}">'),
        text_html(f"![x]({uri})"),
        text_html('<img src="attachment:a%20b" alt="x">', {"a b": lines}),
        text_html("![x](<attachment:a b>)", {"a b": lines}),
        outputs(display(lines | {"text/plain": "<Figure>", "image/svg+xml": SVG})),
    ):
        assert Page(str(html)).sources == [uri]


def test_an_svg_is_named_wherever_it_stands():
    """Its elements may use others that use others, for hours."""
    bundle = {"image/svg+xml": SVG, "text/plain": "<Figure>"}
    for html in (
        clean_html(f'<img src="{SVG_URI}" alt="x">'),
        text_html(f"![x]({SVG_URI})"),
        text_html("![x](attachment:a)", {"a": bundle}),
    ):
        assert Page(str(html)).sources == []
        assert 'alt="x"' in html
    said = "A picture of the kind image/svg+xml is not shown: open the notebook."
    assert said in text_in(outputs(display(bundle)))
    assert pictures_of(code_cell(display(bundle), display(bundle | {"image/png": PNG}))) == [
        ("image/png", PNG)
    ]


def test_an_answer_shows_so_many_pictures_and_says_so():
    plots = [display({"image/png": PNG})] * (MAX_PICTURES + 3)
    html = outputs(*plots)
    assert html.count("<img") == MAX_PICTURES
    assert f"More pictures than {MAX_PICTURES} are not shown." in html
    assert len(pictures_of(code_cell(*plots))) == MAX_PICTURES + 3
    many = "![x](attachment:a)\n\n" * 20
    attachments = {"a": {"image/png": base64_of(png() + bytes(3_000_000))}}
    html = text_html(many, attachments, PageLimits(pictures=10**9))
    assert html.count("<img src") == MAX_PICTURES
    html = text_html(many, attachments)
    assert html.count("<img src") == 3  # a page has no room for more
    assert html.count('<img alt="x">') == 17


def test_nothing_of_a_pictures_metadata_reaches_the_page():
    hostile = {"alt": "<script>", "unconfined": True, "width": "1 onerror=run()"}
    page = outputs(display({"image/png": PNG}, {"image/png": hostile, "filenames": "//evil"}))
    assert page == outputs(display({"image/png": PNG}))


# -- honest texts


def test_honest_html_passes():
    html = (
        "<h2>x</h2><p>a <b>b</b> <code>c &lt; d</code> &amp; <sub>2</sub></p>"
        '<table class="dataframe" border="1"><tbody><tr style="text-align: right;"><th>1</th>'
        '<td colspan="2">2</td></tr></tbody></table><ol start="3"><li>x</li></ol><hr>'
        f'<img src="data:image/png;base64,{PNG}" alt="plot" width="300" height="20">'
        '<a href="https://example.org/a?b=1&amp;c=2" rel="noopener noreferrer">x</a>'
        '<div class="highlight"><pre><span class="n">x</span></pre></div>'
        "<details><summary>x</summary>y</details>"
    )
    assert clean_html(html) == html
    large = "<tr>" + "<td class='data row0'>0.123456</td>" * 20
    assert "Shown as text" not in clean_html(f"<table>{large * 60}</table>")


HONEST_MARKDOWN = [
    "# A heading\n\ntext *emphasis* **strong** ~~gone~~\n\n> quoted",
    "`a<b` and ``x `y` z``",
    "| a | b |\n|---|:-:|\n| 1 | `x|y` |",
    "```python\nif a < b:\n    pass\n```\n\n    indented < code",
    "1. one\n2. two\n   - three\n\nterm\n: what it is",
    '[a link](https://example.org/?a=1&b=2 "title") <https://example.org> <a@example.org>',
    "![a picture](attachment:photo.png)",
    "a<br>b, <sub>1</sub>, &lt;tag&gt; &amp; &copy;",
]


@pytest.mark.parametrize("source", HONEST_MARKDOWN)
def test_honest_markdown_renders_as_jupyter_renders_it(source):
    attachments = {"photo.png": {"image/png": PNG}}
    ours = Page(str(text_html(source, attachments)))
    within = {"cell": {"attachments": attachments}}
    theirs = Page(HTMLExporter(exclude_anchor_links=True).markdown2html(within, source))
    assert (ours.tags, ours.sources, ours.links) == (theirs.tags, theirs.sources, theirs.links)
    assert re.sub(r"\s", "", "".join(ours.text)) == re.sub(r"\s", "", "".join(theirs.text))


# -- formulas


def tex_in(source):
    return [
        found.replace("&lt;", "<").replace("&amp;", "&")
        for found in re.findall(r'<math[^>]* alttext="([^"]*)"', text_html(source))
    ]


@pytest.mark.parametrize(
    ("source", "formulas"),
    [
        ("a $x_1$ b $y$", ["x_1", "y"]),
        ("\\\\(x\\\\) and \\\\[y\\\\]", ["x", "y"]),
        ("a\n\\begin{align}\na < b\n\\end{align}", ["\\begin{align}\na < b\n\\end{align}"]),
        ("$a*b*c$ and *d*", ["a*b*c"]),
        ("# The $x$\n\n- $y$\n\n| a |\n|-|\n| $z$ |\n\n> $w$", ["x", "y", "z", "w"]),
        ("<details><summary>x</summary>\n\n$y$\n\n</details>", ["y"]),
        ("It costs \\$5 and \\$6.", []),
        ("```\n$x$\n```\n\n    $y$", []),
        ("<pre>$x$</pre>", []),
        ("$x and $$x$ and $$", []),
    ],
)
def test_formulas_are_found_as_jupyter_finds_them(source, formulas):
    if source.startswith("$x and"):
        assert text_in(text_html(source))
    else:
        assert tex_in(source) == formulas


@pytest.mark.parametrize("tex", ["\\frac", "a & b", "\\foo{x}", "x" * 3_000])
def test_a_formula_that_cannot_be_read_stands_as_its_source(tex):
    html = text_html(f"before $${tex}$$ *after*")
    assert "<math" not in html
    assert "<em>after</em>" in html
    assert text_in(html) == f"before $${tex}$$ after"
    assert f"<code>$${tex}$$</code>".replace("&", "&amp;") in html


def test_all_formulas_of_the_homework_can_be_read():
    sources = []
    for path in (REPOSITORY / "source").glob("*/*.ipynb"):
        sources += [cell.source for cell in nbformat.read(path, 4).cells if "$" in cell.source]
    pages = [text_html(source) for source in sources]
    assert sum(page.count("<math") for page in pages) > 100
    assert not [page for page in pages if re.search(r"<code>\$|Shown as text", page)]


def test_names_bars_columns_and_spaces_are_as_tex_sets_them():
    for tex, name in (
        ("y\\ln g", "ln"),
        ("\\sin^2x", "sin"),
        ("\\operatorname{argmax}_k x", "argmax"),
    ):
        html = text_html(f"${tex}$")  # browsers would read y ln g as one word
        assert f'<mo form="prefix" lspace="0.167em" rspace="0.167em">{name}</mo>' in html
    assert '<mo stretchy="false">|</mo>' in text_html("$|x|$")
    for name in ("align", "aligned", "align*", "split", "eqnarray"):
        html = text_html(f"$$\\begin{{{name}}}a&=b\\\\cc&=dd\\end{{{name}}}$$")
        assert re.findall(r'<mtd columnalign="(\w+)">', html) == ["right", "left"] * 2, name
        assert html.count("<mtr>") == html.count("<mtd") / 2 == 2
    assert '<mspace width="2em">' in text_html("$a \\qquad b$")
    assert "<mtr>" in text_html("$\\begin{cases}1 & x>0\\\\0 & x<0.\\end{cases}$")
    assert "&lt;b&gt;&nbsp;&amp;&nbsp;" in text_html("$\\text{<b> &amp; }x$")


# -- code and outputs


def test_code_is_coloured_up_to_a_length_and_cut():
    assert '<span class="k">def</span>' in code_html("def f(x):\n    return 1")
    assert "%matplotlib inline" in text_in(code_html("%matplotlib inline\n!ls"))
    lines = ("#" * (LONGEST_LINE - 1) + "\n") * (LONGEST_COLOURED // LONGEST_LINE)
    assert "<span" in code_html(lines)
    assert "<span" not in code_html(lines + "'<b>'")
    assert "<span" not in code_html("#" * (LONGEST_LINE + 1))
    assert "x = 1\n\n\n" in code_html("x = 1" + " \n\t\n" * 30_000, nowrap=True)
    assert "7 more characters" in text_in(code_html("x" * (LONGEST_CODE + 7)))
    shown = text_in(code_html("a = 1\rb = 2\r\n\u202ec\x1b[2J"))
    assert shown == r"a = 1\rb = 2 \u202ec\x1b[2J"


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def test_graders_see_the_plot_first_and_long_text_folded():
    lines = "".join(f"epoch {n}\n" for n in range(300))
    cell = code_cell(stream(lines), stream("short\n", "stderr"), display({"image/png": PNG}))
    html = answer_html(cell)
    assert html.index("<img") < html.index("<details") < html.index("short") < html.index("code")
    assert "<summary>300 printed lines</summary>" in html
    assert html.count("<details") == 1
    students = outputs_html(cell, for_graders=False)
    assert students.index("epoch 299") < students.index("<img")
    assert "<details" not in students


def test_printed_text_has_no_codes_and_is_cut():
    html = outputs(stream("\x1b[31mred\x1b[0m 1\r2\r3\n</pre><script>\u202e\x08"))
    assert text_in(html) == r"3 </pre><script>\u202e\x08"
    for codes in ("\x1b[1ma" * 500_000, "\x1b[" + "0;" * 1_000_000 + "0m"):
        html = outputs(stream(codes))
        assert "more characters" in html
        assert "\x1b" not in html
        assert len(html) < 10 * LONGEST_PRINTED


def test_an_error_is_its_message_with_the_traceback_folded():
    error = new_output(
        "error", ename="ValueError", evalue="x<y", traceback=["\x1b[31mline 1\x1b[0m"]
    )
    html = outputs(error)
    assert "<summary>ValueError: x&lt;y</summary>" in html
    assert text_in(html) == "ValueError: x<y line 1"
    assert outputs(error, for_graders=False) == '<pre class="error">\nline 1</pre>'
