"""nbgrader's exchange works both ways, whatever a student puts there."""

import functools
import hashlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
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
    assert "made by" not in said or students[0].user is None
    grade_and_give_feedback(course)
    for student in students:
        assert sum(filter(None, course.test_scores(student.name).values())) == 6
        student.nbgrader("fetch_feedback", ASSIGNMENT)
        (page,) = student.feedback()
        assert f"The first words of {student.name}." in page

    for student in students:
        student.write(course, f"Other words of {student.name}.")
        student.nbgrader("submit", ASSIGNMENT)
    names = ", ".join(sorted(student.name for student in students))
    said = succeed(course, "collect", ASSIGNMENT)
    assert f"Submitted again, but not collected: {names}. To collect the newer submissions" in said
    assert "Submitted again" not in succeed(course, "collect", ASSIGNMENT, "--update")
    grade_and_give_feedback(course)
    for student in students:
        student.nbgrader("fetch_feedback", ASSIGNMENT)
        first, second = student.feedback()
        assert f"The first words of {student.name}." in first
        assert f"Other words of {student.name}." in second
        assert "feedback already fetched" in student.nbgrader("list", "--cached")
    for page in (page for student in students for page in student.feedback()):
        assert sum(f"words of {student.name}." in page for student in students) == 1
    assert "Submitted again" not in succeed(course, "collect", ASSIGNMENT)


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


@pytest.mark.slow
def test_hostile_folders_in_the_exchange_block_nobody_and_are_not_followed(
    course: ToyCourse, inbound: Path
) -> None:
    """All in one test, because each command takes seconds. Each alone would stop nbgrader."""
    source = course.course.source(ASSIGNMENT)
    put(course, inbound, "zoe")
    os.mkfifo(put(course, inbound, "pipe") / "p")
    (put(course, inbound, "dangling") / "x").symlink_to("/nowhere")
    notebook = put(course, inbound, "solutions") / "hw2.ipynb"
    notebook.unlink()
    notebook.symlink_to(source / "hw2.ipynb")
    (put(course, inbound, "folder") / "f").symlink_to(source)
    shutil.rmtree(put(course, inbound, "linked"))
    (inbound / f"linked+{ASSIGNMENT}+2022-10-04 UTC").symlink_to(source)
    (inbound / f"lost+{ASSIGNMENT}+2022-10-04 UTC").symlink_to("/nowhere")
    (inbound / f"file+{ASSIGNMENT}+2022-10-04 UTC").write_text("")
    large = put(course, inbound, "large")
    for name in ("one", "two"):
        (large / name).touch()
        os.truncate(large / name, 51_000_000)
    put(course, inbound, "")
    (put(course, inbound, "bytes") / SECRET).write_bytes(b"\xff")

    done = run(course.root, "collect", ASSIGNMENT)
    assert done.returncode == 1
    submitted = course.root / "submitted"
    taken = {"zoe", "pipe", "dangling", "solutions", "folder", "bytes"}
    assert set(os.listdir(submitted)) - {"linked", "lost", "file", "large"} == taken
    _, _, failures = done.stderr.partition("NOT COLLECTED")
    for student, why in {
        "linked": "it is not a folder",
        "lost": "it is not a folder",
        "file": "it is not a folder",
        "large": "its files have more than 100,000,000 bytes together",
        "": "'' is not a student id",
    }.items():
        (line,) = [x for x in failures.split("\n") if x.strip().startswith(f"'{student}+")]
        assert why in line
        assert not (submitted / student / ASSIGNMENT).exists()
    assert not (submitted / "solutions" / ASSIGNMENT / "hw2.ipynb").exists()
    assert (
        "solutions hw2: not copied from the exchange: 'hw2.ipynb' (a symbolic link)" in done.stderr
    )
    assert not (submitted / "folder" / ASSIGNMENT / "f").exists()

    listed = succeed(course, "list", "--inbound", ASSIGNMENT)
    assert "toy zoe hw2" in listed
    assert listed.count("not listed: ") == 2  # solutions, bytes
    assert "toy bytes hw2" not in listed


@pytest.mark.slow
def test_a_newer_submission_that_cannot_be_copied_leaves_the_older_one(
    course: ToyCourse, inbound: Path
) -> None:
    put(course, inbound, "ada")
    succeed(course, "collect", ASSIGNMENT)
    there = course.folder("ada")
    before = {path.name: path.read_bytes() for path in there.iterdir()}
    large = put(course, inbound, "ada", day=5) / "large"
    large.touch()
    os.truncate(large, 101_000_000)
    newer = put(course, inbound, "ada", day=6)
    shutil.rmtree(newer)
    newer.write_text("no folder")
    done = run(course.root, "collect", ASSIGNMENT, "--update")
    assert done.returncode == 1
    assert {path.name: path.read_bytes() for path in there.iterdir()} == before
    assert os.listdir(there.parent) == [ASSIGNMENT]
    newer.unlink()
    succeed(course, "collect", ASSIGNMENT, "--update")
    assert (there / "timestamp.txt").read_text() == "2022-10-05 23:59:00 UTC"
    assert not (there / "large").exists()


@pytest.mark.slow
@pytest.mark.skipif(len(other_users()) < 2, reason="the tests cannot become other users")
def test_a_submission_that_another_user_makes_never_replaces_the_students_own(
    course: ToyCourse, inbound: Path
) -> None:
    student, other = other_users()
    for maker, when in ((student, "2022-10-04 10:00:00"), (other, "2099-01-01 00:00:00")):
        for whose in {student, maker}:
            folder = inbound / f"{whose}+{ASSIGNMENT}+{when} UTC"
            folder.mkdir()
            nbformat.write(course.answer(why=f"words of {maker}"), folder / "hw2.ipynb")
            (folder / "timestamp.txt").write_text(f"{when} UTC")
            shutil.chown(folder, maker)
    said = succeed(course, "collect", ASSIGNMENT)
    assert f"not collected: made by the user {other}, not by {student}. Ask both" in said
    for maker in (student, other):
        submitted = course.root / "submitted" / maker / ASSIGNMENT / "hw2.ipynb"
        assert f"words of {maker}" in submitted.read_text()


@pytest.mark.slow
def test_a_submission_changed_after_its_timestamp_is_named(
    course: ToyCourse, inbound: Path
) -> None:
    put(course, inbound, "early")  # says 2022, and was made now
    (put(course, inbound, "without") / "timestamp.txt").unlink()
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    (put(course, inbound, "right") / "timestamp.txt").write_text(now)
    said = succeed(course, "collect", ASSIGNMENT)
    (line,) = [line for line in said.split("\n") if "which students can edit" in line]
    assert "early (says 2022-10-04 23:59, changed 20" in line
    assert "without (says none, changed 20" in line
    assert "right" not in line


SECRETS: dict[str, bytes] = {
    "ada": b"of ada",
    "bytes": b"\xff\xfe",
    "nothing": b"",
    "long": b"x" * 10_000,
}


@pytest.mark.slow
def test_feedback_is_released_where_possible_and_other_students_are_named(
    course: ToyCourse, inbound: Path
) -> None:
    pages = course.root / "feedback"
    for student in (*SECRETS, "platform", "earlier"):
        folder = pages / student / ASSIGNMENT
        folder.mkdir(parents=True)
        (folder / "hw2.html").write_text(f"For {student}")
        if student in SECRETS:
            (folder / SECRET).write_bytes(SECRETS[student])
    (course.folder("earlier") / SECRET).write_text("of earlier")
    done = run(course.root, "release_feedback", ASSIGNMENT)
    assert done.returncode == 1
    released = list((inbound.parent / "feedback").iterdir())
    name = hashlib.md5(b"of ada" + b"hw2").hexdigest()
    assert [path.name for path in released] == [f"{name}.html"]
    assert released[0].read_text() == "For ada"
    assert released[0].stat().st_mode & 0o777 == 0o644
    assert "get no feedback through it: platform. Their pages are in" in done.stderr
    _, _, failures = done.stderr.partition("NO FEEDBACK RELEASED to")
    for student in ("bytes", "nothing", "long"):
        assert f" '{student}': {SECRET}: expected" in failures
    assert f" 'earlier': the submission had no {SECRET}" in failures
    for student in ("bytes", "nothing", "long", "earlier"):
        shutil.rmtree(pages / student)
    succeed(course, "release_feedback", ASSIGNMENT)


@pytest.mark.slow
def test_without_feedback_the_message_says_what_to_run_first(
    course: ToyCourse, inbound: Path
) -> None:
    done = run(course.root, "release_feedback", ASSIGNMENT)
    assert done.returncode == 1
    assert "First run `nbgrader generate_feedback hw2`" in done.stderr


def test_the_students_configuration_is_the_one_on_their_page() -> None:
    page = (REPOSITORY / "docs" / "students.md").read_text(encoding="utf-8")
    for line in STUDENTS_CONFIG.split("\n"):
        assert line.partition("= ")[0] in page
