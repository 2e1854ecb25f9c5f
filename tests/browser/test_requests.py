"""A request is walked from the page of feedback to the reply in the next one, by real commands."""

import json
import os
import sys
from contextlib import closing
from pathlib import Path

import nbformat
import pytest
from audit import findings, sideways
from desk_class import Desk
from lab import PATIENCE
from playwright.sync_api import Page, expect
from server import ROOT, start_desk

sys.path.append(str(ROOT / "tests" / "grading"))

from platforms import packed
from toy_course import ASSIGNMENT, ToyCourse, write_manifest

from hw_grading.__main__ import main
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.model import Mark
from hw_grading.gradebook.scores import open_gradebook
from hw_grading.gradebook.tables import REQUESTS

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

ROSTER = "id,name,canvas_id\nann,Ann Lee,701\nbob,Bob Jones,702\n"
WORST = "Twice 0 is 0: <script>window.ran = 1</script> **is** $x$ right?\nSee [me](javascript:1)."


class Walk:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.course, self._capsys = ToyCourse.make(folder / "course"), capsys
        self.root, self.downloads = self.course.root, folder
        write_manifest(self.root, '[requests]\nmost = 2\nuntil = "2099-12-31"\n')
        (self.root / "students.csv").write_text(ROSTER)

    def type(self, *words: object) -> int:
        status = main(["--course", str(self.root), *map(str, words)])
        out = self._capsys.readouterr()
        self.said = out.out + out.err
        return status

    def collect(self, *files: tuple[str, bytes]) -> int:
        download = self.downloads / "submissions.zip"
        download.write_bytes(packed(*files))
        return self.type("collect", ASSIGNMENT, download, "--yes")

    def mark(self, student: str, grader: str, points: float) -> None:
        with closing(ManualGrading(self.course.course, ASSIGNMENT)) as book:
            for cell in ("why", "sketch"):
                version = {student: book.grading(cell, student).version}
                mark = Mark(adjustment=points, done=True)
                revision = book.rubric(cell).revision
                book.save(cell, version, mark, grader=grader, rubric_revision=revision)

    def page(self) -> Path:
        return self.course.course.feedback("ann", ASSIGNMENT) / "hw2.html"

    def rows(self) -> list:
        with open_gradebook(self.course.course.db_url, ASSIGNMENT) as (db, _):
            return [dict(row._mapping) for row in db.execute(REQUESTS.select())]


def look(page: Page, name: str) -> None:
    """Take pictures for a person who looks at them, if a folder is named."""
    if folder := os.environ.get("HW_PICTURES"):
        for width in (400, 1200):
            page.set_viewport_size({"width": width, "height": 800})
            page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)


def test_a_request_is_typed_collected_answered_and_read(browser, tmp_path, capsys):
    walk = Walk(tmp_path, capsys)
    answers = {"ann": "def double(x):\n    return x * x", "bob": "def double(x):\n    return 2 * x"}
    notebooks = {
        s: nbformat.writes(walk.course.answer(double=d)).encode() for s, d in answers.items()
    }
    names = {"ann": "leeann_701_9001_hw2", "bob": "jonesbob_702_9002_hw2"}
    assert walk.collect(*((f"{names[s]}.ipynb", notebooks[s]) for s in names)) == 0
    assert walk.course.grade().returncode == 0
    walk.mark("ann", "Kim", 2.5)
    walk.mark("bob", "Lee", 4.0)
    assert walk.type("feedback", ASSIGNMENT) == 0

    # Ann asks by keyboard, on the page as it is.
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    problems = []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.goto(walk.page().as_uri())
    keys = page.keyboard
    for question, words in (("double", WORST), ("why", "I said so.")):
        page.locator("details.ask", has=page.locator(f"[name*={question}]")).locator(
            "summary"
        ).focus()
        keys.press("Enter")
        keys.press("Tab")
        if page.evaluate("document.activeElement.name") != question:
            page.locator(f"textarea[name*={question}]").focus()
        keys.insert_text(words)
    look(page, "page")
    page.get_by_role("button", name="Save hw2-request.json").focus()
    with page.expect_download() as saving:
        keys.press("Enter")
    assert saving.value.suggested_filename == "hw2-request.json"
    request = Path(saving.value.path()).read_bytes()
    expect(page.locator("output")).to_contain_text("with 2 of your questions")
    look(page, "page-saved")
    file = json.loads(request)
    assert (file["homework"], file["student"]) == (ASSIGNMENT, "ann")
    assert {name: one["text"] for name, one in file["questions"].items()} == {
        "test_double": WORST,
        "why": "I said so.",
    }
    assert not {b"Kim", b"Lee"} & {*request.split(b'"')}
    page.locator("textarea[name=sketch]").evaluate("field => (field.value = 'And this?')")
    page.get_by_role("button", name="Save hw2-request.json").click()
    expect(page.locator("output")).to_contain_text("3 of at most 2 questions")
    assert problems == []
    page.close()

    # Without scripts, the same file is there to be filled in.
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto(walk.page().as_uri())
    expect(page.locator("details.ask").first).to_be_hidden()
    with page.expect_download() as saving:
        page.get_by_role("link", name="hw2-request.json").click()
    empty = json.loads(Path(saving.value.path()).read_bytes())
    assert empty["questions"]["why"] == file["questions"]["why"] | {"text": ""}
    plain.close()

    # The file comes from Canvas, alone. Bob hands in Ann's too, and it is refused.
    files = [(f"{names[s]}-request.json".replace("_900", "_910"), request) for s in names]
    assert walk.collect(*files) == 1
    assert "ann: asks about" in walk.said
    assert "it is about the points of 'ann', and bob handed it in" in walk.said
    assert [(row["student"], row["cell"], row["graded_by"]) for row in walk.rows()] == [
        ("ann", "test_double", ""),
        ("ann", "why", "Kim"),
    ]
    assert walk.collect(files[0]) == 0  # again
    assert {row["revision"] for row in walk.rows()} == {1}
    walk.type("report", ASSIGNMENT)
    assert "requests about points: 2 open, 0 with a reply" in walk.said
    assert "2 requests about points without a reply (1): ann" in walk.said

    # Kim replies about the test and gives points; Kim's own mark is Lee's to look at.
    server = start_desk(walk.root, tmp_path / "records", ASSIGNMENT)
    try:
        kim = Desk(browser, server, "Kim", ASSIGNMENT, bypass_csp=True)
        page = kim.page
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{kim.place}requests")
        cards = page.locator(".card")
        expect(cards).to_have_count(2)
        expect(cards.nth(1)).to_contain_text("Somebody else should reply, if they can: Lee.")
        expect(cards.nth(0).locator(".words").first).to_have_text(WORST)
        for card in cards.all():
            card.locator("summary").focus()
            page.keyboard.press("Enter")
        expect(cards.nth(0)).to_contain_text("return x * x")
        expect(cards.nth(0)).to_contain_text("AssertionError")
        expect(cards.nth(1)).to_contain_text("2.5  adjustment")
        assert findings(page) == []
        look(page, "desk")
        for width in (400, 1200):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        cards.nth(0).get_by_label("Reply, which the student reads").focus()
        page.keyboard.insert_text("You are right: `double(0)` is 0.")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Save the reply"
        cards.nth(0).get_by_label("Points").fill("1")
        page.keyboard.press("Enter")
        expect(page.locator("#said")).to_contain_text("Saved.")
        expect(cards.nth(0)).to_contain_text("Reply by Kim")
        expect(cards.nth(0).locator("h2")).to_contain_text("1 of 2")
        stale = {"revision": 1, "words": "Mine", "points": None}
        answer = page.evaluate(
            """async ([where, said]) => {
                const token = document.cookie.match(/_xsrf=([^;]*)/)[1];
                const how = {method: "POST", headers: {"X-XSRFToken": token}};
                return (await fetch(where, {...how, body: JSON.stringify(said)})).json();
            }""",
            [f"{kim.place}api/request/test_double/ann", stale],
        )
        assert answer["message"].startswith("Kim changed it in the meantime")
        kim.close()
        walk.mark("ann", "Lee", 3.5)
        lee = Desk(browser, server, "Lee", ASSIGNMENT, bypass_csp=True)
        lee.page.goto(f"{lee.place}requests")
        card = lee.page.locator(".card", has_text="I said so.")
        expect(card.get_by_role("link", name="Change the mark")).to_have_attribute(
            "href", f"/hw-grading/{ASSIGNMENT}/grade/why?student=ann"
        )
        expect(card).to_contain_text("The points or the comment have changed")
        card.get_by_label("Reply, which the student reads").fill("It says so now: one point more.")
        card.get_by_role("button", name="Save the reply").click()
        expect(card).to_contain_text("Reply by Lee")
        look(lee.page, "desk-replied")
        lee.close()
    finally:
        server.close()
    assert problems == []

    # Ann reads the replies, and nothing is open.
    assert walk.type("feedback", ASSIGNMENT) == 0
    assert "Pages that changed (1): ann" in walk.said
    page = browser.new_page(bypass_csp=True)
    page.goto(walk.page().as_uri())
    expect(page.locator(".asked")).to_have_count(2)
    expect(page.locator(".asked").first.locator(".words")).to_have_text(WORST)
    expect(page.locator(".asked").first.locator("code")).to_have_text("double(0)")
    expect(page.locator(".changed")).to_contain_text("After your request")
    assert "Kim" not in page.content()
    assert page.evaluate("window.ran") is None
    assert {one.get_attribute("name") for one in page.locator(".ask textarea").all()} == {
        "sketch",
        "test_triple",
        "test_triple_sum",
    }
    for one in page.locator("details.ask").all():
        one.evaluate("box => (box.open = true)")
    assert findings(page) == []
    look(page, "page-replied")
    page.set_viewport_size({"width": 400, "height": 800})
    assert sideways(page) == []
    page.close()
    walk.type("report", ASSIGNMENT)
    assert "requests about points: 0 open, 2 with a reply" in walk.said
    assert "without a reply" not in walk.said
    assert walk.collect(files[0]) == 0  # what has its reply is not asked again
    changed = request.replace(b"I said so.", b"But I said so!")
    assert walk.collect((files[0][0], changed)) == 1
    assert "it has its reply already, and one asks once about a question" in walk.said
    assert walk.type("remove", "ann", "--yes") == 0
    assert walk.rows() == []
