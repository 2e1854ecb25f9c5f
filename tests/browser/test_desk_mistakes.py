"""An instructor names a mistake and gives a group its points, by keyboard alone."""

import re
from pathlib import Path

import pytest
from audit import findings, sideways
from desk_class import Desk
from lab import PATIENCE
from mistakes_class import ASSIGNMENT, write_wrong_class
from playwright.sync_api import Page, expect
from server import start_desk

from hw_grading.gradebook.results import read_results
from hw_grading.homework.course import Course
from hw_grading.mistakes.known import read_mistakes
from hw_grading.mistakes.proposed import FOLDER, write_proposed

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

STUDENTS = 40


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = tmp_path_factory.mktemp("class") / "course"
    write_wrong_class(made, STUDENTS, alone=3)
    return made


@pytest.fixture
def desk(browser, root, tmp_path):
    server = start_desk(root, tmp_path / "records", ASSIGNMENT)
    opened = Desk(browser, server, "Kim", ASSIGNMENT, bypass_csp=True)
    opened.page.set_default_timeout(PATIENCE)
    yield opened
    opened.close()
    server.close()


def show(desk: Desk) -> Page:
    desk.page.goto(f"{desk.place}mistakes")
    expect(desk.page.locator("#figures[aria-busy]")).to_have_count(0)
    return desk.page


def points(root: Path) -> float:
    results = read_results(Course(root), ASSIGNMENT)
    return sum(result.final for result in results.handed_in)


@pytest.mark.smoke
def test_a_mistake_is_named_pardoned_and_both_are_taken_back_by_keyboard(desk, root):
    page, errors = show(desk), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    keys, before = page.keyboard, points(root)
    group = page.locator(".group").first
    expect(group.locator("summary").first).to_contain_text("10 students")
    group.locator("summary").first.focus()
    keys.press("Enter")
    expect(group.locator(".code").first).to_have_text(re.compile("return x, np.ones_like"))
    expect(group).not_to_contain_text("Ada Number")
    group.get_by_label("What happened").focus()
    keys.type("It is the `identity` <img src=x>.")
    expect(group.locator(".read code")).to_have_text("identity")
    expect(group.locator(".read")).to_contain_text("<img src=x>")
    keys.press("Tab")
    keys.press("Enter")
    expect(group.get_by_role("button", name="Remove")).to_be_visible()
    expect(group.get_by_role("button", name="Save")).to_be_focused()
    [known] = read_mistakes(root, ASSIGNMENT)
    assert known.sentence == "It is the `identity` <img src=x>."
    group.get_by_role("button", name="Give the points").focus()
    keys.press("Enter")
    dialog = page.get_by_role("dialog", name="Give these answers their points")
    expect(dialog).to_contain_text("10 students: +3 each")
    keys.press("Enter")
    expect(dialog).to_contain_text("Type a reason, which students read.")
    keys.type("The question had two readings.")
    keys.press("Enter")
    expect(group).to_contain_text("10 students got +3 by Kim: The question had two readings.")
    assert points(root) == before + 30
    assert page.evaluate("document.activeElement !== document.body")
    group.get_by_role("button", name="Undo").focus()
    keys.press("Enter")
    expect(group.get_by_role("button", name="Give the points")).to_be_visible()
    assert points(root) == before
    group.get_by_role("button", name="Remove").focus()
    keys.press("Enter")
    expect(group.get_by_role("button", name="Remove")).to_have_count(0)
    assert read_mistakes(root, ASSIGNMENT) == ()
    page.get_by_role("button", name="Names").click()
    expect(group).to_contain_text("Ada Number")
    assert errors == []


def test_a_name_that_try_proposes_is_taken_and_may_be_changed(desk, root):
    names = {"test_relu": {"results: out: -1.5": "negative numbers <b>pass</b>"}}
    (root / "grading" / FOLDER).mkdir(parents=True)
    write_proposed(root / "grading" / FOLDER, ASSIGNMENT, names)
    group = show(desk).locator(".group").first
    group.locator("summary").first.click()
    group.get_by_role("button", name="negative numbers <b>pass</b>").click()
    expect(group.get_by_label("What happened")).to_have_value("negative numbers <b>pass</b>")
    expect(group.locator(".read")).to_contain_text("negative numbers <b>pass</b>")
    assert read_mistakes(root, ASSIGNMENT) == ()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (640, "dark"), (390, "light")])
def test_the_page_has_no_finding_and_fits_the_window(width, scheme, desk):
    desk.page.set_viewport_size({"width": width, "height": 800})
    desk.page.emulate_media(color_scheme=scheme)
    page = show(desk)
    page.locator(".alone > summary").click()
    page.locator(".group > summary").first.click()
    expect(page.locator(".act").first).to_be_visible()
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 640:  # the window at 200 %
        for_the_ear = re.compile(r"\w+ (.* )?(unseen|skip)\b.*: \d+ > 1$")
        scrolls = re.compile(r"(PRE code|DIV scroll)")
        wide = [one for one in sideways(page) if not (for_the_ear.match(one) or scrolls.match(one))]
        assert wide == []
