"""The released file opens in every editor: JupyterLab, Notebook 7, VS Code, and what reads HTML."""

import json

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert.filters import markdown2html

from hw_grading.homework.course import REPOSITORY


@pytest.fixture(scope="module")
def file():
    """The file as it is: `nbformat.read` would repair it."""
    path = REPOSITORY / "release" / "hw2" / "hw2.ipynb"
    return json.loads(path.read_text(encoding="utf-8"))


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


def test_texts_are_markdown_with_alt_texts_and_headers_of_tables(file):
    texts = ["".join(c["source"]) for c in file["cells"] if c["cell_type"] == "markdown"]
    # The texts are rendered without their attachments; a picture's name is enough.
    html = markdown2html("\n\n".join(texts).replace("(attachment:", "("))
    page = BeautifulSoup(html, "html.parser")
    assert {tag.name for tag in page.find_all(True)} <= {
        *("h1", "h2", "h3", "h4", "p", "ul", "ol", "li", "strong", "em", "a", "img"),
        *("pre", "code", "div", "span"),
        *("table", "thead", "tbody", "tr", "th", "td"),
        *("details", "summary"),  # folded hints, which JupyterLab, VS Code and Colab can show
    }
    assert [image for image in page("img") if not image.get("alt", "").strip()] == []
    tables = page("table")
    assert len(tables) >= 3
    for table in tables:
        assert table.thead, table
        assert all(head.get_text(strip=True) for head in table.thead("th")), table
