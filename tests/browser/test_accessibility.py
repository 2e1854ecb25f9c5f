"""An automatic audit finds no serious accessibility problem in pages for students and staff."""

import sys
from pathlib import Path

import pytest
from audit import broken_words, findings, sideways
from notebooks import answered, some_of
from playwright.sync_api import expect
from server import ROOT

sys.path.append(str(ROOT / "tests" / "grading"))

import pages

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    # These warnings come from nbgrader's code.
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]

CELLS = ["front", "setup-heading", "setup", "load-data", "q1-2", "q1-2b", "q1-2b-relu"]
CELLS += ["relu-activation", "test-relu-activation", "sigmoid-activation"]
CELLS += ["test-sigmoid-activation", "ladder-first-loss", "q1-3", "q1-3b", "q1-3b-iv-question"]
CELLS += ["q1-3b-iv"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def graded(released, source):
    """Some cells with a right, a wrong and no answer."""
    wrong = "def sigmoid_activation(x):\n    return x, x"
    notebook = answered(released, source, ["relu-activation"], sigmoid_activation=wrong)
    return some_of(notebook, *CELLS)


@pytest.fixture(scope="module")
def html_of(graded, folder):
    """Make a page by its name, once."""
    made = {}
    makers = {
        "start": lambda: (ROOT / "release" / "hw2" / "START.html").read_text(encoding="utf-8"),
        "statistics": lambda: pages.statistics_page(folder / "course"),
        "feedback": lambda: pages.feedback_page(graded),
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


def test_feedback_needs_no_network_and_no_script(browser, html_of):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(html_of("feedback").as_uri())
    assert [url[:40] for url in asked if not url.startswith(("file:", "data:image/"))] == []
    assert said == []
    expect(page.get_by_role("heading", name="8.5 of 20 points so far")).to_be_visible()
    page.get_by_role("link", name="values: out").first.click()
    expect(page.locator(":target")).to_be_in_viewport()
    expect(page.locator(":target")).to_contain_text("Test: 1.2b Sigmoid")
    context.close()


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
