"""Canvas by its API, against a server made for these tests: what goes right, and each fault.

Nothing is sent without --send, nothing twice, and nothing of the token is told.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from by_hand import grade_elsewhere, make_course
from canvas_server import TOKEN, CanvasServer
from platforms import ROSTER, Term, nb, packed
from toy_course import ToyCourse

from hw_grading.__main__ import main
from hw_grading.gradebook.given import outdated_exports
from hw_grading.gradebook.results import read_results
from hw_grading.homework.course import Course
from hw_grading.lms import canvas as canvas_module
from hw_grading.lms import canvas_api

SUBMISSIONS = r"/submissions\?"


def enrol(server: CanvasServer) -> None:
    server.enrol(701, "Ann Lee")
    server.enrol(702, "Somebody Else", login="bjones")
    server.enrol(799, "Zoë Ångström", sis="3033")  # another number than in students.csv
    server.enrol(704, "Dan O'Neil")


@pytest.fixture
def canvas(monkeypatch: pytest.MonkeyPatch) -> Iterator[CanvasServer]:
    monkeypatch.setenv("CANVAS_TOKEN", TOKEN)
    monkeypatch.setattr(canvas_api, "_WAITS", (0,) * 6)
    monkeypatch.setattr(canvas_api, "_SECONDS", 0)
    monkeypatch.setattr(canvas_module, "_MOST_REPEATED", 20)
    server = CanvasServer()
    enrol(server)
    yield server
    server.close()


# -- collect


@pytest.fixture
def term(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], canvas: CanvasServer
) -> Iterator[Term]:
    term = Term(tmp_path, capsys)
    with (term.root / "nbgrader_config.py").open("a") as config:
        config.write(canvas.config)
    roster = (term.root / "students.csv").read_text().replace(",703,", ",,")
    term.roster(roster)
    yield term
    assert TOKEN not in term.said
    assert not canvas.token_elsewhere


ANN, BOB = {"ann": nb("ann")}, {"bob": nb("bob")}


@dataclass
class Case:
    """What comes of these submissions; the faults are met in turn by the requests that fit."""

    submissions: list[tuple[int, str, bytes]] = field(
        default_factory=lambda: [(701, "hw2.ipynb", nb("ann")), (702, "mine.ipynb", nb("bob"))]
    )
    faults: tuple[tuple[str, str, str], ...] = ()
    collected: dict[str, bytes] = field(default_factory=lambda: ANN | BOB)
    said: str = "2 to write, 0 already there, 2 missing, 0 left out"
    status: int = 0
    repeats: int = 0


def times(number: int, kind: str, path: str = SUBMISSIONS) -> tuple[tuple[str, str, str], ...]:
    return (("GET", path, kind),) * number


CASES = {
    "two students": Case(),
    "by the SIS id": Case([(799, "hw2.ipynb", nb("zoe"))], collected={"zoe": nb("zoe")}, said=""),
    "too many requests": Case(
        faults=times(2, "429") + times(2, "403") + times(1, "429", "/files/")),
    "faults of the server": Case(faults=times(3, "500") + times(1, "502", "/storage/")),
    "a connection that is cut": Case(faults=times(2, "cut") + times(2, "half", "/storage/")),
    "a page that comes again": Case(repeats=2),
    "the same page for ever": Case(
        repeats=10**9, collected={}, said="gives the same page again and again", status=2),
    "a server that stays ill": Case(faults=times(9, "503"), collected={}, said="503", status=2),
    "another answer than documented": Case(
        faults=times(9, "login page"), collected={}, said="Canvas: JSONDecodeError", status=2),
    "an error that quotes the token": Case(
        faults=(("GET", "1234$", "400"),), collected={}, said="BadRequest ('bad …')", status=2),
    "a file that is cut off": Case(
        faults=times(1, "shorter", "/storage/9000"), collected=BOB,
        said="it was cut off on the way, after", status=1),
    "a file that cannot be had": Case(
        faults=times(9, "500", "/storage/9000"), collected=BOB, said="status code 500", status=1),
    "a submission of an unknown user": Case(
        [(704, "hw2.ipynb", nb("dan")), (888, "hw2.ipynb", nb("ann"))],
        collected={"dan": nb("dan")}, said="UNKNOWN", status=1),
    "hostile names": Case(
        [(701, "../../../bob/hw2/hw2.ipynb", nb("ann")),
         (702, "a_701_9_\u202e\x1b[2J\n\\..\\hw2.ipynb", nb("bob"))]),
    "a zip": Case([(701, "x.zip", packed(("hw2.ipynb", nb("ann"))))], collected=ANN, said="ann"),
    "no notebook": Case([(701, "hw2.pdf", b"x")], collected={},
                        said="expected one notebook or zip", status=1),
    "a text": Case([(701, "", b"")], collected={}, said="submitted no file", status=1),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_what_canvas_has_is_collected(term: Term, canvas: CanvasServer, what: str) -> None:
    case = CASES[what]
    for user, name, content in case.submissions:
        if user not in canvas.students:
            canvas.enrol(user, "Ann Lee", sis="9999")  # a name proves nothing
        canvas.submit(user, *[(name, content)] * bool(name))
    canvas.faults, canvas.repeats = list(case.faults), case.repeats
    assert term.collect("--canvas") == case.status, term.said
    assert case.said in term.said
    assert term.handed_in == case.collected
    assert not canvas.changes
    # The next time, it fetches what is missing, and nothing that is there.
    canvas.faults, canvas.repeats, canvas.asked = [], 0, []
    term.collect("--canvas")
    for number, (_, name, content) in enumerate(case.submissions, 9000):
        if name.endswith(".ipynb") and content in case.collected.values():
            assert not any(f"/storage/{number}/" in line for line in canvas.asked)
    if case.faults or case.repeats:
        assert term.handed_in == ANN | BOB


def test_the_last_attempt_counts_with_its_time(term: Term, canvas: CanvasServer) -> None:
    canvas.submit(701, ("hw2.ipynb", nb("first")), at="2022-10-04T10:00:00Z")
    canvas.submit(702, ("other.ipynb", nb("o")), ("hw2.ipynb", nb("bob")), elsewhere=True)
    assert term.collect("--canvas") == 0
    assert term.when("ann") == datetime(2022, 10, 4, 10)
    assert "other.ipynb" in term.said
    canvas.submit(701, ("hw2-1.ipynb", nb("second")), at="2022-10-05T08:59:59Z", late=True)
    assert term.collect("--canvas") == 0
    row = next(line for line in term.said.splitlines() if line.startswith("ann "))
    assert re.search(r"2022-10-05 01:59:59 PDT +2 h.* +replaces an older one", row)
    assert term.handed_in["ann"] == nb("second")
    assert term.when("ann") == datetime(2022, 10, 5, 8, 59, 59)
    assert term.collect("--canvas", "--dry-run", yes=False) == 0
    assert "0 to write, 2 already there" in term.said


def test_a_server_that_says_nothing_is_not_waited_for(
    term: Term, canvas: CanvasServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canvas_api, "_TIMEOUT_SECONDS", 0.2)
    canvas.submit(701, ("hw2.ipynb", nb("ann")))
    canvas.faults = [*times(1, "silent"), *times(1, "silent", "/storage/")]
    for _ in range(5):  # on a slow machine other questions are late, too
        if term.collect("--canvas") == 0:
            break
    assert term.handed_in == ANN
    assert not canvas.faults


# -- the token and the settings


def test_the_token_comes_from_the_environment_or_the_keyring(
    term: Term, canvas: CanvasServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {}
    keyring = ModuleType("keyring")
    keyring.get_password = lambda service, name: kept.get((service, name))
    errors = SimpleNamespace(KeyringError=OSError)
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    canvas.submit(701, ("hw2.ipynb", nb("ann")))
    monkeypatch.delenv("CANVAS_TOKEN")
    assert term.collect("--canvas") == 2
    assert f"python -m keyring set hw-grading {canvas.address}" in term.said
    kept["hw-grading", canvas.address] = TOKEN
    assert term.collect("--canvas") == 0
    monkeypatch.setenv("CANVAS_TOKEN", "wrong")  # comes first
    assert term.collect("--canvas") == 2
    assert "it does not accept the token" in term.said
    assert "wrong" not in term.said
    monkeypatch.setenv("CANVAS_TOKEN", f"{TOKEN}\n{TOKEN}")  # requests would quote it
    assert term.collect("--canvas") == 2
    assert "characters that no token has" in term.said


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("address = 'http://canvas.example.edu'", "expected an address such as https://"),
        ("address = 'https://canvas.example.edu/api/v1'", "expected an address such as https://"),
        ("assignments = {'hw1': 3}", "does not say where the homework is"),
        ("course_id = 'seven'", "c.Canvas in nbgrader_config.py"),
        ("course_id = 8", "it has no such course or assignment"),
    ],
)
def test_a_wrong_setting_is_named(term: Term, setting: str, said: str) -> None:
    with (term.root / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.Canvas.{setting}\n")
    assert term.collect("--canvas") == 2
    assert said in term.said


def test_without_the_library_it_says_what_to_type(
    term: Term, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "hw_grading.lms.canvas_api", None)  # cannot be imported
    assert term.collect("--canvas") == 2
    assert "pip install 'hw-grading[canvas]'" in term.said


# -- points


class Sender:
    """Runs commands on a course; keeps what they say, and the changes that Canvas made."""

    def __init__(
        self, root: Path, canvas: CanvasServer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.root, self.canvas, self._capsys = root, canvas, capsys
        with (root / "nbgrader_config.py").open("a") as config:
            config.write(canvas.config)
        (root / "students.csv").write_text(ROSTER.replace(",703,", ",,"), encoding="utf-8")

    def type(self, *words: str) -> int:
        status = main(["--course", str(self.root), *words])
        out = self._capsys.readouterr()
        self.said = out.out + out.err
        assert TOKEN not in self.said
        assert not self.canvas.token_elsewhere
        return status

    def changes(self) -> list[tuple[object, ...]]:
        """The changes since the last call."""
        found, self.canvas.changes = self.canvas.changes, []
        return found


@pytest.fixture
def sender(tmp_path: Path, canvas: CanvasServer, capsys: pytest.CaptureFixture[str]) -> Sender:
    """A class: ann has 5.5 of 10 points, bob 3, zoe 0; dan has submitted nothing."""
    course = make_course(tmp_path / "course", "ann", "bob", "zoe")
    for student, why, plot in (("ann", 3.5, 2), ("bob", 2, 1), ("zoe", 0, 0)):
        grade_elsewhere(course, student, why, "why")
        grade_elsewhere(course, student, plot, "plot")
    canvas.about["points_possible"] = 10.0
    return Sender(course.folder, canvas, capsys)


EXPORT = ("export", "ps1", "--canvas")
ALL = {701: "5.5", 702: "3", 799: "0"}
POST = "update_grades$"


@dataclass
class Sent:
    """What the first command with --send does; after the second one, Canvas has all points."""

    faults: tuple[tuple[str, str, str], ...] = ()
    sent: dict[int, str] | None = field(default_factory=lambda: ALL)
    said: str = "Sent: 3."
    status: int = 0
    again: dict[int, str] | None = None  # what the second command sends
    state: dict[int, dict[str, object]] = field(default_factory=dict)  # of students on Canvas
    about: dict[str, object] = field(default_factory=dict)  # the assignment


POINTS = {
    "all": Sent(),
    "only what differs": Sent(state={701: {"score": 5.5}, 702: {"score": 4.0}},
                              sent={702: "3", 799: "0"}, said="bob  4  →  3"),
    "an excused student": Sent(state={701: {"excused": True}}, sent={702: "3", 799: "0"},
                               said="Sent: 2."),
    "Canvas' own rule for late work": Sent(
        state={701: {"score": 5.5, "deducted": 1.0}}, sent={702: "3", 799: "0"},
        said="Canvas takes points for lateness too: switch that off there (ann)", status=1),
    "too many requests": Sent((("POST", POST, "429"), ("POST", POST, "403"),
                               ("GET", "progress", "429"))),
    "an ill server": Sent(times(2, "500") + times(2, "502", "progress") + times(1, "cut")),
    "a change that is refused": Sent((("POST", POST, "500"),), sent=None, again=ALL,
                                     said="Canvas has other points of ann, bob, zoe", status=1),
    "a change without an answer": Sent((("POST", POST, "done, then cut"),), status=1,
                                       said="Type the same command again"),
    "another maximum": Sent(about={"points_possible": 20}, said="a maximum of 20", status=1),
    "grades as letters": Sent(about={"grading_type": "letter_grade"}, sent=None, status=2,
                              said="the assignment shows grades as letter_grade"),
}  # fmt: skip


@pytest.mark.parametrize("what", POINTS)
def test_points_are_sent_once(sender: Sender, canvas: CanvasServer, what: str) -> None:
    case = POINTS[what]
    canvas.about |= case.about
    for user, values in case.state.items():
        vars(canvas.students[user]).update(values)
    sender.type(*EXPORT)
    assert not sender.changes(), "without --send"
    assert case.status == 2 or "nothing was sent" in sender.said
    canvas.faults = list(case.faults)
    assert sender.type(*EXPORT, "--send") == case.status, sender.said
    assert case.said in sender.said
    assert sender.changes() == ([("points", case.sent)] if case.sent else [])
    assert not canvas.faults
    sender.type(*EXPORT, "--send")
    assert sender.changes() == ([("points", case.again)] if case.again else [])
    if case.status != 2:
        assert canvas.students[702].score == 3
        assert canvas.students[704].score is None


def test_points_that_change_later_are_named(sender: Sender, canvas: CanvasServer) -> None:
    assert sender.type(*EXPORT, "--send") == 0
    course = Course(sender.root)
    assert [who for _, _, who in outdated_exports(read_results(course, "ps1"))] == [[]]
    grade_elsewhere(course, "ann", 4, "why")
    sender.type("report", "ps1")
    assert "hw-grading export ps1 --canvas --send" in sender.said
    sender.changes()
    assert sender.type(*EXPORT, "--send") == 0
    assert "ann  5.5  →  6" in sender.said
    assert sender.changes() == [("points", {701: "6"})]


def test_a_job_that_fails_is_told(sender: Sender, canvas: CanvasServer) -> None:
    canvas.job_fails = True
    assert sender.type(*EXPORT, "--send") == 1
    assert "grades of a closed period" in sender.said


@pytest.mark.parametrize(
    "words", [("export", "ps1", "--format", "questions", "--send"),
              (*EXPORT, "--column", "x"), ("feedback", "ps1", "--send"), ("collect", "ps1")]
)  # fmt: skip
def test_options_that_do_not_fit_are_refused(sender: Sender, words: tuple[str, ...]) -> None:
    assert sender.type(*words) == 2
    assert "--canvas" in sender.said


# -- the whole way, and pages


def hand_in(canvas: CanvasServer, course: ToyCourse) -> None:
    """Ann hands in twice, bob and dan once."""
    canvas.submit(701, ("hw2.ipynb", json.dumps(course.released).encode()))
    canvas.submit(701, ("hw2-1.ipynb", json.dumps(course.answered).encode()))
    for user, answer in ((702, "3 * x"), (704, "4 * x")):
        wrong = course.answer(double=f"def double(x):\n    return {answer}")
        canvas.submit(user, ("hw2.ipynb", json.dumps(wrong).encode()))


@pytest.fixture(scope="module")
def graded(generated_course: ToyCourse, tmp_path_factory: pytest.TempPathFactory) -> ToyCourse:
    """A class that was collected and graded, with pages of feedback; nothing was sent."""
    course = generated_course.copied(tmp_path_factory.mktemp("canvas") / "course")
    server = CanvasServer()
    enrol(server)
    hand_in(server, course)
    with pytest.MonkeyPatch.context() as patch, (course.root / "nbgrader_config.py").open("a") as c:
        patch.setenv("CANVAS_TOKEN", TOKEN)
        c.write(server.config)
        c.flush()
        (course.root / "students.csv").write_text(ROSTER, encoding="utf-8")
        for words in (
            ["collect", "hw2", "--canvas", "--yes"],
            ["grade", "hw2"],
            ["feedback", "hw2"],
        ):
            assert main(["--course", str(course.root), *words]) == 0
    server.close()
    return course


@pytest.fixture
def given(
    graded: ToyCourse, tmp_path: Path, canvas: CanvasServer, capsys: pytest.CaptureFixture[str]
) -> Sender:
    """The same class on another day."""
    hand_in(canvas, graded)
    return Sender(graded.copied(tmp_path / "course").root, canvas, capsys)


def page(sender: Sender, student: str) -> bytes:
    return (sender.root / "feedback" / student / "hw2/hw2.html").read_bytes()


@pytest.mark.slow
@pytest.mark.smoke
def test_from_collecting_to_feedback_and_nothing_twice(given: Sender, canvas: CanvasServer) -> None:
    waits = 1  # answers wait for a person, and so grades are not final
    for _ in range(2):
        assert given.type("feedback", "hw2", "--canvas") == 1
        assert "3 pages to send, 0 already there" in given.said
        assert not given.changes()
    assert given.type("feedback", "hw2", "--canvas", "--send") == 0
    assert given.type("export", "hw2", "--canvas", "--send") == waits
    *pages, points = given.changes()
    assert points == ("points", {701: "6", 702: "4", 704: "4"})
    for (_, user, attempt, text, file), (who, student, of) in zip(
        pages, ((701, "ann", 2), (702, "bob", 1), (704, "dan", 1)), strict=True
    ):
        assert (user, attempt) == (who, of)
        assert file == ("hw2.html", page(given, student))
        assert text.startswith(f"Feedback on hw2, attempt {of} (")
    # Everything once more.
    assert given.type("collect", "hw2", "--canvas", "--yes") == 0
    assert "0 to write, 3 already there" in given.said
    given.type("grade", "hw2")
    assert given.type("feedback", "hw2", "--canvas", "--send") == 0
    assert "0 pages to send, 3 already there" in given.said
    assert given.type("export", "hw2", "--canvas", "--send") == waits
    assert not given.changes()
    # Points change, and bob hands in again, which nobody has collected.
    given.type(
        "correct", "hw2", "test_double", "--to", "1", "--student", "bob", "--reason", "Close."
    )
    canvas.submit(702, ("hw2-1.ipynb", b"later"))
    assert given.type("feedback", "hw2", "--canvas", "--send") == 1
    assert re.search(r"bob +attempt 1 +changed", given.said)
    assert "a newer attempt is on Canvas: bob" in given.said
    given.type("export", "hw2", "--canvas", "--send")
    [again, points] = given.changes()
    assert again[1:3] == (702, 1)
    assert points == ("points", {702: "5"})


PAGES = {  # the faults, and how many are sent by the first command
    "too many requests": (
        (("POST", "comments/files", "429"), ("POST", "/upload", "429"), ("PUT", "701", "403")),
        3, "Sent: 3."),
    "a comment without an answer": ((("PUT", "702", "done, then cut"),), 3, "Sent: 3."),
    "an answer that says failure": ((("PUT", "702", "done, then 500"),), 3, "Sent: 3."),
    "a comment that is refused": ((("PUT", "702", "500"),), 2, "Canvas has no page of bob"),
    "an upload that is cut": ((("POST", "/upload", "cut"),), 2, "Canvas has no page of ann"),
    "a server that stays ill": ((("POST", "files", "500"),) * 3, 0, "no page of ann, bob, dan"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("what", PAGES)
def test_pages_are_sent_once(given: Sender, canvas: CanvasServer, what: str) -> None:
    faults, number, said = PAGES[what]
    canvas.faults = list(faults)
    status = given.type("feedback", "hw2", "--canvas", "--send")
    assert said in given.said
    first = given.changes()
    assert (len(first), status) == (number, 0 if number == 3 else 1)
    assert not canvas.faults
    assert given.type("feedback", "hw2", "--canvas", "--send") == 0
    sent = sorted((change[1], change[4]) for change in [*first, *given.changes()])
    assert sent == [
        (user, ("hw2.html", page(given, student)))
        for user, student in ((701, "ann"), (702, "bob"), (704, "dan"))
    ]


@pytest.mark.slow
def test_a_page_goes_to_whom_the_list_of_students_names(given: Sender) -> None:
    """Canvas' numbers of ann and bob were exchanged in the list: their pages are nobody's."""
    roster = given.root / "students.csv"
    swapped = {"701": "702", "702": "701"}
    text = re.sub(r"70[12]", lambda found: swapped[found[0]], roster.read_text())
    roster.write_text(text.replace("bjones", ""))
    assert given.type("feedback", "hw2", "--canvas", "--send") == 1
    assert "no attempt on Canvas has the file that was graded" in given.said
    assert [change[1] for change in given.changes()] == [704]
