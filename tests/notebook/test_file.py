"""The released file opens in every editor: JupyterLab, Notebook 7, VS Code, and what reads HTML."""

import json
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert.filters import markdown2html

RELEASE = Path(__file__).resolve().parents[2] / "release" / "hw2" / "hw2.ipynb"


@pytest.fixture(scope="module")
def file():
    """The file as it is: `nbformat.read` would mend it."""
    return json.loads(RELEASE.read_text(encoding="utf-8"))


def rendered(markdown):
    # The texts are rendered without their attachments; a picture's name is enough.
    return BeautifulSoup(markdown2html(markdown.replace("(attachment:", "(")), "html.parser")


@pytest.fixture(scope="module")
def texts(file):
    return {
        cell["id"]: rendered("".join(cell["source"]))
        for cell in file["cells"]
        if cell["cell_type"] == "markdown"
    }


def without_alt(page):
    return [str(image) for image in page.find_all("img") if not image.get("alt", "").strip()]


def without_header(page):
    return [
        str(table)
        for table in page.find_all("table")
        if not table.thead or any(not head.get_text(strip=True) for head in table.thead("th"))
    ]


def test_it_is_valid_as_it_is_for_the_newest_schema(file):
    newest = (nbformat.current_nbformat, nbformat.current_nbformat_minor)
    assert (file["nbformat"], file["nbformat_minor"]) == newest
    nbformat.validator.get_validator(relax_add_props=False).validate(file)


def test_it_needs_no_extension_and_attachments_are_png(file):
    assert set(file["metadata"]) == {"kernelspec", "language_info"}
    for cell in file["cells"]:
        assert cell["cell_type"] in ("code", "markdown")
        for name, data in cell.get("attachments", {}).items():
            assert list(data) == ["image/png"]
            assert f"](attachment:{name})" in "".join(cell["source"])
        assert set(cell["metadata"]) <= {"nbgrader", "deletable", "editable", "jupyter"}
        assert cell["metadata"].get("jupyter", {"source_hidden": True}) == {"source_hidden": True}


def test_texts_use_markdown_and_no_html(texts):
    used = {tag.name for page in texts.values() for tag in page.find_all(True)}
    assert used <= {
        *("h1", "h2", "h3", "h4", "p", "ul", "ol", "li", "strong", "em", "a", "img"),
        *("pre", "code", "div", "span"),
        *("table", "thead", "tbody", "tr", "th", "td"),
        *("details", "summary"),  # folded hints, which JupyterLab, VS Code and Colab can show
    }


def test_every_picture_has_alt_text_and_every_table_a_header(texts):
    assert sum(len(page.find_all("table")) for page in texts.values()) >= 3
    for cell_id, page in texts.items():
        assert without_alt(page) == [], cell_id
        assert without_header(page) == [], cell_id
