"""People grade a class of 40 on the desk: by keyboard, together, and while the server fails."""

import contextlib
import json
import os
import re
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from audit import findings, sideways
from desk_class import (
    ASSIGNMENT,
    BLANK,
    CLASS,
    HOSTILE,
    SAME,
    Desk,
    fits,
    given,
    logging_in,
    write_class,
)
from nbgrader.api import Gradebook
from playwright.sync_api import Browser, Error, Page, Route, expect
from server import Server, start_desk

from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.results import read_results
from hw_grading.homework.course import Course

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

PAGES = ["", "grade/why?student=student06", "grade/plot", "grid/plot", "grid/why"]
PAGES += ["student/student06", "read/twice?student=student06", "read/why?student=student06", "../"]


@pytest.fixture(scope="module")
def graded_class(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course of which nothing is graded by hand; tests work on copies."""
    root = tmp_path_factory.mktemp("class") / "course"
    write_class(root)
    return root


@pytest.fixture
def course(graded_class: Path, tmp_path: Path) -> Path:
    shutil.copytree(graded_class, tmp_path / "course")
    return tmp_path / "course"


@pytest.fixture
def server(course: Path, tmp_path: Path) -> Iterator[Server]:
    running = start_desk(course, tmp_path / "records", ASSIGNMENT)
    yield running
    running.close()


@pytest.fixture
def desk(browser: Browser, server: Server) -> Iterator[Callable[..., Desk]]:
    """Log graders in, each in a browser of their own."""
    with logging_in(browser, server) as log_in:
        yield log_in


def troubles(page: Page) -> list[str]:
    """Audit a page, and find visible texts that need horizontal scrolling."""
    for_the_ear = re.compile(r"\w+ (.* )?(unseen|skip)\b.*: \d+ > 1$")
    return findings(page) + [found for found in sideways(page) if not for_the_ear.match(found)]


def pressed(page: Page) -> list[str]:
    """Return the texts of the items that apply."""
    return page.locator("#items button[aria-pressed=true] .text").all_inner_texts()


# -- one grader


@pytest.mark.smoke
def test_each_key_does_what_the_help_says(course: Path, desk: Callable[..., Desk]) -> None:
    kim = desk()
    page = kim.open("plot")
    for done in range(3):  # two keys for an answer
        expect(page.locator("#done-text")).to_have_text(f"{done} of 40 graded")
        kim.wait()
        here = page.locator("#number").inner_text()
        page.keyboard.press("2")
        page.keyboard.press("n")
        expect(page.locator("#number")).not_to_have_text(here)
    expect(page.locator("#done-text")).to_have_text("3 of 40 graded")
    page.wait_for_load_state("networkidle")
    assert [one.score for one in given(course, "plot").values() if not one.waits] == [1.0] * 3
    page = kim.open("why", CLASS[9])
    keys, score = page.keyboard, page.locator("#score")
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Esc or Enter: leave the field")
    keys.press("1")  # a dialog is open
    keys.press("Escape")
    assert pressed(page) == []
    for key, shown in (("3", "0.5"), ("+", "1"), ("-", "0.5"), ("-", "0"), ("0", "3")):
        keys.press(key)
        expect(score).to_have_text(shown)
    keys.press("c")
    keys.type("n0j1 $x^2$")
    expect(page.locator("#preview math")).to_be_visible()
    keys.press("Escape")
    kim.saved()
    assert given(course, "why")[CLASS[9]].comment.endswith("n0j1 $x^2$")
    keys.press("i")
    expect(page.locator("#who")).to_have_text("Ada <b> Number 09")
    keys.press("i")
    keys.press("f")
    expect(page.get_by_label("Why it is flagged")).not_to_be_focused()
    keys.press("r")
    expect(page.get_by_label("Why it is flagged")).to_be_focused()
    keys.type("copied?")
    keys.press("Enter")
    kim.saved()
    here = page.locator("#number").inner_text()
    page.goto(kim.place)
    page.locator("td[data-label=Flagged] a").click()
    expect(page.locator("#tiles li")).to_have_count(1)
    page.get_by_role("link", name=f"Grade {here.removesuffix(' of 40')}").click()
    expect(page.get_by_label("Why it is flagged")).to_have_value("copied?")
    kim.wait()
    expect(page.locator("#number")).to_have_text(f"{here}, 1 of 1 filtered")
    kim.open("why")  # where the grader was, among all answers
    there, back = "kj" if here.startswith("Answer 40") else "jk"
    keys.press(there)
    expect(page.locator("#number")).not_to_have_text(here)
    kim.wait()
    expect(page.locator("#state")).to_have_text("")  # "Saved" was said of the other answer
    keys.press(back)
    expect(page.locator("#number")).to_have_text(here)
    kim.wait()
    expect(page.locator("#comment")).to_have_value("n0j1 $x^2$")
    keys.press("u")
    expect(page.locator("#flag")).to_have_attribute("aria-pressed", "true")  # only the note is gone
    keys.press("g")
    expect(page.locator("#tiles li")).to_have_count(40)


def test_keys_pressed_while_an_answer_loads_are_used_in_order(course, desk):
    kim = desk()
    page = kim.open("why", CLASS[20])
    page.keyboard.press("i")
    keys, sign = page.keyboard, page.locator(".toast")

    def while_it_loads(what: Callable[[], None]) -> str:
        """Do something while the shown answer is on its way; return whose answer it is."""
        held: list[Route] = []
        page.route("**/api/answer/why/*", lambda route: held.append(route))
        student = ""
        while not any(route.request.url.endswith(student or "/") for route in held):
            keys.press("j")  # some answers are loaded ahead
            page.wait_for_timeout(100)
            student = f"student{page.locator('#who').inner_text()[-2:]}"
        what()
        page.unroute("**/api/answer/why/*")  # those that were held go on
        expect(sign).to_be_hidden()
        kim.wait()
        return student

    def grade_and_go_on() -> None:
        keys.type("3cexcellent, 1 n")
        keys.press("Backspace")
        keys.press("Enter")
        keys.type("d")
        keys.press("Escape")
        keys.press("n")
        expect(sign).to_contain_text("These keys wait until the page is ready: 3 c e x")

    def change_their_mind() -> None:
        keys.type("ce")
        sign.get_by_role("button", name="Drop them").focus()
        keys.press("Enter")
        expect(sign).to_be_hidden()

    one = while_it_loads(grade_and_go_on)
    expect(page.locator("#who")).not_to_have_text(f"Ada <b> Number {one[-2:]}")
    expect(page.locator("#done-text")).to_have_text("1 of 40 graded")
    answers = given(course, "why")
    assert answers[one].score == 0.5
    assert answers[one].comment.endswith("excellent, 1 \nd")
    assert [student for student in CLASS if answers[student].comment] == [one]
    while_it_loads(change_their_mind)
    expect(page.locator("#comment")).to_have_value("")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert pressed(page) == []


def test_the_grid_marks_several_answers_at_once(course: Path, desk: Callable[..., Desk]) -> None:
    kim, lee = desk("Kim"), desk("Lee")
    page = kim.page
    said = page.locator("#said")
    page.goto(f"{kim.place}grid/why")
    expect(page.locator("#tiles li")).to_have_count(len(CLASS))
    expect(page.locator("#tiles")).to_contain_text("It holds for all $x_{39}$.")
    page.get_by_role("button", name="Same 1 (3)").click()
    page.keyboard.press("1")
    page.keyboard.press("s")
    expect(said).to_have_text("Saved: 3 answers.")
    expect(page.locator("#selection")).to_be_hidden()
    page.get_by_role("button", name="Empty (3)").click()
    page.keyboard.press("4")
    lee.open("why", BLANK[0])
    lee.page.keyboard.press("1")
    lee.saved()
    page.keyboard.press("s")
    expect(said).to_contain_text("Saved: 2 answers. Not saved: 1 answer.")
    scores = {student: answer.score for student, answer in given(course, "why").items()}
    assert {student: score for student, score in scores.items() if score is not None} == {
        **dict.fromkeys((*SAME, BLANK[0]), 1.5),
        **dict.fromkeys(BLANK[1:], 0.0),
    }
    said.get_by_role("link", name="Answer").click()
    kim.wait()
    expect(page.locator("#score")).to_have_text("1.5")
    page.goto(f"{kim.place}grid/plot")
    expect(page.locator("#tiles .marks", has_text="2 plots")).to_have_count(1)
    page.locator("#tiles a").first.focus()
    for key in ("ArrowRight", "Space", "ArrowRight", "ArrowRight", "Space"):
        page.keyboard.press(key)
    expect(page.get_by_role("heading", name="2 answers selected")).to_be_visible()
    page.keyboard.press("2")
    page.keyboard.press("s")
    expect(page.locator("#tiles .score:not(.waits)")).to_have_text(["1", "1"])
    page.get_by_role("button", name="Undo").click()
    expect(said).to_have_text("Undone: 2 answers.")
    expect(page.locator("#tiles .score:not(.waits)")).to_have_count(0)


def edited(course: Path, student: str, change: Callable[[list[dict]], None]) -> None:
    """Change the cells of a graded notebook."""
    path = course / "autograded" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    change(notebook["cells"])
    path.write_text(json.dumps(notebook), encoding="utf-8")


def test_similar_answers_are_compared_and_get_the_same_marks(course, desk):
    text = "The loss falls because each step goes downhill on average until it is flat."
    ada, bob, cyd, dan = CLASS[10:14]
    for student, own in ((ada, text), (bob, text.upper()), (cyd, text.replace("falls", "rises"))):
        edited(course, student, lambda cells, own=own: cells[3].update(source=own))
    edited(course, dan, lambda cells: cells[3].update(source=text.replace("average", "<i>")))
    kim = desk()
    page = kim.page
    page.goto(f"{kim.place}grid/why")
    expect(page.get_by_role("button", name="Similar 1 (4)")).to_be_visible()
    page.get_by_role("button", name="Same 2 (2)").click()
    expect(page.get_by_role("heading", name="2 answers selected")).to_be_visible()
    kim.open("why", ada)
    page.keyboard.press("s")
    dialog = page.get_by_role("dialog", name="Similar answers")
    expect(dialog.locator(".similar")).to_have_count(2)
    expect(dialog.locator("del", has_text="falls")).to_be_visible()
    expect(dialog.locator("ins", has_text="rises")).to_be_visible()
    expect(dialog.locator("ins", has_text="<i>")).to_be_visible()
    dialog.get_by_role("button", name="Give the chosen ones").click()  # none is chosen
    assert given(course, "why")[ada].waits
    page.keyboard.press("1")
    kim.saved()
    page.keyboard.press("s")
    dialog.locator("li", has_text="<i>").get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Give the chosen ones").click()
    expect(page.locator("#done-text")).to_have_text("2 of 40 graded")
    scores = {student: given(course, "why")[student].score for student in (ada, bob, cyd, dan)}
    assert scores == {ada: 1.5, bob: None, cyd: None, dan: 1.5}


def test_the_grid_filters_and_selects_all_that_are_shown(desk: Callable[..., Desk]) -> None:
    kim, lee = desk("Kim"), desk("Lee")
    for one, item, students in ((kim, "1", SAME), (lee, "2", CLASS[20:22]), (lee, "1", CLASS[7:8])):
        for student in students:
            one.open("why", student)
            one.page.keyboard.press(item)
            one.saved()
    page = kim.page
    page.goto(f"{kim.place}grid/why")
    tiles = page.locator("#tiles li")
    page.get_by_label("Graded by").select_option("Lee (3)")
    expect(tiles).to_have_count(3)
    page.get_by_label("Item").select_option("+1.5 right, with a reason. (4)")
    expect(tiles).to_have_count(1)
    page.keyboard.press("a")
    page.keyboard.press("3")
    page.keyboard.press("s")
    expect(page.locator("#said")).to_have_text("Saved: 1 answer.")
    for label in ("Graded by", "Item"):
        page.get_by_label(label).select_option("all")
    page.get_by_label("State").select_option("not graded (34)")
    expect(tiles).to_have_count(34)
    page.get_by_role("button", name="Same 1 (3)").click()
    heading = page.locator("#selection-title")
    expect(heading).to_have_text("3 answers selected, 3 graded, 3 not shown")


def test_plots_are_enlarged_and_a_missing_package_is_named(course, desk):
    missing = {"output_type": "error", "ename": "ModuleNotFoundError", "traceback": []}
    missing["evalue"] = "No module named 'pandas'"
    edited(course, CLASS[31], lambda cells: cells[5].update(outputs=[missing]))
    kim = desk()
    page = kim.open("plot", CLASS[29])
    page.keyboard.press("z")
    large = page.get_by_role("dialog", name="Picture").locator("img")
    expect(large).to_be_visible()
    page.keyboard.press("Escape")
    kim.open("plot", CLASS[31])
    said = "The grader does not have pandas, which this notebook imports."
    expect(page.locator("#notices")).to_contain_text(said)
    page.goto(f"{kim.place}grid/plot")
    expect(page.locator("#tiles .marks", has_text="lacks pandas")).to_have_count(1)
    page.locator("#tiles img").first.hover()
    expect(page.locator("#lens")).to_be_visible()
    page.wait_for_function("document.getElementById('lens').naturalWidth > 0")
    page.mouse.move(0, 0)
    expect(page.locator("#lens")).to_be_hidden()


def test_a_changed_rubric_rescores_is_shown_and_is_undone(course, desk):
    kim, lee = desk("Kim"), desk("Lee")
    lee.open("why", CLASS[21])
    page = kim.open("why", SAME[0])
    expect(page.get_by_text("Say why")).to_be_visible()
    expect(page.locator("#question-text li").first).to_be_hidden()  # the rubric shows it
    group = page.get_by_label("Also for the 2 others of this group")
    expect(group).to_be_visible()  # all notebooks of the group are read
    page.keyboard.press("a")
    expect(group).to_be_checked()
    page.keyboard.press("2")
    kim.saved()
    page.keyboard.press("e")
    editor = page.get_by_role("dialog", name="Edit the rubric")
    field = editor.get_by_label("Points", exact=True).nth(1)
    field.press("End")
    page.keyboard.type("ab,5e")
    expect(field).to_have_value("1,5")
    assert "Points are a number" in field.evaluate("field => field.validationMessage")
    editor.get_by_role("button", name="Add an item").click()
    page.keyboard.type("-0.5")
    page.keyboard.press("Tab")
    page.keyboard.type("A slip")
    editor.get_by_role("button", name="Save").click()
    preview = page.get_by_role("dialog", name="This changes 3 scores")
    expect(preview.locator("tr")).to_have_text([re.compile(r"Answer \d+\s*1\s*→\s*1.5")] * 3)
    assert given(course, "why")[SAME[1]].score == 1.0
    preview.get_by_role("button", name="Change 3 scores").click()
    said = page.locator("#said")
    expect(said).to_contain_text("3 scores changed")
    expect(page.locator("#items")).to_contain_text("A slip")
    assert {given(course, "why")[student].score for student in SAME} == {1.5}

    lee.page.keyboard.press("2")
    changed = lee.page.get_by_role("dialog", name="The rubric was changed")
    expect(changed).to_contain_text("+1.5right, without one.was +1")
    assert given(course, "why")[CLASS[21]].score is None
    changed.get_by_role("button", name="Save with this rubric").click()
    lee.saved()
    expect(lee.page.locator("#score")).to_have_text("1.5")

    said.get_by_role("button", name="Undo").click()
    expect(page.locator("#score")).to_have_text("1")
    expect(page.locator("#items")).not_to_contain_text("A slip")
    assert {given(course, "why")[student].score for student in (*SAME, CLASS[21])} == {1.0}


# -- one student, and several graders


def test_a_student_is_found_and_a_tests_points_are_changed(course, desk):
    page = desk("Kim").page
    found = page.locator("#students option")
    expect(found).to_have_count(len(CLASS))

    def find(asked: str) -> None:
        page.locator("#find").fill(asked)
        page.locator("#find").press("Enter")

    find("nobody")
    expect(page.locator("#found")).to_have_text("No student has this name or id.")
    find("ADA numbér")  # of all
    expect(page.locator("#found a")).to_have_count(12)
    expect(page.locator("#found")).to_contain_text("and 28 more")
    for asked, student in (("number 07", CLASS[7]), (CLASS[5].upper(), CLASS[5])):
        find(asked)
        expect(page).to_have_url(re.compile(f"student/{student}$"))
        page.go_back()
        expect(found).to_have_count(len(CLASS))
    find(found.nth(5).get_attribute("value"))
    tests = page.locator(".card", has=page.get_by_role("heading", name="Tests"))
    expect(tests.locator("tbody tr")).to_contain_text("1 of 2")
    tests.get_by_label("to", exact=True).fill("3")
    tests.get_by_label("because (students read this)").fill("<b>The file</b> was damaged.")
    tests.get_by_role("button", name="Change").click()
    expect(page.locator("#said")).to_contain_text("Expected points from 0 to 2")
    expect(tests.get_by_label("because (students read this)")).to_have_value(
        "<b>The file</b> was damaged."
    )
    tests.get_by_label("to", exact=True).fill("1,5")
    tests.get_by_role("button", name="Change").click()
    expect(tests.locator("tbody tr")).to_contain_text("1.5 of 2 (1 by the test)")
    expect(tests.locator("tbody tr")).to_contain_text("Kim: <b>The file</b> was damaged.")
    assert read_results(Course(course), ASSIGNMENT).students[CLASS[5]].points("test_twice") == 1.5
    tests.get_by_role("button", name="Undo").click()
    expect(tests.locator("tbody tr")).to_contain_text("1 of 2")
    assert read_results(Course(course), ASSIGNMENT).students[CLASS[5]].points("test_twice") == 1.0


def test_three_graders_grade_no_answer_twice(course: Path, desk: Callable[..., Desk]) -> None:
    left = CLASS[-12:]
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        for student in CLASS[:-12]:
            grade = book.find_grade("why", ASSIGNMENT, ASSIGNMENT, student)
            grade.auto_score, grade.needs_manual_grade = 0, False
        book.db.commit()
    graders = [desk(name) for name in ("Kim", "Lee", "Max")]
    for one in graders:
        one.page.locator("tr", has_text="1.2 Why").get_by_role("link", name="Begin").click()
        one.wait()
    kim, lee, _ = graders
    numbers = [grader.page.locator("#number").inner_text() for grader in graders]
    assert len(set(numbers)) == 3
    expect(kim.page.locator("#notices")).to_be_empty()
    overview = kim.context.new_page()
    overview.goto(kim.place)
    row = overview.locator("tr", has_text="1.2 Why")
    expect(row.get_by_role("cell", name="Kim, Lee, Max")).to_be_visible()

    said = "All other answers are graded, or open: "
    for turn in range(len(left)):
        page = graders[turn % 3].page
        page.keyboard.press("1")
        page.keyboard.press("n")
        if turn < len(left) - 3:
            expect(page.locator("#number")).not_to_have_text(numbers[turn % 3])
            graders[turn % 3].wait()
            numbers[turn % 3] = page.locator("#number").inner_text()
        elif turn < len(left) - 1:
            expect(page.locator("#said")).to_contain_text(said)
        else:
            expect(page.locator("#said")).to_contain_text("Every answer is graded.")
    book = ManualGrading(Course(course), ASSIGNMENT)
    history = book.history("why")
    book.close()
    assert Counter(event.student for event in history) == dict.fromkeys(left, 1)
    overview.reload()
    expect(row).to_contain_text("40 of 40")
    assert row.locator(".graders").inner_text() == "Kim 4\nLee 4\nMax 4\nautograde 28"

    last = kim.page.locator("#number").inner_text().split()[1]
    lee.page.goto(f"{lee.place}grid/why")
    lee.page.get_by_role("link", name=re.compile(rf"Grade Answer {last}$")).click()
    lee.wait()
    expect(lee.page.locator("#notices")).to_have_text("Open now also by Kim")
    kim.page.clock.install()
    kim.page.clock.fast_forward(31_000)
    kim.page.keyboard.press("q")  # any key renews the lease, and tells who is there
    expect(kim.page.locator("#notices")).to_have_text("Open now also by Lee")


def test_graders_who_save_the_same_answer_see_both_versions(course, desk):
    kim, lee = desk("Kim"), desk("Lee")
    kim.open("why", CLASS[20])
    lee.open("why", CLASS[20])
    kim.page.keyboard.press("1")
    kim.saved()
    lee.page.keyboard.press("c")
    lee.page.keyboard.type("Mind the sign.")
    lee.page.keyboard.press("Escape")
    both = lee.page.get_by_role("dialog", name=re.compile("two versions"))
    expect(both).to_contain_text("In the meantime this answer was graded by Kim.")
    expect(both.locator("section").nth(0)).to_contain_text("right, with a reason.")
    expect(both.locator("section").nth(1)).to_contain_text("Mind the sign.")
    assert given(course, "why")[CLASS[20]].score == 1.5
    both.get_by_role("button", name="Later").click()
    expect(lee.page.locator("#state")).to_have_text("Not saved")
    expect(lee.page.locator("#comment")).to_have_value("Mind the sign.")
    lee.page.keyboard.press("3")
    expect(lee.page.locator("#score")).to_have_text("0.5")
    lee.page.get_by_role("button", name="Compare").click()
    both.get_by_role("button", name="Save yours").click()
    lee.saved()
    assert given(course, "why")[CLASS[20]].comment.endswith("Mind the sign.")

    page = kim.page
    page.keyboard.press("2")
    theirs = page.get_by_role("dialog", name=re.compile("two versions"))
    theirs.get_by_role("button", name="Keep the saved one").click()
    expect(page.locator("#comment")).to_have_value("Mind the sign.")
    assert pressed(page) == ["the reason only."]

    page.goto(f"{kim.place}student/{CLASS[20]}")
    expect(page.locator("#answers table").first.locator("tbody tr")).to_have_count(2)


# -- faults


def test_nothing_is_lost_without_a_server_or_a_login(course, tmp_path, server, desk):
    kim = desk()
    page = kim.open("why", SAME[0])
    held: list[Route] = []
    page.route("**/api/save/why", lambda route: held.append(route), times=1)
    page.keyboard.press("1")
    expect(page.locator("#state")).to_have_text("Saving…")
    page.get_by_label("Also for the 2 others of this group").check()
    page.keyboard.press("c")
    page.keyboard.type("Mind the sign.")
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    page.keyboard.press("Escape")
    expect(page.locator("#done-text")).to_have_text("3 of 40 graded")
    kim.saved()
    answers = given(course, "why")
    assert {(answers[s].score, answers[s].comment[-14:]) for s in SAME} == {(1.5, "Mind the sign.")}

    first = page.locator("#answer-text").inner_text()
    page.route("**/api/**", lambda route: route.abort())
    for _ in range(4):  # some answers are loaded ahead
        page.keyboard.press("j")
    expect(page.locator("#notices")).to_contain_text("The answer was not loaded")
    expect(page.locator("#marking")).to_be_hidden()
    page.unroute("**/api/**")
    kim.wait()  # nobody has clicked on "Try again"
    expect(page.locator("#notices")).not_to_contain_text("was not loaded")
    expect(page.locator("#score")).to_have_text("–")
    assert page.locator("#answer-text").inner_text() != first

    kim.open("why", CLASS[21])
    kim.context.clear_cookies()
    page.keyboard.press("2")
    expect(page.locator("#trouble")).to_contain_text("Log in in another tab")
    assert given(course, "why")[CLASS[21]].score is None
    other = kim.context.new_page()
    other.goto(f"{kim.place}?token={server.token}")
    name = other.get_by_role("dialog").get_by_role("textbox")
    name.fill("Kim")
    name.press("Enter")
    expect(other.get_by_role("dialog")).to_have_count(0)
    other.close()
    page.get_by_role("button", name="Try again").click()
    kim.saved()
    assert given(course, "why")[CLASS[21]].score == 1.0

    kim.open("why", CLASS[20])
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    page.keyboard.press("3")
    page.keyboard.press("c")
    page.keyboard.type("Typed in the dark.")
    page.keyboard.press("Escape")
    expect(page.locator("#state")).to_have_text("Not saved")
    expect(page.locator("#trouble")).to_contain_text("The server does not answer.")
    expect(page.locator("#score")).to_have_text("0.5")
    expect(page.locator("#of")).to_have_text("of 3")
    address = page.url
    page.once("dialog", lambda dialog: dialog.accept())  # "Leave the page?"
    with pytest.raises(Error, match="ERR_CONNECTION_REFUSED"):
        page.reload()  # so that only the draft is left when the server is back
    back = start_desk(course, tmp_path / "records", ASSIGNMENT, before=server)
    try:
        with contextlib.suppress(Error):  # Chromium may load the page again by itself just now
            page.goto(address)
        kim.wait()
        kim.saved()
        answer = given(course, "why")[CLASS[20]]
        assert answer.score == 0.5
        assert answer.comment.endswith("Typed in the dark.")
    finally:
        back.close()


# -- students' texts, and accessibility


def test_no_student_code_runs_and_no_page_breaks_its_policy(course, desk, console):
    html = '<h1 id="answer-text">Beside</h1><a href="https://evil.example/x">The solution</a>'
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": html}}
    edited(course, HOSTILE, lambda cells: cells[1].update(outputs=[output, cells[5]["outputs"][0]]))
    kim = desk()
    console.listen(kim.page)
    page = kim.open("why", HOSTILE)
    expect(page.locator("#beside h1")).to_have_text("Beside")
    seen = "e => [e.rel, e.target, getComputedStyle(e, '::after').content]"
    rel, target, shown = page.locator("#beside a").evaluate(seen)
    assert (rel, target) == ("noopener noreferrer", "_blank")
    assert "evil.example" in shown
    expect(page.locator("#answer")).to_contain_text(f"Item {fits(HOSTILE)} fits.")
    assert "window.ran" not in page.locator("#answer-text").inner_text()
    expect(page.locator("#answer-text math")).to_have_count(1)
    page.keyboard.press("c")
    page.keyboard.type("<script>window.ran = 3</script><img src=x onerror='window.ran = 4'>")
    page.keyboard.press("Control+Enter")
    kim.saved()
    for path in PAGES:
        page.goto(kim.place + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.ran") is None, path
        assert page.locator("main b").count() == 0, path  # from a name
    assert console.ours() == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (640, "light")])  # 640: at 200 %
def test_an_audit_has_no_serious_finding_and_answers_fit(desk, width, scheme):
    viewport = {"width": width, "height": 800}
    kim = desk(viewport=viewport, bypass_csp=True, color_scheme=scheme)
    page = kim.open("why", CLASS[20])
    page.keyboard.press("1")
    page.keyboard.press("r")
    page.keyboard.type("Look")
    page.keyboard.press("Escape")
    kim.saved()
    below = """() => [document.documentElement, ...document.querySelectorAll("main > *")]
        .filter(e => e.scrollHeight > e.clientHeight + 1).map(e => e.id || e.tagName)"""
    found = {}
    for path in PAGES:
        page.goto(kim.place + path)
        page.wait_for_load_state("networkidle")
        found[path] = troubles(page)
        if path.startswith("grade/") and width == 1280:
            found[path] += page.evaluate(below)
    kim.open("plot")
    for key, name in (("e", "editor"), ("?", "help")):
        page.keyboard.press(key)
        expect(page.get_by_role("dialog")).to_be_visible()
        found[name] = troubles(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    assert [(path, one) for path, several in found.items() for one in several] == []
