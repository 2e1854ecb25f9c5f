"""Students' HTML, markdown and outputs come out harmless, and honest ones come out unchanged."""

import base64
import re
import struct

import nh3
import pytest
from html_pages import (
    GIF,
    HOSTILE_HTML,
    HOSTILE_MARKDOWN,
    JPEG,
    ODD_ATTACHMENTS,
    PNG,
    SVG,
    SVG_URI,
    Page,
    assert_harmless,
    assert_harmless_with_formulas,
    base64_of,
    code_cell,
    context,
    display,
    png,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_output

from hw_grading.rendering import cleaning
from hw_grading.rendering.allowance import Allowance
from hw_grading.rendering.cleaning import clean_html
from hw_grading.rendering.outputs import clean_outputs
from hw_grading.rendering.safe_html import markdown2html, render_markdown


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
    [("png", PNG), ("jpeg", JPEG), ("gif", GIF)],
)
def test_pictures_within_the_text_pass(kind, data):
    uri = f"data:image/{kind};base64,{data}"
    assert Page(clean_html(f'<img src="{uri}">')).sources == [uri]
    assert Page(markdown2html(context(), f"![x]({uri})")).sources == [uri]


GIF_SIZES = b"GIF89a" + struct.pack("<HH", 60_000, 60_000) + bytes(3)
TAKE_LONG = {
    "pixels": ("image/png", png(5_000, 5_000)),
    "very many pixels": ("image/png", png(60_000, 60_000)),
    "pixels of a GIF": ("image/gif", GIF_SIZES),
    "scans": ("image/jpeg", base64.b64decode(JPEG)[:-2] + 100 * b"\xff\xda" + b"\xff\xd9"),
    "header that cannot be read": ("image/png", png(5_000, 5_000)[:20]),
}


@pytest.mark.parametrize("what", TAKE_LONG)
def test_a_picture_that_takes_a_browser_long_is_not_shown(what):
    mime, raw = TAKE_LONG[what]
    uri = f"data:{mime};base64,{base64_of(raw)}"
    assert uri not in clean_html(f'<img src="{uri}">')
    assert uri not in markdown2html(context(), f"![x]({uri})")
    cell = code_cell(display({mime: base64_of(raw)}))
    clean_outputs(cell)
    assert cell.outputs[0].data == {"text/plain": f"An output of type '{mime}' is not shown."}


def test_many_pictures_with_very_many_pixels_are_not_all_shown():
    def shown(page):
        return sum(source.startswith("data:image") for source in page.sources)

    sent = [base64_of(png(4_000, 4_000, pixels=b"%d" % n)) for n in range(100)]
    html = "".join(f'<img src="data:image/png;base64,{data}" width="1">' for data in sent)
    attachments = {f"{n}.png": {"image/png": data} for n, data in enumerate(sent)}
    text = "\n\n".join(f"![x](attachment:{n}.png)" for n in range(100))
    assert shown(Page(clean_html(html))) == 62
    assert shown(Page(markdown2html(context(attachments), text))) == 62
    cells = [code_cell(display({"image/png": data})) for data in sent]
    allowance = Allowance()
    for cell in cells:
        clean_outputs(cell, allowance)
    assert sum("is not shown" not in str(cell.outputs) for cell in cells) == 62


def test_a_jpeg_of_many_scans_counts_for_more_pixels():
    one = base64.b64decode(JPEG)[:-2]
    size = one.index(b"\xff\xc0") + 5
    head = one[:size] + struct.pack(">HH", 4_000, 4_000) + one[size + 4 :]

    def shown(scans):
        sent = [base64_of(head + scans * b"\xff\xda" + b"%d\xff\xd9" % n) for n in range(30)]
        html = "".join(f'<img src="data:image/jpeg;base64,{data}">' for data in sent)
        return sum(source.startswith("data:image") for source in Page(clean_html(html)).sources)

    assert shown(9) == 30
    assert shown(59) == 10


NO_SVG = "A picture of the kind image/svg+xml, 12 kB, is not shown: open the notebook."


def test_an_svg_is_named_with_its_size_and_not_drawn():
    svg = SVG + " " * (12_000 - len(SVG))
    assert cleaned_output({"image/svg+xml": svg, "text/plain": "<Figure>"}).data == {
        "text/plain": f"{NO_SVG}\n<Figure>"
    }
    assert cleaned_output({"image/svg+xml": svg}).data == {"text/plain": NO_SVG}
    assert cleaned_output({"image/svg+xml": svg, "image/png": PNG}).data == {"image/png": PNG}
    data = base64_of(svg.encode())
    attached = {"a": {"image/svg+xml": data}}
    for text in ("![x](attachment:a)", f"![x](data:image/svg+xml;base64,{data})"):
        page = Page(markdown2html(context(attached), text))
        assert (page.sources, "".join(page.text).strip()) == ([], f"({NO_SVG})")
    assert Page(clean_html(f'<img src="{SVG_URI}">')).sources == []


def test_a_damaged_picture_that_a_page_accepts_is_counted():
    uri = f"data:image/png;base64,{base64_of(png()[:40])}"
    shown = render_markdown(f"![x]({uri})", picture=lambda mime, data: uri)
    assert Page(shown).sources == [uri]


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
    "of the page's element": "".join(
        f"<html {NAMES[:4_000]}>" + "<html x>" * 200 for _ in range(60)
    ),
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


def table_of(cell, number):
    return f"<table><tr>{cell * number}</tr></table>"


@pytest.mark.parametrize(
    "html",
    [
        table_of('<td colspan="999">x</td>', 9_900),
        table_of('<th ROWSPAN=99 align="left">x</th>', 900),
        table_of("<td colspan=300 rowspan=300>x</td>", 1),
        table_of("<td colspan=9>x</td>", 1_300) + table_of("<td rowspan=9>x</td>", 1_300),
        f"<table><colgroup>{'<col span=99>' * 900}</colgroup></table>",
        f"<table>{'<colgroup span=99></colgroup>' * 900}</table>",
        table_of('<td colspan="0">x</td>' * 200 + '<td colspan="999">x</td>', 21),
    ],
    ids=["columns", "rows", "both", "two tables", "col", "colgroup", "beside zeros"],
)
def test_tables_whose_cells_span_very_many_places_are_shown_as_text(html):
    assert clean_html(html).startswith("<p><em>Shown as text")


@pytest.mark.parametrize(
    "html",
    [
        '<table><thead><tr><th colspan="3" halign="left">a</th></tr></thead><tbody>'
        + f'<tr><th rowspan="50" valign="top">0</th>{"<td>1</td>" * 20}</tr>' * 100
        + "</tbody></table>",
        '<p title="colspan=999">colspan="999"</p>' * 900,
    ],
    ids=["table", "words"],
)
def test_tables_of_pandas_and_words_span_few_places(html):
    assert "Shown as text" not in clean_html(html)


def test_no_cell_spans_all_rows():
    assert "rowspan" not in clean_html(table_of('<td rowspan="0" colspan="9">x</td>', 1))


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
