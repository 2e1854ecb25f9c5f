"""An instructor grades single submissions by formgrader's button, in one server."""

import copy
import re
import sys
from collections.abc import Iterator

import pytest
from nbgrader.api import Gradebook
from playwright.sync_api import Locator, Page, Route, expect
from server import ROOT, Server, start

sys.path.append(str(ROOT / "tests" / "grading"))

from toy_course import ASSIGNMENT, FULL_MARKS, ToyCourse

from hw_grading.commands.sample import cell_of

MILLISECONDS_TO_GRADE = 240_000  # on a busy machine

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> ToyCourse:
    return ToyCourse.make(tmp_path_factory.mktemp("formgrader") / "course")


@pytest.fixture(scope="module")
def server(course: ToyCourse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = start(course.root, tmp_path_factory.mktemp("formgraders-records"))
    yield running
    running.close()


def log_in(page: Page, server: Server) -> None:
    page.goto(f"{server.url}login")
    page.locator("#password_input").fill(server.token)
    page.locator("#login_submit").click()
    expect(page.locator("#password_input")).to_have_count(0)


def autograde(page: Page, student: str) -> None:
    """Click on a student's button, and wait until it says that it is done."""
    row = page.get_by_role("row", name=re.compile(rf"\b{student}\b"))
    said = f"Successfully autograded '{ASSIGNMENT}' for student '{student}'"
    press(page, row.locator(".autograde a"), said)


def test_the_autograde_button_works_again_and_again(course, server, page):
    course.submit("ada", course.released)
    course.submit("bob", course.answered)
    log_in(page, server)
    page.goto(f"{server.url}formgrader/manage_submissions/{ASSIGNMENT}")
    for student, points in (("ada", 0), ("bob", FULL_MARKS)):
        autograde(page, student)
        assert sum(filter(None, course.test_scores(student).values())) == points
    course.submit("ada", course.answered)
    autograde(page, "ada")
    assert sum(filter(None, course.test_scores("ada").values())) == FULL_MARKS


WITH_FORMULAS = r"""Because $\frac{a}{b}$ and

$$\begin{aligned}a &= b\end{aligned}$$"""


def address_of(course: ToyCourse, server: Server, student: str) -> str:
    """Formgrader's page of a student's submission."""
    with Gradebook(course.course.db_url) as gradebook:
        submission = gradebook.find_submission_notebook("hw2", ASSIGNMENT, student)
        return f"{server.url}formgrader/submissions/{submission.id}/?index=0"


def score_of(course: ToyCourse, student: str, cell: str) -> float | None:
    with Gradebook(course.course.db_url) as gradebook:
        score: float | None = gradebook.find_grade(cell, "hw2", ASSIGNMENT, student).manual_score
        return score


@pytest.mark.smoke
def test_formgrader_works_without_a_network_and_links_to_the_desk(
    course: ToyCourse, server: Server, page: Page
) -> None:
    asked_elsewhere: list[str] = []

    def answer(route: Route) -> None:
        if route.request.url.startswith((server.url, "data:", "blob:")):
            route.fallback()
        else:
            asked_elsewhere.append(route.request.url)
            route.abort()

    page.route("**/*", answer)
    for student in ("cyd", "dan"):
        notebook = copy.deepcopy(course.answered)
        cell_of(notebook, "why").source = WITH_FORMULAS
        course.submit(student, notebook)
    assert course.grade().returncode == 0
    log_in(page, server)
    lists = ["", f"manage_submissions/{ASSIGNMENT}", "gradebook", f"gradebook/{ASSIGNMENT}"]
    lists += ["manage_students", "manage_students/cyd", f"manage_students/cyd/{ASSIGNMENT}"]
    for name in [*lists, f"gradebook/{ASSIGNMENT}/hw2"]:
        page.goto(f"{server.url}formgrader/{name}")
        expect(page.locator("tbody tr").first).to_be_visible()
        if name in ("", "gradebook", "manage_students"):
            expect(page.locator('a[href="/hw-grading/"]')).to_have_count(1)
    # JupyterLab shows formgrader in a frame, which opens no other window.
    desk = page.goto(f"{server.url}hw-grading/{ASSIGNMENT}/")
    assert "frame-ancestors 'self'" in desk.headers["content-security-policy"]
    page.goto(address_of(course, server, "cyd"))

    formula = page.locator(".nbgrader_cell", has=page.locator("#why")).locator("math").first
    expect(formula).to_be_visible()
    over, under = (formula.locator("mi").nth(n).bounding_box() for n in (0, 1))
    assert over["y"] + over["height"] <= under["y"] + 3  # a fraction
    expect(page.locator("math[display=block] mtd")).to_have_count(2)

    # The first field has the focus, which waits for MathJax.
    expect(page.locator(".tabbable").first).to_be_focused()
    expect(page.locator("#why")).to_contain_class("needs_manual_grade")  # loaded by scripts
    page.locator("#why").fill("3")
    with page.expect_response(lambda answer: "/api/grade/" in answer.url) as saved:
        page.keyboard.press("Escape")
    assert saved.value.ok
    assert score_of(course, "cyd", "why") == 3
    assert asked_elsewhere == []


def press(page: Page, button: Locator, said: str) -> None:
    button.click()
    done = page.locator("#success-modal, #error-modal")
    expect(done).to_contain_text(said, timeout=MILLISECONDS_TO_GRADE)
    done.get_by_role("button", name="OK").click()
    expect(done).to_have_count(0)
