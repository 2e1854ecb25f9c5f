"""An instructor grades single submissions by formgrader's button, in one server."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest
from nbgrader.api import Gradebook
from playwright.sync_api import Page, expect
from server import ROOT, Server, start

sys.path.append(str(ROOT / "tests" / "grading"))

from toy_course import ASSIGNMENT, FULL_MARKS, ToyCourse

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
    row.locator(".autograde a").click()
    done = page.locator("#success-modal, #error-modal")
    expect(done).to_be_visible(timeout=MILLISECONDS_TO_GRADE)
    expect(done).to_contain_text(f"Successfully autograded '{ASSIGNMENT}' for student '{student}'")
    done.get_by_role("button", name="OK").click()
    expect(done).to_have_count(0)


def test_the_autograde_button_works_again_and_again(
    course: ToyCourse, server: Server, page: Page, picture
) -> None:
    course.submit("ada", course.released)
    course.submit("bob", course.answered)
    log_in(page, server)
    page.goto(f"{server.url}formgrader/manage_submissions/{ASSIGNMENT}")
    for student, points in (("ada", 0), ("bob", FULL_MARKS)):
        autograde(page, student)
        assert sum(filter(None, course.test_scores(student).values())) == points
        expect_score(page, student, points)
    course.submit("ada", course.answered)
    autograde(page, "ada")
    assert sum(filter(None, course.test_scores("ada").values())) == FULL_MARKS
    expect_score(page, "ada", FULL_MARKS)
    picture("formgrader_after_three_clicks")


def expect_score(page: Page, student: str, points: float) -> None:
    row = page.get_by_role("row", name=re.compile(rf"\b{student}\b"))
    expect(row.locator(".score")).to_contain_text(re.compile(rf"^\s*{points:g} / "))


INJECTED = """
() => {
    window.ran = [];
    createModal("m1", "x", "of <img src=x onerror='ran.push(1)'>");
    createModal("m2", "x", "of <script>ran.push(2)</" + "script>");
    const box = document.createElement("div");
    box.innerHTML = "<a href='javascript:ran.push(3)' onfocus='ran.push(4)' tabindex=1>x</a>";
    document.body.append(box);
    box.firstChild.focus();
    box.firstChild.click();
    const script = document.createElement("script");
    script.text = "ran.push(5)";
    document.body.append(script);
}
"""


# What formgrader asks of MathJax, which it loads from the internet.
MATHJAX = "MathJax = {Hub: {Config() {}, Queue() {}, Startup: {signal: {Interest() {}}}}}"


def test_pages_work_and_what_got_into_them_does_not_run(
    course: ToyCourse, server: Server, page: Page, console
) -> None:
    if not course.test_scores("bob"):  # by the button
        course.submit("bob", course.answered)
        assert course.grade().returncode == 0
    with Gradebook(course.course.db_url) as gradebook:
        gradebook.add_student('x" onfocus="<img src=x>', first_name="<b>Eve", last_name="'")
    page.route("**/mathjax/**", lambda route: route.fulfill(body=MATHJAX))
    log_in(page, server)
    page.goto(f"{server.url}formgrader/manage_students")
    expect(page.get_by_text('x" onfocus="<img src=x>')).to_be_visible()
    page.get_by_text("Add new student...").click()  # by a handler in an attribute
    expect(page.locator(".modal-dialog")).to_be_visible()
    page.goto(f"{server.url}formgrader/gradebook/{ASSIGNMENT}/hw2")
    expect(page.get_by_role("link", name="Submission #1")).to_be_visible()
    page.get_by_role("button", name="Show All Names").click()
    page.get_by_role("button", name="Hide All Names").click()
    page.get_by_role("link", name="Submission #1").click()
    expect(page.locator(".live-notebook .name-hidden").first).to_be_visible()
    page.locator("span.name-hidden").click()
    expect(page.locator("a.name-shown")).to_be_visible()
    score = page.locator("input.score").first
    expect(score).to_have_attribute("placeholder", re.compile(r"\d"))  # loaded by scripts
    policy = page.request.get(page.url).headers["content-security-policy"]
    assert "script-src 'nonce-" in policy
    assert page.evaluate("'Hub' in MathJax")
    assert not console.ours()
    page.evaluate(INJECTED)
    page.wait_for_timeout(500)
    assert page.evaluate("ran") == []
    blocked = [error for error in console.errors if "Content Security Policy" in error]
    assert blocked
    console.errors.clear()
