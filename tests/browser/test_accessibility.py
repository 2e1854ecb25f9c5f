"""No serious finding of an automatic audit in what students and staff read."""

import functools
import sys
from pathlib import Path

import pytest
from audit import findings, sideways
from notebooks import answered, some_of
from playwright.sync_api import expect
from server import ROOT

sys.path.append(str(ROOT / "tests" / "grading"))

import pages

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    # nbgrader's own way with its database, of no concern here.
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]

OURS = ["start", "plots", "plots_by_question", "progress", "progress_to_its_end"]
CELLS = ["front", "setup-heading", "setup", "load-data", "q1-2", "q1-2b", "q1-2b-relu"]
CELLS += ["relu-activation", "test-relu-activation", "sigmoid-activation"]
CELLS += ["test-sigmoid-activation", "ladder-first-loss", "q1-3", "q1-3b", "q1-3b-iv-question"]
CELLS += ["q1-3b-iv"]

# What `nbconvert` and `nbgrader` write around our texts, whatever the notebook.
PALE_CODE = ".highlight :is(.c1, .mf, .mi, .ow)"
NBCONVERTS = {
    ("color-contrast", PALE_CODE): "nbconvert's colours of code: 4.2 to 4.4 to 1, not 4.5",
    ("color-contrast", ".jp-InputPrompt, .jp-OutputPrompt"): "nbconvert's [1]: beside a cell",
    (
        "color-contrast",
        '[data-mime-type="application/vnd.jupyter.stderr"] pre span',
    ): "IPython's colours of a traceback, on nbconvert's red",
}
NBGRADERS = {
    ("html-has-lang", "html"): "the template's first line",
    ("region", "body *"): "the template has no landmarks",
    ("link-in-text-block", "a"): "the template's links are told by their colour alone",
    ("color-contrast", "a"): "the template's blue: 4.2 to 1 on its grey, 2.4 in a panel's head",
    ("color-contrast", PALE_CODE): "the template's colours of code: 4.4 to 1, not 4.5",
    ("color-contrast", ".output_error pre span"): "IPython's colours of a traceback",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def graded(released, source, folder):
    """Some cells with right, wrong and no answers, and what they showed."""
    wrong = "def sigmoid_activation(x):\n    return x, x"
    notebook = answered(released, source, ["relu-activation"], sigmoid_activation=wrong)
    return pages.executed(some_of(notebook, *CELLS), folder)


@pytest.fixture(scope="module")
def html_of(released, graded, folder):
    """Make a page by its name, once."""
    made = {}
    plots = functools.cache(lambda: pages.plots_pages(folder / "course"))
    makers = {
        "start": lambda: (ROOT / "release" / "hw2" / "START.html").read_text(encoding="utf-8"),
        "plots": lambda: plots()[0],
        "plots_by_question": lambda: plots()[1],
        "progress": lambda: pages.progress_page(folder / "running", finished=False),
        "progress_to_its_end": lambda: pages.progress_page(folder / "ended", finished=True),
        "release": lambda: pages.as_html(released),
        "executed": lambda: pages.as_html(graded),
        "feedback": lambda: pages.feedback_page(graded, folder),
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
        page.goto(f"{path.as_uri()}#still")  # the page of a running class would reload
        return page

    yield loaded
    for context in contexts:
        context.close()


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("name", OURS)
def test_our_own_pages_have_no_finding(name, colours, html_of, load):
    assert findings(load(html_of(name), color_scheme=colours)) == []


@pytest.mark.parametrize("name", ["release", "executed"])
def test_the_notebook_as_html_has_no_finding(name, html_of, load):
    assert findings(load(html_of(name)), NBCONVERTS) == []


def test_the_feedback_of_a_student_has_no_finding(html_of, load):
    assert findings(load(html_of("feedback")), NBGRADERS) == []


@pytest.mark.parametrize("name", OURS)
def test_at_200_percent_no_text_of_our_own_pages_is_read_by_scrolling_sideways(name, html_of, load):
    zoomed = load(html_of(name), viewport={"width": 640, "height": 450}, device_scale_factor=2)
    assert sideways(zoomed) == []


def test_the_page_of_a_running_class_reloads_until_the_reader_stops_it(browser, html_of, folder):
    text = html_of("progress").read_text(encoding="utf-8")
    path = folder / "live.html"
    path.write_text(text, encoding="utf-8")
    page = browser.new_page()
    page.clock.install()
    page.goto(path.as_uri())
    path.write_text(text.replace("</h1>", " anew</h1>"), encoding="utf-8")
    page.clock.fast_forward(6_000)
    expect(page.locator("h1")).to_contain_text("anew")
    switch = page.get_by_label("reload every 5 s")
    switch.uncheck()
    path.write_text(text, encoding="utf-8")
    page.clock.fast_forward(60_000)
    page.wait_for_timeout(300)
    expect(page.locator("h1")).to_contain_text("anew")
    page.reload()
    expect(page.locator("h1")).not_to_contain_text("anew")
    expect(switch).not_to_be_checked()
    page.close()


def test_the_audit_sees_what_is_wrong(folder, load):
    page = folder / "wrong.html"
    page.write_text(
        "<!doctype html><title>x</title><main><h1>One</h1><h4>Four</h4><img src='data:,'>"
        "<p style='color: #aaa'>faint</p><div style='overflow: auto; width: 9rem'>"
        f"<pre>{'wide ' * 99}</pre></div></main>"
    )
    found = {finding.split()[0] for finding in findings(load(page))}
    assert found >= {"html-has-lang", "heading-order", "image-alt", "color-contrast"}
    assert len(sideways(load(page))) == 1
