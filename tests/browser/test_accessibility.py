"""An automatic audit finds no serious accessibility problem in pages for students and staff."""

import contextlib
import sys
from contextlib import closing
from pathlib import Path

import pytest
from audit import findings, sideways
from server import ROOT

sys.path.append(str(ROOT / "tests" / "grading"))

from feedback_pages import comment, page_of
from graded_course import FAILED, PASSED, ToyCourse, cell, error, notebook, problem, stream
from html_pages import base64_of, display, png

from hw_grading.__main__ import main
from hw_grading.commands.student_zip import start_page
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.comments import Said
from hw_grading.homework.course import Course

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

WIDE = "a_name_without_an_end_" * 30


def feedback_page(folder: Path) -> str:
    """A student's feedback, with everything that the box at the top can have."""
    student = "a-student-with-a-name-as-long-as-addresses-are@students.example.edu"
    course = ToyCourse(folder)
    plot = png(700, 360, pixels=bytes(701 * 360))
    outputs = [stream(f"{WIDE}\n" * 90), error("E", WIDE), display({"image/png": base64_of(plot)})]
    noted = [
        problem("Cell 'train' took too long."),
        problem("Cell 'setup' was deleted: it was restored.", "mended", "deleted-cell"),
        problem(f"'{'copy' * 20}.ipynb' was not graded.", "mended", "other-notebook"),
    ]
    answer = "Because $x^2 < 1$.\n\n|a|b|\n|-|-|\n|1|2|"
    content = notebook(plot=outputs, answer=answer, problems=noted)
    content["cells"][0]["source"] += "\n\n" + "Read this. " * 60  # so long that it is folded
    course.write(course.root / "source" / "hw2", content)
    own = cell("code", f"{WIDE} = 1  # mine\nprint({WIDE})", outputs=[error("E", "mine")])
    content["cells"].insert(2, own)
    course.grade(student, content, auto=1.0, manual=3.5, parts=[PASSED, FAILED])
    comment(course, "plot", "+2  names $x$ and `W`\n-1  not why\n\nRead **more**.", student)
    with closing(ManualGrading(Course(course.root), "hw2")) as book:
        for line in (0, 1):
            book.comment("double", student, Said(line, f"See {WIDE} $x$.", None, ""), "kim")
    words = ["correct", "hw2", "plot", "--add", "1", "--reason", "The question had two readings."]
    assert main(["--course", str(course.root), *words]) == 0
    return page_of(course, student)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the pages, each in a file of its name."""
    made = tmp_path_factory.mktemp("pages")
    pages = {
        "start": start_page(Course(ROOT), "hw2"),
        "feedback": feedback_page(made / "of-ada"),
    }
    for name, html in pages.items():
        (made / f"{name}.html").write_text(html, encoding="utf-8")
    return made


@pytest.fixture
def load(browser):
    """Load a file in a window of its own; nothing is fetched from elsewhere."""
    with contextlib.ExitStack() as windows:

        def loaded(path, **options):
            page = browser.new_page(bypass_csp=True, **options)
            windows.callback(page.close)
            page.route("http*://**", lambda route: route.abort())
            page.goto(path.as_uri())
            return page

        yield loaded


@pytest.mark.parametrize("name", ["start", "feedback"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (640, "dark"), (390, "light")])
def test_a_page_of_ours_has_no_finding_and_fits_the_window(name, width, scheme, folder, load):
    viewport = {"width": width, "height": 450}
    page = load(folder / f"{name}.html", viewport=viewport, color_scheme=scheme)
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 640:  # the window at 200 %
        assert sideways(page) == []


def test_the_audit_finds_known_problems(folder, load):
    page = folder / "wrong.html"
    page.write_text(
        "<!doctype html><title>x</title><main><h1>One</h1><h4>Four</h4><img src='data:,'>"
        "<p style='color: #aaa'>faint</p><div style='overflow: auto; width: 9rem'>"
        f"<pre>{'wide ' * 99}</pre></div></main>"
    )
    found = {finding.split()[0] for finding in findings(load(page))}
    assert found >= {"html-has-lang", "heading-order", "image-alt", "color-contrast"}
    assert len(sideways(load(page))) == 1
