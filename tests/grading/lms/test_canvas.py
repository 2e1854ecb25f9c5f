"""Canvas by its API, against a server made for these tests: what goes right, and each fault.

Nothing is sent without --send, nothing twice, and nothing of the token is told.
"""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from canvas_server import TOKEN, CanvasServer
from platforms import Term, nb, packed
from toy_course import ToyCourse

from hw_grading.__main__ import main
from hw_grading.gradebook.given import outdated_exports
from hw_grading.gradebook.results import read_results
from hw_grading.lms import canvas_requests

SUBMISSIONS = r"/submissions\?"


@pytest.fixture
def canvas(monkeypatch: pytest.MonkeyPatch) -> Iterator[CanvasServer]:
    monkeypatch.setenv("CANVAS_TOKEN", TOKEN)
    monkeypatch.setattr(canvas_requests, "_WAITS", (0,) * 6)
    monkeypatch.setattr(canvas_requests, "_SECONDS", 0)
    server = CanvasServer()
    server.enrol(701, "Ann Lee")
    server.enrol(702, "Somebody Else", login="bjones")
    server.enrol(799, "Zoë Ångström", sis="3033")  # another number than in students.csv
    server.enrol(704, "Dan O'Neil")
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
    "by the SIS id": Case([(799, "hw2.ipynb", nb("zoe"))], collected={"zoe": nb("zoe")}, said="zoe"),
    "too many requests": Case(faults=times(2, "429") + times(2, "403") + times(1, "429", "/files/")),
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
    if case.faults or canvas.repeats:
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
    monkeypatch.setattr(canvas_requests, "_TIMEOUT_SECONDS", 0.2)
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
    monkeypatch.setitem(sys.modules, "hw_grading.lms.canvas_requests", None)  # cannot be imported
    assert term.collect("--canvas") == 2
    assert "pip install 'hw-grading[canvas]'" in term.said
