"""Downloads of each platform are collected; a bad file in them does not stop the others.

Each download is built by the platform's own rules. `Term.collect` runs the real command.
"""

import io
import os
import zipfile
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from platforms import ROSTER, Term, gradescope, moodle, nb, packed, ruby, worksheet

from hw_grading.__main__ import main

ANN, BOB, ZOE, DAN = ({student: nb(student)} for student in ("ann", "bob", "zoe", "dan"))


@pytest.fixture
def term(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Term:
    return Term(tmp_path, capsys)


# -- downloads


@dataclass
class Case:
    """What the command makes of downloads. A name with a / is one of files in a folder."""

    downloads: dict[str, bytes]
    collected: dict[str, bytes] = field(default_factory=dict)  # by student
    said: str = ""
    roster: str = ROSTER  # "" for none
    status: int = 1
    gradebook: str = ""
    worksheet: str = ""


def zipped(*files: tuple[str, bytes]) -> dict[str, bytes]:
    return {"submissions.zip": packed(*files)}


def by_number(*numbers: str) -> dict[str, bytes]:
    """An export of Gradescope with three submissions: name, sid and email of each."""
    people = [tuple(number.split(";")) for number in numbers]
    of = [
        (n, f"2022-10-0{3 + n} 10:00:00 Z", [who], nb(student))
        for n, (who, student) in enumerate(zip(people, ("ann", "bob", "zoe"), strict=False), 1)
    ]
    return {"assignment_9_export.zip": gradescope(*of)}


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        return {f"folder/{name}": bundle.read(name) for name in bundle.namelist()}


CANVAS = [
    ("leeann_701_9001_hw2.ipynb", nb("ann, first")),
    ("leeann_701_9003_hw2-1.ipynb", nb("ann")),
    ("leeann_701_9002_notes.pdf", b"%PDF"),
    ("jonesbob_LATE_702_9004_hw2.ipynb", nb("bob")),
    ("ångströmzoë_703_9005_homework.zip", packed(("my/hw2.ipynb", nb("zoe")))),
]
GRADEBOOK = """Student,ID,SIS User ID,SIS Login ID,Section,Homework 2 (123)
    Points Possible,,,,,100
"Lee, Ann",701,3031,ann,LEC 001,
"Jones, Bob",702,3032,bob,LEC 001,
"Ångström, Zoë",703,3033,zoe,LEC 001,
"O'Neil, Dan",704,3034,,LEC 001,
"No, Body",705,,,LEC 001,
"Student, Test",799,,abc,LEC 001,
"""
EMAILS = worksheet((11, "Ann Lee", "ann@x.edu"), (12, "Bobby", "bob@x.edu"))
ANNS_FILE = "Ann Lee_11_assignsubmission_file_/hw2.ipynb"
INNER = "Ann Lee_12_assignsubmission_file_"
POSING = packed((f"{INNER}/hw2.ipynb", nb("dan's")))

CASES = {
    "Canvas, unpacked": Case(unpacked(packed(*CANVAS)), ANN | BOB | ZOE, status=0),
    "Canvas, a gradebook for a roster": Case(
        zipped(*CANVAS), ANN | BOB | ZOE, "Missing: no submission (1):\n  3034", "", 0, GRADEBOOK),
    "Canvas, an id that the gradebook lacks": Case(
        zipped(("leeann_999_9001_hw2.ipynb", nb("x"))), {},
        "the file of --canvas-gradebook has no Canvas id 999", gradebook=GRADEBOOK),
    "Canvas, a name like ids of another": Case(
        zipped(("x_702_1_701_9001_hw2.ipynb", nb("ann, who calls herself x_702_1")),
               ("jonesbob_702_701_9004_hw2.ipynb", nb("ann, who calls herself jonesbob_702"))),
        {}, "ids 702 and 701. Look in Canvas whose it is, and rename it", gradebook=GRADEBOOK),
    "Gradescope, another's name": Case(
        by_number("Bob Jones;'3031';ann@x.edu", "Ann Lee;'';eve@x.edu"), ANN,
        "no student in students.csv has the email 'eve@x.edu'"),
    "Gradescope, a sid of two accounts": Case(
        by_number("Ann;'3031';ann@x.edu", "Bob;'3031';Bob@home.edu", "Zoe;'3033';z@home.edu"),
        ZOE, "ann has files from 'ann@x.edu' and 'Bob@home.edu'"),
    "Moodle, a worksheet": Case(
        zipped((ANNS_FILE, nb("ann")), ("Ann Lee_12_assignsubmission_file/a.ipynb", nb("bob"))),
        ANN | BOB, status=0, worksheet=EMAILS),
    "Moodle, a name like a folder's name": Case(
        zipped(("X_11_assignsubmission_file_12_assignsubmission_file_/hw2.ipynb", nb("bob")),
               ("X_12_assignsubmission_file_Y_11_assignsubmission_file_.ipynb", nb("bob"))),
        {}, "may mean the participants 12 and 11. Look in Moodle", worksheet=EMAILS),
    "Moodle, a file name like the ids of Canvas": Case(
        zipped(("Mal_702_1_13_assignsubmission_file_hw2.ipynb", nb("mal"))), {},
        "its name may mean the participants 13 and 702 and 1", gradebook=GRADEBOOK),
    "plain files, by id, number or login": Case(
        zipped(("all/ann_hw2.ipynb", nb("ann")), ("all/3033_hw2.ipynb", nb("zoe")),
               ("all/bjones_hw2_2.zip", packed(("ann_hw2.ipynb", nb("bob"))))), ANN | BOB | ZOE,
        status=0),
    "a second notebook beside the right one": Case(
        zipped(("Ann Lee_11_assignsubmission_file_/hw2.ipynb", nb("ann")),
               ("Ann Lee_11_assignsubmission_file_/better.ipynb", nb("scratch")),
               ("Ann Lee_11_assignsubmission_file_/data.csv", b"1")), ANN,
        "hw2.ipynb: 'better.ipynb'\n", worksheet=EMAILS, status=0),
    "a second notebook in a student's zip": Case(
        {"all/ann_hw2.zip": packed(("hw2.ipynb", nb("ann")), ("old/a.ipynb", nb("old"))),
         "all/bob_hw2.ipynb": nb("bob")},
        ANN | BOB, "ann_hw2.zip: 'old/a.ipynb'\n", status=0),
    "two files of a student": Case(
        {"a/ann_hw2.ipynb": nb("1"), "a/ann_hw2_2.zip": packed(("hw2.ipynb", nb("2"))),
         "c/bob_hw2.ipynb": nb("bob")}, BOB,
        "ann has 2 files, and it is not clear which is the newest"),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_each_download_is_collected_for_the_right_students(term: Term, what: str) -> None:
    case = CASES[what]
    term.roster(case.roster)
    if not case.roster:
        (term.root / "students.csv").unlink()
    for name, content in case.downloads.items():
        term.download(name, content)
    words: list[str | Path] = [*sorted(term.outside.iterdir())]
    if case.gradebook:
        words += ["--canvas-gradebook", term.download("gradebook.csv", case.gradebook)]
    if case.worksheet:
        words += ["--moodle-worksheet", term.download("worksheet.csv", case.worksheet)]
    assert term.collect(*words) == case.status, term.said
    assert term.handed_in == case.collected
    assert case.said in term.said


RENAMED = {
    "Moodle": (moodle(("Ann Lee", 12, nb("bob"))), "--moodle-worksheet",
               worksheet((11, "Ann Lee", "ann@x.edu"), (12, "Ann Lee", "bob@x.edu"))),
    "Canvas": (packed(("leeann_702_9005_hw2.ipynb", nb("bob"))), "--canvas-gradebook",
               GRADEBOOK.replace("Jones, Bob", "Lee, Ann")),
}  # fmt: skip


@pytest.mark.parametrize("platform", RENAMED)
def test_a_student_with_anothers_name_hands_in_nothing_for_them(term: Term, platform: str) -> None:
    """Bob calls himself Ann Lee, who has handed in nothing."""
    export, option, known = RENAMED[platform]
    term.roster("id,name,email\nann,Ann Lee,ann@x.edu\nbob,Bob Jones,bob@x.edu\n")
    download = term.download("download.zip", export)
    assert term.collect(download) == 1
    assert term.handed_in == {}
    assert "UNKNOWN: left out, because their students are not known (1)" in term.said
    assert f"--{platform.lower()}-" in term.said
    assert term.collect(download, option, term.download("known.csv", known)) == 0
    assert term.handed_in == BOB
    assert "Missing: no submission (1):\n  ann: Ann Lee" in term.said


@pytest.mark.parametrize("content", [nb("newer"), nb("ann")], ids=["another", "a copy"])
def test_no_account_replaces_an_earlier_one_of_the_same_number(term: Term, content: bytes) -> None:
    files = [
        gradescope((1, f"2022-10-04 1{n}:00:00 Z", [("Ann", "'3031'", mail)], text))
        for n, (mail, text) in enumerate([("ann@x.edu", nb("ann")), ("eve@home.edu", content)])
    ]
    assert term.collect(term.download("1.zip", files[0])) == 0
    assert term.collect(term.download("2.zip", files[1])) == 1
    assert "it is from 'ann@x.edu', and this one is from 'eve@home.edu'" in term.said
    assert term.handed_in == ANN


# -- the table and times


def test_a_canvas_zip_is_shown_with_what_is_late_and_older(term: Term) -> None:
    cut_off = nb("dan")[:-9]
    files = [*CANVAS, ("oneildan_704_9009_hw2.ipynb", cut_off)]
    assert term.collect(term.download("course-hw2_submissions.zip", packed(*files))) == 0
    assert term.handed_in == ANN | BOB | ZOE | {"dan": cut_off}
    assert term.when("bob") is None
    assert term.records["ann"]["sha256"] == sha256(nb("ann")).hexdigest()
    assert "LATE, says Canvas" in term.said
    of_bob = f"{term.root}/submitted/bob/hw2/timestamp.txt"
    why = "late, says Canvas, without a time"
    assert f"into this file (1):\n  bob: {why}: {of_bob}\n" in term.said
    assert "ann has a newer one" in term.said
    assert "submit again (4):\n  ann: expected 1 to 1,000 cells, found 0" in term.said
    assert "  dan: expected JSON" in term.said
    assert "  leeann_701_9003_hw2-1.ipynb\n" in term.said.partition("Duplicates")[0]


def test_members_of_a_group_get_its_latest_submission(term: Term) -> None:
    ann, bob = ("Ann Lee", "'3031'", "ann@x.edu"), ("Bob Jones", "''", "bob@x.edu")
    export = gradescope(
        (11, "2022-10-04 16:59:00.123456789 -07:00", [ann, bob], nb("ann")),
        (12, "2022-10-05T09:00:00.5Z", [bob], nb("bob")),
        (13, "2022-10-05 07:00:00 Z", [("Zoe", "zoe", "'?'")], nb("zoe")),
        (14, ruby("2022-10-05 06:59:59.900000000 Z", "2022-10-04 23:59:59.9 Z"),
         [("Dan", "dan", "")], nb("dan")),
    )  # fmt: skip
    assert term.collect(term.download("assignment_9_export.zip", export)) == 0
    assert term.handed_in == ANN | BOB | ZOE | DAN
    assert term.when("ann") == datetime(2022, 10, 4, 23, 59, 0, 123456)
    assert term.when("bob") == datetime(2022, 10, 5, 9, 0, 0, 500_000)
    assert term.when("zoe") == datetime(2022, 10, 5, 7, 0, 0)
    assert term.when("dan") == datetime(2022, 10, 5, 6, 59, 59, 900_000)


TITLES = "Identifier,Full name,Email address,Last modified (submission)"
OF_BOB = "Bobby_12_assignsubmission_file_/hw2.ipynb"


def with_times(*rows: tuple[int, str, str]) -> str:
    """A worksheet: number of the participant, email, and time of the submission."""
    return worksheet(*((n, "", f'{mail},"{when}"') for n, mail, when in rows), titles=TITLES)


def test_times_of_moodles_worksheets_say_which_file_is_newer(term: Term) -> None:
    files = [(OF_BOB, nb("first")), (OF_BOB, nb("second"))]
    old, new = (term.download(f"{n}.zip", packed(one)) for n, one in enumerate(files))
    times = ("Tuesday, 4 October 2022, 9:05 AM", "Friday, 7 October 2022, 1:00 PM")
    sheets = [
        ("--moodle-worksheet", term.download(f"{n}.csv", with_times((12, "bob@x.edu", when))))
        for n, when in enumerate(times)
    ]
    assert term.collect(new, old, *sheets[1]) == 1
    assert "--moodle-worksheet OLDER.csv --moodle-worksheet NEWER.csv" in term.said
    assert term.collect(new, old, *sheets[1], *sheets[0]) == 0
    assert term.handed_in == {"bob": nb("second")}
    assert term.when("bob") == datetime(2022, 10, 7, 20)
    assert term.collect(old, *sheets[0]) == 1
    assert "it is newer (2022-10-07 20:00:00 UTC)" in term.said
    assert term.collect(old, new, old, *sheets[0], *sheets[1]) == 2
    assert "or one for each of the 3 downloads, in their order; found 2" in term.said


HOW_TIMES_ARE_WRITTEN = {
    "before midnight": ("Tuesday, 4 October 2022, 11:59 PM", datetime(2022, 10, 5, 6, 59)),
    "after midnight": ("Wednesday, 5 October 2022, 12:01 AM", datetime(2022, 10, 5, 7, 1)),
    "in German": (
        "Dienstag, 4. Oktober 2022, 23:59",
        "found 'Dienstag, 4. Oktober 2022, 23:59'. Download it with English",
    ),
    "to come": ("Friday, 4 October 2999, 11:59 PM", "found 'Friday, 4 October 2999"),
    "not there": ("", "expected a time such as Tuesday, 4 October 2022, 11:59 PM"),
}


@pytest.mark.parametrize("what", HOW_TIMES_ARE_WRITTEN)
def test_a_time_is_read_as_moodle_writes_it_in_english_or_named(term: Term, what: str) -> None:
    text, expected = HOW_TIMES_ARE_WRITTEN[what]
    download = term.download("m.zip", packed((OF_BOB, nb("bob"))))
    sheet = term.download("w.csv", with_times((12, "bob@x.edu", text)))
    assert term.collect(download, "--moodle-worksheet", sheet) == 0
    assert term.handed_in == BOB
    if isinstance(expected, str):
        assert term.when("bob") is None
        assert expected in term.said.partition("TIME NOT PROVEN")[2]
    else:
        assert term.when("bob") == expected
        assert "TIME NOT PROVEN" not in term.said


# -- what is written


def test_the_gradebook_gets_the_rosters_names_and_keeps_its_own(term: Term) -> None:
    db_url = f"sqlite:///{term.root}/gradebook.db"
    with Gradebook(db_url) as gradebook:
        gradebook.add_student("ann", first_name="Annabel", last_name="Lee")
    assert term.collect(term.download("ann_hw2.ipynb", nb("ann"))) == 0
    with Gradebook(db_url) as gradebook:
        held = [(s.id, s.first_name, s.last_name, s.email) for s in gradebook.students]
    assert sorted(held) == [
        ("ann", "Annabel", "Lee", "ann@x.edu"),
        ("bob", "Bob", "Jones", "bob@x.edu"),
        ("dan", "Dan", "O'Neil", "dan@x.edu"),
        ("zoe", "Zoë", "Ångström", "zoe@x.edu"),
    ]
    (term.root / "students.csv").unlink()  # then the gradebook is the list
    export = gradescope((1, "2022-10-04 10:00:00 Z", [("A", "", "zoe@x.edu")], nb("zoe")))
    assert term.collect(term.download("e.zip", export)) == 0
    assert term.handed_in == ANN | ZOE


def test_nothing_is_written_before_the_instructor_agrees(term, monkeypatch):
    download = term.download("ann_hw2.ipynb", nb("ann"))
    before = sorted(term.root.rglob("*"))
    assert term.collect(download, "--dry-run", yes=False) == 0
    assert "ann  " in term.said
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert term.collect(download, yes=False) == 2
    assert "--yes" in term.said
    monkeypatch.setattr("builtins.input", lambda _: "")
    assert term.collect(download, yes=False) == 1
    assert sorted(term.root.rglob("*")) == before
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert term.collect(download, yes=False) == 0
    assert term.handed_in == ANN


def export_of_ann(hour: int, text: str) -> bytes:
    return gradescope((1, f"2022-10-04 {hour}:00:00 Z", [("A", "3031", "")], nb(text)))


def test_an_older_submission_is_overwritten_and_no_newer_one(term: Term) -> None:
    noon = term.download("noon.zip", export_of_ann(12, "noon"))
    two = term.download("two.zip", export_of_ann(14, "two"))
    assert [term.collect(noon), term.collect(two), term.collect(noon)] == [0, 0, 1]
    assert "it is newer (2022-10-04 14:00:00 UTC)" in term.said
    assert term.handed_in == {"ann": nb("two")}
    assert term.when("ann") == datetime(2022, 10, 4, 14)
    assert term.records["ann"]["sha256"] == sha256(nb("two")).hexdigest()
    [kept] = (term.root / "grading/collected/hw2/ann").iterdir()
    assert kept.read_bytes() == nb("noon")
    assert term.collect(two) == 0
    assert "0 to write, 1 already there" in term.said
    assert "Submissions written to submitted/: 0." in term.said


def test_without_times_the_numbers_of_uploads_decide(term: Term) -> None:
    first = term.download("1.zip", packed(("leeann_701_9001_hw2.ipynb", nb("first"))))
    second = term.download("2.zip", packed(("leeann_701_9002_hw2-1.ipynb", nb("second"))))
    assert [term.collect(first), term.collect(second), term.collect(first)] == [0, 0, 1]
    assert term.handed_in == {"ann": nb("second")}
    assert term.collect(term.download("b/ann_hw2.ipynb", nb("other"))) == 1
    assert "this file is not known to be newer" in term.said
    assert term.handed_in == {"ann": nb("second")}


def test_a_killed_run_is_completed_by_the_next(term: Term, monkeypatch: pytest.MonkeyPatch) -> None:
    assert term.collect(term.download("noon.zip", export_of_ann(12, "noon"))) == 0
    two = term.download("two.zip", export_of_ann(14, "two"))
    replace, folder = os.replace, term.root / "submitted/ann/hw2"

    def killed(old: Path, new: Path) -> None:
        if new.name == "timestamp.txt":
            raise KeyboardInterrupt
        replace(old, new)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", killed)
        assert term.collect(two) == 130
    assert (folder / "hw2.ipynb").read_bytes() == nb("two")
    assert term.when("ann") == datetime(2022, 10, 4, 12)
    assert term.collect(two) == 0
    assert term.when("ann") == datetime(2022, 10, 4, 14)
    (folder / "hw2.ipynb").unlink()  # killed before the first notebook was there
    assert term.collect(two) == 0
    assert term.handed_in == {"ann": nb("two")}


def test_a_damaged_record_or_a_wrong_roster_writes_nothing(term: Term) -> None:
    path = term.root / "grading/collected/hw2.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    download = term.download("ann_hw2.ipynb", nb("ann"))
    assert term.collect(download) == 2
    assert f"{path}: expected a file that `collect` wrote" in term.said
    term.roster(ROSTER + "ann,Another\n")
    assert term.collect(download) == 2
    assert "students.csv, line 6: the student id 'ann'" in term.said
    assert term.handed_in == {}


def test_a_students_folder_that_is_a_link_is_not_followed(term: Term) -> None:
    (term.root / "submitted").mkdir()
    elsewhere = term.outside / "elsewhere"
    elsewhere.mkdir()
    (term.root / "submitted" / "ann").symlink_to(elsewhere)
    path = term.download("ann_hw2.ipynb", nb("ann"))
    assert main(["--course", str(term.root), "collect", "hw2", str(path), "--yes"]) == 1
    assert list(elsewhere.iterdir()) == []


# -- bad input


def listed(text: str) -> bytes:
    """An export of Gradescope with this list of submissions."""
    return packed(("submission_metadata.yml", text.encode()), ("submission_1/hw2.ipynb", nb("ann")))


def at(time: str) -> bytes:
    return listed(f"submission_1:\n  :submitters: [{{':sid': ann}}]\n  :created_at: {time}")


def forged(root: str) -> bytes:
    """A list of submissions in a student's own folder."""
    text = b"submission_2:\n  :submitters: [{':sid': ann}]\n  :created_at: 2022-10-04 10:00:00 Z"
    return packed((f"{root}submission_1/submission_metadata.yml", text),
                  (f"{root}submission_1/submission_2/hw2.ipynb", nb("mallory")))  # fmt: skip


MULTIPLYING = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 60)
)
OF_ANN = "leeann_701_9001_work.zip"
BAD = {
    "no notebook in a zip": (
        OF_ANN, packed(("notes.pdf", b"%PDF")),
        "expected a zip with one notebook, found 0 among its files ('notes.pdf')."),
    "a huge list": ("1.zip", listed("x: " + "y" * 20_000_000), "expected at most 20,000,000 bytes"),
    "an object in the list": (
        "1.zip", listed("submission_1: !!python/object/apply:os.system ['exit 1']"),
        "names no student for its folder"),
    "aliases that multiply": (
        "1.zip", listed(f"{MULTIPLYING}submission_1:\n  :submitters: *a59\n  :created_at: *a59"),
        "expected a time"),
    "no time": ("1.zip", at("soon"), "'soon'"),
    "a time to come": ("1.zip", at("9999-12-31 23:59:59 -12:00"), "expected a time"),
    "a student's list": ("1.zip", forged(""), "all files in one folder"),
    "nothing there": ("none.zip", b"", "none.zip: there is no such file or folder"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_bad_download_is_named_and_stops_no_other(term: Term, what: str) -> None:
    name, content, why = BAD[what]
    path = term.download(name, content)
    if not content:
        path.unlink()
    assert term.collect(path, term.download("honest/bob_hw2.ipynb", nb("bob"))) == 1
    assert term.handed_in == BOB
    assert why in term.said
    assert name in term.said
    assert term.said.partition("Missing: no submission (3):")[2].startswith("\n  ann")


def test_no_download_or_no_homework_is_an_error(term: Term) -> None:
    (term.outside / "empty").mkdir()
    assert term.collect(term.outside / "empty") == 1
    assert "it has no files" in term.said
    assert main(["--course", str(term.root), "collect", "hw7", "x"]) == 2
