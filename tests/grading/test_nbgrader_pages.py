"""The pages of nbgrader and formgrader show hostile notebooks without running anything."""

import re
from pathlib import Path

import nbformat
import pytest
from html_pages import (
    HOSTILE_HTML,
    HOSTILE_MARKDOWN,
    JPEG,
    ODD_ATTACHMENTS,
    PNG,
    RUNS,
    SVG,
    Page,
    code_cell,
    display,
)
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

from hw_grading.plugins.feedback import FeedbackExporter
from hw_grading.plugins.formgrader import EscapingExporter
from hw_grading.rendering.feedback.summary import Facts

COURSE = Path(__file__).resolve().parents[2]
FILTERS = {
    "markdown2html": "hw_grading.rendering.safe_html.markdown2html",
    "clean_html": "hw_grading.rendering.safe_html.clean_part",
    "highlight_code": "hw_grading.rendering.safe_html.highlight_code",
    "strip_files_prefix": "hw_grading.rendering.safe_html.unchanged",
}


@pytest.fixture(scope="module")
def exporters():
    """The exporters of `nbgrader generate_feedback` and of formgrader."""
    config = Config()
    config.TemplateExporter.filters = FILTERS
    config.HTMLExporter.preprocessors = ["hw_grading.rendering.safe_html.CleanOutputs"]
    formgrader = FormgradeExtension(config=config)
    formgrader.update_config(formgrader.build_extra_config())
    return {
        "feedback": FeedbackExporter(),  # whatever the configuration says
        "formgrade": EscapingExporter(config=formgrader.config),
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
    assert 'math[display="block"] {' in found.html


@pytest.mark.parametrize("page", ["feedback", "formgrade"])
def test_printed_tags_and_colours_come_out_escaped_in(exporters, page):
    text = "</pre></script><script>run()</script>"
    cell = code_cell(*streams(f"{text}\x1b[31m{text}\x1b[38;2;1;2;3m{text}\x1b[x{text}\x1b[0m"))
    harmless = rendered(exporters[page], [code_cell(*streams("x"))])
    found = rendered(exporters[page], [cell])
    assert found.tags["script"] == harmless.tags["script"]
    assert "&lt;/script&gt;&lt;script&gt;run()" in found.html


@pytest.mark.parametrize("page", ["feedback", "formgrade"])
def test_outputs_that_were_not_cleaned_do_not_run_in(exporters, page):
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
def test_code_that_takes_long_to_colour_is_shown_in(exporters, page):
    found = rendered(exporters[page], [new_code_cell("x = 1\n" + " \n" * 20_000 + "y = 2")])
    assert "y = 2" in "".join(found.text)


@pytest.mark.parametrize("page", ["feedback", "formgrade"])
def test_an_honest_notebook_is_shown_whole_in(exporters, page):
    written = "# My answer\n\n$a < b$ and $x_1$, `c<d`\n\n|a|b|\n|-|-|\n|1|2|\n\n![x](attachment:p)"
    plot = display({"image/png": PNG, "text/plain": "<Figure>"})
    table = display({"text/html": '<table class="dataframe"><tr><td>7</td></tr></table>'})
    cell = code_cell(plot, table, new_output("stream", text="loss < 0.1"))
    cells = [answer(written, 1, attachments={"p": {"image/jpeg": JPEG}}), cell]
    found = rendered(exporters[page], cells)
    text = "".join(found.text)
    assert found.tags["math"] >= 2  # in the comment too
    for part in ("My answer", "a<b", "x1", "c<d", "7", "loss < 0.1"):
        assert part in text
    assert f"data:image/jpeg;base64,{JPEG}" in found.sources
    assert f"data:image/png;base64,{PNG}" in found.sources
    assert found.tags["table"] >= 2
    assert "dataframe" in found.classes


def test_the_course_uses_these_filters():
    config = PyFileConfigLoader("nbgrader_config.py", path=str(COURSE)).load_config()
    assert config.TemplateExporter.filters == FILTERS
    assert config.HTMLExporter.preprocessors == ["hw_grading.rendering.safe_html.CleanOutputs"]


def test_formgrader_escapes_ids_and_names(monkeypatch, exporters, tmp_path):
    from jinja2 import DictLoader, Environment
    from nbconvert.exporters import HTMLExporter
    from nbgrader.server_extensions.formgrader import formgrader

    monkeypatch.setattr(formgrader, "Environment", Environment)  # as nbgrader has them
    monkeypatch.setattr(formgrader, "HTMLExporter", HTMLExporter)
    PyFileConfigLoader("nbgrader_config.py", path=str(COURSE)).load_config()
    assert formgrader.HTMLExporter is EscapingExporter
    page = formgrader.Environment(loader=DictLoader({"x": "{{ x }}"})).get_template("x")
    assert page.render(x="<b>\"'") == "&lt;b&gt;&#34;&#39;"
    nbformat.write(new_notebook(cells=[answer("*x*", 1)]), tmp_path / "hw2.ipynb")
    hostile = "</script><script>run()</script>\"'"
    names = ("notebook_id", "student", "last_name", "first_name", "submission_id", "base_url")
    known = {"index": 0, "total": 1, **dict.fromkeys(names, hostile)}
    html, _ = exporters["formgrade"].from_filename(str(tmp_path / "hw2.ipynb"), known)
    assert "<em>x</em>" in html
    assert "<script>run()" not in html
    assert "&lt;script&gt;run()" in html
