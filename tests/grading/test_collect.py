"""Downloads of each platform are collected; a bad file in them does not stop the others.

Each download is built by the platform's own rules. `Term.collect` runs the real command.
"""

import io
import json
import os
import re
import stat
import unicodedata
import zipfile
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
from nbgrader.api import Gradebook, Student
from platforms import gradescope, handed_in, moodle, nb, packed
from sqlalchemy import select

from hw_grading.__main__ import main
from hw_grading.final_scores.granting import Grant, grant
from hw_grading.homework.course import Course
from hw_grading.records.database import Database
from hw_grading.records.tables import read_table
from hw_grading.records.timestamp import read_time
from hw_grading.records.writing import columns
from hw_grading.term import canvas, write
from hw_grading.term.decide import before_of
from hw_support.submission.file import MAX_BYTES

CONFIG = "c = get_config()\nc.CourseDirectory.course_id = 'term'\n"
MANIFEST = 'due = "2022-10-04 23:59:59"\ntime_zone = "America/Los_Angeles"\n'
ROSTER = """id,name,email,section,canvas_id,moodle_name,sid
ann,Ann Lee,ann@x.edu,1,701,,3031
bob,"Jones, Bob",bob@x.edu,1,702,,3032
zoe,Zoë Ångström,zoe@x.edu,2,703,,3033
dan,Dan O'Neil,dan@x.edu,2,704,,3034
"""


class Term:
    """A course with only what collecting needs."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self._capsys = root / "course", capsys
        self.outside = root / "downloads"
        self.outside.mkdir()
        for folder in ("source/hw2", "staff/hw2"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "nbgrader_config.py").write_text(CONFIG)
        (self.root / "source/hw2/hw2.ipynb").write_bytes(nb("instructor"))
        (self.root / "staff/hw2/homework.toml").write_text(MANIFEST)
        self.roster(ROSTER)

    def roster(self, content: str | bytes) -> None:
        content = content.encode() if isinstance(content, str) else content
        (self.root / "students.csv").write_bytes(content)

    def download(self, name: str, content: bytes) -> Path:
        path = self.outside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def collect(self, *words: str | Path, yes: bool = True) -> int:
        """Run the command; return its exit status, and keep its output in `said`."""
        more = ["--yes"] if yes else []
        status = main(["--course", str(self.root), "collect", "hw2", *map(str, words), *more])
        out = self._capsys.readouterr()
        self.said = out.out + out.err
        assert all(c == "\n" or c.isprintable() for c in self.said)
        for path in (self.root / "submitted").rglob("*") if yes else ():
            assert not path.is_symlink()
            assert not path.name.startswith(".")
        return status

    @property
    def handed_in(self) -> dict[str, bytes]:
        return handed_in(self.root)

    def when(self, student: str) -> datetime | None:
        return read_time(self.root / "submitted" / student / "hw2")

    @property
    def manifest(self) -> dict[str, dict[str, object]]:
        path = self.root / "grading/collected/hw2.json"
        return json.loads(path.read_text(encoding="utf-8"))["students"]


@pytest.fixture
def term(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Term:
    return Term(tmp_path, capsys)


# -- platforms


CANVAS = [
    ("leeann_701_9001_hw2.ipynb", nb("ann, first")),
    ("leeann_701_9003_hw2-1.ipynb", nb("ann, second")),
    ("leeann_701_9002_notes.pdf", b"%PDF"),
    ("jonesbob_LATE_702_9004_hw2.ipynb", nb("bob")),
    ("ångströmzoë_703_9005_homework.zip", packed(("my/hw2.ipynb", nb("zoe")))),
]
OF_CANVAS = {"ann": nb("ann, second"), "bob": nb("bob"), "zoe": nb("zoe")}


def test_a_canvas_zip_is_collected(term: Term) -> None:
    assert term.collect(term.download("course-hw2_submissions.zip", packed(*CANVAS))) == 0
    assert term.handed_in == OF_CANVAS
    assert term.when("bob") is None
    assert term.manifest["bob"]["late"] is True
    assert term.manifest["ann"]["late"] is None
    assert term.manifest["ann"]["sha256"] == sha256(nb("ann, second")).hexdigest()
    assert "LATE, says Canvas" in term.said
    assert "into submitted/bob/hw2/timestamp.txt" in term.said
    assert "Missing: no submission (1):\n  dan" in term.said
    assert "ann has a newer one" in term.said
    table = term.said.partition("Duplicates")[0]
    assert table.count("course-hw2_submissions.zip\n") == table.count(".zip") - 1 == 1
    assert "  leeann_701_9003_hw2-1.ipynb\n" in table


def test_students_without_a_gradable_submission_are_named(term: Term) -> None:
    words = ("jonesbob_702_9004_hw2.docx", b"PK")
    assert term.collect(term.download("canvas.zip", packed(*CANVAS[:3], words))) == 1
    assert "jonesbob_702_9004_hw2.docx: expected a notebook or a zip, found '.docx'" in term.said
    assert "notes.pdf" not in term.said
    term.roster("id,name\nann,Ann Lee\nbob,Bob Jones\n")
    files = [("Ann Lee_1_assignsubmission_file/hw2.ipynb", nb("ann, moodle")),
             ("Ann Lee_1_assignsubmission_file/notes.pdf", b"%PDF"),
             ("Bob Jones_2_assignsubmission_file/hw2.pdf", b"%PDF")]  # fmt: skip
    assert term.collect(term.download("moodle.zip", packed(*files))) == 1
    assert "Bob Jones_2_assignsubmission_file/hw2.pdf: expected a notebook or a zip" in term.said
    assert "notes.pdf" not in term.said


def test_notebooks_that_cannot_be_graded_are_collected_and_named(term: Term) -> None:
    cut_off = nb("bob")[:-9]
    files = [("leeann_701_1_hw2.ipynb", nb("ann")), ("jonesbob_702_2_hw2.ipynb", cut_off)]
    files.append(("ångströmzoë_703_3_hw2.ipynb", b""))
    assert term.collect(term.download("canvas.zip", packed(*files))) == 0
    assert term.handed_in == {"ann": nb("ann"), "bob": cut_off, "zoe": b""}
    head = "CANNOT BE GRADED: ask these students to submit again (3):\n"
    ann, bob, zoe = term.said.partition(head)[2].splitlines()[:3]
    assert ann == "  ann: it has no cells"
    assert "bob: the file ends in the middle" in bob
    assert "zoe: expected a notebook, found an empty file" in zoe


def test_a_name_in_any_script_keeps_the_table_straight(term: Term) -> None:
    term.roster("id,name,canvas_id\nann,王 丽,701\nbob,Zoë,702\nzoe,Zoe\u0308,703\n")
    term.collect(term.download("canvas.zip", packed(*CANVAS)))
    rows = [line for line in term.said.splitlines() if line.startswith(("ann  ", "bob  ", "zoe  "))]
    assert len({columns(row[: row.index("  new")]) for row in rows}) == 1
    assert len(rows) == 3


def test_an_unpacked_canvas_download_is_collected(term: Term) -> None:
    for name, content in CANVAS:
        term.download(f"unpacked/{name}", content)
    assert term.collect(term.outside / "unpacked") == 0
    assert term.handed_in == OF_CANVAS


GRADEBOOK = """Student,ID,SIS User ID,SIS Login ID,Section,Homework 2 (123)
    Points Possible,,,,,100
"Lee, Ann",701,3031,ann,LEC 001,
"Jones, Bob",702,3032,bob,LEC 001,
"Ångström, Zoë",703,3033,zoe,LEC 001,
"Student, Test",799,,abc,LEC 001,
"""


@pytest.mark.parametrize("roster", ["", "id,name\nann,Somebody Else\nbob,\nzoe,\n"])
def test_canvas_ids_become_logins_by_the_exported_gradebook(term: Term, roster: str) -> None:
    if roster:
        term.roster(roster)
    else:
        (term.root / "students.csv").unlink()
    exported = term.download("grades.csv", GRADEBOOK.encode("utf-8-sig"))
    download = term.download("subs.zip", packed(*CANVAS))
    assert term.collect(download, "--canvas-gradebook", exported) == 0
    assert term.handed_in == OF_CANVAS


def test_canvas_matches_by_name_only_if_there_are_no_ids(term: Term) -> None:
    files = packed(("leeann_999_9001_hw2.ipynb", nb("ann")))
    download = term.download("subs.zip", files)
    assert term.collect(download) == 1
    assert "no student in students.csv has the Canvas id '999'" in term.said
    assert term.handed_in == {}
    term.roster("id,name\nann,Ann Lee\n")
    assert term.collect(download) == 0
    assert term.handed_in == {"ann": nb("ann")}


def test_anonymous_canvas_submissions_are_collected(term: Term) -> None:
    term.roster("id,canvas_id\nann,anon_x7Yz1\nbob,anon_Qq2\n")
    files = [("anon_x7Yz1_9001_hw2.ipynb", nb("ann")), ("LATE_anon_Qq2_9002_hw2.ipynb", nb("b"))]
    assert term.collect(term.download("subs.zip", packed(*files))) == 0
    assert term.handed_in == {"ann": nb("ann"), "bob": nb("b")}
    assert [term.manifest[s]["late"] for s in ("ann", "bob")] == [None, True]


def test_on_canvas_no_name_can_pose_as_another_student(term: Term) -> None:
    files = [
        ("x_702_1_701_9001_hw2.ipynb", nb("ann, who calls herself x_702_1")),
        ("oneildan_704_9002_2022_10_04_hw2.ipynb", nb("dan")),
        ("jonesbob_702_2_701_9004_hw2.ipynb", nb("ann, who calls herself jonesbob_702_2")),
        ("x_703_1_999_9003_hw2.ipynb", nb("somebody unknown who poses as zoe")),
    ]
    assert term.collect(term.download("subs.zip", packed(*files))) == 1
    assert term.handed_in == {"dan": nb("dan")}
    assert term.said.count("its name fits more than one student: bob") == 2
    assert "its name fits more than one student: zoe." in term.said


@pytest.mark.parametrize("both_at_once", [True, False])
def test_on_canvas_no_account_can_take_the_name_of_another(term: Term, both_at_once: bool) -> None:
    term.roster("id,name\nann,Ann Lee\nbob,Bob Jones\n")
    hers = ("leeann_701_9001_hw2.ipynb", nb("ann"))
    his = ("leeann_702_9005_hw2.ipynb", nb("bob, who calls himself Ann Lee"))
    if both_at_once:
        assert term.collect(term.download("subs.zip", packed(hers, his))) == 1
        assert term.handed_in == {}
        assert "ann has files from '701' and '702'" in term.said
        assert "canvas_id" in term.said
        return
    assert term.collect(term.download("monday.zip", packed(hers))) == 0
    for content in (nb("newer"), hers[1]):  # an exact copy would take over the account
        files = packed(("leeann_702_9005_hw2.ipynb", content))
        assert term.collect(term.download("tuesday.zip", files)) == 1
        assert "is from '701' and is kept; this one is from '702'" in term.said
    assert term.handed_in == {"ann": hers[1]}
    assert term.manifest["ann"]["account"] == "701"


def test_on_gradescope_no_account_can_replace_an_earlier_one(term: Term) -> None:
    for name, hour, email in (("a.zip", 10, "ann@x.edu"), ("b.zip", 11, "eve@home.edu")):
        by = [("Ann Lee", "'3031'", email)]
        export = gradescope((hour, f"2022-10-04 {hour}:00:00 Z", by, nb(email)))
        assert term.collect(term.download(name, export)) == int(hour == 11)
    assert "is from 'ann@x.edu' and is kept; this one is from 'eve@home.edu'" in term.said
    assert term.handed_in == {"ann": nb("ann@x.edu")}


def test_a_manifest_without_accounts_is_read(term: Term) -> None:
    download = term.download("subs.zip", packed(*CANVAS))
    assert term.collect(download) == 0
    path = term.root / "grading/collected/hw2.json"
    whole = json.loads(path.read_text())
    for record in whole["students"].values():
        del record["account"]
    path.write_text(json.dumps(whole))
    assert term.collect(download) == 0


def test_members_of_a_group_get_its_submission_unless_they_submit_again(term: Term) -> None:
    ann, bob = ("Ann Lee", "'3031'", "ann@x.edu"), ("Bob Jones", "''", "bob@x.edu")
    export = gradescope(
        (11, "2022-10-04 16:59:00.123456789 -07:00", [ann, bob], nb("both")),
        (12, "2022-10-05T09:00:00.5Z", [bob], nb("bob alone")),
        (13, "2022-10-05 00:00:00", [("Zoe", "zoe", "'?'")], nb("zoe")),
    )
    assert term.collect(term.download("assignment_9_export.zip", export)) == 0
    assert term.handed_in == {"ann": nb("both"), "bob": nb("bob alone"), "zoe": nb("zoe")}
    assert term.when("ann") == datetime(2022, 10, 4, 23, 59, 0, 123456)
    assert term.when("bob") == datetime(2022, 10, 5, 9, 0, 0, 500_000)
    assert term.when("zoe") == datetime(2022, 10, 5, 7, 0, 0)  # in the zone of the homework
    assert [term.manifest[s]["late"] for s in ("ann", "bob", "zoe")] == [False, True, True]
    assert term.manifest["zoe"]["seconds_late"] == 1.0
    assert "02:01 h" in term.said  # bob, 2 hours and 1.5 seconds


@pytest.mark.parametrize(
    ("email", "left", "why"),
    [
        (
            "bob@x.edu",
            {"ann", "zoe"},
            "the sid '3031' belongs to ann, but the email 'bob@x.edu' belongs to bob",
        ),
        ("bob", {"ann", "zoe"}, "the sid '3031' belongs to ann, but the id 'bob' belongs to bob"),
        ("Bob@home.edu", {"zoe"}, "ann has files from 'ann@x.edu' and 'Bob@home.edu'"),
    ],
)
def test_on_gradescope_no_sid_can_pose_as_another_student(
    term: Term, email: str, left: set[str], why: str
) -> None:
    export = gradescope(
        (11, "2022-10-04 10:00:00 Z", [("Ann Lee", "'3031'", "ann@x.edu")], nb("ann")),
        (12, "2022-10-05 10:00:00 Z", [("Bob Jones", "'3031'", email)], nb("bob")),
        (13, "2022-10-05 10:00:00 Z", [("Zoe", "'3033'", "zoe@home.edu")], nb("zoe")),
    )
    assert term.collect(term.download("assignment_9_export.zip", export)) == 1
    assert term.handed_in == {student: nb(student) for student in left}
    assert why in " ".join(term.said.split())
    assert "correct the wrong" in " ".join(term.said.split())


def test_an_email_of_two_students_is_enough_beside_a_sid(term: Term) -> None:
    term.roster("id,email,sid\nann,us@x.edu,3031\nbob,us@x.edu,3032\n")
    export = gradescope(
        (11, "2022-10-04 10:00:00 Z", [("Ann", "'3031'", "us@x.edu")], nb("ann")),
        (12, "2022-10-04 10:00:00 Z", [("Bob", "", "us@x.edu")], nb("bob")),
    )
    assert term.collect(term.download("assignment_9_export.zip", export)) == 1
    assert term.handed_in == {"ann": nb("ann")}


def test_a_canvas_id_is_joined_only_if_all_values_agree(term: Term) -> None:
    term.roster("id,sid\nann,3031\nbob,3032\n")
    exported = "Student,ID,SIS User ID,SIS Login ID\nAnn,701,3031,ann\nX,702,3031,x\nBob,703,,bob\n"
    gradebook = term.download("gradebook.csv", exported.encode())
    files = [("ann_701_9001_hw2.ipynb", nb("ann")), ("bob_703_9002_hw2.ipynb", nb("bob"))]
    subs = term.download("subs.zip", packed(*files))
    assert term.collect(subs, "--canvas-gradebook", gradebook) == 1
    assert term.handed_in == {"bob": nb("bob")}


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # from nbgrader's code
def test_a_student_with_an_extension_is_late_only_after_it(term: Term) -> None:
    url = Course(term.root).db_url
    with Gradebook(url) as book:
        book.add_assignment("hw2", duedate=datetime(2022, 10, 5, 6, 59, 59))
    grant(Database(url), "hw2", [Grant("ann", seconds=3600.0), Grant("bob", seconds=60.0)], "kim")
    export = gradescope(
        (11, "2022-10-05T07:30:00Z", [("", "ann", "")], nb("ann")),
        (12, "2022-10-05T07:30:00Z", [("", "bob", "")], nb("bob")),
    )
    assert term.collect(term.download("assignment_9_export.zip", export)) == 0
    told = {s: (term.manifest[s]["late"], term.manifest[s]["seconds_late"]) for s in ("ann", "bob")}
    assert told == {"ann": (False, 0.0), "bob": (True, 1741.0)}


def test_a_fraction_of_a_second_is_not_late(term: Term) -> None:
    export = gradescope((11, "2022-10-04 23:59:59.900000 -07:00", [("", "ann", "")], nb("ann")))
    assert term.collect(term.download("assignment_9_export.zip", export)) == 0
    assert (term.manifest["ann"]["late"], term.manifest["ann"]["seconds_late"]) == (False, 0.0)


def test_an_unpacked_gradescope_download_is_collected(term: Term) -> None:
    export = gradescope((1, "2022-10-04 10:00:00 Z", [("Ann", "3031", "")], nb("ann")))
    with zipfile.ZipFile(io.BytesIO(export)) as bundle:
        bundle.extractall(term.outside)
    assert term.collect(term.outside / "assignment_9_export") == 0
    assert term.handed_in == {"ann": nb("ann")}


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


def test_file_names_in_a_moodle_folder_identify_nobody(term: Term) -> None:
    inner = "Ann Lee_12_assignsubmission_file_"
    for outer in ("Dan O'Neil_77_assignsubmission_file_", "Dan_7_assignsubmission_onlinetext_"):
        term.download(f"{outer[:5]}.zip", packed((f"{outer}/{inner}/hw2.ipynb", nb("dan"))))
    term.collect(*term.outside.iterdir())
    assert "ann" not in term.handed_in


def test_a_students_zip_in_a_folder_is_not_read_as_a_download(term: Term) -> None:
    posing = packed(("Ann Lee_1_assignsubmission_file_/hw2.ipynb", nb("dan's")))
    term.download("m/Dan O'Neil_7_assignsubmission_file_stuff.zip", posing)
    term.download("c/jonesbob_702_9001_stuff.zip", posing)
    term.download("p/zoe_hw2_stuff.zip", posing)
    assert term.collect(*term.outside.iterdir()) == 0
    assert term.handed_in == dict.fromkeys(("dan", "bob", "zoe"), nb("dan's"))


def test_file_names_in_an_unknown_platforms_folders_identify_nobody(term: Term) -> None:
    files = [("mallory/ann_hw2.ipynb", nb("m")), ("bob/bob_hw2.ipynb", nb("b"))]
    assert term.collect(term.download("all.zip", packed(*files))) == 1
    assert term.handed_in == {}
    assert "expected all files in one folder" in term.said


def test_plain_files_and_zips_are_collected(term: Term) -> None:
    for name, content in (
        ("ann_hw2.ipynb", nb("ann")),
        ("bob_hw2_2.zip", packed(("ann_hw2.ipynb", nb("bob")))),
        ("more.zip", packed(("zoe_hw2.ipynb", nb("zoe")))),
    ):
        term.download(f"all/{name}", content)
    one = term.download("dan_hw2.ipynb", nb("dan"))
    assert term.collect(term.outside / "all", one) == 0
    assert term.handed_in == {s: nb(s) for s in ("ann", "bob", "zoe", "dan")}


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


def test_a_download_given_twice_is_collected_once(term: Term) -> None:
    for folder in "ab":
        term.download(f"{folder}/ann_hw2.ipynb", nb("one"))
    assert term.collect(*term.outside.iterdir()) == 0
    assert term.handed_in == {"ann": nb("one")}


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


def other_homework(term: Term, *, released: bool) -> None:
    (term.root / "source/hw0").mkdir()
    (term.root / "source/hw0/hw0.ipynb").write_bytes(nb("instructor"))
    if released:
        with Gradebook(f"sqlite:///{term.root}/gradebook.db", "term") as book:
            for name in ("hw0", "hw2"):
                book.add_assignment(name)
                book.add_notebook(name, name)
                for cell in ("title", f"{name}_double"):
                    book.add_source_cell(cell, name, name, cell_type="code")


def cells(*grade_ids: str) -> bytes:
    marks = [{"metadata": {"nbgrader": {"grade_id": name}}} for name in grade_ids]
    return json.dumps({"cells": marks}).encode()


@pytest.mark.parametrize("name", ["hw0.ipynb", "hw0-1.ipynb", "my_HW2_hw0 (1).ipynb", "hw0.zip"])
def test_a_file_named_like_another_homework_is_left_out(term: Term, name: str) -> None:
    other_homework(term, released=False)
    content = nb("ann")
    content = packed(("x.ipynb", content)) if name.endswith(".zip") else content
    files = (f"leeann_701_9001_{name}", content), ("jonesbob_702_9002_hw2.ipynb", nb("bob"))
    assert term.collect(term.download("subs.zip", packed(*files))) == 1
    assert term.handed_in == {"bob": nb("bob")}
    assert f"{name}: its name ends in hw0. If it is hw2, rename it; otherwise" in term.said
    assert "collect it: python -m hw_grading collect hw0 …" in term.said


def test_grade_ids_say_of_which_homework_a_notebook_is(term: Term) -> None:
    other_homework(term, released=True)
    right, both = cells("title", "hw2_double"), cells("title", "hw2_double", "hw0_double")
    files = [
        ("leeann_701_9001_hw2.ipynb", cells("title", "hw0_double")),
        ("jonesbob_702_9002_hw0.ipynb", right),
        ("ångströmzoë_703_9003_hw2.ipynb", both),
        ("oneildan_704_9004_hw0.ipynb", b'{"cells": [{"source": "\\"grade_id\\": \\"title\\""}]}'),
    ]
    assert term.collect(term.download("subs.zip", packed(*files))) == 1
    assert term.handed_in == {"bob": right, "zoe": both}
    assert "it has 1 of the 1 cells that only hw0 has. Collect it as hw0" in term.said
    assert "oneildan_704_9004_hw0.ipynb: its name ends in hw0." in term.said


def test_a_homework_that_was_not_released_yet_is_known_by_its_source(term: Term) -> None:
    """The gradebook knows only hw2, and the name of the file says hw2 or nothing."""
    other_homework(term, released=True)
    with Gradebook(f"sqlite:///{term.root}/gradebook.db", "term") as book:
        book.remove_assignment("hw0")
    (term.root / "source/hw0/hw0.ipynb").write_bytes(cells("title", "hw0_double"))
    files = [
        ("leeann_701_9001_hw2.ipynb", cells("title", "hw0_double")),
        ("jonesbob_702_9002_final.ipynb", cells("title", "hw2_double")),
    ]
    download = term.download("subs.zip", packed(*files))
    assert term.collect(download) == 1
    assert term.handed_in == {"bob": cells("title", "hw2_double")}
    assert "it has 1 of the 1 cells that only hw0 has. Collect it as hw0" in term.said


# -- bad input


def left_out(term: Term, content: bytes, why: str, name: str = "bad.zip") -> None:
    """Expect that the honest submission is collected, and that a sentence names the file."""
    honest = term.download("honest/bob_hw2.ipynb", nb("bob"))
    assert term.collect(term.download(name, content), honest) == 1
    assert term.handed_in == {"bob": nb("bob")}
    assert why in term.said
    assert name in term.said


def test_a_truncated_zip_is_left_out(term: Term) -> None:
    whole = packed(("ann_hw2.ipynb", os.urandom(9000)))
    left_out(term, whole[:-300], "expected a zip, found another file")


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (
            [("inner.zip", packed(("hw2.ipynb", nb("ann"))))],
            "found none, but zips in it ('inner.zip'). Unpack them, and collect the notebook "
            "under the name <student>_hw2.ipynb.",
        ),
        ([("notes.pdf", b"%PDF")], "found none. Ask the student for the notebook."),
        ([("a.ipynb", b"1"), ("b.ipynb", b"2")], "found 2 ('a.ipynb', 'b.ipynb'). Keep only the"),
    ],
    ids=["a zip", "no notebook", "two notebooks"],
)
def test_a_zip_without_the_one_notebook_is_left_out_and_its_student_is_missing(
    term: Term, files: list[tuple[str, bytes]], why: str
) -> None:
    name = "leeann_701_9001_work.zip"
    left_out(term, packed(*files), f"expected a zip with one notebook, {why}", name)
    missing = term.said.partition("Missing: no submission (3):")[2]
    assert missing.startswith("\n  ann")


def test_a_missing_or_wrong_download_is_reported(term: Term) -> None:
    assert term.collect(term.outside / "nothing.zip") == 2
    assert "nothing.zip: there is no such file or folder" in term.said
    (term.outside / "students.txt").write_text("ann")
    assert term.collect(term.outside / "students.txt") == 2
    assert "students.txt: expected a zip, a folder or a notebook" in term.said
    assert main(["--course", str(term.root), "collect", "hw7", "x"]) == 2


def test_a_download_without_a_submission_is_reported(term: Term) -> None:
    folder = term.outside / "empty"
    folder.mkdir()
    assert term.collect(folder) == 2
    assert "it has no files" in term.said
    (folder / "grades.csv").write_text("a,b")
    assert term.collect(folder) == 1
    assert "have no submission that can be collected" in term.said


def test_a_zip_bomb_is_left_out(term: Term) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", 8) as bundle, bundle.open("hw2.ipynb", "w") as file:
        for _ in range(MAX_BYTES // 1_000_000 + 1):
            file.write(bytes(1_000_000))
    files = packed(("leeann_701_9001_hw2.zip", stream.getvalue()))
    left_out(term, files, f"expected at most {MAX_BYTES:,} bytes, found more")


def test_links_in_zips_and_folders_are_left_out(term: Term) -> None:
    entry = zipfile.ZipInfo("leeann_701_9001_hw2.ipynb")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    left_out(term, packed((entry, b"/etc/passwd")), "symbolic link")
    (term.outside / "folder").mkdir()
    (term.outside / "folder" / "zoe_hw2.ipynb").symlink_to("/etc/hostname")
    assert term.collect(term.outside / "folder") == 1
    assert "symbolic link" in term.said
    assert set(term.handed_in) == {"bob"}


@pytest.mark.parametrize("name", ["../ann_hw2.ipynb", "a/../../ann_hw2.ipynb", "/ann_hw2.ipynb",
                                  "a\\..\\ann_hw2.ipynb", "x\x1b[2Jann_hw2.ipynb"])  # fmt: skip
def test_names_that_lead_out_of_the_folder_are_refused(term: Term, name: str) -> None:
    left_out(term, packed((name, nb("mallory"))), "Rename the file")


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


def test_a_submission_of_an_unknown_student_is_left_out(term: Term) -> None:
    left_out(
        term, packed(("x_999_1_hw2.ipynb", nb("x"))), "no student in students.csv has the Canvas"
    )


HOSTILE_YAML = {
    "cut off": ("submission_1: {':submitters': [", "line 2: expected YAML"),
    "deep": ("submission_1:\n  x: " + "[" * 500, "line 2: it is nested deeper than 100 levels"),
    "far deeper": ("submission_1:\n  x: " + "[" * 500_000, "line 2: expected YAML"),
    "an object": ("submission_1: !!python/object/apply:os.system ['exit 1']", "does not list"),
    "no mapping": ("- 1\n- 2", "expected a list of submissions by folder"),
    "the same twice": (
        "submission_1: {}\nsubmission_1: {}", "line 2: 'submission_1' is there twice"),
    "a circle": ("submission_1: &a\n  :submitters: *a\n  :created_at: *a", "names no student"),
    "no time": ("submission_1:\n  :submitters: [{':sid': ann}]\n  :created_at: soon", "'soon'"),
    "no such day": (
        "submission_1:\n  :submitters: [{':sid': ann}]\n  :created_at: 2022-02-30 10:00:00 Z",
        "is not a time",
    ),
    "a time to come": (
        "submission_1:\n  :submitters: [{':sid': ann}]\n  :created_at: 9999-12-31 23:59:59 -12:00",
        "is not a time",
    ),
    "nothing": ("", "expected a list of submissions by folder"),
    "no text": ("\x00\x01", "expected YAML"),
    "another folder": ("submission_2: {}", "does not list its folder"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE_YAML)
def test_an_invalid_list_of_submissions_is_reported(term: Term, what: str) -> None:
    text, why = HOSTILE_YAML[what]
    files = [("submission_metadata.yml", text.encode()), ("submission_1/hw2.ipynb", nb("ann"))]
    left_out(term, packed(*files), why)


def test_multiplying_yaml_aliases_are_not_expanded(term: Term) -> None:
    levels = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]"
                                   for n in range(1, 60)]  # fmt: skip
    export = "\n".join([*levels, "submission_1:", "  :submitters: *a59", "  :created_at: x"])
    files = [("submission_metadata.yml", export.encode()), ("submission_1/hw2.ipynb", nb("a"))]
    left_out(term, packed(*files), "there is no notebook in its folder")


def test_a_student_cannot_bring_a_list_of_submissions(term: Term) -> None:
    forged = b"submission_2:\n  :submitters: [{':sid': ann}]\n  :created_at: 2022-10-04 10:00:00 Z"
    for root in ("", "export/"):
        files = [
            (f"{root}submission_1/submission_metadata.yml", forged),
            (f"{root}submission_1/submission_2/hw2.ipynb", nb("mallory")),
        ]
        left_out(term, packed(*files), "expected a name such as")


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


def test_files_of_two_students_of_one_name_can_be_renamed(term: Term) -> None:
    term.roster(ROSTER + "eve,Ann Lee,,,,,\n")
    assert term.collect(term.download("m.zip", moodle(("Ann Lee", 9, nb("ann"))))) == 1
    assert "Find out whose it is, and rename the file to <student>_<homework>.ipynb" in term.said
    assert term.collect(term.download("ann_hw2.ipynb", nb("ann"))) == 0
    assert term.handed_in == {"ann": nb("ann")}


@pytest.mark.parametrize("content", [b"", b"name\nAnn\n", b"PK\x03\x04\0\0", b"\n\n"])
def test_an_invalid_roster_stops_the_command_before_it_writes(term: Term, content: bytes) -> None:
    term.roster(content)
    assert term.collect(term.download("ann_hw2.ipynb", nb("ann"))) == 2
    assert "students.csv" in term.said
    assert term.handed_in == {}


def test_without_a_roster_ids_that_differ_only_in_case_are_both_left_out(term: Term) -> None:
    (term.root / "students.csv").unlink()
    files = [("Eve_hw2.ipynb", nb("1")), ("eve_hw2.ipynb", nb("2")), ("-x_hw2.ipynb", nb("3"))]
    left_out(term, packed(*files), "differ only in case or Unicode form")
    assert "is not a student id" in term.said


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
