"""A term is walked with downloads of Canvas and of Moodle, from both ends.

What comes in: late, submitted again, under another name, two of one name, an unknown person. What
goes back: the zip of feedback has the names that came in, and each page is its student's.
"""

import csv
import io
import zipfile
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from platforms import packed
from toy_course import ASSIGNMENT, ToyCourse, write_manifest

from hw_grading.__main__ import main
from hw_grading.analysis.closing import still_open
from hw_grading.commands.sample import cell_of
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.database import Database
from hw_grading.gradebook.model import Mark
from hw_grading.gradebook.results import read_results
from hw_grading.lms import feedback_zip

pytestmark = pytest.mark.slow

MANIFEST = 'due = "2022-10-04 23:59:59"\ntime_zone = "America/Los_Angeles"\n'
DUE = datetime(2022, 10, 5, 6, 59, 59)
ROSTER = """id,name,email,canvas_id
ann,Ann Lee,ann@x.edu,701
bob,Bob Jones,bob@x.edu,702
zoe,Zoë Ångström,zoe@x.edu,703
zoe2,Zoë Ångström,zoe2@x.edu,704
dan,Dan O'Neil,dan@x.edu,705
"""
# Bob calls himself Dan O'Neil, who submits nothing. Eve is not in the course.
NAMES = {"ann": "Ann Lee", "bob": "Dan O'Neil", "zoe": "Zoë Ångström", "zoe2": "Zoë Ångström"}
NAMES |= {"eve": "Eve Adams"}
NUMBERS = dict(zip([*NAMES], range(11, 16), strict=True))
TITLES = "Identifier,Full name,Email address,Status,Grade,Maximum grade,Last modified (submission),"
TITLES += "Last modified (grade),Feedback comments"
FIRST = {
    "ann": "Tuesday, 4 October 2022, 10:00 PM",
    "bob": "Thursday, 6 October 2022, 1:59 AM",
    "zoe": "Tuesday, 4 October 2022, 11:59 PM",
    "zoe2": "4/10/22 22:10",
    "eve": "Tuesday, 4 October 2022, 9:00 PM",
}
SECOND = FIRST | {"ann": "Wednesday, 5 October 2022, 8:00 AM"}


def worksheet(times: dict[str, str]) -> str:
    stream = io.StringIO(newline="")
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(TITLES.split(","))
    for student, when in times.items():
        about = (NAMES[student], f"{student}@x.edu", "Submitted for grading", "-", "15.00", when)
        rows.writerow([f"Participant {NUMBERS[student]}", *about, "-", ""])
    return stream.getvalue()


class Walk:
    """A course, what was downloaded for it, and its commands."""

    def __init__(self, course: ToyCourse, capsys: pytest.CaptureFixture[str]) -> None:
        self.course, self.root, self._capsys = course, course.root, capsys
        write_manifest(course.root, MANIFEST)
        (self.root / "students.csv").write_text(ROSTER, encoding="utf-8")
        with Database(course.course.db_url).writing() as db:
            db.exec_driver_sql("UPDATE assignment SET duedate = ?", (str(DUE),))

    def notebook(self, words: str) -> bytes:
        return nbformat.writes(self.course.answer(why=words)).encode()

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.root.parent / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def type(self, *words: object) -> int:
        """Type a command of ours, and keep what it says in `said`."""
        status = main(["--course", str(self.root), *map(str, words)])
        out = self._capsys.readouterr()
        self.said = out.out + out.err
        return status

    def grade(self) -> None:
        done = self.course.grade()
        assert done.returncode == 0, done.stderr

    def grade_by_hand(self) -> None:
        with Database(self.course.course.db_url).writing() as db:
            graded = "UPDATE grade SET manual_score = 2, needs_manual_grade = 0"
            db.exec_driver_sql(f"{graded} WHERE needs_manual_grade")

    def flag(self, student: str, flagged: bool) -> None:
        with closing(ManualGrading(self.course.course, ASSIGNMENT)) as book:
            version = {student: book.grading("why", student).version}
            mark = Mark(flagged=flagged, done=not flagged, adjustment=0.0 if flagged else 2.0)
            revision = book.rubric("why").revision
            book.save("why", version, mark, grader="kim", rubric_revision=revision)

    def graded(self) -> dict[str, tuple[str, str]]:
        """Which text of each student was graded, and how late it is."""
        results = read_results(self.course.course, ASSIGNMENT).handed_in
        found = {}
        for result in results:
            words = cell_of(self.course.graded(result.student.id), "why").source
            found[result.student.id] = (words, result.known.late)
        return found

    def open(self) -> dict[str, Sequence[str]]:
        """What is open, and for whom; the same as at the end of the report."""
        found = still_open(read_results(self.course.course, ASSIGNMENT))
        self.type("report", ASSIGNMENT)
        lines = self.said.splitlines()
        shown = [one.command for one in found]
        assert [line.strip() for line in lines if line.startswith("      ")][-len(shown) :] == shown
        assert ("Nothing is open." in lines) == (not found)
        return {one.what: [*one.who] for one in found}


@pytest.fixture
def walk(
    course: ToyCourse, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Walk:
    late = "\nc.LatePolicy.percent = 10\n"
    own = course.root / "nbgrader_config.py"
    own.write_text(own.read_text() + late)
    monkeypatch.chdir(course.root.parent)
    return Walk(course, capsys)


def zipped(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


def test_a_term_on_moodle_closes(walk: Walk) -> None:
    folder = "{}_{}_assignsubmission_file_"
    folders = {student: folder.format(NAMES[student], NUMBERS[student]) for student in NAMES}
    old = {s: (f"{name}/hw2.ipynb", walk.notebook(f"Of {s}.")) for s, name in folders.items()}
    new = old | {"ann": (f"{folders['ann']}/again.ipynb", walk.notebook("Of ann, again."))}
    first = walk.write("1.zip", packed(*old.values()))
    second = walk.write("2.zip", packed(*new.values()))
    sheets = [walk.write("1.csv", worksheet(FIRST)), walk.write("2.csv", worksheet(SECOND))]

    assert walk.type("collect", ASSIGNMENT, first, "--moodle-worksheet", sheets[0], "--yes") == 1
    expected = "expected a time such as Tuesday, 4 October 2022, 11:59 PM, found '4/10/22 22:10'"
    assert expected in walk.said
    without = walk.write("3.csv", worksheet(SECOND | {"ann": "-"}))
    assert walk.type("collect", ASSIGNMENT, second, "--moodle-worksheet", without, "--yes") == 1
    assert "is not known to be newer (3.csv: expected a time such as" in walk.said
    assert walk.type("extend", ASSIGNMENT, "--student", "bob", "--hours", "1") == 0
    assert walk.type("collect", ASSIGNMENT, second, "--moodle-worksheet", sheets[1], "--yes") == 1
    assert "2022-10-06 01:59:00 PDT  1 d 1 h" in walk.said
    [line] = [line for line in walk.said.splitlines() if line.startswith("ann  ")]
    assert "2022-10-05 08:00:00 PDT  8 h 1 min" in line
    assert "replaces an older one" in line
    assert walk.type("extend", ASSIGNMENT, "--student", "bob", "--remove") == 0
    assert walk.open() == {
        "submitted nothing": ["dan"],
        "left out by collect": [f"{second}: {folders['eve']}/hw2.ipynb"],
        "the time of submission is not proven": ["zoe2"],
        "not graded": ["ann", "bob", "zoe", "zoe2"],
    }

    walk.grade()
    assert walk.graded() == {
        "ann": ("Of ann, again.", "8 h 1 min"),
        "bob": ("Of bob.", "1 d 2 h"),
        "zoe": ("Of zoe.", ""),
        "zoe2": ("Of zoe2.", ""),
    }
    walk.flag("zoe", True)
    (walk.root / "submitted/zoe2/hw2/timestamp.txt").write_text("2022-10-05 05:10:00 UTC\n")
    assert walk.open() == {
        "submitted nothing": ["dan"],
        "left out by collect": [f"{second}: {folders['eve']}/hw2.ipynb"],
        "the time of submission is not proven": ["zoe2"],
        "8 answers to be graded by a person (+)": ["ann", "bob", "zoe", "zoe2"],
        "flagged answers": ["zoe"],
    }

    # The unknown person joins the course, another leaves it, and one hands in nothing.
    left = "kim,Kim Ray,kim@x.edu,706\n"
    (walk.root / "students.csv").write_text(f"{ROSTER}eve,Eve Lee,eve@x.edu,707\n{left}")
    assert walk.type("collect", ASSIGNMENT, second, "--moodle-worksheet", sheets[1], "--yes") == 0
    walk.grade()  # also reads the time
    walk.grade_by_hand()
    walk.flag("zoe", False)
    assert walk.open() == {"submitted nothing": ["dan", "kim"]}
    assert walk.type("absent", ASSIGNMENT, "--student", "kim", "--left") == 0
    assert walk.type("absent", ASSIGNMENT, "--all", "--reason", "says so") == 0
    assert "dan: no submission: 0 (by " in walk.said
    assert walk.open() == {}
    assert "no submission, 0 points: dan\nleft the course: kim\n" in walk.said
    assert walk.type("absent", ASSIGNMENT, "--student", "kim", "--remove") == 0
    assert walk.open() == {"submitted nothing": ["kim"]}
    assert walk.type("absent", ASSIGNMENT, "--student", "kim", "--left") == 0
    again = ("collect", ASSIGNMENT, second, "--moodle-worksheet", sheets[1], "--dry-run")
    assert walk.type(*again) == 0
    assert "Missing: no submission (1):\n  dan: " in walk.said
    assert walk.type("feedback", ASSIGNMENT, "--zip", "moodle") == 0
    found = zipped(walk.root.parent / "hw2_feedback_moodle.zip")
    assert found.keys() == {f"{name}/hw2.html" for name in folders.values()}
    for student, name in folders.items():
        assert f"Of {student}" in found[f"{name}/hw2.html"].decode()
    export = ("export", ASSIGNMENT, "--format", "moodle", "--output", "moodle.csv")
    dans = "Participant 16,Dan O'Neil,dan@x.edu,No submission,-,15.00,-,-,\n"
    assert walk.type(*export, "--fill", walk.write("4.csv", worksheet(SECOND) + dans)) == 0
    assert walk.said.endswith("Nothing is left to do.\n")
    table = csv.DictReader(io.StringIO(Path("moodle.csv").read_text(encoding="utf-8")))
    rows = {row["Email address"].partition("@")[0]: row for row in table}
    assert {student: row["Grade"] for student, row in rows.items()} == {
        "ann": "8.5", "bob": "7", "zoe": "10", "zoe2": "10", "eve": "10", "dan": "0"
    }  # fmt: skip
    assert rows["dan"]["Feedback comments"] == "hw2: 0 of 15 points<br>Nothing was submitted."
    assert rows["zoe"]["Feedback comments"] == "hw2: 10 of 15 points"
    assert rows["bob"]["Feedback comments"] == (
        "hw2: 7 of 15 points<br>Your answers earned 10 points. 3 were taken off for lateness "
        "(1 d 2 h late: 10 % of all points for each day, so for 2 days)."
    )
    assert walk.open() == {}
    words = ("--add", "1", "--answered", "--reason", "A typing error.")
    assert walk.type("correct", ASSIGNMENT, "why", *words) == 0
    everybody = sorted(NAMES)
    assert walk.open() == {
        "feedback that is missing or older than its scores and sentences": everybody,
        f"scores that the export {walk.root.parent / 'moodle.csv'} does not have": everybody,
    }
    before = found[f"{folders['ann']}/hw2.html"]
    assert walk.type("feedback", ASSIGNMENT, "--zip", "moodle", "--pdf") == 0  # writes them again
    files = zipped(walk.root.parent / "hw2_feedback_moodle.zip")
    assert files[f"{folders['ann']}/hw2.html"] != before
    assert files[f"{folders['ann']}/hw2.pdf"].startswith(b"%PDF")
    walk.type(*export, "--fill", "moodle.csv")
    assert walk.open() == {}


def test_a_term_on_canvas_closes(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {
        "ann": "leeann_701_9009_hw2-1.ipynb",
        "bob": "oneildan_LATE_702_9002_mine.ipynb",
        "zoe": "ångströmzoë_703_9003_hw2.ipynb",
        "zoe2": "ångströmzoë_704_9004_hw2.ipynb",
        "eve": "adamseve_709_9005_hw2.ipynb",
    }
    files = [(name, walk.notebook(f"Of {student}.")) for student, name in names.items()]
    download = walk.write("submissions.zip", packed(*files))
    assert walk.type("collect", ASSIGNMENT, download, "--yes") == 1
    walk.grade()
    # The numbers of the two of one name were in the wrong rows.
    roster = ROSTER.replace("703", "7xx").replace("704", "703").replace("7xx", "704")
    (walk.root / "students.csv").write_text(roster, encoding="utf-8")
    assert walk.type("feedback", ASSIGNMENT, "--zip", "canvas") == 1
    assert "the list of students says that this is zoe2: collect again (zoe)" in walk.said
    found = zipped(walk.root.parent / "hw2_feedback_canvas.zip")
    assert found.keys() == {"leeann_701_9009_hw2.html", "oneildan_LATE_702_9002_hw2.html"}
    assert all(f"Of {s}" in found[n].decode() for s, n in zip(("ann", "bob"), found, strict=True))
    (walk.root / "students.csv").write_text(ROSTER, encoding="utf-8")
    assert walk.type("feedback", ASSIGNMENT, "--zip", "canvas") == 0
    found = zipped(walk.root.parent / "hw2_feedback_canvas.zip")
    for student in ("ann", "bob", "zoe", "zoe2"):
        name = names[student].rpartition("_")[0] + "_hw2.html"
        assert f"Of {student}" in found[name].decode()
    graded, in_pdf = walk.course.graded("ann"), list[NotebookNode]()
    hidden = "assert triple(5) == 15"
    test = cell_of(graded, "test_triple")
    test.source = f"### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
    error = {"ename": "AssertionError", "evalue": hidden, "traceback": [hidden]}
    test.outputs = [nbformat.v4.new_output("error", **error)]
    nbformat.write(graded, walk.course.course.autograded("ann", ASSIGNMENT) / "hw2.ipynb")

    def write_pdf(notebook: NotebookNode, target: Path, **_: object) -> None:
        in_pdf.append(notebook)
        target.touch()

    monkeypatch.setattr(feedback_zip, "write_pdf", write_pdf)
    words = ("--zip", "plain", "--pdf", "--student", "ann")
    assert walk.type("feedback", ASSIGNMENT, *words) == 0
    packed_now = zipped(walk.root.parent / "hw2_feedback_plain.zip")
    assert [*packed_now] == ["ann_hw2.html", "ann_hw2.pdf"]
    assert in_pdf[0].cells[0].source.startswith("6 of 15 points")
    assert hidden not in nbformat.writes(in_pdf[0])
