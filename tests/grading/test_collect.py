"""Downloads of each platform are collected; a bad file in them does not stop the others.

Each download is built by the platform's own rules. `Term.collect` runs the real command.
"""

import io
import json
import re
import unicodedata
import zipfile
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
from nbgrader.api import Gradebook, Student
from platforms import ROSTER, Term, gradescope, nb, packed
from sqlalchemy import select

from hw_grading.__main__ import main
from hw_grading.gradebook.database import Database
from hw_grading.gradebook.extensions import Extension, grant
from hw_grading.gradebook.writing import columns
from hw_grading.homework.course import Course
from hw_grading.term import canvas, write
from hw_grading.term.csv_tables import read_table
from hw_grading.term.decide import before_of

ANN, BOB, ZOE, DAN = ({student: nb(student)} for student in ("ann", "bob", "zoe", "dan"))


@pytest.fixture
def term(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Term:
    return Term(tmp_path, capsys)


# -- downloads


@dataclass
class Case:
    """What the command makes of downloads."""

    downloads: dict[str, bytes]  # by file name; all of a folder are one download
    collected: dict[str, bytes] = field(default_factory=dict)  # by student
    said: str = ""
    roster: str = ROSTER  # "" for none
    status: int = 1
    options: tuple[str, ...] = ()  # names of files in `downloads` that are no downloads


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
"Student, Test",799,,abc,LEC 001,
"""
GRADEBOOKS = {"gradebook.csv": GRADEBOOK.encode("utf-8-sig")}
DISAGREEING = b"Student,ID,SIS User ID,SIS Login ID\nAnn,701,3031,ann\nX,702,3031,x\nBob,703,,bob\n"
NAMES_ONLY = "id,name\nann,Ann Lee\nbob,Bob Jones\n"
POSING = packed(("Ann Lee_1_assignsubmission_file_/hw2.ipynb", nb("dan's")))
FILE = "_assignsubmission_file_/hw2.ipynb"
OF_MOODLE = zipped((f"Ann Lee_1{FILE}", nb("ann")), (f"Ann Lee_1{FILE[:-9]}notes.pdf", b"%PDF"),
                   ("Bob Jones_2_assignsubmission_file/hw2.pdf", b"%PDF"))  # fmt: skip
INNER = "Ann Lee_12_assignsubmission_file_"

CASES = {
    "Canvas, unpacked": Case(unpacked(packed(*CANVAS)), ANN | BOB | ZOE, status=0),
    "Canvas, a document for a notebook": Case(
        zipped(*CANVAS[1:3], ("jonesbob_702_9004_hw2.docx", b"PK")), ANN,
        "jonesbob_702_9004_hw2.docx: expected a notebook or a zip, found '.docx'"),
    "Canvas, ids from its gradebook": Case(
        zipped(*CANVAS) | GRADEBOOKS, ANN | BOB | ZOE, roster="", status=0,
        options=("gradebook.csv",)),
    "Canvas, ids from its gradebook beside a roster": Case(
        zipped(*CANVAS) | GRADEBOOKS, ANN | BOB | ZOE, status=0, options=("gradebook.csv",),
        roster="id,name\nann,Somebody Else\nbob,\nzoe,\n"),
    "Canvas, ids of which two lines disagree": Case(
        zipped(("a_701_1_hw2.ipynb", nb("ann")), ("b_703_2_hw2.ipynb", nb("bob")))
        | {"gradebook.csv": DISAGREEING}, BOB, roster="id,sid\nann,3031\nbob,3032\n",
        options=("gradebook.csv",)),
    "Canvas, an unknown id in a roster with ids": Case(
        zipped(("leeann_999_9001_hw2.ipynb", nb("ann"))), {},
        "no student in students.csv has the Canvas id '999'"),
    "Canvas, a name in a roster without ids": Case(
        zipped(("leeann_999_9001_hw2.ipynb", nb("ann"))), ANN, roster=NAMES_ONLY, status=0),
    "Canvas, anonymous": Case(
        zipped(("anon_x7Yz1_9001_hw2.ipynb", nb("ann")),
               ("LATE_anon_Qq2_9002_hw2.ipynb", nb("bob"))), ANN | BOB, "LATE, says Canvas",
        "id,canvas_id\nann,anon_x7Yz1\nbob,anon_Qq2\n", 0),
    "Canvas, a name like two ids of another": Case(
        zipped(("x_702_1_701_9001_hw2.ipynb", nb("ann, who calls herself x_702_1")),
               ("oneildan_704_9002_2022_10_04_hw2.ipynb", nb("dan"))),
        DAN, "its name fits more than one student: bob"),
    "Canvas, a name like a whole name of another": Case(
        zipped(("jonesbob_702_2_701_9004_hw2.ipynb", nb("ann, who calls herself jonesbob_702_2"))),
        {}, "its name fits more than one student: bob"),
    "Canvas, an unknown account with ids of another": Case(
        zipped(("x_703_1_999_9003_hw2.ipynb", nb("somebody"))), {},
        "its name fits more than one student: zoe."),
    "Canvas, two accounts of one name": Case(
        zipped(("leeann_701_9001_hw2.ipynb", nb("ann")), ("leeann_702_9005_hw2.ipynb", nb("bob"))),
        {}, "ann has files from '701' and '702'", NAMES_ONLY),
    "Gradescope, unpacked": Case(
        unpacked(by_number("Ann;3031;''")["assignment_9_export.zip"]), ANN, status=0),
    "Gradescope, a sid and another's email": Case(
        by_number("Ann;'3031';ann@x.edu", "Bob;'3031';bob@x.edu", "Zoe;'3033';z@home.edu"),
        ANN | ZOE, "the sid '3031' belongs to ann, but the email 'bob@x.edu' belongs to bob"),
    "Gradescope, a sid and another's id for an email": Case(
        by_number("Ann;'3031';ann@x.edu", "Bob;'3031';bob", "Zoe;'3033';z@home.edu"),
        ANN | ZOE, "the sid '3031' belongs to ann, but the id 'bob' belongs to bob"),
    "Gradescope, a sid of two accounts": Case(
        by_number("Ann;'3031';ann@x.edu", "Bob;'3031';Bob@home.edu", "Zoe;'3033';z@home.edu"),
        ZOE, "ann has files from 'ann@x.edu' and 'Bob@home.edu'"),
    "Gradescope, an email of two students": Case(
        by_number("Ann;'3031';us@x.edu", "Bob;;us@x.edu"), ANN, "belongs to ann",
        "id,email,sid\nann,us@x.edu,3031\nbob,us@x.edu,3032\n"),
    "Moodle, no notebook": Case(
        OF_MOODLE, ANN, "_file/hw2.pdf: expected a notebook or a zip", NAMES_ONLY),
    "Moodle, a folder's name in a student's folder": Case(
        {f"{outer[:3]}.zip": packed((f"{outer}/{INNER}/hw2.ipynb", nb("dan"))) for outer in
         ("Dan O'Neil_77_assignsubmission_file_", "Bob_7_assignsubmission_onlinetext_")},
        DAN, "bob"),
    "students' zips beside others": Case(
        {"m/Dan O'Neil_7_assignsubmission_file_stuff.zip": POSING,
         "c/jonesbob_702_9001_stuff.zip": POSING, "p/zoe_hw2_stuff.zip": POSING},
        dict.fromkeys(("dan", "bob", "zoe"), nb("dan's")), status=0),
    "an unknown platform's folders": Case(
        zipped(("mallory/ann_hw2.ipynb", nb("m")), ("bob/bob_hw2.ipynb", nb("b"))), {},
        "expected all files in one folder"),
    "one folder in an unknown platform's zip": Case(
        zipped(("hw2 export/ann_hw2.ipynb", nb("ann")), ("hw2 export/bob_hw2.ipynb", nb("bob"))),
        ANN | BOB, status=0),
    "plain files and zips": Case(
        {"all/ann_hw2.ipynb": nb("ann"), "all/bob_hw2_2.zip": packed(("ann_hw2.ipynb", nb("bob"))),
         "all/more.zip": packed(("zoe_hw2.ipynb", nb("zoe"))), "dan_hw2.ipynb": nb("dan")},
        ANN | BOB | ZOE | DAN, status=0),
    "one file twice": Case(
        {"a/ann_hw2.ipynb": nb("ann"), "b/ann_hw2.ipynb": nb("ann")}, ANN, status=0),
    "two files of a student": Case(
        {"a/ann_hw2.ipynb": nb("1"), "b/ann_hw2.ipynb": nb("2"), "c/bob_hw2.ipynb": nb("bob")}, BOB,
        "ann has 2 files, and it is not clear which is the newest"),
    "two students of one name": Case(
        zipped((f"Ann Lee_9{FILE}", nb("ann"))), {},
        "Find out whose it is, and rename the file to <student>_<homework>.ipynb",
        ROSTER + "eve,Ann Lee,,,,,\n"),
    "ids that differ in case, without a roster": Case(
        zipped(("Eve_hw2.ipynb", b"1"), ("eve_hw2.ipynb", b"2"), ("bob_hw2.ipynb", nb("bob"))), BOB,
        "differ only in case or Unicode form", ""),
    "no id, without a roster": Case(
        zipped(("-x_hw2.ipynb", nb("3")), ("bob_hw2.ipynb", nb("bob"))), BOB,
        "is not a student id", ""),
    "no submission": Case({"all/grades.csv": b"a,b"}, {}, "no submission that can be collected"),
    "another kind of file": Case(
        {"students.txt": b"ann"}, {}, "students.txt: expected a zip, a folder or a notebook",
        status=2),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_each_download_is_collected_for_the_right_students(term: Term, what: str) -> None:
    case = CASES[what]
    term.roster(case.roster)
    if not case.roster:
        (term.root / "students.csv").unlink()
    for name, content in case.downloads.items():
        term.download(name, content)
    paths = [path for path in sorted(term.outside.iterdir()) if path.name not in case.options]
    words = [w for name in case.options for w in ("--canvas-gradebook", term.outside / name)]
    assert term.collect(*paths, *words) == case.status, term.said
    assert term.handed_in == case.collected
    assert case.said in term.said
    assert "notes.pdf" not in term.said


def test_a_canvas_zip_is_shown_with_what_is_late_older_and_missing(term: Term) -> None:
    assert term.collect(term.download("course-hw2_submissions.zip", packed(*CANVAS))) == 0
    assert term.handed_in == ANN | BOB | ZOE
    assert term.when("bob") is None
    assert [term.manifest[s]["late"] for s in ("ann", "bob")] == [None, True]
    assert term.manifest["ann"]["sha256"] == sha256(nb("ann")).hexdigest()
    assert "LATE, says Canvas" in term.said
    assert "into submitted/bob/hw2/timestamp.txt" in term.said
    assert "Missing: no submission (1):\n  dan" in term.said
    assert "ann has a newer one" in term.said
    table = term.said.partition("Duplicates")[0]
    assert table.count("course-hw2_submissions.zip\n") == table.count(".zip") - 1 == 1
    assert "  leeann_701_9003_hw2-1.ipynb\n" in table


def test_notebooks_that_cannot_be_graded_are_collected_and_named(term: Term) -> None:
    cut_off = nb("bob")[:-9]
    files = [("leeann_701_1_hw2.ipynb", nb("ann")), ("jonesbob_702_2_hw2.ipynb", cut_off)]
    files.append(("ångströmzoë_703_3_hw2.ipynb", b""))
    assert term.collect(term.download("canvas.zip", packed(*files))) == 0
    assert term.handed_in == {"ann": nb("ann"), "bob": cut_off, "zoe": b""}
    head = "CANNOT BE GRADED: ask these students to submit again (3):\n"
    ann, bob, zoe = term.said.partition(head)[2].splitlines()[:3]
    assert ann == "  ann: expected 1 to 5,000 cells, found 0"
    assert "bob: the file ends in the middle" in bob
    assert "zoe: expected a notebook, found an empty file" in zoe


def test_a_name_in_any_script_keeps_the_table_straight(term: Term) -> None:
    term.roster("id,name,canvas_id\nann,王 丽,701\nbob,Zoë,702\nzoe,Zoe\u0308,703\n")
    term.collect(term.download("canvas.zip", packed(*CANVAS)))
    rows = [line for line in term.said.splitlines() if line.startswith(("ann  ", "bob  ", "zoe  "))]
    assert len({columns(row[: row.index("  new")]) for row in rows}) == 1
    assert len(rows) == 3


def test_on_canvas_no_account_can_take_the_name_of_another_later(term: Term) -> None:
    term.roster(NAMES_ONLY)
    hers = ("leeann_701_9001_hw2.ipynb", nb("ann"))
    assert term.collect(term.download("monday.zip", packed(hers))) == 0
    for content in (nb("newer"), hers[1]):  # an exact copy would take over the account
        files = packed(("leeann_702_9005_hw2.ipynb", content))
        assert term.collect(term.download("tuesday.zip", files)) == 1
        assert "is from '701' and is kept; this one is from '702'" in term.said
    assert term.handed_in == ANN
    assert term.manifest["ann"]["account"] == "701"


def test_on_gradescope_no_account_can_replace_an_earlier_one(term: Term) -> None:
    for name, hour, email in (("a.zip", 10, "ann@x.edu"), ("b.zip", 11, "eve@home.edu")):
        by = [("Ann Lee", "'3031'", email)]
        export = gradescope((hour, f"2022-10-04 {hour}:00:00 Z", by, nb(email)))
        assert term.collect(term.download(name, export)) == int(hour == 11)
    assert "is from 'ann@x.edu' and is kept; this one is from 'eve@home.edu'" in term.said
    assert term.handed_in == {"ann": nb("ann@x.edu")}


def test_members_of_a_group_get_its_submission_unless_they_submit_again(term: Term) -> None:
    ann, bob = ("Ann Lee", "'3031'", "ann@x.edu"), ("Bob Jones", "''", "bob@x.edu")
    export = gradescope(
        (11, "2022-10-04 16:59:00.123456789 -07:00", [ann, bob], nb("ann")),
        (12, "2022-10-05T09:00:00.5Z", [bob], nb("bob")),
        (13, "2022-10-05 00:00:00", [("Zoe", "zoe", "'?'")], nb("zoe")),
        (14, "2022-10-04 23:59:59.900000 -07:00", [("Dan", "dan", "")], nb("dan")),
    )
    assert term.collect(term.download("assignment_9_export.zip", export)) == 0
    assert term.handed_in == ANN | BOB | ZOE | DAN
    assert term.when("ann") == datetime(2022, 10, 4, 23, 59, 0, 123456)
    assert term.when("bob") == datetime(2022, 10, 5, 9, 0, 0, 500_000)
    assert term.when("zoe") == datetime(2022, 10, 5, 7, 0, 0)  # in the zone of the homework
    told = [(term.manifest[s]["late"], term.manifest[s]["seconds_late"]) for s in ("zoe", "dan")]
    assert told == [(True, 1.0), (False, 0.0)]  # a fraction of a second is not late
    assert "02:01 h" in term.said  # bob, 2 hours and 1.5 seconds


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # from nbgrader's code
def test_a_student_with_an_extension_is_late_only_after_it(term: Term) -> None:
    url = Course(term.root).db_url
    with Gradebook(url) as book:
        book.add_assignment("hw2", duedate=datetime(2022, 10, 5, 6, 59, 59))
    longer = {"ann": 3600.0, "bob": 60.0}
    more = [Extension("hw2", student, seconds=time) for student, time in longer.items()]
    grant(Database(url), more, "kim")
    export = gradescope(
        (11, "2022-10-05T07:30:00Z", [("", "ann", "")], nb("ann")),
        (12, "2022-10-05T07:30:00Z", [("", "bob", "")], nb("bob")),
    )
    assert term.collect(term.download("assignment_9_export.zip", export)) == 0
    told = {s: (term.manifest[s]["late"], term.manifest[s]["seconds_late"]) for s in ("ann", "bob")}
    assert told == {"ann": (False, 0.0), "bob": (True, 1741.0)}


@pytest.mark.parametrize("form", ["{}_{}_assignsubmission_file_/", "{}_{}_assignsubmission_file/",
                                  "{}_{}_assignsubmission_file_"])  # fmt: skip
@pytest.mark.parametrize("root", ["", "all/"])
def test_a_moodle_download_is_collected(term: Term, form: str, root: str) -> None:
    people = "ann,Ann Lee,\nbob,Bob,Group 1-Robert Jones\ndan,Dan O'Neil,\n"
    term.roster("id,name,moodle_name\n" + people)
    files = [
        (root + form.format("Ann Lee", 12345) + "hw2.ipynb", nb("ann")),
        (root + form.format("Group 1-Robert Jones", 12346) + "ann_hw2.zip",
         packed(("Ann Lee_1_assignsubmission_file_/hw2.ipynb", nb("bob")))),
        (root + form.format("ONeil Dan", 12347) + "hw2.ipynb", nb("dan")),
        (root + form.format("Marie Lee", 12348) + "hw2.ipynb", nb("marie")),
        (root + form.format("X-Ann Lee", 12349) + "hw2.ipynb", nb("another")),
    ]  # fmt: skip
    assert term.collect(term.download("C-hw 2-9.zip", packed(*files))) == 1
    assert term.handed_in == {"ann": nb("ann"), "bob": nb("bob"), "dan": nb("dan")}
    assert "UNKNOWN: left out, because their students are not known (2)" in term.said
    assert "has the full name 'Marie Lee'" in term.said


def test_without_a_roster_the_gradebook_identifies_students(term: Term) -> None:
    (term.root / "students.csv").unlink()
    with Gradebook(f"sqlite:///{term.root}/gradebook.db", "term") as gradebook:
        gradebook.add_student("ann", first_name="Ann", last_name="Lee", email="a@x.edu")
        gradebook.add_student("bob", lms_user_id="702")
    export = gradescope((1, "2022-10-04 10:00:00 Z", [("A", "3031", "a@x.edu")], nb("ann")))
    canvas_zip = packed(("jonesbob_702_1_hw2.ipynb", nb("bob")))
    new = term.download("eve_hw2.ipynb", nb("eve"))
    status = term.collect(term.download("e.zip", export), term.download("c.zip", canvas_zip), new)
    assert status == 0
    assert term.handed_in == {"ann": nb("ann"), "bob": nb("bob"), "eve": nb("eve")}
    with Gradebook(f"sqlite:///{term.root}/gradebook.db", "term") as gradebook:
        assert set(gradebook.db.scalars(select(Student.id))) == {"ann", "bob"}


# -- what is written


def test_the_gradebook_gets_the_names_of_the_roster_and_keeps_its_own(term: Term) -> None:
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


def test_nothing_is_written_before_the_instructor_agrees(
    term: Term, monkeypatch: pytest.MonkeyPatch
) -> None:
    download = term.download("ann_hw2.ipynb", nb("ann"))
    before = sorted(term.root.rglob("*"))
    assert term.collect(download, "--dry-run", yes=False) == 0
    assert "ann  " in term.said
    monkeypatch.setattr("builtins.input", lambda _: "")
    assert term.collect(download, yes=False) == 1
    assert sorted(term.root.rglob("*")) == before
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert term.collect(download, yes=False) == 0
    assert term.handed_in == {"ann": nb("ann")}


def test_without_an_answer_nothing_is_written(term: Term, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert term.collect(term.download("ann_hw2.ipynb", nb("ann")), yes=False) == 2
    assert "--yes" in term.said
    assert not (term.root / "submitted").exists()


def export_of_ann(hour: int, text: str) -> bytes:
    return gradescope((1, f"2022-10-04 {hour}:00:00 Z", [("A", "3031", "")], nb(text)))


def test_a_newer_submission_is_never_overwritten_and_an_older_one_is(term: Term) -> None:
    noon = term.download("noon.zip", export_of_ann(12, "noon"))
    two = term.download("two.zip", export_of_ann(14, "two"))
    assert term.collect(noon) == 0
    (term.root / "submitted/ann/hw2/extra.txt").touch()
    assert term.collect(two) == 0
    assert sorted(p.name for p in (term.root / "submitted/ann/hw2").iterdir()) == [
        "hw2.ipynb",
        "timestamp.txt",
    ]
    assert term.collect(noon) == 1
    assert "is newer (2022-10-04 14:00:00 UTC) and is kept" in term.said
    assert term.handed_in == {"ann": nb("two")}
    assert term.when("ann") == datetime(2022, 10, 4, 14)
    assert term.manifest["ann"]["sha256"] == sha256(nb("two")).hexdigest()
    assert term.collect(two) == 0
    assert "0 to write, 1 already there" in term.said
    assert "Submissions written to submitted/: 0." in term.said


def test_canvas_uploads_are_ordered_by_their_ids(term: Term) -> None:
    first = term.download("1.zip", packed(("leeann_701_9001_hw2.ipynb", nb("first"))))
    second = term.download("2.zip", packed(("leeann_701_9002_hw2-1.ipynb", nb("second"))))
    assert [term.collect(first), term.collect(second), term.collect(first)] == [0, 0, 1]
    assert term.handed_in == {"ann": nb("second")}


def test_nothing_is_overwritten_if_the_newer_submission_is_unclear(term: Term) -> None:
    assert term.collect(term.download("a/ann_hw2.ipynb", nb("one"))) == 0
    assert term.collect(term.download("b/ann_hw2.ipynb", nb("other"))) == 1
    assert "it is not clear whether this file is newer" in term.said
    assert term.handed_in == {"ann": nb("one")}
    assert term.collect(*term.outside.iterdir()) == 1
    assert "ann has 2 files" in term.said


def test_a_run_that_is_killed_between_two_steps_loses_nothing(term: Term) -> None:
    assert term.collect(term.download("noon.zip", export_of_ann(12, "noon"))) == 0
    folder = term.root / "submitted/ann/hw2"
    folder.rename(before_of(folder))  # as far as it came
    assert term.collect(term.download("bob_hw2.ipynb", nb("bob")), "--dry-run", yes=False) == 0
    assert "  ann" not in term.said  # who is not missing
    ten = term.download("ten.zip", export_of_ann(10, "ten"))
    assert term.collect(ten, "--dry-run", yes=False) == 1
    assert "is newer" in term.said
    assert not folder.exists()
    assert term.collect(ten) == 1
    assert "is newer" in term.said
    assert term.handed_in == {"ann": nb("noon")}
    folder.rename(before_of(folder))
    assert term.collect(term.download("two.zip", export_of_ann(14, "two"))) == 0
    assert term.handed_in == {"ann": nb("two")}
    before_of(folder).mkdir()  # a run that was killed before its last step
    assert term.collect(term.download("bob_hw2.ipynb", nb("bob"))) == 0
    assert term.handed_in == {"ann": nb("two"), "bob": nb("bob")}


def test_a_disk_failure_for_one_student_keeps_the_old_files(
    term: Term, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert term.collect(term.download("noon.zip", export_of_ann(12, "noon"))) == 0
    two = term.download("two.zip", export_of_ann(14, "two"))
    bob = term.download("bob_hw2.ipynb", nb("bob"))
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if "ann" in self.parts and Path(target).name == "hw2" and "before" not in self.name:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(write.Path, "rename", failing)
    assert term.collect(two, bob) == 1
    assert "NOT WRITTEN (1)" in term.said
    assert term.handed_in == {"ann": nb("noon"), "bob": nb("bob")}
    assert term.when("ann") == datetime(2022, 10, 4, 12)


# -- another homework


def cells(*grade_ids: str) -> bytes:
    marks = [{"metadata": {"nbgrader": {"grade_id": name}}} for name in grade_ids]
    return json.dumps({"cells": marks}).encode()


OF_HW0, OF_HW2 = cells("title", "hw0_double"), cells("title", "hw2_double")
OF_BOTH = cells("title", "hw2_double", "hw0_double")
BY_NAME = "its name ends in hw0. If it is hw2, rename it; otherwise collect it: python -m "
BY_CELLS = "it has 1 of the 1 cells that only hw0 has. Collect it as hw0"
OTHERS = {  # the file, its content, whether it is collected, what is said
    "a name": ("hw0.ipynb", nb("ann"), False, f"hw0.ipynb: {BY_NAME}hw_grading collect hw0 …"),
    "a second upload's name": ("hw0-1.ipynb", nb("ann"), False, BY_NAME),
    "a browser's name": ("my_HW2_hw0 (1).ipynb", nb("ann"), False, BY_NAME),
    "a zip's name": ("hw0.zip", packed(("x.ipynb", nb("ann"))), False, BY_NAME),
    "cells": ("hw2.ipynb", OF_HW0, False, BY_CELLS),
    "cells, without a name": ("final.ipynb", OF_HW0, False, BY_CELLS),
    "cells of hw2 under another name": ("hw0.ipynb", OF_HW2, True, ""),
    "cells of both": ("hw2.ipynb", OF_BOTH, True, ""),
    "words like a cell's mark": (
        "hw0.ipynb", b'{"cells": [{"source": "\\"grade_id\\": \\"title\\""}]}', False, BY_NAME),
}  # fmt: skip


@pytest.mark.parametrize("known_by", ["the gradebook", "its source"])
@pytest.mark.parametrize("what", OTHERS)
def test_a_notebook_of_another_homework_is_left_out(term: Term, what: str, known_by: str) -> None:
    name, content, is_collected, said = OTHERS[what]
    (term.root / "source/hw0").mkdir()
    is_in_gradebook = known_by == "the gradebook"
    source = nb("instructor") if is_in_gradebook else OF_HW0
    (term.root / "source/hw0/hw0.ipynb").write_bytes(source)
    with Gradebook(f"sqlite:///{term.root}/gradebook.db", "term") as book:
        for homework in ("hw0", "hw2") if is_in_gradebook else ("hw2",):
            book.add_assignment(homework)
            book.add_notebook(homework, homework)
            for cell in ("title", f"{homework}_double"):
                book.add_source_cell(cell, homework, homework, cell_type="code")
    files = (f"leeann_701_9001_{name}", content), ("jonesbob_702_9002_hw2.ipynb", OF_HW2)
    assert term.collect(term.download("subs.zip", packed(*files))) == int(not is_collected)
    assert term.handed_in == {"bob": OF_HW2} | ({"ann": content} if is_collected else {})
    assert said in term.said


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
        OF_ANN, packed(("notes.pdf", b"%PDF")), "found none. Ask the student for the notebook."),
    "zips in a zip": (
        OF_ANN, packed(("inner.zip", packed(("hw2.ipynb", nb("ann"))))),
        "found none, but zips in it ('inner.zip'). Unpack them, and collect the notebook under the "
        "name <student>_hw2.ipynb."),
    "two notebooks in a zip": (
        OF_ANN, packed(("a.ipynb", b"1"), ("b.ipynb", b"2")),
        "expected a zip with one notebook, found 2 ('a.ipynb', 'b.ipynb'). Keep only the"),
    "a list that is cut off": (
        "1.zip", listed("submission_1: {':submitters': ["), "line 2: expected YAML"),
    "a deep list": (
        "1.zip", listed("submission_1:\n  x: " + "[" * 500), "line 2: it is nested deeper"),
    "a far deeper list": (
        "1.zip", listed("submission_1:\n  x: " + "[" * 500_000), "line 2: expected YAML"),
    "an object in the list": (
        "1.zip", listed("submission_1: !!python/object/apply:os.system ['exit 1']"),
        "does not list its folder"),
    "no mapping": ("1.zip", listed("- 1\n- 2"), "expected a list of submissions by folder"),
    "the same twice": (
        "1.zip", listed("submission_1: {}\nsubmission_1: {}"),
        "line 2: 'submission_1' is there twice"),
    "a circle": (
        "1.zip", listed("submission_1: &a\n  :submitters: *a\n  :created_at: *a"),
        "names no student"),
    "aliases that multiply": (
        "1.zip", listed(f"{MULTIPLYING}submission_1:\n  :submitters: *a59\n  :created_at: x"),
        "there is no notebook in its folder"),
    "no time": ("1.zip", at("soon"), "'soon'"),
    "no such day": ("1.zip", at("2022-02-30 10:00:00 Z"), "is not a time"),
    "a time to come": ("1.zip", at("9999-12-31 23:59:59 -12:00"), "is not a time"),
    "an empty list": ("1.zip", listed(""), "expected a list of submissions by folder"),
    "a list that is no text": ("1.zip", listed("\x00\x01"), "expected YAML"),
    "a list of another folder": ("1.zip", listed("submission_2: {}"), "does not list its folder"),
    "a student's list": ("1.zip", forged(""), "expected a name such as"),
    "a student's list in a folder": ("1.zip", forged("export/"), "expected a name such as"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_bad_download_is_named_and_stops_no_other(term: Term, what: str) -> None:
    name, content, why = BAD[what]
    honest = term.download("honest/bob_hw2.ipynb", nb("bob"))
    assert term.collect(term.download(name, content), honest) == 1
    assert term.handed_in == BOB
    assert why in term.said
    assert name in term.said
    assert term.said.partition("Missing: no submission (3):")[2].startswith("\n  ann")


def test_a_missing_or_wrong_download_is_reported(term: Term) -> None:
    assert term.collect(term.outside / "nothing.zip") == 2
    assert "nothing.zip: there is no such file or folder" in term.said
    (term.outside / "empty").mkdir()
    assert term.collect(term.outside / "empty") == 2
    assert "it has no files" in term.said
    assert main(["--course", str(term.root), "collect", "hw7", "x"]) == 2


def test_a_students_folder_that_is_a_link_is_not_followed(term: Term) -> None:
    (term.root / "submitted").mkdir()
    elsewhere = term.outside / "elsewhere"
    elsewhere.mkdir()
    (term.root / "submitted" / "ann").symlink_to(elsewhere)
    path = term.download("ann_hw2.ipynb", nb("ann"))
    assert main(["--course", str(term.root), "collect", "hw2", str(path), "--yes"]) == 1
    assert list(elsewhere.iterdir()) == []


@pytest.mark.slow
def test_5000_files_are_collected(term: Term) -> None:
    rows = "".join(f"s{n},Student {n},{n}\n" for n in range(5000))
    term.roster("id,name,canvas_id\n" + rows)
    files = [(f"student{n}_{n}_{9000 + n}_hw2.ipynb", nb(str(n))) for n in range(5000)]
    assert term.collect(term.download("subs.zip", packed(*files))) == 0
    assert len(term.handed_in) == 5000
    assert term.handed_in["s4321"] == nb("4321")


# -- lists of students


@pytest.mark.parametrize(
    "content",
    [
        ROSTER.encode("utf-8-sig"),
        ROSTER.replace("\n", "\r\n").encode(),
        ROSTER.replace(",", ";").replace('"Jones; Bob"', '"Jones, Bob"').encode("cp1252"),
        ("sep=;\r\n" + ROSTER.replace(",", ";")).encode("utf-8-sig"),
        ROSTER.replace(",", "\t").encode("utf-16"),
    ],
    ids=["BOM", "CRLF", "German Excel", "sep=", "Unicode text of Excel"],
)
def test_a_roster_is_read_as_programs_write_it(term: Term, content: bytes) -> None:
    term.roster(content)
    name = "Zoë Ångström_9_assignsubmission_file_/hw2.ipynb"
    decomposed = unicodedata.normalize("NFD", name)
    assert term.collect(term.download("m.zip", packed((decomposed, nb("zoe"))))) == 0
    assert term.handed_in == {"zoe": nb("zoe")}


BAD_ROSTERS = {
    "the same id twice": (ROSTER + "ann,Another,,,,,\n", "students.csv, line 6: the id ann"),
    "ids that differ in case": (ROSTER + "ANN,Another,,,,,\n", "line 6: the id 'ANN' differs"),
    "ids that differ in form": (
        ROSTER + "z\u00e9,A,,,,,\nze\u0301,B,,,,,\n", "line 7: the id z\u00e9 is already in"),
    "ids that differ in width": (
        ROSTER + "\uff41nn,A,,,,,\n", "line 6: the id '\\uff41nn' differs from 'ann'"),
    "no id": (ROSTER + ",Nobody,,,,,\n", "students.csv, line 6: the row has no id"),
    "an id that is a path": (ROSTER + "../x,N,,,,,\n", "students.csv, line 6: '../x' is not a"),
    "too many values": (ROSTER + "eve,E,1,2,3,4,5,6\n", "line 6: expected 7 values, found 8"),
    "two with one Canvas id": (
        ROSTER + "eve,E,,,702,,\n", "'702' belongs to bob (students.csv, line 3)"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD_ROSTERS)
def test_a_mistake_in_the_roster_is_named(term: Term, what: str) -> None:
    content, why = BAD_ROSTERS[what]
    term.roster(content)
    files = [("a_701_1_hw2.ipynb", nb("ann")), ("b_702_2_hw2.ipynb", nb("bob"))]
    assert term.collect(term.download("c.zip", packed(*files))) == 1
    assert term.handed_in["ann"] == nb("ann")
    assert set(term.handed_in) <= {"ann", "bob"}
    assert why in term.said


@pytest.mark.parametrize(
    ("roster", "advice"),
    [
        (ROSTER.replace("canvas_id", "canvas"), "these columns are not used: 'canvas'. Used are:"),
        (re.sub(r",70\d,", ",,", ROSTER), "students.csv has no Canvas ids. Fill in the column"),
    ],
    ids=["a wrong name of a column", "an empty column"],
)
def test_if_somebody_is_not_found_the_message_says_what_the_roster_lacks(
    term: Term, roster: str, advice: str
) -> None:
    export = term.download("c.zip", packed(("leeann_701_1_hw2.ipynb", nb("ann"))))
    term.roster(roster)
    assert term.collect(export) == 0
    assert advice not in term.said
    term.roster(roster.replace("Ann Lee", "Ann Li"))
    assert term.collect(export) == 1
    assert advice in term.said


@pytest.mark.parametrize("content", [b"", b"name\nAnn\n", b"PK\x03\x04\0\0", b"\n\n"])
def test_an_invalid_roster_stops_the_command_before_it_writes(term: Term, content: bytes) -> None:
    term.roster(content)
    assert term.collect(term.download("ann_hw2.ipynb", nb("ann"))) == 2
    assert "students.csv" in term.said
    assert term.handed_in == {}


def test_a_damaged_manifest_says_what_to_do(term: Term) -> None:
    path = term.root / "grading/collected/hw2.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    assert term.collect(term.download("ann_hw2.ipynb", nb("ann"))) == 2
    assert f"{path}: expected a file that `collect` wrote" in term.said


def test_a_quote_that_never_ends_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text('id,name\nann,"x\n' + "y" * 200_000)
    table = read_table(path)
    assert table.rows == ()
    assert len(table.complaints) == 1
    assert f"{path}, line " in table.complaints[0]


@pytest.mark.parametrize("name", ["hw2.ipynb", "ann_hw2.ipynb", "ann_1_hw2.ipynb", "a_1_2_"])
def test_other_file_names_are_not_read_as_canvas_names(name: str) -> None:
    assert not canvas.is_named_so(name)
