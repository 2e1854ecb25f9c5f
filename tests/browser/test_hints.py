"""Hints on the plots of a class of 24: what they say, whom they select, and the keys they save."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from audit import findings
from desk_class import Desk
from playwright.sync_api import Page, expect
from server import Server, start_desk

from hw_grading.gradebook.book import ManualGrading
from hw_grading.homework.course import Course, scratch_course
from hw_grading.notebooks import cells_by_id
from hw_support.figures.facts import KEY
from tools.build_screenshots import CLASS, HOMEWORK, QUESTION, write_class
from tools.loss_plots import loss_plots

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

ITEMS = {student: plot.items for student, plot in zip(CLASS, loss_plots(), strict=True)}
FORGER = CLASS[-1]
FORGED = "<img src=x onerror='window.ran = 1'>"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    made = scratch_course(tmp_path / "course")
    made.run_nbgrader("generate_assignment", HOMEWORK, log=tmp_path / "log")
    write_class(made)
    return made


@pytest.fixture
def server(course: Course, tmp_path: Path) -> Iterator[Server]:
    running = start_desk(course.root, tmp_path / "records", HOMEWORK)
    yield running
    running.close()


def scores(course: Course) -> dict[str, float | None]:
    """Return the scores that the gradebook has."""
    book = ManualGrading(course, HOMEWORK)
    found = {student: one.score for student, one in book.gradings(QUESTION).items()}
    book.close()
    return found


def suggested(page: Page) -> set[str]:
    """Return the numbers of the items that are suggested, from 1."""
    shown = page.locator("#items .hint").evaluate_all("all => all.map(one => !one.hidden)")
    return {str(number) for number, one in enumerate(shown, 1) if one}


def test_suggestions_are_taken_by_one_key_and_set_nothing_before(course, server, browser):
    desk = Desk(browser, server, "Kim", HOMEWORK)
    page = desk.open("q1_3e_ii")  # its code has no output in this class
    here = page.locator("#number").inner_text()
    page.keyboard.press("y")
    expect(page.locator("#said")).to_contain_text("Nothing is suggested for this answer.")
    expect(page.locator("#hints")).to_be_hidden()
    expect(page.locator("#number")).to_have_text(here)
    page = desk.open(QUESTION, CLASS[4])
    here = page.locator("#number").inner_text()
    assert suggested(page) == {*ITEMS[CLASS[4]]}
    page.keyboard.press("y")
    expect(page.locator("#number")).not_to_have_text(here)
    expect(page.locator("#done-text")).to_have_text(f"1 of {len(CLASS)} graded")
    page = desk.open(QUESTION, CLASS[8])
    page.keyboard.press("t")
    desk.saved()
    given = {student: score for student, score in scores(course).items() if score is not None}
    assert given == {student: len(ITEMS[student]) for student in (CLASS[4], CLASS[8])}
    desk.close()


def test_hints_in_the_grid_are_counted_and_select(course, server, browser):
    path = course.autograded(FORGER, HOMEWORK) / f"{HOMEWORK}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cell = cells_by_id(notebook)[QUESTION]
    cell["outputs"][0]["metadata"][KEY]["axes"][0]["curves"][0]["array"] = FORGED
    path.write_text(json.dumps(notebook), encoding="utf-8")
    desk = Desk(browser, server, "Kim", HOMEWORK, bypass_csp=True)
    page = desk.page
    page.goto(f"{desk.place}grid/{QUESTION}")
    expect(page.locator("#reading")).to_have_text("")
    buttons = page.locator("#hints button")
    expect(buttons.first).to_have_text("nothing missing 12")
    buttons.get_by_text("curves swapped 2").click()
    expect(page.locator("#tiles li")).to_have_count(2)
    expect(page.locator("#selection-title")).to_have_text("2 answers selected")
    page.keyboard.press("1")
    page.keyboard.press("s")
    expect(page.locator("#said")).to_contain_text("Saved: 2 answers.")
    swapped = {student for student, items in ITEMS.items() if items == "134"}
    assert {student for student, score in scores(course).items() if score == 1.0} == swapped
    buttons.get_by_text("curves swapped 2").click()
    expect(page.locator("#tiles li")).to_have_count(len(CLASS))
    assert findings(page) == []
    page = desk.open(QUESTION, FORGER)
    expect(page.locator("#hints")).to_contain_text(FORGED)  # as text
    expect(page.locator("#hints")).to_contain_text("no curve of training_loss")
    assert page.evaluate("window.ran") is None
    assert findings(page) == []
    desk.close()
