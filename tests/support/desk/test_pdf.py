import base64
import io
import os
import re
import subprocess
from types import SimpleNamespace

import nbformat
import pypdf
import pytest
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
    new_raw_cell,
)
from PIL import Image

from hw_support.desk import check, pdf
from hw_support.desk.pdf import PdfError, write_pdf

CERTIFICATION = """**Name:**
Ada Lovelace

**Pledge.** I certify that this work is my own.

**Signed** (your name and today's date):
Ada Lovelace, today"""


def text_cell(source, **marks):
    return new_markdown_cell(source, metadata={"nbgrader": marks} if marks else {})


def code_cell(source, *outputs, count=1, **marks):
    metadata = {"nbgrader": marks} if marks else {}
    return new_code_cell(source, outputs=list(outputs), execution_count=count, metadata=metadata)


def printed(text):
    return new_output("stream", name="stdout", text=text)


def shown(**data):
    kinds = {kind.replace("_", "/", 1): value for kind, value in data.items()}
    return new_output("display_data", data=kinds)


def picture(width=300, height=200, colour="red", kind="PNG"):
    stream = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(stream, kind)
    return base64.b64encode(stream.getvalue()).decode()


@pytest.fixture
def made(tmp_path):
    """Make the PDF of some cells; return its pages' texts, the reader and the warnings."""

    def make(*cells, certified=True):
        first = [text_cell(CERTIFICATION, grade_id="certification", solution=True, grade=True)]
        notebook = new_notebook(cells=[*first, *cells] if certified else list(cells))
        warnings = write_pdf(notebook, tmp_path / "out.pdf", "certification")
        reader = pypdf.PdfReader(tmp_path / "out.pdf")
        pages = [page.extract_text().replace("\u200b", "") for page in reader.pages]
        return SimpleNamespace(pages=pages, text="\n".join(pages), reader=reader, warnings=warnings)

    return make


def pieces_outside(reader):
    """The pieces of text that begin or end outside of the page's margins.

    Letters are taken to be 0.6 em wide, as all of DejaVu Sans Mono are, but W in another font 1 em.
    """
    found = []
    for page in reader.pages:
        right = float(page.mediabox.width) - 50

        def visit(text, matrix, text_matrix, font, size, right=right):
            for line in text.strip().split("\n"):
                mono = font is not None and "Mono" in font["/BaseFont"]
                widths = (1.0 if letter == "W" and not mono else 0.6 for letter in line)
                begin = matrix[4] + text_matrix[4] * matrix[0]
                end = begin + sum(widths) * size * abs(text_matrix[0] * matrix[0])
                if line and not 50 <= begin <= end <= right:
                    found.append((line, begin, end))

        page.extract_text(visitor_text=visit)
    return found


def pictures(reader):
    return [image for page in reader.pages for image in page.images]


# --- pages


def test_name_and_pledge_come_first_under_the_title(made):
    certification = text_cell(CERTIFICATION, grade_id="certification", solution=True, grade=True)
    result = made(
        text_cell("# Homework 7\n\nlong introduction"),
        text_cell("## Certification (1 point)\n\nFill it in."),
        certification,
        text_cell("## Q7.1 Part\n\nwork"),
        certified=False,
    )
    first = result.pages[0]
    assert re.search(r"Homework 7.*Certification.*Ada Lovelace.*I certify", first, re.DOTALL)
    assert "long introduction" not in first
    assert "long introduction" in result.pages[1]
    assert result.warnings == []


def test_each_page_has_the_name_and_its_number(made):
    pages = made(text_cell("## Q1.1 One\n\na"), text_cell("## Q1.2 Two\n\nb")).pages
    assert len(pages) == 3
    for number, page in enumerate(pages, 1):
        assert "Ada Lovelace" in page
        assert f"{number} / 3" in page


def test_each_part_begins_a_page_and_a_chapter_shares_its_first_parts_page(made):
    pages = made(
        text_cell("## Q1.2 Implementation"),
        text_cell("### 1.2a Checker\n\nabout it\n\n#### A step"),
        code_cell("a = 1", solution=True, grade_id="a"),
        text_cell("### 1.2b Building blocks\n\n### A heading of mine"),
        code_cell("b = 1", solution=True, grade_id="b"),
        text_cell("## Q1.3 Deliverables"),
    ).pages
    assert [re.findall(r"Q1\.\d|1\.2[ab]", page) for page in pages[1:]] == [
        ["Q1.2", "1.2a"],
        ["1.2b"],
        ["Q1.3"],
    ]
    assert "A step" in pages[1]
    assert "A heading of mine" in pages[2]


def test_chapters_of_text_alone_begin_no_page(made):
    pages = made(text_cell("## How it works\n\na"), text_cell("## Hand in\n\nb")).pages
    assert len(pages) == 2


def test_a_missing_name_and_empty_fields_are_named(made):
    blank = "**Name:**\nYOUR ANSWER HERE\n\n**Signed**:\nYOUR ANSWER HERE"
    result = made(text_cell(blank, grade_id="certification", solution=True), certified=False)
    assert any("no name" in warning for warning in result.warnings)
    assert any("2 of the answers" in warning for warning in result.warnings)
    assert "YOUR ANSWER HERE" in result.pages[0]


def test_a_deleted_certification_is_named(made):
    assert (
        "The certification cell, with your name and the pledge, is missing"
        in made(text_cell("a"), certified=False).warnings[0]
    )


# --- text


def test_a_cell_cannot_swallow_the_next(made):
    result = made(
        text_cell("before\n\n```python\nunclosed <!-- comment"),
        text_cell("$unbalanced **bold <div> \\begin{align} x"),
        text_cell("<!-- never closed"),
        text_cell("the last cell"),
    )
    for words in ("unclosed", "unbalanced", "never closed", "the last cell"):
        assert words in result.text


def test_comments_of_nbgrader_are_left_out(made):
    result = made(text_cell("a<!-- BEGIN SOLUTION -->b\n\n<!-- END\n\nSOLUTION -->\n\nc"))
    assert "SOLUTION" not in result.text
    assert result.warnings == []


FORMULAS = r"""
$ \frac{\partial L}{\partial g} $, $|x|$

$$\sigma(x) = \begin{cases} 1 & x \in A \cap B \\ 0 & x \odot y \end{cases}$$

\begin{align}
a &= \boxed{b} \\
c &= \Bigl( d \qquad e \Bigr)
\end{align}

$$ u = v \\ w = \begin{vmatrix} 1 & 2 \end{vmatrix} \tag{7} $$

| $\lVert z \rVert$ | `$code$` |
|---|---|
| $1$ | 2 |
"""


def test_formulas_are_set_as_mathematics(made):
    result = made(text_cell(FORMULAS))
    assert result.warnings == []
    assert "∂" in result.text or "𝜕" in result.text
    assert "∩" in result.text
    assert "(7)" in result.text
    assert "$code$" in result.text
    assert "frac" not in result.text


@pytest.mark.parametrize(
    "wild",
    [
        "$\\foo{x}$",
        "$$\\frac{1}{$$",
        "$x_$",
        "$\\def\\x{\\x} \\x$",
        "$" + "{" * 400 + "x" + "}" * 400 + "_$",
        "$\\text{" + "many words " * 20 + "}$",
    ],
)
def test_a_formula_that_cannot_be_converted_is_shown_as_tex_and_named(made, wild):
    result = made(text_cell(f"# Heading of it\n\nbefore {wild} after $y^2$"))
    assert wild[1:9].strip("$") in result.text
    assert "before" in result.text
    assert "after" in result.text
    if "{" * 10 not in wild and wild != "$$\\frac{1}{$$":
        (warning,) = result.warnings
        assert "Heading of it" in warning
        assert wild[:8] in warning


@pytest.mark.parametrize(
    ("formula", "lost"),
    [
        (r"$x + \color{red}{y}$", r"\color"),
        (r"$$\begin{array}{c} x \\ \hline y \end{array}$$", r"\hline"),
        (r"$$\begin{array}{c|c} x & y \end{array}$$", "a line between columns"),
        ("\\begin{align} x \\tag{1} \\\\ y \\tag{2} \\end{align}", r"\tag"),
        (r"$x \, y$", None),
        (r"$$x \, y \tag{1}$$", None),
        (r"$$\begin{array}{lr} x & |y| \end{array}$$", None),
    ],
)
def test_lost_parts_of_a_formula_are_named_and_the_rest_is_shown(made, formula, lost):
    result = made(text_cell(f"# Heading of it\n\nbefore {formula} after"))
    for shown in ("𝑥", "𝑦"):
        assert shown in result.text or lost is None
    if lost:
        (warning,) = result.warnings
        assert "Heading of it" in warning
        assert f"{lost} cannot be shown in a formula" in warning
    else:
        assert result.warnings == []


def test_macros_are_known_in_all_cells_as_in_jupyter(made):
    result = made(
        text_cell("$\\newcommand{\\half}[2]{\\frac{#1}{#2}}$ $\\def\\R{\\mathbb{R}}$ defined"),
        text_cell("$\\half{\\alpha}{b} \\in \\R^n$ $$\\DeclareMathOperator{\\sgn}{sgn} \\sgn x$$"),
    )
    assert result.warnings == []
    assert "sgn" in result.text
    assert "half" not in result.text


def test_only_the_formula_that_typst_rejects_is_shown_as_tex(made, monkeypatch):
    from hw_support.desk.pdf import markdown

    checked = markdown._checked
    monkeypatch.setattr(
        markdown, "_checked", lambda result: "frac(" if "q" in result else checked(result)
    )
    result = made(text_cell("$a$ and $q$ and $\\alpha$"), text_cell("other $q_2$"))
    assert [warning.rsplit(": ", 1)[1] for warning in result.warnings] == ["$q$", "$q_2$"]
    assert "$q$" in result.text
    assert "alpha" not in result.text


def test_a_cell_that_is_rejected_without_a_reason_is_shown_as_its_source(made, monkeypatch):
    from hw_support.desk.pdf import blocks

    monkeypatch.setattr(blocks, "literal", lambda text: '"a" + 1')
    result = made(text_cell("Source **of it**"), code_cell("print(1)", printed("kept")))
    assert "Source **of it**" in result.text
    assert "kept" in result.text
    assert any("shown as source" in warning for warning in result.warnings)


@pytest.mark.parametrize("task", ["json", "typst"])
def test_only_the_cell_that_pandoc_fails_on_is_shown_as_its_source(made, monkeypatch, task):
    from hw_support.desk.pdf import markdown

    run = markdown._pandoc

    def failing(options, folder, seconds):
        texts = [(folder / name).read_text() for name in options["input-files"]]
        if options["to"] == task and "bang" in "".join(texts):
            raise subprocess.TimeoutExpired("pandoc", seconds)
        return run(options, folder, seconds)

    monkeypatch.setattr(markdown, "_pandoc", failing)
    result = made(text_cell("an *a* $\\alpha$"), text_cell("a **bang**"), code_cell("code = 1"))
    assert "a **bang**" in result.text
    assert "*a*" not in result.text
    assert "alpha" not in result.text
    assert "code = 1" in result.text
    (warning,) = result.warnings
    assert "Cell 3" in warning
    assert "shown as source" in warning


def test_a_cell_that_typst_rejects_without_a_place_is_found(made, monkeypatch):
    from hw_support.desk.pdf import document

    typeset = document.typeset

    def failing(folder, text, *others):
        if '#strong[#("bang");]' in text:
            raise document.RejectedError("error: somewhere")
        return typeset(folder, text, *others)

    monkeypatch.setattr(document, "typeset", failing)
    result = made(text_cell("an *a*"), text_cell("a **bang**"))
    assert "a **bang**" in result.text
    assert "*a*" not in result.text
    (warning,) = result.warnings
    assert "Cell 3" in warning


@pytest.mark.parametrize(
    "code",
    [
        '#read("/etc/passwd")',
        '#import "@preview/cetz:0.3.0"',
        '`#read("/etc/passwd")`{=typst}',
        '```{=typst}\n#read("/etc/passwd")\n```',
        '$std.read("/etc/passwd")$',
        '$\\text{"; #read("/etc/passwd")}$',
        '"#read("/etc/passwd")\\',
        '# #read("/etc/passwd")',
        '| #read("/etc/passwd") | $#read("x")$ |\n|---|---|\n| a | b |',
        '![#read("/etc/passwd")](/etc/passwd)',
        '[#read("/etc/passwd")](http://a/"#panic())',
        '<b title="#read(1)">#read("/etc/passwd")</b>',
    ],
)
def test_typst_in_a_cell_is_text(made, code):
    result = made(text_cell(code), code_cell(code, printed(code)), new_raw_cell(code))
    assert "root:" not in result.text
    assert result.text.count("read") + result.text.count("import") >= 4


def test_text_of_a_notebook_is_only_in_string_literals(made, monkeypatch):
    from hw_support.desk.pdf import document

    texts = []
    typeset = document.typeset
    monkeypatch.setattr(
        document, "typeset", lambda *given: (texts.append(given[1]), typeset(*given))[1]
    )
    made(
        text_cell('# zq *zq* `zq`\n\n> - zq\n>\n>   1. **zq** ~~zq~~\n\n```zq\n"zq"\n```'),
        text_cell("[zq](http://zq 'zq') ![zq](zq) <b title='zq'>zq</b> <zq> <a href='zq'>z</a>"),
        text_cell("| zq | $\\text{zq} zq$ |\n|---|---|\n| zq | $\\zq$ |\n\n<zq>\nzq\n</zq>"),
        text_cell(
            "\\begin{align} \\mathrm{zq} \\tag{zq} \\end{align} &zq; \\zq \\#zq @zq <zq@zq.zq>"
        ),
        code_cell("zq", printed("zq"), shown(text_latex="$zq$"), shown(image_png="zq")),
        code_cell("zq", new_output("error", ename="zq", evalue="zq"), shown(text_zq="zq")),
        new_raw_cell("zq"),
    )
    (text,) = texts
    assert text.count("zq") > 30
    assert "zq" not in re.sub(r'"(?:\\.|[^"\\\n])*"', "", text)


def test_a_list_does_not_continue_the_list_before_it(made):
    text = made(text_cell("1. one\n2. two"), text_cell("1. new\n\n- a\n\n* b\n\n3) three")).text
    assert re.search(r"1\.\s*one\s+2\.\s*two\s+1\.\s*new.*3\)\s*three", text, re.DOTALL)


def test_any_character_is_accepted_anywhere(made):
    odd = "\x00\x1b[31m \ud800 \u202e \ufffe \ue0007\ue001 \u2028 \x85 💩 你好 שלום ä \\u{41} \\"
    result = made(
        text_cell(f"text {odd}"), code_cell(f"code = {odd!r} {odd}", printed(f"out {odd}"))
    )
    assert "\\x00" in result.text
    assert "\\ud800" in result.text
    assert "\\u202e" in result.text
    assert "ä" in result.text


def test_characters_without_a_font_are_shown_as_their_numbers(made):
    letter = "\u0378"  # which is none
    result = made(text_cell(f"a {letter}"), code_cell(f"# {letter}"))
    assert result.text.count("[U+0378]") == 2
    assert sum("no installed font has" in warning for warning in result.warnings) == 2


def test_a_name_without_a_font_is_spelled_at_the_top_of_the_pages(made, monkeypatch):
    from hw_support.desk.pdf import document

    monkeypatch.setattr(document, "without_glyph", lambda characters, *_: set(characters))
    certification = CERTIFICATION.replace("Ada Lovelace\n\n", "Adá Lovelace\n\n")
    cell = text_cell(certification, grade_id="certification", solution=True)
    result = made(cell, certified=False)
    assert result.text.count("Ad[U+00E1] Lovelace") == 2
    assert "no installed font has á" in result.warnings[0]


def test_addresses_of_links_are_printed(made):
    result = made(text_cell("[one](http://a.b/$c$d) [two](notes.pdf) [three](#part)"))
    for words in ("http://a.b/$c$d", "notes.pdf", "three"):
        assert words in result.text


def test_html_with_a_meaning_is_kept_and_other_html_is_shown(made):
    result = made(
        text_cell("x<sup>2</sup> <font color=red>red</font><br>new\n\n<div>within</div>"),
        text_cell("<table><tr><td>cell</td></tr></table>\n\na <b and c> d <video src='v.mp4'>"),
        text_cell("<?php echo 1 ?>\n\na <!DOCTYPE x> b"),
    )
    for words in (
        "red",
        "new",
        "within",
        "<td>cell</td>",
        "<b and c>",
        "<video src='v.mp4'>",
        "echo 1",
    ):
        assert words in result.text
    assert "<sup>" not in result.text
    assert "DOCTYPE x" in result.text
    assert len(result.warnings) == 5


def test_pictures_in_the_notebook_are_shown_and_others_are_named(made):
    cell = text_cell("![mine](attachment:my%20plot.png) ![far](http://a.b/c.png) ![f](/etc/hosts)")
    cell["attachments"] = {"my plot.png": {"image/png": picture()}}
    result = made(cell)
    assert len(pictures(result.reader)) == 1
    assert "http://a.b/c.png" in result.text
    assert "/etc/hosts" in result.text
    assert len(result.warnings) == 2


# --- code and outputs


def test_code_and_outputs_are_in_the_pdf(made):
    error = new_output(
        "error", ename="ValueError", evalue="bad", traceback=["\x1b[0;31mValueError\x1b[0m: bad"]
    )
    result = made(
        code_cell("def f(x):\n    return x + 1", printed("\x1b[32mgreen\x1b[0m"), error),
        code_cell("f(1)", shown(text_plain="array([1.5])", text_html="<b>no</b>")),
        code_cell("b", shown(text_html="<p>only <i>html</i></p><script>x()</script>")),
        code_cell("m", shown(text_plain="<IPython.core.display.Math object>", text_latex="$x^2$")),
        code_cell("w", shown(application_json="{}")),
    )
    for words in ("def f(x):", "return x + 1", "green", "ValueError: bad", "array([1.5])"):
        assert words in result.text
    assert "only html" in result.text
    assert "\x1b" not in result.text
    assert "[0;31m" not in result.text
    assert "IPython" not in result.text
    assert [re.sub(r".*: ", "", warning) for warning in result.warnings] == [
        "an output in HTML is shown as the text in it.",
        "an output of the kind application/json cannot be shown on paper.",
    ]


def test_progress_bars_are_shown_in_their_last_state(made):
    bar = ["\r  0%|     | 0/3", "\r 33%|#    | 1/3", "\r100%|#####| 3/3", "\nafter"]
    text = made(code_cell("train()", *[printed(piece) for piece in bar])).text
    assert "100%|#####| 3/3" in text
    assert "after" in text
    assert "33%" not in text


def test_plots_are_shown_within_the_page(made):
    svg = "<svg xmlns='http://www.w3.org/2000/svg' width='2000' height='50'><rect/></svg>"
    result = made(
        code_cell("p", shown(image_png=picture(), text_plain="<Figure size 640x480>")),
        code_cell("p", shown(image_jpeg=picture(4000, 3000, kind="JPEG"))),
        code_cell("p", shown(image_gif=picture(kind="GIF"))),
        code_cell("p", shown(**{"image_svg+xml": svg})),
    )
    assert len(pictures(result.reader)) == 3
    assert "Figure size" not in result.text
    assert result.warnings == []


@pytest.mark.parametrize(
    "data",
    [
        {"image_png": "no base64!"},
        {"image_png": base64.b64encode(b"no picture").decode()},
        {"image_png": picture()[:80]},
        {"image_svg+xml": "<svg broken"},
        {
            "image_svg+xml": "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>"
            "<image href='/etc/passwd'/></svg>"
        },
    ],
)
def test_a_damaged_picture_is_named_and_the_rest_is_shown(made, data):
    result = made(code_cell("plot()", shown(**data), printed("more"), shown(image_png=picture())))
    assert "Picture that cannot be shown" in result.text
    assert "plot()" in result.text
    assert "more" in result.text
    assert len(pictures(result.reader)) == 1
    (warning,) = result.warnings
    assert "plot()" in warning


def test_the_first_frame_of_a_moving_picture_is_shown_and_named(made):
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("red", "green", "blue")]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    result = made(code_cell("p", shown(image_gif=base64.b64encode(stream.getvalue()).decode())))
    assert len(pictures(result.reader)) == 1
    assert "the first of its 3 frames" in result.warnings[0]


def test_long_lines_are_wrapped(made):
    word = "W" * 700
    formula = "$$" + " + ".join(f"x_{{{i}}}" for i in range(40)) + "$$"
    row = "|".join(f"{'column' * 3}{i}" for i in range(14))
    result = made(
        text_cell(f"# {word}\n\n{word} `{word}` http://a.b/{word}\n\n- {word}\n\n```\n{word}\n```"),
        text_cell(f"{formula}\n\n|{row}|\n|{'---|' * 14}\n|{row}|"),
        code_cell(f"x = '{word}'\n" + " " * 60 + "y = 1 + 2 + " * 30, printed(word * 2)),
    )
    assert pieces_outside(result.reader) == []
    assert result.text.count("W") == 9 * 700 + 44 * len(result.pages)


def test_long_outputs_are_cut_with_a_note_and_a_warning(made):
    lines = "".join(f"line {i}\n" for i in range(5000))
    result = made(code_cell("loop()", printed(lines)))
    assert "line 0\n" in result.text
    assert "line 4999" in result.text
    assert "line 2500" not in result.text
    assert "4,880 lines left out" in result.text
    assert "5,000 lines" in result.warnings[0]


def test_deep_nesting_is_shown_as_text(made):
    result = made(text_cell("> " * 300 + "deep"), text_cell("*" * 600 + "x" + "*" * 600))
    assert "deep" in result.text
    assert sum("nested too deep" in warning for warning in result.warnings) == 2


def test_a_very_long_cell_is_set_to_its_end(made):
    result = made(text_cell("Some words, *and* more. $x$\n\n" * 1000 + "\n\nthe end"))
    assert "the end" in result.pages[-1]
    assert result.warnings == []


# --- the file


def test_the_same_notebook_gives_the_same_bytes(tmp_path):
    cells = [text_cell("# T\n\n$x$"), code_cell("p", shown(image_png=picture()))]
    for name in ("a.pdf", "b.pdf"):
        write_pdf(new_notebook(cells=cells), tmp_path / name)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def failing_replace(source, target):
    raise OSError(28, "No space left on device")


def test_an_earlier_pdf_survives_a_failure(tmp_path, monkeypatch):
    target = tmp_path / "hw2.pdf"
    target.write_bytes(b"earlier")
    monkeypatch.setattr(os, "replace", failing_replace)
    with pytest.raises(PdfError, match=r"No space left on device.*is unchanged"):
        write_pdf(new_notebook(cells=[text_cell("a")]), target)
    assert target.read_bytes() == b"earlier"
    assert os.listdir(tmp_path) == ["hw2.pdf"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(PdfError, match="there is no folder"):
        write_pdf(new_notebook(), tmp_path / "nowhere" / "hw2.pdf")


@pytest.mark.parametrize("module", ["typst", "pypandoc"])
def test_without_pandoc_or_typst_the_message_says_what_to_install(tmp_path, monkeypatch, module):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(PdfError, match=rf"{module} is not installed.* install pypandoc_binary"):
        write_pdf(new_notebook(), tmp_path / "hw2.pdf")
    assert os.listdir(tmp_path) == []


def test_an_empty_notebook_has_one_page(tmp_path):
    write_pdf(new_notebook(), tmp_path / "hw2.pdf")
    assert len(pypdf.PdfReader(tmp_path / "hw2.pdf").pages) == 1


def test_the_command_stops_at_a_notebook_that_was_not_run(answered, desk, tmp_path):
    done = desk("pdf", "hw2.ipynb", notebook=answered)
    assert done.returncode == 2
    assert "No cell was run" in done.stderr
    assert "add --run" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["hw2.ipynb"]


@pytest.mark.parametrize(
    ("to", "why"),
    [("hw2.ipynb", "expected a file name that ends in .pdf"), ("no/x.pdf", "there is no folder")],
)
def test_the_command_runs_nothing_and_keeps_the_notebook_if_no_pdf_can_have_the_name(
    to, why, answered, desk, tmp_path, monkeypatch
):
    monkeypatch.setattr(check, "run_copy", lambda *_, **__: pytest.fail("it was run"))
    done = desk("pdf", "--run", "--to", to, "hw2.ipynb", notebook=answered)
    assert done.returncode == 2
    assert why in done.stderr
    assert nbformat.read(tmp_path / "hw2.ipynb", as_version=4) == answered


def test_the_command_writes_into_a_folder_under_the_notebooks_name(
    answered, desk, tmp_path, monkeypatch
):
    (tmp_path / "pdfs").mkdir()
    monkeypatch.setattr(pdf, "gaps", lambda notebook: [])
    done = desk("pdf", "--to", "pdfs", "hw2.ipynb", notebook=answered)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "pdfs" / "hw2.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.slow
def test_the_command_runs_a_copy_first_if_it_is_asked_to(released, desk, tmp_path):
    done = desk("pdf", "--run", "--to", "out.pdf", "hw2.ipynb", notebook=released)
    assert done.returncode == 0, done.stderr
    assert "The PDF is out.pdf." in done.stdout
    text = "".join(page.extract_text() for page in pypdf.PdfReader(tmp_path / "out.pdf").pages)
    assert "images to train on: (12080, 28, 28)" in text
    assert "while a notebook is graded" not in text
    assert nbformat.read(tmp_path / "hw2.ipynb", as_version=4) == released
