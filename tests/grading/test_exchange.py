"""nbgrader's exchange works both ways, whatever a student puts there."""

import functools
import hashlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
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
def test_work_of_two_users_goes_out_and_comes_back_twice(
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


@pytest.fixture
def inbound(course: ToyCourse) -> Path:
    folder = course.root / "exchange" / "toy" / "inbound"
    folder.mkdir(parents=True)
    folder.parent.parent.chmod(0o777)
    return folder


def put(course: ToyCourse, inbound: Path, student: str, day: int = 4) -> Path:
    """Make the folder that `nbgrader submit` makes."""
    time = f"2022-10-{day:02} 23:59:00 UTC"
    folder = inbound / f"{student}+{ASSIGNMENT}+{time}+r"
    folder.mkdir()
    nbformat.write(course.answered, folder / "hw2.ipynb")
    (folder / "timestamp.txt").write_text(time)
    (folder / SECRET).write_text(f"of {student}")
    return folder


def link(path: Path, target: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    path.symlink_to(target)


def no_time(folder: Path) -> None:
    (folder / "timestamp.txt").write_text("yesterday")


NOT_TAKEN: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "pipe": (lambda folder, _: os.mkfifo(folder / "p.ipynb"), "found a pipe"),
    "dangling": (lambda folder, _: link(folder / "hw2.ipynb", Path("/nowhere")), "symbolic link"),
    "solutions": (
        lambda folder, source: link(folder / "hw2.ipynb", source / "hw2.ipynb"),
        "symbolic link",
    ),
    "linked": (link, "Not a directory"),
    "lost": (lambda folder, _: link(folder, Path("/nowhere")), "Not a directory"),
    "large": (
        lambda folder, _: os.truncate(folder / "hw2.ipynb", 101_000_000),
        "at most 100,000,000 bytes",
    ),
    "many": (
        lambda folder, _: [(folder / f"{n}.ipynb").touch() for n in range(30)],
        "more than 20 notebooks",
    ),
    "timeless": (lambda folder, _: no_time(folder), "timestamp.txt: expected a time such as"),
    "od&d": (lambda folder, _: None, "its name is"),
    "": (lambda folder, _: None, "expected <student>+<homework>+<time>"),
    "later": (lambda folder, _: folder.rename(folder.parent / "later+hw2+NaN:NaN+x"), "its name"),
}


@pytest.mark.slow
def test_what_cannot_be_collected_is_named_and_stops_nobody(
    course: ToyCourse, inbound: Path
) -> None:
    """All in one test, because each command takes seconds. Most alone would stop nbgrader."""
    put(course, inbound, "zoe")
    for student, (spoil, _) in NOT_TAKEN.items():
        spoil(put(course, inbound, student), course.course.source(ASSIGNMENT))
    beside = put(course, inbound, "folder")
    (beside / "f").symlink_to(course.course.source(ASSIGNMENT))
    os.mkfifo(beside / "p")

    done = run(course.root, "collect", ASSIGNMENT)
    assert done.returncode == 1
    said = [line for line in done.stderr.split("\n") if "NOT COLLECTED: " in line]
    assert len(said) == len(NOT_TAKEN)
    for student, (_, why) in NOT_TAKEN.items():
        (line,) = [line for line in said if f"NOT COLLECTED: '{student}+" in line]
        assert why in line
        assert not (course.root / "submitted" / student / ASSIGNMENT).exists()
    taken = ["hw2.ipynb", SECRET, "timestamp.txt"]
    for student in ("zoe", "folder"):
        assert sorted(os.listdir(course.root / "submitted" / student / ASSIGNMENT)) == taken


@pytest.mark.slow
def test_a_newer_one_that_cannot_be_taken_leaves_the_older(
    course: ToyCourse, inbound: Path
) -> None:
    put(course, inbound, "ada")
    succeed(course, "collect", ASSIGNMENT)
    there = course.folder("ada")
    before = {path.name: path.read_bytes() for path in there.iterdir()}
    newer = put(course, inbound, "ada", day=5)
    os.truncate(newer / "hw2.ipynb", 101_000_000)
    assert run(course.root, "collect", ASSIGNMENT, "--update").returncode == 1
    assert {path.name: path.read_bytes() for path in there.iterdir()} == before
    assert os.listdir(there.parent) == [ASSIGNMENT]
    nbformat.write(course.answered, newer / "hw2.ipynb")
    succeed(course, "collect", ASSIGNMENT, "--update")
    assert (there / "timestamp.txt").read_text() == "2022-10-05 23:59:00 UTC"


@pytest.mark.slow
@pytest.mark.skipif(len(other_users()) < 2, reason="the tests cannot become other users")
def test_a_submission_by_another_user_replaces_none(course: ToyCourse, inbound: Path) -> None:
    student, other = other_users()
    for maker, when in ((student, "2022-10-04 10:00:00"), (other, "2022-10-05 00:00:00")):
        for whose in {student, maker}:
            folder = inbound / f"{whose}+{ASSIGNMENT}+{when} UTC"
            folder.mkdir()
            nbformat.write(course.answer(why=f"words of {maker}"), folder / "hw2.ipynb")
            (folder / "timestamp.txt").write_text(f"{when} UTC")
            shutil.chown(folder, maker)
    said = succeed(course, "collect", ASSIGNMENT)
    assert "claims to be submitted by" not in said
    for maker in (student, other):
        submitted = course.root / "submitted" / maker / ASSIGNMENT / "hw2.ipynb"
        assert f"words of {maker}" in submitted.read_text()


SECRETS: dict[str, bytes] = {
    "ada": b"of ada",
    "bytes": b"\xff\xfe",
    "nothing": b"",
    "long": b"x" * 10_000,
}


@pytest.mark.slow
def test_feedback_is_released_or_its_student_is_named(course: ToyCourse, inbound: Path) -> None:
    pages = course.root / "feedback"
    for student in (*SECRETS, "platform"):
        folder = pages / student / ASSIGNMENT
        folder.mkdir(parents=True)
        (folder / "hw2.html").write_text(f"For {student}")
        if student in SECRETS:
            (folder / SECRET).write_bytes(SECRETS[student])
            (folder / "timestamp.txt").write_text("2022-10-04 23:59:00 UTC")
    said = succeed(course, "release_feedback", ASSIGNMENT)
    (released,) = (inbound.parent / "feedback").iterdir()
    assert released.name == f"{hashlib.md5(b'of ada' + b'hw2').hexdigest()}.html"
    assert released.read_text() == "For ada"
    for student in (*SECRETS, "platform"):
        named = f"NO FEEDBACK RELEASED: {pages / student / ASSIGNMENT}: "
        assert (named in said) == (student != "ada")
    assert "did not come through the exchange" in said


def test_the_students_configuration_is_the_one_on_their_page() -> None:
    page = (REPOSITORY / "docs" / "students.md").read_text(encoding="utf-8")
    for line in STUDENTS_CONFIG.split("\n"):
        assert line.partition("= ")[0] in page
