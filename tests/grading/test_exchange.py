"""nbgrader's exchange works both ways, whatever a student puts there."""

import functools
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from toy_course import ASSIGNMENT, ToyCourse, run

from hw_grading.homework.course import REPOSITORY

SECRET = "submission_secret.txt"
# As docs/students.md gives it.
STUDENTS_CONFIG = """
c = get_config()
c.Exchange.root = {exchange!r}
c.CourseDirectory.course_id = "toy"
"""


@dataclass
class Student:
    """A student with a folder, and with a user of the system if tests can become other users."""

    name: str
    home: Path
    user: str | None  # None: the user who runs the tests

    def nbgrader(self, *words: str) -> str:
        """Run a command in the student's folder; return its output."""
        done = subprocess.run(
            [*becoming(self.user), sys.executable, "-m", "nbgrader", *words],
            cwd=self.home,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def write(self, course: ToyCourse, why: str) -> None:
        """Answer the fetched notebook."""
        path = self.home / ASSIGNMENT / "hw2.ipynb"
        assert path.exists()
        nbformat.write(course.answer(why=why), path)

    def feedback(self) -> list[str]:
        """The fetched pages, the oldest first."""
        pages = sorted(self.home.glob(f"{ASSIGNMENT}/feedback/*/hw2.html"))
        return [page.read_text() for page in pages]


def becoming(user: str | None) -> list[str]:
    """Return the words that run a command as another user, for whom Python is outside of /root."""
    if user is None:
        return []
    words = ["bwrap", "--dev-bind", "/", "/", "--tmpfs", str(Path.home())]
    for python in (sys.base_prefix, sys.prefix):
        words += ["--ro-bind", python, python]
    return [*words, "setpriv", "--reuid", user, "--regid", user, "--clear-groups"]


@functools.cache
def other_users() -> list[str]:
    """Return two users of this system; none if the tests cannot become other users."""
    if os.getuid() == 0 and shutil.which("bwrap") and shutil.which("setpriv"):
        found = [who.pw_name for who in pwd.getpwall() if 0 < who.pw_uid == who.pw_gid < 1_000]
        command = [*becoming(found[0]), sys.executable, "-c", "import nbgrader"]
        if subprocess.run(command, cwd="/", capture_output=True).returncode == 0:
            return found[:2]
    return []


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user can enter, unlike pytest's folders."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture
def students(public: Path) -> list[Student]:
    made = []
    for name in other_users() or ("ada", "bob"):
        home = public / name
        home.mkdir(mode=0o700)
        config = STUDENTS_CONFIG.format(exchange=str(public / "exchange"))
        if other_users():
            shutil.chown(home, name, name)
        else:  # they share one user, so each states an id
            config += f"c.CourseDirectory.student_id = {name!r}\n"
        (home / "nbgrader_config.py").write_text(config)
        made.append(Student(name, home, name if other_users() else None))
    return made


def succeed(course: ToyCourse, *words: str) -> str:
    done = run(course.root, *words)
    assert done.returncode == 0, done.stderr
    return done.stderr


def grade_and_give_feedback(course: ToyCourse) -> None:
    for command in ("autograde", "generate_feedback", "release_feedback"):
        succeed(course, command, ASSIGNMENT)


@pytest.mark.slow
def test_work_of_two_users_goes_out_and_feedback_comes_back_twice(
    generated_course: ToyCourse, tmp_path: Path, public: Path, students: list[Student]
) -> None:
    exchange = public / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    course = generated_course.copied(tmp_path / "c", f"c.Exchange.root = {str(exchange)!r}\n")
    succeed(course, "release_assignment", ASSIGNMENT)
    assert "add --force" in run(course.root, "release_assignment", ASSIGNMENT).stderr
    succeed(course, "release_assignment", ASSIGNMENT, "--force")
    for student in students:
        assert f"toy {ASSIGNMENT}" in student.nbgrader("list")
        student.nbgrader("fetch_assignment", ASSIGNMENT)
        student.write(course, f"The first words of {student.name}.")
        student.nbgrader("submit", ASSIGNMENT)
    said = succeed(course, "collect", ASSIGNMENT)
    assert "claims to be submitted by" not in said or students[0].user is None
    grade_and_give_feedback(course)
    for student in students:
        assert sum(filter(None, course.test_scores(student.name).values())) == 6
        student.nbgrader("fetch_feedback", ASSIGNMENT)
        (page,) = student.feedback()
        assert f"The first words of {student.name}." in page

    for student in students:
        student.write(course, f"Other words of {student.name}.")
        student.nbgrader("submit", ASSIGNMENT)
    succeed(course, "collect", ASSIGNMENT, "--update")
    grade_and_give_feedback(course)
    for student in students:
        student.nbgrader("fetch_feedback", ASSIGNMENT)
        first, second = student.feedback()
        assert f"The first words of {student.name}." in first
        assert f"Other words of {student.name}." in second
        assert "feedback already fetched" in student.nbgrader("list", "--cached")
    for page in (page for student in students for page in student.feedback()):
        assert sum(f"words of {student.name}." in page for student in students) == 1


def test_a_link_in_the_exchange_stays_a_link(course: ToyCourse, public: Path) -> None:
    (course.root / "nbgrader_config.py").open("a").write(f"c.Exchange.root = {str(public)!r}\n")
    folder = public / "toy" / "inbound" / f"mallory+{ASSIGNMENT}+2022-10-04 07:00:00 UTC"
    folder.mkdir(parents=True)
    (folder / "timestamp.txt").write_text("2022-10-04 07:00:00 UTC")
    (folder / "hw2.ipynb").symlink_to(course.root / "source" / ASSIGNMENT / "hw2.ipynb")
    succeed(course, "collect", ASSIGNMENT)
    collected = course.root / "submitted" / "mallory" / ASSIGNMENT / "hw2.ipynb"
    assert collected.is_symlink()
    assert course.grade().returncode == 1
    assert set(course.scores("mallory").values()) <= {None}


def test_the_students_configuration_is_the_one_on_their_page() -> None:
    page = (REPOSITORY / "docs" / "students.md").read_text(encoding="utf-8")
    for line in STUDENTS_CONFIG.split("\n"):
        assert line.partition("= ")[0] in page
