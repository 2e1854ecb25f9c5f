"""A grader opens a function's answer, comments on a line of it, and takes a point."""

import csv
import re
from pathlib import Path

import pytest
from audit import findings, sideways
from desk_class import Desk, logging_in
from mistakes_class import ASSIGNMENT, write_wrong_class
from playwright.sync_api import Page, expect
from server import start_desk

from hw_grading.__main__ import main

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

ADA = "student005"  # her slope is 1 at 0: 2 of 3 points for `relu`
WORST = "=1+1 **Why** `>=`? <img src=x onerror='window.ran = 1'> [x](javascript:run()) $x^2$"


@pytest.fixture
def root(tmp_path):
    write_wrong_class(tmp_path / "course", 20, alone=3)
    return tmp_path / "course"


@pytest.fixture
def desks(browser, root, tmp_path):
    """Log a grader in."""
    server = start_desk(root, tmp_path / "records", ASSIGNMENT)
    with logging_in(browser, server, assignment=ASSIGNMENT, bypass_csp=True) as log_in:
        yield log_in
    server.close()


def reading(desk: Desk, cell: str = "relu") -> Page:
    desk.page.goto(f"{desk.place}read/{cell}?student={ADA}")
    expect(desk.page.locator("#answer[aria-busy]")).to_have_count(0)
    return desk.page


def feedback(root: Path) -> dict[str, tuple[int, str]]:
    """Write the pages that are missing or old; return when each was written, and its text."""
    assert main(["--course", str(root), "feedback", ASSIGNMENT]) == 0
    pages = root.glob(f"feedback/*/{ASSIGNMENT}/{ASSIGNMENT}.html")
    return {page.parts[-3]: (page.stat().st_mtime_ns, page.read_text()) for page in pages}


@pytest.mark.smoke
def test_a_line_is_commented_on_and_a_point_is_taken_by_keyboard(root, desks, tmp_path):
    before = feedback(root)
    kim, errors = desks("Kim"), []
    page = kim.page
    page.on("pageerror", lambda error: errors.append(str(error)))
    keys = page.keyboard
    page.goto(f"{kim.place}student/{ADA}")
    page.locator("#answers").get_by_role("link", name="1.1 ReLU").focus()
    keys.press("Enter")
    expect(page.locator("#answer li")).to_have_count(3)
    expect(page.locator("#who")).not_to_contain_text("Ada")
    parts = page.get_by_role("region", name="Parts of the tests")
    lost = re.compile("slope0 of 1slope: 2 of 12 entries are wrong")
    expect(parts.locator("tbody tr")).to_have_text([re.compile("values2 of 2passed"), lost])

    page.get_by_role("button", name="Comment on line 1").focus()
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.get_by_label("Comment for the student on line 3")).to_be_focused()
    keys.type(WORST)
    expect(page.locator("#preview math")).to_be_visible()
    keys.press("Control+Enter")
    note = page.locator("#answer li[data-line='3'] .given")
    expect(note).to_contain_text("Kim")
    expect(note).to_contain_text("**Why** >=? <img src=x")
    expect(page.get_by_role("button", name="Comment on line 3", exact=True)).to_be_focused()

    tests = page.locator(".card", has=page.get_by_role("heading", name="Tests", exact=True))
    tests.get_by_role("button", name="Half a point less").focus()
    keys.press("Enter")
    keys.press("Enter")
    expect(tests.get_by_label("to", exact=True)).to_have_value("1")
    tests.get_by_label("because (students read this)").focus()
    keys.type("=1+1 <b>A loop</b> was asked for.")
    keys.press("Enter")
    expect(tests.locator("tbody tr")).to_contain_text("1 of 3 (2 by the test)")

    after = feedback(root)
    assert {who for who in after if after[who] != before[who]} == {ADA}
    page.set_content(after[ADA][1])
    said = page.locator(".answer .code + .remark")
    expect(said).to_contain_text("Your grader, on line 3")
    expect(said).to_contain_text("=1+1 **Why** >=? <img src=x")
    expect(said.locator("math")).to_have_count(1)
    expect(said.locator("img, a")).to_have_count(0)
    expect(page.locator(".answer .code").first).to_have_text(re.compile("^def relu.*slope$", re.S))
    expect(page.locator(".box").first).to_contain_text("1 comment by your grader, at your answer")
    expect(page.locator(".box").first).to_contain_text("you alone: =1+1 <b>A loop</b> was")
    assert page.evaluate("window.ran") is None
    table = tmp_path / "out.csv"
    words = ["export", ASSIGNMENT, "--format", "questions", "--output", str(table)]
    assert main(["--course", str(root), *words]) == 0
    with table.open(newline="", encoding="utf-8-sig") as file:
        rows = {one["student_id"]: one for one in csv.DictReader(file)}
    assert (float(rows[ADA]["score"]), float(rows["student000"]["score"])) == (3, 2)  # she had 4
    assert not any(value.startswith("=") for value in rows[ADA].values())
    assert "1+1 <b>A loop</b> was asked for." in rows[ADA]["why_corrections"]
    assert errors == []


def test_earlier_words_are_offered_and_the_later_of_two_graders_chooses(root, desks):
    kim, lee = desks("Kim"), desks("Lee")
    page = reading(kim)
    page.get_by_role("button", name="Comment on all").click()
    page.keyboard.type("The slope at zero is zero: use x > 0.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#notes .given")).to_contain_text("use x > 0")

    other = reading(lee)
    other.get_by_role("button", name="Comment on line 2", exact=True).click()
    other.keyboard.type("your slope at zer")  # in another order, with a word that is not there
    offered = other.locator("#used").get_by_role("button", name="The slope at zero is zero")
    other.keyboard.press("ArrowDown")
    expect(offered).to_be_focused()
    offered.click()
    expect(other.locator("#comment")).to_have_value("The slope at zero is zero: use x > 0.")
    other.keyboard.press("Control+Enter")
    expect(other.locator("li[data-line='2'] .given")).to_contain_text("Lee")

    page.get_by_role("button", name="Comment on line 2", exact=True).click()
    page.keyboard.type("Mine.")
    page.keyboard.press("Control+Enter")
    dialog = page.get_by_role("dialog", name="Two versions")
    expect(dialog).to_contain_text("Lee wrote a comment here in the meantime.")
    dialog.get_by_role("button", name="Save yours").click()
    expect(page.locator("li[data-line='2'] .given")).to_contain_text("Mine.")

    path = root / "autograded" / ADA / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    path.write_text(path.read_text().replace("slope = ", "grad = "), encoding="utf-8")
    page = reading(kim)  # she submitted again
    expect(page.locator("#answer .given")).to_have_count(0)
    older = page.locator("#notes .given", has_text="Mine.")
    expect(older).to_contain_text("About an earlier version of the answer.On line 2. Kim")
    older.get_by_role("button", name="Change").click()
    page.keyboard.press("Control+Enter")  # it is still right
    expect(page.locator("li[data-line='2'] .given")).to_contain_text("Mine.")
    page.get_by_role("button", name="Change the comment on line 2").click()
    page.locator("#comment").fill("")
    page.keyboard.press("Control+Enter")
    expect(page.locator("li[data-line='2'] .given")).to_have_count(0)
    history = page.locator("#history tbody tr")
    expect(history).to_have_count(5)
    expect(history.first).to_contain_text("Kimcomment removed")
    expect(history.nth(3)).to_contain_text("Leecommentcomment on line 2: The slope")


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (640, "dark"), (400, "light")])
def test_the_page_has_no_finding_and_fits_the_window(width, scheme, desks):
    kim = desks("Kim")
    kim.page.set_viewport_size({"width": width, "height": 800})
    kim.page.emulate_media(color_scheme=scheme)
    page = reading(kim)
    for line, text in ((2, "Here `x > 0`."), (3, "Two $x^2$")):
        page.get_by_role("button", name=f"Comment on line {line}", exact=True).click()
        page.keyboard.type(text)
        if line == 2:
            page.keyboard.press("Control+Enter")
            expect(page.locator("li[data-line='2'] .given")).to_be_visible()
    expect(page.locator("#preview math")).to_be_visible()
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 640:  # the window at 200 %
        for_the_ear = re.compile(r"\w+ (.* )?(unseen|skip)\b.*: \d+ > 1$")
        wide = [one for one in sideways(page) if not for_the_ear.match(one)]
        assert [one for one in wide if not one.startswith("DIV scroll")] == []
