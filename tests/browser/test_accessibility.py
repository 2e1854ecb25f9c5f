"""An automatic audit finds no serious accessibility problem in pages for students and staff."""

import sys
from pathlib import Path

import pytest
from audit import broken_words, findings, sideways
from server import ROOT

from hw_grading.commands.student_zip import start_page
from hw_grading.homework.course import Course

sys.path.append(str(ROOT / "tests" / "grading"))

import pages

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    # These warnings come from nbgrader's code.
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def html_of(folder):
    """Make a page by its name, once."""
    made = {}
    makers = {
        "start": lambda: start_page(Course(ROOT), "hw2"),
        "statistics": lambda: pages.statistics_page(folder / "course"),
        "feedback": lambda: pages.feedback_page(folder / "of-ada"),
    }

    def path(name: str) -> Path:
        if name not in made:
            made[name] = folder / f"{name}.html"
            made[name].write_text(makers[name](), encoding="utf-8")
        return made[name]

    return path


@pytest.fixture
def load(browser):
    """Load a file in a window of its own; nothing is fetched from elsewhere."""
    contexts = []

    def loaded(path, **options):
        options = {"viewport": {"width": 1280, "height": 900}, **options}
        context = browser.new_context(bypass_csp=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.route("http*://**", lambda route: route.abort())
        page.goto(path.as_uri())
        return page

    yield loaded
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", ["start", "statistics", "feedback"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_of_ours_has_no_finding(name, scheme, html_of, load):
    assert findings(load(html_of(name), color_scheme=scheme)) == []


@pytest.mark.parametrize("name", ["start", "statistics", "feedback"])
@pytest.mark.parametrize("width", [1280, 640, 390])
def test_a_page_of_ours_fits_the_window(name, width, html_of, load):
    page = load(html_of(name), viewport={"width": width, "height": 450})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if name == "statistics":
        assert broken_words(page) == []
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
