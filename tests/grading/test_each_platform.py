"""A term by its commands alone, with a class that hands in on three platforms.

Ann and Eve use Canvas, Bob and Dan Gradescope, Zoë Moodle; Kim hands in nothing. Eve calls herself
Ann Lee. Ann and Dan hand in twice, Eve's file is cut off, and a stranger is on each platform.
"""

import csv
import zipfile
from datetime import datetime
from pathlib import Path

import nbformat
import pytest
from at_the_desk import grade as grade_at_the_desk
from nbgrader.api import Gradebook
from platforms import gradescope, moodle, packed
from platforms_in import Canvas, CanvasStudent, Moodle, MoodleStudent
from toy_course import ToyCourse

from hw_grading.__main__ import main
from hw_grading.commands.sample import cell_of
from hw_grading.gradebook.folders import read_time
from hw_grading.gradebook.results import read_results

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),  # from nbgrader's code
]

ROSTER = """id,name,canvas_id,sid,email
ann,Ann Lee,701,3031,ann@x
bob,"Jones, Bob",702,3032,bob@x
dan,Dan O'Neil,703,3033,dan@x
eve,Eve Adams,704,3034,eve@x
kim,Kim Lee,705,3035,kim@x
zoe,Zoë Ångström,706,3036,zoe@x
"""
NAMES = {"Ann Lee": "ann", "Bob Jones": "bob", "Dan O'Neil": "dan", "Zoë Ångström": "zoe"}
POSSIBLE = "15.00"


class Commands:
    """The commands, typed in a course."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self._capsys = root, capsys

    def __call__(self, command: str, *words: object, status: int = 0) -> str:
        """Type a command that ends with this status; return what it prints."""
        words = (command, "hw2", *words) if command != "backup" else (command, *words)
        assert main(["--course", str(self.root), *map(str, words)]) == status
        out = self._capsys.readouterr()
        return out.out + out.err

    def file(self, name: str, content: bytes | str) -> Path:
        path = self.root.parent / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


def on_canvas() -> Canvas:
    students = [
        CanvasStudent("701", "Ann Lee", "3031", "ann", {"123456": "1"}),
        CanvasStudent("704", "Ann Lee", "3034", "eve", {"123456": "2"}),
        CanvasStudent("709", "Sam Stranger", "9999", "sam", {}),
    ]
    return Canvas(students, [("55", "Quiz", "10"), ("123456", "hw2", POSSIBLE)])


def on_moodle() -> Moodle:
    students = [
        MoodleStudent(11, "Zoë Ångström", "", "ZOE@x"),
        MoodleStudent(12, "Zoë Ångström", "", "stranger@y"),
    ]
    return Moodle(students, maximum=POSSIBLE)


def test_a_term_by_its_commands_alone(
    course: ToyCourse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = Commands(course.root, capsys)
    (course.root / "students.csv").write_text(ROSTER, encoding="utf-8")
    with Gradebook(course.course.db_url) as book:
        book.update_or_create_assignment("hw2", duedate=datetime(2022, 10, 4, 12))
    right = nbformat.writes(course.answered).encode()
    wrong = nbformat.writes(course.answer(double="def double(x):\n    return x")).encode()

    # Collect
    canvas = [
        ("leeann_701_9001_hw2.ipynb", wrong),
        ("leeann_701_9003_hw2-1.ipynb", right),
        ("leeann_LATE_704_9002_hw2.ipynb", right[:-99]),
        ("strangersam_709_9004_hw2.ipynb", right),
    ]
    gradebook = typed.file("gradebook.csv", on_canvas().exported())
    submissions = typed.file("submissions.zip", packed(*canvas))
    words = (submissions, "--canvas-gradebook", gradebook, "--yes")
    said = typed("collect", *words, status=1)
    assert "UNKNOWN: left out, because their students are not known (1)" in said
    assert "CANNOT BE GRADED: ask these students to submit again (1):\n  eve" in said
    bob, dan = ("Bob Jones", "'3032'", "''"), ("Dan", "''", "dan@x")
    export = gradescope(
        (1, "2022-10-04 09:00:00 Z", [bob, dan], wrong),  # as a group
        (2, "2022-10-05 10:00:00 Z", [dan], right),
        (3, "2022-10-04 09:00:00 Z", [("Kim Lee", "''", "sam@y")], right),
    )
    said = typed("collect", typed.file("export.zip", export), "--yes", status=1)
    assert "no student in students.csv has the email 'sam@y'" in said
    assert read_time(course.folder("dan")) == datetime(2022, 10, 5, 10)
    handed = moodle(("Zoë Ångström", 11, right), ("Zoë Ångström", 12, wrong))
    worksheet = typed.file("worksheet.csv", on_moodle().exported())
    words = (typed.file("moodle.zip", handed), "--moodle-worksheet", worksheet)
    assert "KNOWN BY NAME ONLY: left out (1)" in typed("collect", *words, "--yes", status=1)
    there = {path.parts[-3] for path in course.root.glob("submitted/*/hw2/hw2.ipynb")}
    assert there == {"ann", "bob", "dan", "eve", "zoe"}

    # Grade
    typed("grade", "--WholeClass.executor=serial", status=1)  # Eve's file cannot be read
    tests = {"ann": 6.0, "bob": 4.0, "dan": 6.0, "zoe": 6.0}
    for student, points in tests.items():
        assert sum(filter(None, course.test_scores(student).values())) == points
    for student in tests:
        for cell in ("why", "sketch"):
            grade_at_the_desk(course.course, "hw2", cell, student)
    assert "eve" in typed("report")

    # After grading
    typed("correct", "sketch", "--student", "ann", "--to", 3, "--reason", "two readings")
    assert typed("extend", "--student", "dan", "--until", "2022-10-06").startswith("dan: until")
    source = course.course.source("hw2") / "hw2.ipynb"
    notebook = nbformat.read(source, as_version=4)
    cell_of(notebook, "test_double").source = "assert double(0) == 0"
    nbformat.write(notebook, source)
    said = typed("regrade", "--student", "bob", "--student", "zoe")
    assert "bob" in said
    finals = {s: one.final for s, one in read_results(course.course, "hw2").students.items()}
    assert {s: finals[s] for s in tests} == {"ann": 10.0, "bob": 8.0, "dan": 8.0, "zoe": 8.0}

    # Give back
    typed("feedback")
    page = (course.course.feedback("ann", "hw2") / "hw2.html").read_text(encoding="utf-8")
    assert "two readings" in page
    out = tmp_path / "out.csv"
    typed("export", "--format", "canvas", "--fill", gradebook, "--output", out, status=1)
    changes, new = on_canvas().imported(out.read_bytes())
    assert (changes, new) == ({("Ann Lee", "123456"): ("1", "10")}, [])  # and not Eve's
    typed("export", "--format", "moodle", "--fill", worksheet, "--output", out, status=1)
    assert on_moodle().imported(out.read_bytes()) == {"Zoë Ångström": ("", "8")}
    for kind, who, total in (
        ("gradescope", lambda row: f"{row['First Name']} {row['Last Name']}", "Total Score"),
        ("questions", lambda row: f"{row['first_name']} {row['last_name']}", "final"),
    ):
        typed("export", "--format", kind, "--output", out, status=1)
        with out.open(encoding="utf-8", newline="") as stream:
            rows = {who(row): row[total] for row in csv.DictReader(stream)}
        assert rows.pop("Kim Lee") == ""  # no number for who has handed in nothing
        assert {name: float(rows[name]) for name in NAMES} == {
            name: finals[student] for name, student in NAMES.items()
        }

    # Keep
    typed("backup", "--output", tmp_path / "backup.zip")
    names = set(zipfile.ZipFile(tmp_path / "backup.zip").namelist())
    assert {"gradebook.db", "students.csv", "submitted/eve/hw2/hw2.ipynb"} <= names
