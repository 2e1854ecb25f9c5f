"""What is taken of files with requests: whoever wrote them, nobody else's are lost."""

import io
import json
import zipfile
from contextlib import closing
from datetime import datetime

import pytest
from graded_course import FAILED, PASSED, course, notebook, run_of
from platforms import gradescope, packed

from hw_grading.__main__ import main
from hw_grading.gradebook.database import Database
from hw_grading.gradebook.model import Refused
from hw_grading.gradebook.requests import Sent, reply, requests_in, take, versions_of
from hw_grading.gradebook.scores import open_gradebook
from hw_grading.homework.course import Course

__all__ = ["course"]  # a fixture

MANIFEST = '[requests]\nmost = 2\ncharacters = 40\nuntil = "2022-10-20"\n'
GOOD = {"test_double": {"text": "Why 1?", "version": ""}}
NO_FILE = "expected the file that a page of feedback makes, found something else"


def of(questions=GOOD, student="ada", homework="hw2"):
    return json.dumps({"homework": homework, "student": student, "questions": questions}).encode()


def texts(**of_cells):
    return of({cell: {"text": text, "version": ""} for cell, text in of_cells.items()})


@pytest.fixture
def asked(course):
    """The course with two students, and what is stored of the first one after files of both."""
    for student in ("ada", "bob"):
        course.grade(student, notebook(), auto=1.0, manual=3.0, parts=[PASSED, FAILED])
    (course.root / "staff/hw2").mkdir(parents=True)
    (course.root / "staff/hw2/homework.toml").write_text(MANIFEST)

    def stored(*contents, when=None):
        sent = [Sent("ada", "a file of ada", content, when) for content in contents]
        sent.append(Sent("bob", "bob's", of(student="bob")))
        where = Course(course.root)
        course.taken = take(where, "hw2", sent, {"test_double": ("double",)})
        with open_gradebook(where.db_url, "hw2") as (db, _):
            found = requests_in(db, "hw2")
        assert found["bob"]["test_double"].words == "Why 1?"  # whatever came before it
        return {cell: one.words for cell, one in found.get("ada", {}).items()}

    (course.root / "staff/hw2/homework.toml").write_text(MANIFEST.replace("2022-", "2092-"))
    return stored


DEEP = b'{"homework": ' + b"[" * 100_000
HOSTILE = "<img src=x onerror=a> [b](javascript:c)"
BAD = {  # by what is wrong: the file, what is stored, and what is said
    "nothing": (b"", {}, NO_FILE),
    "no JSON": (b"\x00\xff{", {}, NO_FILE),
    "a notebook": (json.dumps(notebook()).encode(), {}, NO_FILE),
    "too deep": (DEEP, {}, NO_FILE),
    "huge": (b" " * 1_000_001 + of(), {}, "expected at most 1,000,000 bytes, found 1,000,"),
    "a long number": (b'{"homework": ' + b"9" * 5_000 + b"}", {}, NO_FILE),
    "a list": (b"[1]", {}, NO_FILE),
    "NaN": (of({"test_double": {"text": float("nan"), "version": ""}}), {}, NO_FILE),
    "texts of another type": (of({"test_double": {"text": ["a"], "version": ""}}), {}, NO_FILE),
    "questions of another type": (of(["test_double"]), {}, NO_FILE),
    "of another student": (of(student="bob"), {}, "the points of 'bob', and ada handed it in"),
    "of another homework": (of(homework="hw1"), {}, "it is about 'hw1', not hw2"),
    "unknown questions": (
        of({f"\x1b[31m{n}": {"text": "x", "version": "1"} for n in range(1_000)} | GOOD),
        {"test_double": "Why 1?"},
        "and 995 more: it has no such question with points",
    ),
    "too many": (
        texts(test_double="1", plot="2", answer="3"),
        {"test_double": "1", "plot": "2"},
        "one may ask about 2 questions at most",
    ),
    "too long": (texts(plot="x" * 41), {}, "the text has 41 characters, and at most 40 are"),
    "controls": (texts(plot="a\x00b\x1b[2J\r\n\u202ec\ud800 "), {"plot": "a�b�[2J\n�c�"}, ""),
    "markup": (texts(plot=HOSTILE), {"plot": HOSTILE}, ""),
    "broken lines": (texts(plot="a!b").replace(b"!", b"\n"), {"plot": "a\nb"}, ""),
    "only blanks": (texts(plot=" \n "), {}, ""),
    "no version": (of({"plot": {"text": "x"}}), {}, NO_FILE),
    "another version": (of({"plot": {"text": "x", "version": "\0" * 99}}), {"plot": "x"}, ""),
}  # fmt: skip


@pytest.mark.parametrize("wrong", BAD)
def test_a_file_that_no_page_made_is_named_and_stops_nobody(wrong, asked, course):
    content, stored, said = BAD[wrong]
    assert asked(content) == stored
    refused = [why for file, why in course.taken.refused if file == "a file of ada"]
    assert bool(refused) == bool(said)
    assert all(said in why and "\x1b" not in why for why in refused)


def test_a_second_request_replaces_the_first_until_it_has_a_reply(asked, course):
    assert asked(texts(plot="a"), texts(plot="b")) == {"plot": "b"}
    assert asked(texts(plot="c")) == {"plot": "c"}
    asked(texts(plot="c"))
    assert course.taken.rows == []  # collected before
    database = Database(Course(course.root).db_url)
    said = {"revision": 2, "words": "Yes.", "grader": "kim"}
    for wrong, why in (
        ({"revision": 1}, "The student changed it in the meantime"),
        ({"words": " "}, "Write a reply"),
        ({"points": float("nan")}, "Expected points from 0 to 4"),
        ({"points": 5.0}, "Expected points from 0 to 4"),
    ):
        with closing(database), pytest.raises(Refused, match=why):
            reply(database, "hw2", "plot", "ada", **said | wrong)
    assert course.result("ada").points("plot") == 3.0
    reply(database, "hw2", "plot", "ada", **said, points=3.5)
    database.close()
    assert course.result("ada").points("plot") == 3.5
    assert asked(texts(plot="d")) == {"plot": "c"}
    assert "it has its reply already" in course.taken.refused[0][1]


def test_after_the_last_day_nothing_is_taken(asked, course):
    (course.root / "staff/hw2/homework.toml").write_text(MANIFEST)
    in_time, late = datetime(2022, 10, 20, 23, 59), datetime(2022, 10, 21)
    where = Course(course.root)
    sent = [Sent("ada", "late", of(), late), Sent("ada", "in time", of(), in_time)]
    taken = take(where, "hw2", sent, {})
    assert [row.at for row in taken.rows] == [in_time]
    assert taken.refused == [("late", "hw2, 1.1a Double: the last day to ask was 2022-10-20")]


def test_a_request_is_about_a_version_of_the_answer_and_of_its_grading(asked, course):
    tested = {"test_double": ("double",)}

    def version():
        return versions_of(course.result("ada"), {}, tested)["test_double"]

    now = version()
    assert asked(of({"test_double": {"text": "x", "version": now}})) == {"test_double": "x"}
    [row, _] = course.taken.rows
    assert (course.taken.told[0], row.older(now)) == (("ada", "asks about 1.1a Double"), "")
    words = ["test_double", "--add", "1", "--reason", "So."]
    assert main(["--course", str(course.root), "correct", "hw2", *words]) == 0
    assert row.older(version()).startswith("The points or the comment have changed")
    course.save("ada", run_of(notebook(), [PASSED], answers={"double": "z", "": "y"}))
    assert row.older(version()).startswith("It is about an older answer")
    asked(of({"test_double": {"text": "y", "version": now}}))
    about = "asks about 1.1a Double (about an older version: 1.1a Double)"
    assert course.taken.told == [("ada", about)]


def test_each_platform_says_whose_a_request_is_and_the_same_notebook_keeps_its_time(
    asked, course, tmp_path, capsys
):
    (course.root / "students.csv").write_text("id,email,canvas_id\nada,ada@x.edu,701\n")
    (course.root / "nbgrader_config.py").write_text("c = get_config()\n")
    content = (course.root / "submitted/ada/hw2/hw2.ipynb").read_bytes()
    (course.root / "submitted/ada/hw2/timestamp.txt").write_text("2022-10-04 10:00:00 UTC\n")
    late, people = "2022-10-09 10:00:00 UTC", [("Ada", "", "ada@x.edu")]
    exported = packed(
        ("x/submission_1/hw2.ipynb", content),
        ("x/submission_1/hw2-request.json", texts(plot="gradescope")),
        ("x/submission_metadata.yml", metadata(gradescope((1, late, people, content)))),
    )
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("Identifier,Full name,Email address\nParticipant 7,Ada,ada@x.edu\n")
    moodle = packed(("Ada_7_assignsubmission_file_/hw2-request (1).json", texts(plot="moodle")))
    canvas = packed(("ada_LATE_701_99_hw2-request-2.json", texts(plot="canvas")))
    for name, download, *more in (
        ("gradescope.zip", exported),
        ("canvas.zip", canvas),
        ("moodle.zip", moodle, "--moodle-worksheet", str(sheet)),
        ("ada_hw2-request.json", texts(plot="mail")),
    ):
        (tmp_path / name).write_bytes(download)
        words = ["collect", "hw2", str(tmp_path / name), "--yes", *more]
        status = main(["--course", str(course.root), *words])
        said = capsys.readouterr().out
        assert status == 0, said
        assert "1 request stored. To reply: hw-grading desk hw2" in said
        with open_gradebook(Course(course.root).db_url, "hw2") as (db, _):
            stored = requests_in(db, "hw2")["ada"]["plot"]
        assert stored.words == name.removesuffix(".zip").replace("ada_hw2-request.json", "mail")
        assert (
            (course.root / "submitted/ada/hw2/timestamp.txt").read_text().startswith("2022-10-04")
        )


def metadata(export):
    """The list of submissions in an export of Gradescope."""
    with zipfile.ZipFile(io.BytesIO(export)) as bundle:
        return bundle.read("assignment_9_export/submission_metadata.yml")
