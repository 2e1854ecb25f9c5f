"""Exported grades: a platform's file gets the scores and nothing else; tables of our own."""

import codecs
import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from by_hand import add_student, grade_elsewhere, make_course
from nbgrader.api import Gradebook
from toy_course import run

from hw_grading.__main__ import main
from hw_grading.gradebook.database import Database
from hw_grading.homework.course import Course

# -- files as Canvas and Moodle export them

Row = tuple[str, ...]
CANVAS_ROWS = (  # name, id, SIS id, login, score
    ("Lee, Ann", "701", "3031", "annlee", ""),
    ("Jones, Bob", "702", "", "bob@x.edu", "1"),
    ("Ångström, Zoë", "703", "", "", "4"),
    ("O'Neil, Dan", "704", "3034", "dan", "2.5"),
)
MOODLE_ROWS = (  # number, name, id, email, grade, comment
    ("11", "Ann Lee", "3031", "", "", "Well\ndone; see me"),
    ("12", "Bob Jones", "", "bob@x.edu", "1", ""),
    ("13", "Zoë Ångström", "", "ZOE@x.edu", "4", ""),
    ("14", "Dan O'Neil", "3034", "", "2.50", ""),
)
ENGLISH = "Identifier,Full name,ID number,Email address,Status,Grade,Maximum grade"
ENGLISH += ",Last modified (submission),Feedback comments"
COLUMN = {"canvas": 6, "moodle": 5}  # that a file's scores are in


@dataclass(frozen=True)
class File:
    """A file that a platform exported."""

    kind: str
    rows: Sequence[Row]
    delimiter: str = ","

    @property
    def text(self) -> str:
        stream = io.StringIO(newline="")
        end = "\r\n" if self.kind == "canvas" else "\n"
        csv.writer(stream, delimiter=self.delimiter, lineterminator=end).writerows(self.rows)
        return stream.getvalue()

    def changes(self, content: bytes) -> dict[str, tuple[str, str]]:
        """The scores before and after, by last name; other cells must be as they were."""
        text = content.decode("utf-8").removeprefix("\ufeff")
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter, strict=True)
        found, column = {}, COLUMN[self.kind]
        for before, now in zip(self.rows, rows, strict=True):
            comment = len(now) - 1
            different = {n for n in range(comment + 1) if before[n] != now[n]}
            if self.kind == "moodle" and before[-1] == "" and now[-1].startswith("ps1: "):
                different -= {comment}
            assert different <= {column}
            if different:
                name = before[0] if self.kind == "canvas" else before[1]
                last = name.partition(",")[0] if "," in name else name.split()[-1]
                found[last] = (before[column], now[column])
        return found


def canvas_of(*rows: Row, title: str = "ps1 (123456)", most: str = "10") -> File:
    identity = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
    students = [(*row[:4], "LEC 001", "9", row[4], "70.00") for row in rows]
    heads = [
        (*identity, "Quiz (55)", title, "Current Score"),
        ("", "", "", "", "", "Manual Posting", "", ""),
        ("    Points Possible", "", "", "", "", "7", most, "(read only)"),
    ]
    test = ("Student, Test", "999", "", "f3a9", "LEC 001", "", "", "")
    return File("canvas", [*heads, *students, test])


def canvas(*more: Row, **about: str) -> File:
    return canvas_of(*CANVAS_ROWS, *more, **about)


def moodle(
    *more: Row,
    rows: Sequence[Row] = MOODLE_ROWS,
    most: str = "10.00",
    delimiter: str = ",",
) -> File:
    submitted = "Tuesday, 4 October 2022, 11:59 PM"
    students = [
        (f"Participant {number}", name, key, email, "Submitted", grade, most, submitted, comment)
        for number, name, key, email, grade, comment in (*rows, *more)
    ]
    return File("moodle", [tuple(ENGLISH.split(",")), *students], delimiter)


# -- the class

ROSTER = """id,name,email,section,canvas_id,sid
ann,Ann Lee,ann@x.edu,1,,3031
bob,"Jones, Bob",bob@x.edu,1,,3032
zoe,Zoë Ångström,zoe@x.edu,2,703,3033
dan,Dan O'Neil,dan@x.edu,2,,3034
"""
# The scores before and after, where they change: the same for both platforms.
ANN, BOB, ZOE = {"Lee": ("", "5.5")}, {"Jones": ("1", "3")}, {"Ångström": ("4", "0")}
SCORES = {**ANN, **BOB, **ZOE}
WHY, PLOT = "why (4 pts)", "plot (6 pts)"


class Term:
    """A course with a roster, and the command."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A class: ann has 5.5 of 10 points, bob 3, zoe 0; dan has submitted nothing."""
        self.root, self._capsys = root, capsys
        self.course = make_course(root / "course", "ann", "bob", "zoe")
        for student, why, plot in (("ann", 3.5, 2), ("bob", 2, 1), ("zoe", 0, 0)):
            grade_elsewhere(self.course, student, why, "why")
            grade_elsewhere(self.course, student, plot, "plot")
        self.roster(ROSTER)
        self.file, self.to = root / "platform.csv", root / "out.csv"

    def roster(self, content: str) -> None:
        (self.course.folder / "students.csv").write_text(content, encoding="utf-8")

    def export(self, kind: str, content: str | bytes | None = None, *more: str | Path) -> int:
        """Run the command; keep its output in `said`."""
        words = ["export", "ps1", "--format", kind, "--output", self.to]
        if content is not None:
            content = content.encode() if isinstance(content, str) else content
            self.file.write_bytes(content)
            words += ["--fill", self.file]
        status = main(["--course", str(self.course.folder), *map(str, [*words, *more])])
        out = self._capsys.readouterr()
        self.said = out.out + out.err
        assert all(c == "\n" or c.isprintable() for c in self.said)
        assert content is None or self.file.read_bytes() == content
        return status

    def table(self) -> list[dict[str, str]]:
        with self.to.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))


@pytest.fixture
def term(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Term:
    return Term(tmp_path, capsys)


# -- files of Canvas and Moodle


@dataclass
class Case:
    """A file of a platform, and what the command makes of it."""

    file: File
    said: str = ""
    status: int = 1
    changes: dict[str, tuple[str, str]] = field(default_factory=lambda: SCORES)
    options: tuple[str, ...] = ()
    roster: str = ROSTER  # "" for none
    before: Callable[[Course], object] = lambda course: None
    mark: bytes = b""  # at the beginning of the file


def handed_in_again(course: Course) -> None:
    with Gradebook(course.db_url) as gradebook:
        gradebook.find_submission("ps1", "ann").timestamp = datetime(2022, 10, 1)
        gradebook.db.commit()
    for student in ("ann", "dan"):
        folder = course.submitted(student, "ps1")
        folder.mkdir(parents=True)
        (folder / "ps1.ipynb").touch()
        (folder / "timestamp.txt").write_text("2022-10-02 00:00:00 UTC")


def too_high(course: Course) -> None:
    with Gradebook(course.db_url) as gradebook:
        gradebook.find_grade("why", "ps1", "ps1", "ann").manual_score = 7
        gradebook.db.commit()


EVE = ("Adams, Eve", "705", "3999", "eve", "1")
BY_LOGIN = [("J, Bob", "2", "", "BOB", ""), ("A, Zoe", "3", "", "zoe", "")]
OF_LOGINS = {"J": ("", "3"), "A": ("", "0")}
TWO_IDS = [("Lee, Ann", "701", "3031", "bob", ""), ("Jones, Bob", "702", "", "", "1")]

CASES = {
    "all agree": Case(canvas(), "3 scores in the column 'ps1 (123456)'. All other values", 0),
    "an excused student": Case(
        canvas_of(("Lee, Ann", "701", "3031", "annlee", "EX"), *CANVAS_ROWS[1:]), "2 scores", 0,
        BOB | ZOE),
    "a byte order mark": Case(canvas(), "", 0, mark=codecs.BOM_UTF8),
    "one student asked for": Case(canvas(), "", 0, BOB, ("--student", "bob")),
    # the column
    "another title": Case(
        canvas(title="Homework Seven (1)"), "'Quiz (55)', 'Homework Seven (1)'", 2),
    "a title by option": Case(canvas(title="Lab (1)"), "", 0, options=("--column", "lab")),
    "a title of two": Case(
        canvas(title="Quiz (1)"), "found 2. Choose one with --column: 'Student'", 2,
        options=("--column", "Quiz")),
    "a title with its id": Case(
        canvas(title="Quiz (1)"), "", 0, options=("--column", "Quiz (1)")),
    "another maximum": Case(
        canvas(most="100"), "platform.csv has a maximum of 100 points, but ps1 has 10"),
    # people
    "students on one side only": Case(
        canvas_of(CANVAS_ROWS[0], *CANVAS_ROWS[2:], EVE),
        "1 student with a score but without a row in the file: bob ('Jones, Bob')",
        changes=ANN | ZOE),
    "no roster": Case(
        canvas_of(("Lee, Ann", "1", "ann", "", ""), EVE, *BY_LOGIN),
        "1 row of people not in the gradebook", 0, ANN | OF_LOGINS, roster=""),
    "two rows of a student": Case(
        canvas(("Lee, Ann B.", "709", "", "ANN@X.EDU", "1")),
        "lines 4 and 8: these are rows of ann", changes=BOB | ZOE),
    "ids of two students in a row": Case(
        canvas_of(*TWO_IDS, *CANVAS_ROWS[2:]),
        "line 4: the SIS User ID '3031' belongs to ann, but the SIS Login ID 'bob'", changes=ZOE),
    # scores that are not final
    "graded by nobody": Case(
        canvas(), "not final: 1 student (an answer waits for a person: 'dan'",
        changes=SCORES | {"O'Neil": ("2.5", "0")},
        before=lambda course: add_student(course, "dan")),
    "submitted again, or not graded": Case(
        canvas(), "not final: 2 students (not graded: 'ann', 'dan'",
        before=handed_in_again),
    "above the points": Case(
        canvas(), "not final: 1 student (a person gave more than the question's points: 'ann'",
        changes=BOB | ZOE | {"Lee": ("", "9")}, before=too_high),
    # Moodle
    "Moodle": Case(moodle(), "", 0),
    "a row of nobody's": Case(
        moodle(("15", "Eve Adams", "3999", "eve@x.edu", "1.00", "=1+1")),
        "1 row of people not in students.csv, unchanged: 'Eve Adams'", 0),
    "semicolons and commas": Case(moodle(most="10,00", delimiter=";"), "", 0),
    "a name only": Case(
        moodle(rows=[("11", "Ann Lee", "", "", "", ""), *MOODLE_ROWS[1:]]),
        "1 student with a score but without a row in the file: ann ('Ann Lee')",
        changes=BOB | ZOE),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_a_platforms_file_gets_the_scores_and_nothing_else(term: Term, what: str) -> None:
    case = CASES[what]
    case.before(term.course)
    term.roster(case.roster)
    if not case.roster:
        (term.course.folder / "students.csv").unlink()
    exported = case.mark + case.file.text.encode()
    assert term.export(case.file.kind, exported, *case.options) == case.status, term.said
    assert case.said in term.said
    if case.status == 2:
        assert not term.to.exists()
        return
    todo = "To do before you upload it: see the " if case.status else "Nothing is left to do.\n"
    assert todo in term.said
    assert case.file.changes(term.to.read_bytes()) == case.changes


@pytest.mark.parametrize("file", [canvas(), moodle()], ids=["canvas", "moodle"])
def test_a_file_that_is_cut_off_is_refused_or_named(term: Term, file: File) -> None:
    for length in range(0, len(file.text), 29):
        term.to.unlink(missing_ok=True)
        cut = file.text[:length]
        status = term.export(file.kind, cut)
        if not cut.endswith("\n"):
            assert status != 0, cut
            assert "platform.csv" in term.said
            assert term.to.exists() == (status == 1)


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("canvas", "", "line 1: expected the names of columns"),
        ("canvas", "a,b\n1,2\n", "in a gradebook that Canvas exported"),
        ("canvas", None, "expected a file from Canvas to fill in"),
        ("questions", "a,b\n", "Leave out --fill"),
    ],
)
def test_what_cannot_be_filled_in_is_refused(term, kind, content, said):
    term.to.write_text("mine")
    assert term.export(kind, content) == 2
    assert said in term.said
    assert term.to.read_text() == "mine"


# -- what is written


def test_the_input_is_overwritten_only_if_it_is_named(term: Term, monkeypatch) -> None:
    site, file = canvas(), term.root / "ps1_canvas.csv"
    monkeypatch.chdir(term.root)
    file.write_text(site.text, encoding="utf-8", newline="")
    words = ["--course", str(term.course.folder), "export", "ps1", "--format", "canvas"]
    assert main([*words, "--fill", "ps1_canvas.csv"]) == 2
    assert site.changes(file.read_bytes()) == {}
    assert main([*words, "--fill", "ps1_canvas.csv", "--output", "ps1_canvas.csv"]) == 0
    assert site.changes(file.read_bytes()) == SCORES


@pytest.mark.parametrize("name", ["gradebook.db", "students.csv", "source/ps1/ps1.ipynb"])
def test_a_file_of_the_course_is_not_overwritten(term: Term, name: str, monkeypatch) -> None:
    monkeypatch.chdir(term.course.folder)
    path = term.course.folder / name
    Database(term.course.db_url).make_tables()  # as every command does that reads the gradebook
    before = path.read_bytes()
    assert main(["export", "ps1", "--format", "questions", "--output", name]) == 2
    assert path.read_bytes() == before


# -- tables of our own


def test_the_parts_of_a_score_add_up_in_every_export(term: Term) -> None:
    add_student(term.course, "dan")
    grade_elsewhere(term.course, "dan", 1, "why")
    with Gradebook(term.course.db_url) as gradebook:
        notebook = gradebook.find_submission_notebook("ps1", "ps1", "ann")
        notebook.late_submission_penalty = 1.25
        gradebook.db.commit()
    words = ("ps1", "plot", "--student", "ann", "--to", "1.5", "--reason", "=two readings")
    assert main(["--course", str(term.course.folder), "correct", *words]) == 0
    assert term.export("questions") == 1
    rows = {row["student_id"]: row for row in term.table()}
    assert list(rows) == ["ann", "bob", "dan", "zoe"]
    for row in rows.values():
        cells = sum(float(row[name] or 0) for name in (WHY, PLOT))
        assert cells + float(row["corrections"]) == float(row["raw_score"])
        penalty = float(row["late_submission_penalty"])
        assert float(row["raw_score"]) - penalty == float(row["score"])
        assert row["max_score"] == "10.0"
    assert (rows["ann"]["corrections"], rows["ann"]["score"]) == ("-0.5", "3.75")
    assert rows["ann"]["why_corrections"] == "'=two readings"
    assert (rows["dan"][WHY], rows["dan"][PLOT]) == ("1.0", "")
    for file in (canvas(), moodle()):
        assert term.export(file.kind, file.text) == 1
        assert file.changes(term.to.read_bytes())["Lee"] == ("", "3.75")


def zeros_for_all(term: Term) -> None:
    settings = term.course.folder / "nbgrader_config.py"
    settings.write_text(f"{settings.read_text()}\nc.Exports.zeros = True\n")
    term.course.release("ps1").mkdir(parents=True, exist_ok=True)


def test_nothing_submitted_counts_the_same_in_every_format(term: Term) -> None:
    """A person says it of dan, then takes it back; then the setting says it of everybody."""
    with Gradebook(term.course.db_url) as gradebook:
        gradebook.update_or_create_assignment("ps1", duedate=datetime(2022, 10, 5))

    def say(*words: str) -> int:
        return main(["--course", str(term.course.folder), *words])

    def dans() -> set[str]:
        """Dan's points in each format: "" if there are none."""
        found = set()
        for file in (canvas(), moodle()):
            assert term.export(file.kind, file.text) == 0
            found.add(file.changes(term.to.read_bytes()).get("O'Neil", ("", ""))[1])
        assert term.export("questions") == 0
        found.add(next((r["score"] for r in term.table() if r["student_id"] == "dan"), "no row"))
        return {value.removesuffix(".0") for value in found}

    assert dans() == {""}
    assert say("absent", "ps1", "--student", "ann") == 2  # has submitted
    assert say("absent", "ps1", "--all", "--reason", "ill") == 0
    assert dans() == {"0"}
    assert "no submission, 0 points: 'dan'" in term.said
    assert say("absent", "ps1", "--all", "--remove") == 0
    assert dans() == {""}
    zeros_for_all(term)
    assert dans() == {"0"}
    hours = str(24 * 366)
    with Gradebook(term.course.db_url) as gradebook:  # the due date is over, dan's is not
        yesterday = datetime.now().replace(microsecond=0) - timedelta(days=1)
        gradebook.update_or_create_assignment("ps1", duedate=yesterday)
    assert say("extend", "ps1", "--student", "dan", "--hours", hours) == 0
    assert dans() == {""}
    assert say("absent", "ps1", "--student", "DAN", "--left") == 0
    assert dans() == {"", "no row"}
    assert "left the course, no score: 'dan'" in term.said
    # Whoever left has no score either, and none is missing in a file without the row.
    assert say("absent", "ps1", "--student", "ann", "--left") == 0
    file = canvas_of(*CANVAS_ROWS[1:])
    assert term.export("canvas", file.text) == 0
    assert file.changes(term.to.read_bytes()) == {**BOB, **ZOE}


@pytest.mark.slow
@pytest.mark.xdist_group("exports")
def test_nbgraders_own_export_has_final_scores(term: Term) -> None:
    exporter = "--exporter=hw_grading.lms.export.PlainCsv"
    done = run(term.course.folder, "export", exporter, "--to=students.csv")
    assert done.returncode == 1
    assert "students.csv is the list of students" in done.stdout + done.stderr
    assert (term.course.folder / "students.csv").read_text(encoding="utf-8") == ROSTER
    with Gradebook(term.course.db_url) as gradebook:
        gradebook.add_student("dan")
    words = (exporter, "--assignment=ps1", "--student=bob", "--student=dan", f"--to={term.to}")
    for dans in ("", "0.0"):
        assert run(term.course.folder, "export", *words).returncode == 0
        assert [(r["assignment"], r["student_id"], r["score"]) for r in term.table()] == [
            ("ps1", "bob", "3.0"),
            ("ps1", "dan", dans),
        ]
        zeros_for_all(term)
