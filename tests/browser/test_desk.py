"""People grade a class of 40 on the desk: by keyboard, together, and while the server fails."""

import contextlib
import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from audit import broken_words, findings, sideways
from desk_class import (
    ASSIGNMENT,
    BLANK,
    CLASS,
    HOSTILE,
    POINTS,
    SAME,
    Desk,
    fits,
    given,
    write_class,
)
from lab import PATIENCE
from playwright.sync_api import Browser, Error, Page, Route, expect
from server import Server, start_desk

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    # These warnings come from nbgrader's code.
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]

SAVES = 10_000
ROOM = [{"width": 1280, "height": 800}, {"width": 640, "height": 800}]  # the second: at 200 %
PAGES = ["", "grade/why?student=student06", "grade/plot", "grid/plot", "grid/why", "statistics"]
PAGES += ["flagged", "student/student06"]


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
    opened: list[Desk] = []

    def log_in(name: str = "Kim", **settings: object) -> Desk:
        opened.append(Desk(browser, server, name, **settings))
        opened[-1].page.set_default_timeout(PATIENCE)
        return opened[-1]

    yield log_in
    for one in opened:
        one.close()


def troubles(page: Page) -> list[str]:
    """Audit a page, and find visible texts that need horizontal scrolling."""
    for_the_ear = re.compile(r"\w+ (.* )?(unseen|skip)\b.*: \d+ > 1$")
    return findings(page) + [found for found in sideways(page) if not for_the_ear.match(found)]


def pressed(page: Page) -> list[str]:
    """Return the texts of the items that apply."""
    return page.locator("#items button[aria-pressed=true] .text").all_inner_texts()


# -- one grader


def test_a_class_of_40_is_graded_by_keyboard_alone_with_2_keys_an_answer(
    course: Path, desk: Callable[..., Desk]
) -> None:
    kim = desk()
    page = kim.open("why")
    keys = 0
    for number in range(len(CLASS)):
        expect(page.locator("#done-text")).to_have_text(f"{number} of 40 graded")
        kim.wait()
        before = page.locator("#number").inner_text()
        text = page.locator("#answer-text").inner_text()
        item = re.search(r"(?i)item (\d)", text)
        page.keyboard.press(item[1] if item else "4")
        page.keyboard.press("n")
        keys += 2
        if number < len(CLASS) - 1:
            expect(page.locator("#number")).not_to_have_text(before)
    expect(page.locator("#done-text")).to_have_text("40 of 40 graded")
    kim.saved()
    assert keys == 2 * len(CLASS)
    scores = {student: answer.score for student, answer in given(course, "why").items()}
    assert scores == {student: POINTS[fits(student) - 1] for student in CLASS}
    assert not any(answer.waits for answer in given(course, "why").values())


@pytest.mark.smoke
def test_each_key_does_what_the_help_says(course: Path, desk: Callable[..., Desk]) -> None:
    kim = desk()
    page = kim.open("why", CLASS[9])
    keys = page.keyboard
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    keys.press("1")  # a dialog is open
    keys.press("Escape")
    assert pressed(page) == []
    keys.press("3")
    keys.press("+")
    kim.saved()
    expect(page.locator("#score")).to_have_text("1")
    keys.press("-")
    keys.press("-")
    expect(page.locator("#score")).to_have_text("0")
    keys.press("0")
    expect(page.locator("#score")).to_have_text("3")
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
    expect(page.get_by_label("Why it is flagged")).to_be_focused()
    expect(page.locator("#flag-line")).to_contain_text("Enter: go on")
    keys.type("copied?")
    keys.press("Enter")
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Esc or Enter: leave the field")
    keys.press("Escape")
    kim.saved()
    here = page.locator("#number").inner_text()
    page.goto(f"{kim.place}flagged")
    expect(page.locator("#flagged tbody tr")).to_contain_text(
        f"1.2 Why{here.removesuffix(' of 40')}copied?Kim"
    )
    kim.open("why", CLASS[9])
    step = "k" if here.startswith("Answer 40") else "j"
    keys.press(step)
    expect(page.locator("#number")).not_to_have_text(here)
    kim.wait()
    expect(page.locator("#state")).to_have_text("")  # "Saved" was said of the other answer
    keys.press("j" if step == "k" else "k")
    expect(page.locator("#number")).to_have_text(here)
    kim.wait()
    expect(page.locator("#comment")).to_have_value("n0j1 $x^2$")
    keys.press("u")
    expect(page.locator("#flag")).to_have_attribute("aria-pressed", "true")  # only the note is gone
    keys.press("g")
    expect(page.locator("#tiles li")).to_have_count(40)


def test_identical_and_blank_answers_are_graded_at_once(
    course: Path, desk: Callable[..., Desk]
) -> None:
    kim = desk()
    page = kim.open("why", SAME[0])
    page.get_by_label("Also for 2 identical answers").check()
    page.locator("#items button").first.click()
    kim.saved()
    page.keyboard.press("g")
    page.get_by_role("button", name="Empty (3)").click()
    page.keyboard.press("4")
    page.keyboard.press("s")
    expect(page.locator("#said")).to_have_text("Saved: 3 answers.")
    scores = {student: answer.score for student, answer in given(course, "why").items()}
    assert {student: score for student, score in scores.items() if score is not None} == {
        **dict.fromkeys(SAME, 1.5),
        **dict.fromkeys(BLANK, 0.0),
    }


def test_answers_are_selected_and_grouped_by_hand_with_the_keyboard(
    desk: Callable[..., Desk],
) -> None:
    kim = desk()
    page = kim.page
    page.goto(f"{kim.place}grid/plot")
    expect(page.locator("#tiles li")).to_have_count(len(CLASS))
    page.locator("#tiles a").first.focus()
    for key in ("ArrowRight", "Space", "ArrowRight", "ArrowRight", "Space"):
        page.keyboard.press(key)
    expect(page.get_by_role("heading", name="2 answers selected")).to_be_visible()
    page.get_by_label("Group", exact=True).fill("odd scale")
    page.get_by_role("button", name="Put into this group").click()
    expect(page.locator("#selection")).to_be_hidden()
    page.get_by_role("button", name="odd scale (2)").click()
    page.keyboard.press("2")
    page.keyboard.press("s")
    expect(page.locator("#said")).to_have_text("Saved: 2 answers.")
    expect(page.locator("#tiles .score:not(.waits)")).to_have_text(["1", "1"])
    page.get_by_role("button", name="Undo").click()  # still reachable when nothing is selected
    expect(page.locator("#said")).to_have_text("Undone: 2 answers.")
    expect(page.locator("#tiles .score:not(.waits)")).to_have_count(0)


def test_identical_answers_that_are_added_while_a_save_is_on_its_way_are_saved_too(
    course: Path, desk: Callable[..., Desk]
) -> None:
    kim = desk()
    page = kim.open("why", SAME[0])
    held: list[Route] = []
    page.route("**/api/save/why", lambda route: held.append(route), times=1)
    page.keyboard.press("1")
    expect(page.locator("#state")).to_have_text("Saving…")
    page.get_by_label("Also for 2 identical answers").check()
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(page.locator("#done-text")).to_have_text("3 of 40 graded")
    kim.saved()
    assert {given(course, "why")[student].score for student in SAME} == {1.5}


def test_a_comment_that_is_typed_during_a_save_is_saved_once(desk: Callable[..., Desk]) -> None:
    kim = desk()
    kim.page.clock.install()
    page = kim.open("why", CLASS[20])
    page.clock.pause_at("2100-01-01")  # it stands still, so no pause in typing ends
    kim.wait()
    saves: list[Route] = []
    page.route("**/api/save/why", lambda route: saves.append(route))
    page.keyboard.press("1")
    page.keyboard.press("c")
    page.keyboard.type("Mind")
    while not saves:
        page.wait_for_timeout(20)
    with page.expect_response("**/api/save/why"):
        saves[0].continue_()
    expect(page.locator("#done-text")).to_have_text("1 of 40 graded")
    page.keyboard.type(" the sign.")
    assert len(saves) == 1
    page.keyboard.press("Escape")
    while len(saves) < 2:
        page.wait_for_timeout(20)
    saves[1].continue_()
    kim.saved()
    assert [route.request.post_data_json["mark"]["comment"] for route in saves] == [
        "",
        "Mind the sign.",
    ]


def test_a_grader_who_finished_a_share_gets_a_notice(
    desk: Callable[..., Desk],
) -> None:
    kim = desk()
    page = kim.page
    page.get_by_role("button", name="Hand out…").first.click()
    page.get_by_label("Graders").fill("Kim\nLee")
    page.get_by_role("dialog").get_by_role("button", name="Hand out").click()
    expect(page.get_by_text("yours: 0 of 20")).to_be_visible()
    page.get_by_role("link", name="Begin").first.click()
    for number in range(20):
        expect(page.locator("#done-text")).to_contain_text(f"{number} of 20 of yours")
        kim.wait()
        before = page.locator("#number").inner_text()
        page.keyboard.press("1")
        page.keyboard.press("n")
        expect(page.locator("#number")).not_to_have_text(before)
    expect(page.locator("#said")).to_have_text(
        "Your share is graded. This answer is in the share of Lee."
    )


def test_a_changed_rubric_shows_what_it_changes_scores_anew_and_is_undone(
    course: Path, desk: Callable[..., Desk]
) -> None:
    kim = desk()
    page = kim.open("why", SAME[0])
    page.get_by_label("Also for 2 identical answers").check()
    page.keyboard.press("2")
    kim.saved()
    page.keyboard.press("e")
    editor = page.get_by_role("dialog", name="Edit the rubric")
    editor.get_by_label("Points", exact=True).nth(1).fill("1,5")
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
    expect(page.locator("#score")).to_have_text("1.5")
    expect(page.locator("#items")).to_contain_text("A slip")
    assert {given(course, "why")[student].score for student in SAME} == {1.5}
    said.get_by_role("button", name="Undo").click()
    expect(page.locator("#score")).to_have_text("1")
    expect(page.locator("#items")).not_to_contain_text("A slip")
    assert {given(course, "why")[student].score for student in SAME} == {1.0}


def test_a_rubric_whose_items_can_change_no_score_is_not_saved(desk: Callable[..., Desk]) -> None:
    kim = desk()
    page = kim.open("why", SAME[0])
    page.keyboard.press("e")
    editor = page.get_by_role("dialog", name="Edit the rubric")
    editor.get_by_label("start at 3 and are taken off").check()
    editor.get_by_role("button", name="Save").click()
    expect(editor.get_by_role("alert")).to_have_text(
        "Points are taken off, but no item has negative points. To take off one point, write -1."
    )
    first = editor.get_by_label("Points", exact=True).first
    expect(first).to_be_focused()
    first.fill("-1.125")
    editor.get_by_role("button", name="Save").click()
    expect(editor).to_have_count(0)
    expect(page.locator("#items .points").first).to_have_text("\N{MINUS SIGN}1.125")
    assert broken_words(page) == []


# -- several


def test_a_student_is_found_without_accents_and_in_any_order_of_the_names(
    course: Path, desk: Callable[..., Desk]
) -> None:
    """All names of this class are like "Ada <b> Number 05"."""
    page = desk("Kim").page
    found = page.locator("#found li")
    for typed in ("number 05 ada", "Númber 05", CLASS[5]):
        page.locator("#find").fill(typed)
        expect(found).to_have_count(1)
        expect(found).to_contain_text("Number 05")
    page.locator("#find").fill("nobody 05")
    expect(found).to_have_text("No student has this name or id.")


def test_two_graders_who_go_on_are_not_led_to_the_same_answer(
    course: Path, desk: Callable[..., Desk]
) -> None:
    graders = [desk("Kim"), desk("Lee")]
    for one in graders:
        one.page.clock.install()
        one.page.clock.pause_at("2100-01-01")  # so a page does not ask again where the others are
        one.open("why")
    kim, lee = (one.page.locator("#number") for one in graders)

    def are_apart() -> None:
        """Wait until they are at different answers. Both can still be on the way to theirs."""
        while kim.inner_text() == lee.inner_text():
            lee.page.wait_for_timeout(20)

    are_apart()
    for _ in range(3):
        for one, number in zip(graders, (kim, lee), strict=True):
            before = number.inner_text()
            one.page.keyboard.press("n")
            expect(number).not_to_have_text(before)
            are_apart()


def test_a_grader_is_not_led_to_answers_that_another_has_just_graded(
    course: Path, desk: Callable[..., Desk]
) -> None:
    kim, lee = desk("Kim"), desk("Lee")
    order = lee.open("why").locator("#number").inner_text()
    assert order.startswith("Answer 1 ")
    kim.page.clock.install()
    kim.page.clock.pause_at("2100-01-01")  # so the page does not load the list of answers again
    kim.open("why")
    expect(kim.page.locator("#number")).to_contain_text("Answer 2 ")
    kim.page.wait_for_load_state("networkidle")  # so the server knows where Kim is
    for answer in (1, 3, 4):
        expect(lee.page.locator("#number")).to_contain_text(f"Answer {answer} ")
        lee.wait()
        lee.page.keyboard.press("1")
        lee.saved()
        lee.page.keyboard.press("n")
    expect(lee.page.locator("#number")).to_contain_text("Answer 5 ")
    kim.page.keyboard.press("n")
    expect(kim.page.locator("#number")).to_contain_text("Answer 6 ")


def test_two_graders_who_save_the_same_answer_see_both_versions(
    course: Path, desk: Callable[..., Desk], picture: Callable[[str], None]
) -> None:
    kim, lee = desk("Kim"), desk("Lee")
    kim.open("why", CLASS[20])
    lee.open("why", CLASS[20])
    expect(lee.page.locator("#here")).to_contain_text("Kim is at this answer too")
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

    kim.page.keyboard.press("2")
    theirs = kim.page.get_by_role("dialog", name=re.compile("two versions"))
    theirs.get_by_role("button", name="Keep the saved one").click()
    expect(kim.page.locator("#comment")).to_have_value("Mind the sign.")
    assert pressed(kim.page) == ["the reason only."]
    kim.page.goto(f"{kim.place}student/{CLASS[20]}")
    expect(kim.page.locator("#answers table").first.locator("tbody tr")).to_have_count(2)


def test_a_conflict_on_the_grid_has_a_link_to_the_answer_and_hides_no_button(
    course: Path, desk: Callable[..., Desk]
) -> None:
    kim, lee = desk("Kim"), desk("Lee")
    page = kim.page
    page.goto(f"{kim.place}grid/why")
    expect(page.locator("#tiles li")).to_have_count(len(CLASS))
    page.get_by_role("button", name="Empty (3)").click()
    page.keyboard.press("4")
    lee.open("why", BLANK[0])
    lee.page.keyboard.press("1")
    lee.saved()
    page.keyboard.press("s")
    said = page.locator("#said")
    expect(said).to_contain_text("Saved: 2 answers. Not saved: 1 answer.")
    message = said.bounding_box()
    for place in ("#top", "#selection"):
        other = page.locator(place).bounding_box()
        above = message["y"] + message["height"] <= other["y"]
        assert above or other["y"] + other["height"] <= message["y"], place
    said.get_by_role("link", name="Answer").click()
    kim.wait()
    expect(page.locator("#score")).to_have_text("1.5")
    assert given(course, "why")[BLANK[0]].score == 1.5


def test_a_rubric_that_somebody_else_changed_is_shown_before_it_is_used(
    course: Path, desk: Callable[..., Desk]
) -> None:
    kim, lee = desk("Kim"), desk("Lee")
    kim.open("why", CLASS[20])
    lee.open("why", CLASS[21])
    kim.page.keyboard.press("e")
    editor = kim.page.get_by_role("dialog", name="Edit the rubric")
    editor.get_by_label("Text").first.fill("Right, and says why")
    editor.get_by_label("Points", exact=True).first.fill("2.5")
    editor.get_by_role("button", name="Save").click()
    expect(editor).to_have_count(0)
    lee.page.keyboard.press("1")
    changed = lee.page.get_by_role("dialog", name="The rubric was changed")
    expect(changed).to_contain_text("+2.5Right, and says whywas +1.5")
    assert given(course, "why")[CLASS[21]].score is None
    changed.get_by_role("button", name="Save with this rubric").click()
    lee.saved()
    expect(lee.page.locator("#score")).to_have_text("2.5")
    assert given(course, "why")[CLASS[21]].score == 2.5


# -- faults


def test_text_typed_while_the_server_is_down_is_kept_and_saved_later(
    course: Path, tmp_path: Path, server: Server, desk: Callable[..., Desk]
) -> None:
    kim = desk()
    page = kim.open("why", CLASS[20])
    server.close()
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


def test_an_answer_that_was_not_loaded_shows_no_other_marks_and_is_loaded_later(
    desk: Callable[..., Desk],
) -> None:
    kim = desk()
    page = kim.open("why", CLASS[20])
    page.keyboard.press("3")
    kim.saved()
    first = page.locator("#answer-text").inner_text()
    page.route("**/api/**", lambda route: route.abort())
    for _ in range(4):  # some answers are loaded ahead
        page.keyboard.press("j")
    expect(page.locator("#notices")).to_contain_text("The answer was not loaded")
    expect(page.locator("#work:not([aria-busy])")).to_be_visible()
    expect(page.locator("#marking")).to_be_hidden()
    page.unroute("**/api/**")
    kim.wait()  # nobody has clicked on "Try again"
    expect(page.locator("#notices")).not_to_contain_text("was not loaded")
    expect(page.locator("#score")).to_have_text("–")
    assert page.locator("#answer-text").inner_text() != first


def test_text_typed_after_the_login_ended_is_kept(
    course: Path, server: Server, desk: Callable[..., Desk]
) -> None:
    kim = desk()
    page = kim.open("why", CLASS[20])
    kim.context.clear_cookies()
    page.keyboard.press("2")
    expect(page.locator("#trouble")).to_contain_text("Log in in another tab")
    assert given(course, "why")[CLASS[20]].score is None
    other = kim.context.new_page()
    other.goto(f"{kim.place}?token={server.token}")
    name = other.get_by_role("dialog").get_by_role("textbox")
    name.fill("Kim")
    name.press("Enter")
    expect(other.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Try again").click()
    kim.saved()
    assert given(course, "why")[CLASS[20]].score == 1.0


SAVE = """
async ([api, saves]) => {
    window.acknowledged = {};
    const xsrf = /_xsrf=([^;]*)/.exec(document.cookie)[1];
    const ask = async (path, body) => {
        const answer = await fetch(api + path, {
            method: body ? "POST" : "GET",
            body: body && JSON.stringify(body),
            headers: { "X-XSRFToken": decodeURIComponent(xsrf) },
        });
        return answer.ok ? answer.json() : Promise.reject(answer.status);
    };
    const { students, rubric } = await ask("question/why");
    const versions = Object.fromEntries(students.map(s => [s.student, s.version]));
    const lane = async number => {
        for (let save = number; save < saves; save += 4) {
            const { student } = students[save % students.length];
            const mark = { chosen: [], adjustment: 0, comment: `save ${save}`, done: true,
                           flagged: false, flag_note: "" };
            const body = { versions: { [student]: versions[student] }, mark, digests: {},
                           rubric_revision: rubric.revision, seconds: 1 };
            let answer;
            try { answer = await ask("save/why", body); }
            catch (status) {
                if (status !== 409) return;
                body.rubric_revision = (await ask("question/why")).rubric.revision;
                try { answer = await ask("save/why", body); } catch { return; }
            }
            if (!answer.saved[student]) return;
            versions[student] = answer.saved[student].version;
            window.acknowledged[student] = save;
        }
    };
    window.lanes = Promise.all([0, 1, 2, 3].map(lane));
}
"""


def test_every_acknowledged_save_survives_a_kill_of_the_server(
    course: Path, tmp_path: Path, server: Server, desk: Callable[..., Desk]
) -> None:
    kim = desk()
    page = kim.page
    page.evaluate(SAVE, [f"{kim.place}api/", SAVES])
    while page.evaluate("Object.keys(acknowledged).length") < 30:
        page.wait_for_timeout(20)
    os.killpg(server.process.pid, signal.SIGKILL)
    page.evaluate("lanes")
    acknowledged = page.evaluate("acknowledged")
    assert len(acknowledged) >= 30
    assert max(acknowledged.values()) < SAVES - 1, "the server was killed too late"
    back = start_desk(course, tmp_path / "records", ASSIGNMENT, before=server)
    try:
        found = given(course, "why")
        for student, save in acknowledged.items():
            number = int(re.search(r"save (\d+)$", found[student].comment)[1])
            assert number in (save, save + len(CLASS))  # the next one may have been on its way
            assert found[student].score == 0.0
        student = next(iter(acknowledged))
        kim.open("why", student)
        kim.page.keyboard.press("1")
        kim.saved()
        assert given(course, "why")[student].score == 1.5
    finally:
        back.close()


# -- students' texts, and accessibility


def test_no_student_code_runs_and_no_page_breaks_its_policy(
    course: Path, desk: Callable[..., Desk], console
) -> None:
    kim = desk()
    console.listen(kim.page)
    page = kim.open("why", HOSTILE)
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


def test_an_id_in_a_students_html_takes_no_element_of_the_page_away(
    course: Path, desk: Callable[..., Desk]
) -> None:
    path = course / "autograded" / HOSTILE / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    picture = notebook["cells"][5]["outputs"][0]["data"]["image/png"]
    html = f'<h1 id="text">Beside</h1><img src="data:image/png;base64,{picture}">'
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": html}}
    notebook["cells"][1]["outputs"] = [output]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    page = desk().open("why", HOSTILE)
    expect(page.locator("#beside h1")).to_have_text("Beside")
    expect(page.locator("#answer")).to_contain_text(f"Item {fits(HOSTILE)} fits.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", ROOM, ids=["1280", "640"])
def test_an_audit_has_no_serious_finding(
    desk: Callable[..., Desk], viewport: dict[str, int], scheme: str
) -> None:
    kim = desk(viewport=viewport, bypass_csp=True, color_scheme=scheme)
    page = kim.open("why", CLASS[20])
    page.keyboard.press("1")
    page.keyboard.press("f")
    page.keyboard.type("Look")
    page.keyboard.press("Escape")
    kim.saved()
    found = {}
    for path in PAGES:
        page.goto(kim.place + path)
        page.wait_for_load_state("networkidle")
        found[path] = troubles(page)
    kim.open("plot")
    for key, name in (("e", "editor"), ("?", "help")):
        page.keyboard.press(key)
        expect(page.get_by_role("dialog")).to_be_visible()
        found[name] = troubles(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    assert [(path, one) for path, several in found.items() for one in several] == []


@pytest.mark.parametrize("width", [1280, 800, 390])
def test_tables_keep_whole_words_and_scroll_by_themselves(
    desk: Callable[..., Desk], width: int
) -> None:
    kim = desk("Kim Featherstonehaugh-Cholmondeley")
    page = kim.open("why", CLASS[20])
    for key in "12f":
        page.keyboard.press(key)
        kim.saved()
    page.keyboard.type("Look again, because the student discusses something interesting here.")
    page.keyboard.press("Escape")
    kim.saved()
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("", "flagged", "statistics", f"student/{CLASS[20]}"):
        page.goto(kim.place + path)
        page.wait_for_load_state("networkidle")
        if folder := os.environ.get("HW_SCREENSHOTS"):
            name = path.partition("/")[0] or "overview"
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
        assert broken_words(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_in_a_narrow_window_lines_part_the_questions(desk: Callable[..., Desk]) -> None:
    page = desk(viewport={"width": 640, "height": 800}).page
    rows = page.locator("#questions tbody tr")
    expect(rows).to_have_count(2)
    for row in rows.all():
        expect(row).to_have_css("border-bottom-width", "1px")
        expect(row).to_have_css("padding-bottom", "8px")
    expect(page.locator("#questions thead")).to_have_css("clip-path", "inset(50%)")


@pytest.mark.parametrize("width", [800, 390])
def test_in_a_narrow_window_the_rubric_covers_no_part_of_the_answer(
    desk: Callable[..., Desk], width: int
) -> None:
    kim = desk(viewport={"width": width, "height": 600})
    page = kim.open("plot", CLASS[20])
    page.wait_for_load_state("networkidle")
    answer, rubric = (page.locator(place).bounding_box() for place in ("#work", "#marking"))
    assert answer["y"] + answer["height"] <= rubric["y"]
    page.keyboard.press("c")
    expect(page.locator("#comment")).to_be_in_viewport()


def test_a_normal_answer_fits_1280_by_800_without_scrolling(
    desk: Callable[..., Desk],
) -> None:
    kim = desk()
    for cell in ("why", "plot"):
        page = kim.open(cell, CLASS[20])
        page.wait_for_load_state("networkidle")
        below = """() => [document.documentElement, ...document.querySelectorAll("main > *")]
            .filter(e => e.scrollHeight > e.clientHeight + 1).map(e => e.id || e.tagName)"""
        assert page.evaluate(below) == []
