"""The commands of docs/instructors.md are typed, block by block, in a scratch course.

A class of three: Ann hands in a ReLU that is wrong, Bob a right one, Eve too late for Canvas.
Nobody trains a network, which would take minutes.
The fresh cases of one test are wrong until the page describes how to correct a test.
"""

import csv
import re
import shutil
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from sqlalchemy.engine import make_url
from terminal import Terminal, blocks

from hw_grading.analysis.closing import still_open
from hw_grading.commands.sample import cell_of, replace_in
from hw_grading.gradebook.results import Results, read_results
from hw_grading.homework.course import REPOSITORY, Course, scratch_course
from hw_grading.homework.source_notebook import solved

sys.path.insert(0, str(REPOSITORY / "tests" / "grading"))
sys.path.insert(0, str(REPOSITORY / "tests" / "golden"))

from golden_class import NEED_A_TRAINING
from platforms import packed

pytestmark = pytest.mark.slow

ROSTER = """id,name,canvas_id,sid
ann,Ann Lee,701,3031
bob,"Jones, Bob",702,3032
eve,Ève Müller,703,3033
zoe,Zoë Ångström,704,3034
"""
CANVAS_GRADEBOOK = """Student,ID,SIS User ID,SIS Login ID,Section,Homework 2 (123456),Final Score
    Points Possible,,,,,100,(read only)
"Lee, Ann",701,3031,ann,LEC 001,,0
"Jones, Bob",702,3032,bob,LEC 001,,0
"Müller, Ève",703,3033,eve,LEC 001,,0
"Ångström, Zoë",704,3034,zoe,LEC 001,EX,0
"""
COLLECTED = (
    "leeann_701_9001_hw2.ipynb",
    "jonesbob_702_9002_hw2.ipynb",
    "müllerève_LATE_703_9003_hw2.ipynb",
)
TEST, HAND_GRADED = "test_relu_activation", "q1_3b_iv"
RIGHT = "return [(s, *reference.relu_activation(s)) for s in inputs]"
WRONG = "return [(s, reference.relu_activation(s)[0], 1 + np.sign(s)) for s in inputs]"
BY_HAND = {"ann": 1.0, "bob": 4.0, "eve": 0.0}
ALL_POINTS = 100.0


class Term(Terminal):
    """A scratch course, and a home folder with what the instructor downloaded."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "course")
        self.root, self.home = self.folder, folder / "home"
        scratch_course(self.root)
        (self.home / "Downloads").mkdir(parents=True)
        (self.root / ".venv").symlink_to(sys.prefix)
        (self.root / "students.csv").write_text(ROSTER, encoding="utf-8")

    @property
    def course(self) -> Course:
        return Course(self.root)

    def edit(self, old: str, new: str) -> None:
        """Edit the staff code."""
        path = self.root / "staff/hw2/fresh.py"
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")

    def download(self) -> None:
        """Put Canvas' download into ~/Downloads."""
        released = nbformat.read(self.root / "release/hw2/hw2.ipynb", as_version=4)
        right = solved(released, nbformat.read(REPOSITORY / "source/hw2/hw2.ipynb", as_version=4))
        for name in NEED_A_TRAINING:
            cell_of(right, name).source = cell_of(released, name).source
        wrong = nbformat.reads(nbformat.writes(right), as_version=4)
        replace_in(wrong, "relu_activation", "(s > 0).astype(float)", "2.0 * (s > 0)")
        of = dict(zip(COLLECTED, (wrong, right, right), strict=True))
        files = [(name, nbformat.writes(notebook).encode()) for name, notebook in of.items()]
        (self.home / "Downloads/submissions.zip").write_bytes(packed(*files))
        (self.home / "Downloads/gradebook.csv").write_text(CANVAS_GRADEBOOK, encoding="utf-8")

    def type(self, lines: list[str]) -> str:
        """Type commands; return their output."""
        said = ""
        for line in lines:
            done = self.run(line, HOME=str(self.home))
            assert done.returncode in _STATUSES.get(line.split(" --")[0], (0,)), line
            said += done.stdout
        return said

    def grade_by_hand(self) -> None:
        with Gradebook(self.course.db_url) as gradebook:
            for student, points in BY_HAND.items():
                grade = gradebook.find_grade(HAND_GRADED, "hw2", "hw2", student)
                grade.manual_score, grade.needs_manual_grade = points, False
            gradebook.db.commit()

    def by_hand(self) -> dict[str, tuple[float, bool]]:
        with Gradebook(self.course.db_url) as gradebook:
            grades = {s: gradebook.find_grade(HAND_GRADED, "hw2", "hw2", s) for s in BY_HAND}
            return {s: (g.manual_score, g.needs_manual_grade) for s, g in grades.items()}

    def finals(self) -> Results:
        return read_results(self.course, "hw2")

    def points(self, cell: str) -> dict[str, float]:
        students = self.finals().students.values()
        return {
            student.student.id: next(s.points for s in student.record.scores if s.cell.name == cell)
            for student in students
            if student.record
        }


# What holds after each block: a function for its first command.


def after_source(term: Term, said: str) -> None:
    assert "fine  settings" in said


def after_release(term: Term, said: str) -> None:
    assert (term.root / "dist/hw2.zip").is_file()
    term.edit(RIGHT, WRONG)  # a release with this mistake would be refused
    term.download()


def after_extend(term: Term, said: str) -> None:
    assert re.search("ann.*ill", said)


def after_collect(term: Term, said: str) -> None:
    assert sorted(p.name for p in (term.root / "submitted").iterdir()) == ["ann", "bob", "eve"]
    assert "LATE, says Canvas" in said
    assert "zoe" in said[said.index("Missing") :]


def after_grade(term: Term, said: str) -> None:
    assert term.points(TEST) == {"ann": 2.0, "bob": 2.0, "eve": 2.0}  # fresh cases are wrong
    term.grade_by_hand()


def after_explain(term: Term, said: str) -> None:
    assert "FAILED  derivatives [1 pt]\n        grad[" in said
    assert "expected" in said
    term.edit(WRONG, RIGHT)


def after_regrade(term: Term, said: str) -> None:
    assert term.points(TEST) == {"ann": 2.0, "bob": 3.0, "eve": 3.0}
    assert term.by_hand() == {student: (points, False) for student, points in BY_HAND.items()}
    [table] = (term.root / "grading/regrades").glob("*.csv")
    with table.open(encoding="utf-8-sig") as file:
        changed = list(csv.reader(file))[1:]
    assert {row[0] for row in changed} == {"bob", "eve"}
    assert "bob" in said


def after_correct(term: Term, said: str) -> None:
    assert "The question had two readings." in said
    added = {s: sum(c.points for c in f.corrections) for s, f in term.finals().students.items()}
    assert added == {"ann": 2.0, "bob": 0.0, "eve": 2.0, "zoe": 0.0}  # Bob has all points


def after_mistakes(term: Term, said: str) -> None:
    assert "answered" in said
    written = sorted(path.name for path in (term.root / "code/2026/students").iterdir())
    assert written == ["ann.py", "bob.py", "eve.py"]


def after_feedback(term: Term, said: str) -> None:
    feedback = (term.root / "feedback/eve/hw2/hw2.html").read_text(encoding="utf-8")
    assert "The question had two readings." in feedback
    with zipfile.ZipFile(term.root / "hw2_feedback_canvas.zip") as bundle:
        assert {name.rpartition("_")[0] for name in bundle.namelist()} == {
            name.rpartition("_")[0] for name in COLLECTED
        }
        [of_eve] = [name for name in bundle.namelist() if "_703_" in name]
        assert bundle.read(of_eve).decode() == feedback
    finals = {student: one.final for student, one in term.finals().students.items()}
    assert finals["bob"] - finals["ann"] == 2.0  # 1 for ReLU, and 4 less 1 + 2 for words
    with (term.root / "canvas.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    written = {row["SIS Login ID"]: row["Homework 2 (123456)"] for row in rows[1:]}
    assert written.pop("zoe") in ("EX", "")
    assert {student: float(points) for student, points in written.items()} == {
        student: finals[student] for student in written
    }
    assert float(rows[0]["Homework 2 (123456)"]) == ALL_POINTS
    with (term.root / "grades.csv").open(encoding="utf-8", newline="") as file:
        exported = {row["student_id"]: row["score"] for row in csv.DictReader(file)}
    assert exported.pop("zoe") == ""
    assert {s: float(exported[s]) for s in written} == {s: finals[s] for s in written}


def after_report(term: Term, said: str) -> None:
    still = said[said.index("Open, before grades go out:") :]
    assert "submitted nothing (1): zoe" in still
    assert "the time of submission is not proven (1): eve" in still
    assert "feedback" not in still
    assert "canvas.csv" not in still


def after_absent(term: Term, said: str) -> None:
    assert term.finals().left == ["zoe"]
    assert "zoe: no submission: 0 (by " in said
    assert not [one for one in still_open(term.finals()) if "zoe" in one.who]


def after_backup(term: Term, said: str) -> None:
    [backup] = (term.root / "backups").iterdir()
    before = {student: one.final for student, one in term.finals().students.items()}
    url = make_url(term.course.db_url)
    Path(url.database or "").unlink()
    shutil.rmtree(term.root / "submitted")
    shutil.unpack_archive(backup, term.root)
    assert {student: one.final for student, one in term.finals().students.items()} == before


# Exit statuses other than 0: the doctor may give advice here, and answers wait for people.
_STATUSES = {"hw-grading doctor": (0, 1), "hw-grading export hw2": (1,)}


def test_the_instructors_page_leads_through_a_term(tmp_path: Path) -> None:
    term = Term(tmp_path)
    left = {name: check for name, check in globals().items() if name.startswith("after_")}
    for lines in map(str.splitlines, blocks(REPOSITORY / "docs" / "instructors.md", "sh")):
        if any("--canvas" in line.split() for line in lines):
            continue  # it needs a Canvas: tests/grading/lms/test_canvas.py types these
        command = lines[0].removeprefix("hw-grading ").split()[0]
        left.pop(f"after_{command}")(term, term.type(lines))
    assert not left
