"""Two graders mark answers twice; the page on graders compares them, shares out, and decides."""

import os
import re
from contextlib import closing

import pytest
from audit import findings, sideways
from desk_class import ASSIGNMENT, CLASS, given, logging_in, write_class
from playwright.sync_api import expect
from server import start_desk

from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.model import Mark
from hw_grading.homework.course import Course

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

TWICE = CLASS[10:14]  # Kim has marked their answers


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "course"
    write_class(root)
    with (root / "nbgrader_config.py").open("a") as file:
        file.write("c.Graders.second_percent = 100\n")
    with closing(ManualGrading(Course(root), ASSIGNMENT)) as book:
        rubric = book.rubric("why")
        mark = Mark(frozenset({rubric.items[0].id}), comment="Kim's own words", done=True)
        versions = {one: book.grading("why", one).version for one in TWICE}
        book.save("why", versions, mark, grader="Kim", rubric_revision=rubric.revision)
    return root


@pytest.fixture
def desks(browser, root, tmp_path):
    """Log a grader in."""
    server = start_desk(root, tmp_path / "records", ASSIGNMENT)
    with logging_in(browser, server, bypass_csp=True) as log_in:
        yield log_in
    server.close()


def test_a_second_grader_sees_no_first_mark_and_a_head_grader_decides(root, desks):
    lee, errors, answers = desks("Lee"), [], []
    page = lee.page
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("response", lambda one: "/api/second" in one.url and answers.append(one.text()))
    page.get_by_role("link", name="Second marks (4)").click()
    lee.wait()
    for _ in TWICE:
        expect(page.locator("#score")).to_have_text("–")
        page.keyboard.press("2")
        lee.saved()
        page.keyboard.press("n")
        lee.wait()
    assert len(answers) > len(TWICE)
    assert "Kim" not in page.content() + "".join(answers)
    assert {one.score for one in given(root, "why").values()} == {None, 1.5}

    hana = desks("Hana").page
    hana.get_by_role("link", name="Graders").click()
    why = hana.locator("section.card").filter(has=hana.get_by_role("heading", name="1.2 Why"))
    expect(why.get_by_role("heading", name="The same 4 answers")).to_be_visible()
    rows = why.get_by_role("region", name="Two marks").locator("tbody tr")
    expect(rows).to_have_count(4)
    rows.first.get_by_role("button", name="Take Lee’s mark").press("Enter")
    expect(why.get_by_text("Decided: Lee")).to_be_visible()
    assert sorted(one.score or 0 for one in given(root, "why").values())[-4:] == [1, 1.5, 1.5, 1.5]

    why.get_by_text("Share the answers out").press("Enter")
    why.get_by_label("Whole class, in equal parts").fill("Kim, Lee")
    why.get_by_role("button", name="Share out").press("Enter")
    expect(hana.locator("#said")).to_contain_text("The answers are shared out.")
    assert findings(hana) == []
    # What only screen readers get, and tables that scroll in their own frame.
    for_the_ear = re.compile(r"\w+ (skip|unseen|scroll)\b")
    for width in (1200, 400):
        hana.set_viewport_size({"width": width, "height": 900})
        assert [one for one in sideways(hana) if not for_the_ear.match(one)] == []
        if folder := os.environ.get("HW_PICTURES"):
            hana.screenshot(path=f"{folder}/graders-{width}.png", full_page=True)
    why.get_by_text("Have marks made again").press("Enter")
    why.get_by_label("Put back all marks of").select_option("Kim")
    why.get_by_role("button", name="Put back…").press("Enter")
    hana.get_by_role("button", name="Put them back").press("Enter")
    expect(hana.locator("#said")).to_contain_text("The marks of Kim are put back.")
    waits = given(root, "why")
    assert sum(not waits[one].waits for one in TWICE) == 1  # the one that Lee's mark decided

    hana.goto(lee.place)
    expect(hana.locator("#questions")).to_contain_text("Kim: ")
    expect(hana.locator("#questions")).to_contain_text("of 20 of the share")
    assert errors == []


def test_the_filter_of_the_grid_stays_while_one_moves_through_it(root, desks):
    lee = desks("Lee")
    page = lee.page
    page.goto(f"{lee.place}grid/why?State=graded")
    tiles = page.locator("#grid a, #tiles a")
    expect(page.get_by_role("link", name="not graded")).to_have_count(0)
    tiles.first.click()
    lee.wait()
    expect(page.locator("#number")).to_contain_text("1 of 4 filtered")
    page.keyboard.press("j")
    expect(page.locator("#number")).to_contain_text("2 of 4 filtered")
    page.keyboard.press("g")
    expect(page).to_have_url(f"{lee.place}grid/why?State=graded")
