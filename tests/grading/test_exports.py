"""Exported grades can be imported: each file is read back by its platform's rules."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from by_hand import add_student, copied, grade_elsewhere, make_course
from nbgrader.api import Gradebook
from toy_course import run

from hw_grading.__main__ import main
from hw_grading.gradebook.database import Database
from hw_grading.homework.course import Course

# -- models of Canvas and Moodle, which export and import files as the platforms do


@dataclass
class CanvasStudent:
    id: str
    name: str
    sis: str = ""
    login: str = ""
    scores: dict[str, str] = field(default_factory=dict)  # by the assignment's id

    @property
    def sortable(self) -> str:
        first, _, last = self.name.rpartition(" ")
        return f"{last}, {first}" if first else last


@dataclass
class Canvas:
    """A course: `assignments` are (id, title, points possible)."""

    students: list[CanvasStudent]
    assignments: Sequence[tuple[str, str, str]] = (
        ("55", "Quiz", "10"),
        ("123456", "ps1", "6"),
    )

    def exported(self, delimiter: str = ",", end: str = "\r\n") -> str:
        titles = [f"{title} ({key})" for key, title, _ in self.assignments]
        possible = [points for *_, points in self.assignments]
        identity = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
        computed = ["Current Score", "Final Score"]
        none = [""] * len(titles)
        rows = [
            [*identity, *titles, *computed],
            ["", "", "", "", "", *["Manual Posting", *none][: len(titles)], "", ""],
            ["    Points Possible", "", "", "", "", *possible, "(read only)", "(read only)"],
        ]
        for one in self.students:
            scores = [one.scores.get(key, "") for key, *_ in self.assignments]
            known = [one.sortable, one.id, one.sis, one.login, "LEC 001"]
            rows.append([*known, *scores, "70.00", "35.00"])
        rows.append(["Student, Test", "999", "", "f3a9", "LEC 001", *none, "", ""])
        stream = io.StringIO(newline="")
        csv.writer(stream, delimiter=delimiter, lineterminator=end).writerows(rows)
        return stream.getvalue()

    def imported(self, content: bytes) -> tuple[dict[tuple[str, str], tuple[str, str]], list[str]]:
        """Return the changes by student and assignment, and the assignments to be created."""
        text = content.decode("utf-8").removeprefix("\ufeff")
        first = text.splitlines()[:3]
        widths = {d: {len(next(csv.reader([line], delimiter=d))) for line in first} for d in ";,"}
        delimiter = ";" if len(widths[";"]) == 1 and max(widths[";"]) > max(widths[","]) else ","
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
        head, rows = rows[0], rows[1:]
        assert "Student" in head[0]
        assert "ID" in head[1]
        after = head.index("Section") + 1
        points = next(row for row in rows if "Points Possible" in row[0])
        new: list[str] = []
        columns: dict[int, str] = {}
        for number, title in enumerate(head[after:], after):
            if re.search(r"(Current|Final|Override) (Score|Points|Grade)", title):
                continue
            match = re.fullmatch(r".*\((\d+)\)", title)
            keys = {key for key, *_ in self.assignments}
            by_title = [key for key, called, _ in self.assignments if called == title]
            if match and match[1] in keys:
                columns[number] = match[1]
            elif by_title:
                columns[number] = by_title[0]
            else:
                new.append(title)
        changes = {}
        for row in rows:
            if row is points or all(
                re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", value) for value in row
            ):
                continue
            one = self._student(row)
            if one is None:
                if row[1] != "999":  # Canvas' own
                    new.append(row[0])
                continue
            for number, key in columns.items():
                if re.search(r"read\s+only", points[number]):
                    continue
                old, value = one.scores.get(key, ""), _with_a_point(row[number].strip())
                if _score(old) != _score(value):
                    changes[one.name, key] = (old, value)
        return changes, new

    def _student(self, row: list[str]) -> CanvasStudent | None:
        for is_it in (
            lambda one: row[1] and one.id == row[1],
            lambda one: row[2] and one.sis == row[2],
            lambda one: row[3] and one.login == row[3],
            lambda one: row[0] in (one.name, one.sortable),
        ):
            if found := next(filter(is_it, self.students), None):
                return found
        return None


@dataclass
class MoodleStudent:
    number: int
    name: str
    id_number: str = ""
    email: str = ""
    grade: str = ""
    feedback: str = ""


ENGLISH = {
    "participant": "Participant ",
    "columns": [
        *("Identifier", "Full name", "ID number", "Email address", "Status", "Grade"),
        *("Maximum grade", "Grade can be changed", "Last modified (submission)"),
        *("Last modified (grade)", "Feedback comments"),
    ],
}
GERMAN = {
    "participant": "Teilnehmer/in",
    "columns": [
        *("ID", "Vollständiger Name", "ID-Nummer", "E-Mail-Adresse", "Status", "Bewertung"),
        *("Bestwertung", "Bewertung kann geändert werden", "Zuletzt geändert (Abgabe)"),
        *("Zuletzt geändert (Bewertung)", "Feedback als Kommentar"),
    ],
}


@dataclass
class Moodle:
    """An assignment of a site whose language is one of these."""

    students: list[MoodleStudent]
    language: dict[str, object] = field(default_factory=lambda: ENGLISH)
    maximum: str = "6.00"

    def exported(self, delimiter: str = ",", end: str = "\n") -> str:
        rows = [self.language["columns"]]
        for one in self.students:
            rows.append(
                [
                    f"{self.language['participant']}{one.number}",
                    *(one.name, one.id_number, one.email, "Submitted for grading", one.grade),
                    *(self.maximum, "Yes", "Tuesday, 4 October 2022, 11:59 PM", "-"),
                    one.feedback,
                ]
            )
        stream = io.StringIO(newline="")
        csv.writer(stream, delimiter=delimiter, lineterminator=end).writerows(rows)
        return stream.getvalue()

    def imported(self, content: bytes, delimiter: str = ",") -> dict[str, tuple[str, str]]:
        """Return the grades that change, by name; other fields must be as they were."""
        text = content.decode("utf-8").removeprefix("\ufeff")
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
        assert rows[0] == self.language["columns"]
        before = list(csv.reader(io.StringIO(self.exported(), newline="")))
        by_number = {one.number: one for one in self.students}
        changes = {}
        for row, old in zip(rows[1:], before[1:], strict=True):
            assert row[:5] + row[6:] == old[:5] + old[6:]
            one = by_number[int(row[0][len(str(self.language["participant"])) :])]
            if row[5] != one.grade:
                changes[one.name] = (one.grade, row[5])
        return changes


def _with_a_point(value: str) -> str:
    return value.replace(",", ".") if re.fullmatch(r"-?[0-9.,]+%?", value) else value


def _score(value: str) -> str:
    if value in ("", "-"):
        return ""
    return value if value.upper() == "EX" else f"{float(_with_a_point(value)):.2f}"


# -- the class

ROSTER = """id,name,email,section,canvas_id,sid
ann,Ann Lee,ann@x.edu,1,,3031
bob,"Jones, Bob",bob@x.edu,1,,3032
zoe,Zoë Ångström,zoe@x.edu,2,703,3033
dan,Dan O'Neil,dan@x.edu,2,,3034
"""
# The scores before and after, where they change: the same for both platforms.
ANN, BOB, ZOE = {"Ann Lee": ("", "5.5")}, {"Bob Jones": ("1", "3")}, {"Zoë Ångström": ("4", "0")}
SCORES = {**ANN, **BOB, **ZOE}


WHY, PLOT = "why (4 pts)", "plot (2 pts)"


class Term:
    """A course with a roster, and the command."""

    def __init__(self, graded: Course, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self._capsys = root, capsys
        self.course = copied(graded, root / "course")
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


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A class: ann has 5.5 of 6 points, bob 3, zoe 0; dan has submitted nothing."""
    course = make_course(tmp_path_factory.mktemp("graded") / "course", [])
    for student, why, plot in (("ann", 3.5, 2), ("bob", 2, 1), ("zoe", 0, 0)):
        add_student(course, student)
        grade_elsewhere(course, student, why, "why")
        grade_elsewhere(course, student, plot, "plot")
    return course


@pytest.fixture
def term(graded: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Term:
    return Term(graded, tmp_path, capsys)


# -- files of Canvas and Moodle


@dataclass
class Case:
    """A file of a platform, and what the command makes of it."""

    site: Canvas | Moodle
    said: str = ""
    status: int = 1
    changes: dict[str, tuple[str, str]] = field(default_factory=lambda: SCORES)
    options: tuple[str, ...] = ()
    roster: str = ROSTER  # "" for none
    before: Callable[[Course], object] = lambda course: None
    text: Callable[[str], str | bytes] = lambda text: text  # what people do with the file
    delimiter: str = ","


def canvas(*more: CanvasStudent, ann: str = "", **attributes: object) -> Canvas:
    students = [
        CanvasStudent("701", "Ann Lee", "3031", "annlee", {"55": "9", "123456": ann}),
        CanvasStudent("702", "Bob Jones", "", "bob@x.edu", {"123456": "1"}),
        CanvasStudent("703", "Zoë Ångström", "", "", {"123456": "4"}),
        CanvasStudent("704", "Dan O'Neil", "3034", "dan", {"123456": "2.5"}),
    ]
    return Canvas([*students, *more], **attributes)


def titled(title: str, points: str = "6", quiz: str = "Quiz", of_quiz: str = "10") -> Canvas:
    return canvas(assignments=(("55", quiz, of_quiz), ("123456", title, points)))


def of(*students: CanvasStudent) -> Canvas:
    return Canvas(list(students))


def moodle(*more: MoodleStudent, bob: str = "bob@x.edu", **attributes: object) -> Moodle:
    students = [
        MoodleStudent(11, "Ann Lee", "3031", "", "", "Well\ndone; see me"),
        MoodleStudent(12, "Bob Jones", "", bob, "1"),
        MoodleStudent(13, "Zoë Ångström", "", "ZOE@x.edu", "4"),
        MoodleStudent(14, "Dan O'Neil", "3034", "", "2.50"),
    ]
    return Moodle([*students, *more], **attributes)


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


EVE = CanvasStudent("705", "Eve Adams", "3999", "eve", {"123456": "1"})
NAMESAKE = CanvasStudent("709", "Ann Lee", "3999", "annlee2", {"123456": "1"})
RENAMED = CanvasStudent("705", "Zoë Ångström", "", "eve@home.edu", {"123456": "1"})
BY_NAME = CanvasStudent("701", "Lee, Ann", "", "", {"123456": ""})
TWO_IDS = canvas()
TWO_IDS.students[0].login, TWO_IDS.students[1].login = "bob", ""
WITHOUT_BOB, ONE_NAMESAKE = canvas(EVE), canvas(NAMESAKE)
del WITHOUT_BOB.students[1], ONE_NAMESAKE.students[0]
BY_LOGIN = [CanvasStudent("2", "Bob", login="BOB"), CanvasStudent("3", "Zoe", login="zoe")]
OF_LOGINS = {"Bob": ("", "3"), "Zoe": ("", "0")}
DEPARTMENT = {
    **ENGLISH,
    "columns": [*ENGLISH["columns"][:3], "Department", *ENGLISH["columns"][4:]],
}
IN_GERMAN = ("--column", "Bewertung", "--column-participant", "ID", "--column-id", "ID-Nummer",
             "--column-login", "E-Mail-Adresse", "--column-name", "Vollständiger Name")  # fmt: skip
ACCEPT = ("--accept-names",)

CANVAS = {
    "all agree": Case(canvas(), "3 scores in the column 'ps1 (123456)'. All other values", 0),
    "an excused student": Case(canvas(ann="EX"), "2 scores", 0, BOB | ZOE),
    "a byte order mark": Case(canvas(), "", 0, text=lambda t: codecs.BOM_UTF8 + t.encode()),
    "one student asked for": Case(canvas(), "", 0, BOB, ("--student", "bob")),
    # the column
    "another title": Case(titled("Homework Seven"), "'Quiz (55)', 'Homework Seven (123456)'", 2),
    "a title by option": Case(titled("Lab"), "", 0, options=("--column", "lab")),
    "a title of two": Case(
        titled("Quiz"), "found 2. Choose one with --column: 'Student'", 2,
        options=("--column", "Quiz")),
    "a title with its id": Case(titled("Quiz"), "", 0, options=("--column", "Quiz (123456)")),
    "another maximum": Case(
        titled("ps1", "100"), "platform.csv has a maximum of 100 points, but ps1 has 6"),
    # people
    "students on one side only": Case(
        WITHOUT_BOB, "1 student with a score but without a row in the file: bob ('Jones, Bob')",
        changes=ANN | ZOE),
    "no roster": Case(
        of(CanvasStudent("1", "Ann Lee", "ann"), EVE, *BY_LOGIN),
        "1 row of people not in the gradebook", changes=ANN | OF_LOGINS, roster=""),
    "two rows of a student": Case(
        canvas(CanvasStudent("709", "Ann B. Lee", "", "ANN@X.EDU", {"123456": "1"})),
        "lines 4 and 8: these are rows of ann", changes=BOB | ZOE),
    "another's name beside the other's row": Case(
        canvas(RENAMED), "belongs to zoe, but this student's Canvas id is '703', not '705'",
        options=ACCEPT),
    "a namesake alone": Case(
        ONE_NAMESAKE, "belongs to ann, but this student's SIS User ID is '3031', not '3999'",
        changes=BOB | ZOE, options=ACCEPT),
    "a name only": Case(
        of(BY_NAME, *BY_LOGIN), "by name only, which students can change: ann (line 4). Their",
        changes=OF_LOGINS),
    "a name that you accept": Case(
        of(BY_NAME, *BY_LOGIN), "Compare their rows with the platform, where",
        changes=OF_LOGINS | {"Lee, Ann": ("", "5.5")}, options=ACCEPT),
    "ids of two students in a row": Case(
        TWO_IDS, "line 4: the SIS User ID '3031' belongs to ann, but the SIS Login ID 'bob'",
        changes=ZOE),

    # scores that are not final
    "graded by nobody": Case(
        canvas(), "not final are the grades of 1 student: 'dan'",
        changes=SCORES | {"Dan O'Neil": ("2.5", "0")},
        before=lambda course: add_student(course, "dan")),
    "submitted again, or not graded": Case(
        canvas(), "not final are the grades of 2 students: 'ann', 'dan'",
        before=handed_in_again),
    "above the points": Case(
        canvas(), "not final are the grades of 1 student: 'ann'",
        changes=BOB | ZOE | {"Ann Lee": ("", "9")}, before=too_high),

}  # fmt: skip
MOODLE = {
    "all agree": Case(moodle(), "", 0),
    "German, semicolons and commas": Case(
        moodle(language=GERMAN, maximum="6,00"), "", 0, options=IN_GERMAN, delimiter=";"),
    "German, without options": Case(
        moodle(language=GERMAN), "'ID', 'Vollständiger Name', 'ID-Nummer'", 2),
    "an option that names no column": Case(
        moodle(), "a column named number in a grading worksheet of Moodle", 2, {},
        ("--column-id", "Number")),
    "a row of nobody's": Case(
        moodle(MoodleStudent(15, "Eve Adams", "3999", "eve@x.edu", "1.00", "=1+1")),
        "1 row of people not in students.csv, unchanged: 'Eve Adams'"),
    "an address in a column of the students' own": Case(
        moodle(bob="ann@x.edu", language=DEPARTMENT), "change: bob (line 4), zoe (line 5). Their",
        changes=ANN),
    "another's name": Case(
        moodle(MoodleStudent(15, "Ann Lee", "", "eve@x.edu", "1.00")),
        "1 row of people not in students.csv, unchanged: 'Ann Lee'", options=ACCEPT),
    "another maximum": Case(moodle(maximum="7"), "has a maximum of 7 points, but ps1 has 6"),
}  # fmt: skip


def changes(site: Canvas | Moodle, content: bytes, delimiter: str = ",") -> dict[str, object]:
    """What a platform changes when it imports a file."""
    if isinstance(site, Moodle):
        return site.imported(content, delimiter)
    changed, new = site.imported(content)
    assert new == []
    assert {key for _, key in changed} <= {"123456"}
    return {name: change for (name, _), change in changed.items()}


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=f"canvas, {what}") for what, case in CANVAS.items()]
    + [pytest.param(case, id=f"moodle, {what}") for what, case in MOODLE.items()],
)
def test_a_platforms_file_gets_the_scores_and_nothing_else(term: Term, case: Case) -> None:
    case.before(term.course)
    term.roster(case.roster)
    if not case.roster:
        (term.course.folder / "students.csv").unlink()
    kind = "moodle" if isinstance(case.site, Moodle) else "canvas"
    exported = case.text(case.site.exported(case.delimiter))
    assert term.export(kind, exported, *case.options) == case.status, term.said
    assert case.said in term.said
    if case.status == 2:
        assert not term.to.exists()
        return
    assert changes(case.site, term.to.read_bytes(), case.delimiter) == case.changes


@pytest.mark.parametrize("site", [canvas(), moodle()], ids=["canvas", "moodle"])
def test_a_file_that_is_cut_off_blanks_or_changes_no_grade(
    term: Term, site: Canvas | Moodle
) -> None:
    kind, whole = type(site).__name__.lower(), site.exported()
    for length in range(0, len(whole), 29):
        term.to.unlink(missing_ok=True)
        cut = whole[:length]
        status = term.export(kind, cut)
        if cut.endswith("\n"):
            continue
        assert status != 0, cut
        if status == 2:
            assert "platform.csv" in term.said
            assert not term.to.exists()
        elif kind == "canvas" and "Points Possible" in cut:
            assert changes(site, term.to.read_bytes()).items() <= SCORES.items()


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("canvas", "", "line 1: expected the names of columns"),
        ("canvas", "a,b\n1,2\n", "in a gradebook that Canvas exported"),
        ("canvas", None, "expected a file from Canvas to fill in"),
        ("questions", "a,b\n", "Leave out --fill"),
    ],
)
def test_what_cannot_be_filled_in_is_refused(
    term: Term, kind: str, content: str | None, said: str
) -> None:
    term.to.write_text("mine")
    assert term.export(kind, content) == 2
    assert said in term.said
    assert term.to.read_text() == "mine"


# -- what is written


def test_the_input_is_overwritten_only_if_it_is_named(term: Term, monkeypatch) -> None:
    site, file = canvas(), term.root / "ps1_canvas.csv"
    monkeypatch.chdir(term.root)
    file.write_text(site.exported(), encoding="utf-8", newline="")
    words = ["--course", str(term.course.folder), "export", "ps1", "--format", "canvas"]
    assert main([*words, "--fill", "ps1_canvas.csv"]) == 2
    assert changes(site, file.read_bytes()) == {}
    assert main([*words, "--fill", "ps1_canvas.csv", "--output", "ps1_canvas.csv"]) == 0
    assert changes(site, file.read_bytes()) == SCORES


@pytest.mark.parametrize("name", ["gradebook.db", "students.csv", "source/ps1/ps1.ipynb"])
def test_a_file_of_the_course_is_not_overwritten(term: Term, name: str, monkeypatch) -> None:
    monkeypatch.chdir(term.course.folder)
    path = term.course.folder / name
    Database(term.course.db_url).make_tables()  # as every command does that reads the gradebook
    before = path.read_bytes()
    assert main(["export", "ps1", "--format", "questions", "--output", name]) == 2
    assert main(["statistics", "ps1", "--output", name]) == 2
    assert path.read_bytes() == before


# -- tables of our own


def test_the_columns_for_gradescope_are_its_importers(term: Term) -> None:
    with Gradebook(term.course.db_url) as gradebook:
        gradebook.find_submission("ps1", "bob").timestamp = datetime(2022, 10, 5, 9, 30)
        gradebook.find_assignment("ps1").duedate = datetime(2022, 10, 5, 6, 59, 59)
        gradebook.db.commit()
    add_student(term.course, "eve", first_name="=Eve", last_name="-1", email="@x")
    term.roster(ROSTER + "eve,,,,,\n")
    assert term.export("gradescope") == 1
    rows = {row["SID"]: row for row in term.table()}
    told = {sid: (row["Total Score"], row["Status"]) for sid, row in rows.items()}
    assert told == {
        "3031": ("5.5", "Graded"),
        "3032": ("3.0", "Graded"),
        "3033": ("0.0", "Graded"),
        "3034": ("", "Missing"),
        "eve": ("0.0", "Ungraded"),
    }
    assert {row["Max Points"] for row in rows.values()} == {"6.0"}
    bob = rows["3032"]
    assert (bob["First Name"], bob["Last Name"], bob["Email"]) == ("Bob", "Jones", "bob@x.edu")
    assert bob["Submission Time"] == "2022-10-05 09:30:00 +0000"
    assert bob["Lateness (H:M:S)"] == "02:30:01"
    assert (bob[PLOT], rows["eve"][PLOT]) == ("1.0", "")
    assert (rows["eve"]["First Name"], rows["eve"]["Email"]) == ("'=Eve", "'@x")


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
        assert row["max_score"] == "6.0"
    assert (rows["ann"]["corrections"], rows["ann"]["score"]) == ("-0.5", "3.75")
    assert rows["ann"]["why_corrections"] == "'=two readings"
    assert (rows["dan"][WHY], rows["dan"][PLOT]) == ("1.0", "")
    for kind, site in (("canvas", canvas()), ("moodle", moodle())):
        assert term.export(kind, site.exported()) == 1
        assert changes(site, term.to.read_bytes())["Ann Lee"] == ("", "3.75")
    assert term.export("gradescope") == 1
    ann = next(row for row in term.table() if row["SID"] == "3031")
    assert (ann["Total Score"], ann[WHY], ann[PLOT]) == ("3.75", "3.5", "2.0")


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
        term.course.release("ps1").mkdir(parents=True, exist_ok=True)
