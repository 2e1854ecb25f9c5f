"""The PDF has questions, answers and outputs; nothing of a notebook is run or read as code."""

import base64
import io
import re
from types import SimpleNamespace

import nbformat
import pypandoc
import pypdf
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from small import answered

from hw_support.errors import UserError
from hw_support.student import pdf
from hw_support.student.pdf import write_pdf

SOLUTION = {"nbgrader": {"grade_id": "a", "solution": True}}
PLAIN = "[This cell cannot be set, so it stands as plain text.]"


def code_cell(source, *outputs):
    return new_code_cell(source, outputs=list(outputs), execution_count=1)


def printed(text):
    return new_output("stream", text=text)


def shown(**data):
    kinds = {kind.replace("_", "/", 1): value for kind, value in data.items()}
    return new_output("display_data", data=kinds)


def picture(width=300, height=200, kind="PNG"):
    stream = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(stream, kind)
    return base64.b64encode(stream.getvalue()).decode()


@pytest.fixture
def made(tmp_path):
    """Make the PDF of some cells; return its text on one line, its pages and the warnings."""

    def make(*cells, **how):
        cells = [new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]
        warnings = write_pdf(new_notebook(cells=cells), tmp_path / "x.pdf", **how)
        pages = pypdf.PdfReader(tmp_path / "x.pdf").pages
        text = " ".join(" ".join(page.extract_text() for page in pages).split())
        pictures = [image for page in pages for image in page.images]
        return SimpleNamespace(text=text, pages=pages, warnings=warnings, pictures=pictures)

    return make


TESTED = (
    "\x1b[1;31mFAILED\x1b[0m  b [1 pt]\n        off\n"
    "\x1b[32mpassed\x1b[0m  a [1 pt], hidden [1 pt],\n        hidden too [1 pt]\nf: 1 of 2 points\n"
)


def test_it_has_questions_answers_and_outputs_but_no_test_code(made):
    setup = code_cell("import secret_setup", shown(image_png=picture()))
    test = code_cell("checks = Checks('f')", printed(TESTED))
    answer = code_cell("def f(x):\n    return x", printed("a line\n"))
    done = made(
        "# Homework\n\nWhat is $x^2$?", setup, answer, test, "## End", author="Ada Lovelace",
        is_given=lambda cell: "return" not in cell.source,
    )  # fmt: skip
    assert done.warnings == []
    for words in ("Ada Lovelace", "What is", "def f(x):", "a line", "FAILED b", "off f: 1 of 2"):
        assert words in done.text
    for words in ("secret_setup", "Checks", "passed", "hidden"):
        assert words not in done.text
    assert len(done.pictures) == 1


TEXTS = {
    "formulas": ("$\\sum_{i=1}^n \\frac{x_i}{2}$ and $$\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}$$",
                 "and"),
    "circles in a formula": ("$a \\oplus b \\otimes c$", "⊕"),
    "a bare environment": ("\\begin{align}a&=b\\\\c&=d\\end{align}", "="),
    "a formula of unknown TeX": ("$\\nosuchmacro{x}$ end", "nosuchmacro"),
    "marks": ("**bold** *it* ~~gone~~ `code` <b>HTML</b> a<br>b", "bold it gone code HTML a b"),
    "lists": ("- one\n  1. two\n\n> said", "said"),
    "a table": ("| a | b |\n|---|--:|\n| 1 | 2 |", "1 2"),
    "details": ("<details><summary>Hint</summary>\n\nIt is so.\n\n</details>", "Hint It is so."),
    "a comment": ("seen <!-- unseen --> end", "seen end"),
    "a link": ("[here](https://a.example/x_y#z)", "here"),
    "an unclosed fence": ("```\nnot closed", "not closed"),
    "code": ("```python\nx = [1]  # $5\n```", "x = [1] # $5"),
    "inequalities": ("a <b and c> d, x<y and y>z, a<b>c", "a <b and c> d, x<y and y>z, a<b>c"),
    "types": ("vector<int> and List<T>", "vector<int> and List<T>"),
    "other HTML": ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    "characters": ("\x00 \x1b[1m \u202e \ud7ff 王 😀 \ue000 #\\$@<>`", "😀"),
}  # fmt: skip


def between_marks(made, cells):
    """Make one PDF of all these cells; return it, and its text by cell."""
    marks = [f"Mark {number}." for number, _ in enumerate(cells)]
    done = made(*(one for pair in zip(cells, marks, strict=True) for one in pair))
    *texts, _ = re.split(r"Mark \d+\.", done.text)
    assert len(texts) == len(cells), "a cell was swallowed"
    return done, texts


def test_a_text_is_set_and_the_next_cell_is_not_swallowed(made):
    done, texts = between_marks(made, [source for source, _ in TEXTS.values()])
    assert done.warnings == []
    pairs = zip(TEXTS, texts, strict=True)
    assert {name: text for name, text in pairs if TEXTS[name][1] not in text} == {}


HOSTILE = [
    '#read("/etc/passwd")', '#include "/etc/passwd"', "#panic()", '#image("/etc/passwd")',
    "`#panic()`", "```typst\n#panic()\n```", "```{=typst}\n#panic()\n```", "`#panic()`{=typst}",
    "# #panic()", "| #panic() |\n|---|\n| #panic() |", "[#panic()](#panic)", "![#panic()](x.png)",
    "<b>#panic()</b>", "$#panic()$", "$\\text{#panic()}$", "$\\#panic()$",
    "$\\mathrm{std.panic()}$",
    "$x$ #panic() $y$", "*#panic()*", "\\#panic()", "#panic()\n\n#panic()", "= #panic()",
    "$\\text{\"#panic()\"}$", "$\\text{a\\\\\"#panic()}$", "#set page(width: 1pt)", "// gone",
    "\\input{/etc/passwd}", "$\\input{/etc/passwd}$", "<iframe src='file:///etc/passwd'></iframe>",
    "![x](/etc/passwd)", "![x](../../etc/passwd)", "![x](https://a.example/x.png)", "@ref <label>",
]  # fmt: skip


def test_typst_tex_and_html_of_an_answer_are_text(made):
    answers = [new_markdown_cell(source, metadata=SOLUTION) for source in HOSTILE]
    codes = [code_cell(source, printed(source)) for source in HOSTILE]
    done, texts = between_marks(made, [*answers, *codes])
    assert "root:" not in done.text
    assert len({tuple(page.mediabox) for page in done.pages}) == 1
    panics = {source for source in HOSTILE if "panic" in source}
    shown_in = [source for source, text in zip(HOSTILE * 2, texts, strict=True) if "panic" in text]
    others = {"![#panic()](x.png)", "$\\#panic()$"}  # a missing picture, and letters of a formula
    assert (panics - others, panics) == ({*shown_in[: -len(panics)]}, {*shown_in[-len(panics) :]})


def test_a_pictures_file_is_taken_from_the_notebook_alone(made, tmp_path):
    (tmp_path / "secret.png").write_bytes(base64.b64decode(picture()))
    inline = f"data:image/png;base64,{picture(9)}"
    cell = new_markdown_cell(f"![a](attachment:photo.png) ![b]({inline})")
    cell["attachments"] = {"photo.png": {"image/jpeg": picture(kind="JPEG")}}
    done = made(cell, f"![c]({tmp_path}/secret.png)", "![d](attachment:none.png)")
    assert len(done.pictures) == 2
    assert done.text.count("is not in the notebook, or") == 2


def test_an_output_that_cannot_be_shown_is_left_out_or_named(made, monkeypatch):
    broken = ["", "no base64!", "QUJD", picture(kind="GIF"), picture(kind="PNG")[:200]]
    outputs = [shown(image_png=data, text_plain="<Figure>") for data in broken]
    outputs += [shown(text_html="<b>x</b>"), shown(text_plain="plain", text_html="<b>x</b>")]
    done = made(code_cell("x", *outputs), "end")
    assert done.pictures == []
    assert "[An output of the kind text/html, which cannot be shown.]" in done.text
    for words in ("plain", "end"):
        assert words in done.text
    monkeypatch.setattr(pdf, "_MAX_PIXELS", 100)  # larger ones are not decoded
    done = made(code_cell("x", shown(image_png=picture())))
    assert "[An output of the kind image/png, which cannot be shown.]" in done.text


def test_printed_text_is_cut_and_progress_bars_show_their_end(made):
    many = "".join(f"line {number}\n" for number in range(1_000))
    bar = "".join(f"\repoch 1: {share}%" for share in range(100))
    tqdm = "\repoch 1:  50%|##  | 6/12 [00:01<00:01]\repoch 1: 100%|####| 12/12 [00:02<00:00]\n"
    error = new_output("error", ename="ValueError", evalue="bad", traceback=["\x1b[31mred\x1b[0m"])
    done = made(code_cell("x", printed(many), printed(f"{bar}\n{tqdm}"), error))
    assert "line 39 [… 947 lines left out …]" in done.text
    assert "epoch 1: 99% red" in done.text
    assert "98%" not in done.text


def test_long_texts_of_the_course_are_folded_if_asked(made):
    long = "# Part\n\nread this " + "again " * 60 + "\n\n```\n# no heading\n```\n\n## Question\n"
    own = "my answer " * 60
    done = made(
        long, "short text", own, answers=True, is_given=lambda cell: "my" not in cell.source
    )
    for words in ("Part", "Question", "[…]", "short text", "my answer"):
        assert words in done.text
    for words in ("again", "no heading"):
        assert words not in done.text
    assert "again" in made(long, is_given=lambda cell: True).text


def test_what_a_text_of_the_course_has_folded_is_left_out_and_a_students_is_shown(made):
    folded = "Shown.\n\n<details><summary>Hint</summary>\n\n- a bullet\n\n</details>\n\nThe end."
    assert made(folded, is_given=lambda cell: True).text == "Shown. Shown. The end. 1 / 1"
    assert "a bullet" in made(folded).text


def test_what_is_nested_too_deep_does_not_stop_the_rest(made):
    between_marks(made, ["> " * 60 + "deep", "*" * 200 + "x", f"${'{' * 100}x{'}' * 100}$"])


def rejecting_pandoc(folder, monkeypatch):
    program, own = folder / "pandoc", pypandoc.get_pandoc_path()
    refuses = "case $w in cell*) grep -q poison $w && exit 1;; esac"
    program.write_text(f'#!/bin/sh\nfor w in "$@"; do {refuses}; done\nexec {own} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(pypandoc, "get_pandoc_path", lambda: str(program))


def rejecting_typst(folder, monkeypatch):
    template, own = folder / "pages.typ", pdf._TEMPLATE.read_text(encoding="utf-8")
    template.write_text(f"{own}\n#show strong: it => panic()\n", encoding="utf-8")
    monkeypatch.setattr(pdf, "_TEMPLATE", template)


@pytest.mark.parametrize("rejecting", [rejecting_pandoc, rejecting_typst])
def test_a_rejected_cell_stands_as_plain_text(rejecting, made, monkeypatch, tmp_path):
    rejecting(tmp_path, monkeypatch)
    done = made("*before*", "the **poison**", "after")
    assert done.warnings == ["Cell 2 (the **poison**) cannot be set, so it stands as plain text."]
    assert f"before {PLAIN} the **poison** after" in done.text


@pytest.mark.parametrize("target", ["x.ipynb", "nowhere/x.pdf"])
def test_a_name_that_no_pdf_can_have_is_refused(target, tmp_path):
    with pytest.raises(UserError, match=r"expected a name that ends in \.pdf, in a folder"):
        write_pdf(new_notebook(), tmp_path / target)


# -- the command


def test_the_command_stops_at_a_notebook_that_was_not_run(desk, tmp_path):
    done = desk("pdf", "small.ipynb", notebook=answered())
    assert done.status == 2
    assert "small.ipynb does not look finished: not all cells were run in order" in done.error
    assert not (tmp_path / "small.pdf").exists()


def test_the_command_writes_a_notebook_with_the_students_name(desk, tmp_path):
    notebook = answered()
    for number, cell in enumerate(c for c in notebook.cells if c.cell_type == "code"):
        cell.execution_count = number + 1
    notebook.cells.append(nbformat.v4.new_raw_cell("raw text"))
    done = desk("pdf", "small.ipynb", notebook=notebook)
    assert (done.status, done.error) == (0, "")
    (page,) = pypdf.PdfReader(tmp_path / "small.pdf").pages
    text = " ".join(page.extract_text().split())
    for words in ("Ada Small", "def double(x):", "Because it is so.", "raw text"):
        assert words in text
    for words in ("import numpy", "Checks", "print(STEP)"):
        assert words not in text


@pytest.mark.slow
def test_the_command_runs_a_copy_first_if_it_is_asked_to(desk, tmp_path):
    done = desk("pdf", "--run", "--to", str(tmp_path / "y.pdf"), "small.ipynb", notebook=answered())
    assert done.status == 0
    (page,) = pypdf.PdfReader(tmp_path / "y.pdf").pages
    assert len(page.images) == 1
