"""nbgrader's exchange works both ways, whatever a student puts there."""

import fcntl
import json
import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from toy_course import ASSIGNMENT, ToyCourse, run

from hw_grading.gradebook.requests import requests_in
from hw_grading.gradebook.scores import open_gradebook
from hw_grading.homework.course import REPOSITORY
from hw_grading.homework.folders import read_time
from hw_support.submission.released import read_release

pytestmark = pytest.mark.slow

SECRET = "submission_secret.txt"
# As docs/students.md gives it.
STUDENTS_CONFIG = """
c = get_config()
c.Exchange.root = {exchange!r}
c.CourseDirectory.course_id = "toy"
"""
SLOW = "import time\ntime.sleep(1)\ndef double(x):\n    return 2 * x"
OTHERS = [who for who in pwd.getpwall() if 0 < who.pw_uid < 1_000][:2]


def succeed(course: ToyCourse, *words: str) -> str:
    done = run(course.root, *words)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture
def inbound(course: ToyCourse) -> Path:
    folder = course.root / "exchange" / "toy" / "inbound"
    folder.mkdir(parents=True)
    folder.parent.parent.chmod(0o777)
    return folder


def test_work_goes_out_and_each_student_gets_the_own_page(course: ToyCourse, inbound: Path) -> None:
    """Pat's submission did not come through the exchange, so it has no time and no secret."""
    succeed(course, "release_assignment", ASSIGNMENT)
    homes = {name: course.root / "homes" / name for name in ("ada", "bob")}

    def student(name: str, *words: str) -> None:
        command = [sys.executable, "-m", "nbgrader", *words]
        own = {"PATH": os.environ["PATH"], "HOME": str(homes[name])}
        done = subprocess.run(command, cwd=homes[name], env=own, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    for name, home in homes.items():
        home.mkdir(parents=True)
        config = STUDENTS_CONFIG.format(exchange=str(course.root / "exchange"))
        config += f"c.CourseDirectory.student_id = {name!r}\n"
        (home / "nbgrader_config.py").write_text(config)
        student(name, "fetch_assignment", ASSIGNMENT)
        nbformat.write(course.answer(why=f"Words of {name}."), home / ASSIGNMENT / "hw2.ipynb")
        description = home / ASSIGNMENT / "hw2.released.json"
        assert read_release(description).assignment == ASSIGNMENT
        description.write_text("the student's own")
        student(name, "submit", ASSIGNMENT)
    course.submit("pat", course.answer(why="Words of pat."))
    succeed(course, "collect", ASSIGNMENT)
    assert list(course.root.glob("submitted/*/*/*.json")) == []  # the grader never sees it
    for command in ("autograde", "generate_feedback", "release_feedback"):
        succeed(course, command, ASSIGNMENT)
    released = [path.read_text() for path in (inbound.parent / "feedback").iterdir()]
    assert sorted(page.partition("Words of ")[2][:3] for page in released) == ["ada", "bob", "pat"]
    for name, home in homes.items():
        student(name, "fetch_feedback", ASSIGNMENT)
        (page,) = home.glob(f"{ASSIGNMENT}/feedback/*/hw2.html")
        assert f"Words of {name}." in page.read_text()


def put(course: ToyCourse, inbound: Path, student: str, day: int = 4, time: str = "") -> Path:
    """Make the folder that `nbgrader submit` makes, by default minutes after its time."""
    time = time or f"{datetime.now(UTC) - timedelta(minutes=6 - day):%Y-%m-%d %H:%M:%S} UTC"
    folder = inbound / f"{student}+{ASSIGNMENT}+{time}+r"
    folder.mkdir()
    nbformat.write(course.answer(why=f"On day {day}."), folder / "hw2.ipynb")
    (folder / "timestamp.txt").write_text(time)
    (folder / SECRET).write_text(f"of {student}")
    return folder


def link(path: Path, target: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    path.symlink_to(target)


NOT_TAKEN: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "pipe": (lambda folder, _: os.mkfifo(folder / "p.ipynb"), "found a pipe"),
    "solutions": (
        lambda folder, source: link(folder / "hw2.ipynb", source / "hw2.ipynb"),
        "symbolic link",
    ),
    "linked": (link, "Not a directory"),
    "large": (
        lambda folder, _: os.truncate(folder / "hw2.ipynb", 101_000_000),
        "at most 100,000,000 bytes",
    ),
    "od&d": (lambda folder, _: None, "its name is"),
    "": (lambda folder, _: None, "its name is"),
    "later": (lambda folder, _: folder.rename(folder.parent / "later+hw2+NaN:NaN+x"), "its name"),
}


def test_what_cannot_be_collected_is_named_and_stops_nobody(
    course: ToyCourse, inbound: Path
) -> None:
    """All in one test, because each command takes seconds. Most alone would stop nbgrader."""
    put(course, inbound, "zoe")
    for student, (spoil, _) in NOT_TAKEN.items():
        spoil(put(course, inbound, student), course.course.source(ASSIGNMENT))
    (put(course, inbound, "folder") / "f").symlink_to(course.course.source(ASSIGNMENT))

    done = run(course.root, "collect", ASSIGNMENT)
    assert done.returncode == 1
    said = [line for line in done.stderr.split("\n") if "NOT COLLECTED: " in line]
    assert len(said) == len(NOT_TAKEN)
    for student, (_, why) in NOT_TAKEN.items():
        (line,) = [line for line in said if f"NOT COLLECTED: '{student}+" in line]
        assert why in line
    assert sorted(os.listdir(course.root / "submitted")) == ["folder", "zoe"]
    for student in ("zoe", "folder"):
        taken = sorted(os.listdir(course.folder(student)))
        assert taken == ["hw2.ipynb", SECRET, "timestamp.txt"]


def test_times_are_believed_and_a_damaged_newer_one_is_not_taken(
    course: ToyCourse, inbound: Path
) -> None:
    older = put(course, inbound, "ada")
    (older / "timestamp.txt").write_text("no time")
    early = "2022-10-04 23:59:00 UTC"
    put(course, inbound, "bob", time=early)  # a day that is not today
    said = succeed(course, "collect", ASSIGNMENT)
    assert f"{read_time(course.folder('ada'))} UTC" == older.name.split("+")[2]
    assert f"TIME NOT PROVEN: 'bob+hw2+{early}" in said
    assert read_time(course.folder("bob")) is None
    newer = put(course, inbound, "ada", day=5)
    notebook = newer / "hw2.ipynb"
    notebook.rename(newer / "kept")
    notebook.symlink_to("kept")
    assert run(course.root, "collect", ASSIGNMENT, "--update").returncode == 1
    assert "On day 4." in (course.folder("ada") / "hw2.ipynb").read_text()
    (newer / "kept").replace(notebook)
    succeed(course, "collect", ASSIGNMENT, "--update")
    assert "On day 5." in (course.folder("ada") / "hw2.ipynb").read_text()


def test_requests_come_with_the_notebook_which_keeps_its_time(
    course: ToyCourse, inbound: Path
) -> None:
    put(course, inbound, "ada")
    succeed(course, "collect", ASSIGNMENT)
    succeed(course, "autograde", ASSIGNMENT)
    first = read_time(course.folder("ada"))
    again = put(course, inbound, "ada", day=5)
    shutil.copy(course.folder("ada") / "hw2.ipynb", again)
    file = {
        "homework": ASSIGNMENT,
        "student": "ada",
        "questions": {"why": {"text": "And why?", "version": ""}},
    }
    (again / "hw2-request.json").write_text(json.dumps(file))
    (again / "a-request.json").symlink_to(course.course.source(ASSIGNMENT) / "hw2.ipynb")
    os.mkfifo(again / "b-request.json")
    said = succeed(course, "collect", ASSIGNMENT, "--update")
    assert said.count("REQUEST REFUSED") == 2
    assert "Request of ada, who asks about why" in said
    assert read_time(course.folder("ada")) == first
    with open_gradebook(course.course.db_url, ASSIGNMENT) as (db, _):
        assert requests_in(db, ASSIGNMENT)["ada"]["why"].words == "And why?"


@pytest.mark.skipif(os.getuid() != 0 or len(OTHERS) < 2, reason="only root can give files away")
def test_a_submission_by_another_user_replaces_none(course: ToyCourse, inbound: Path) -> None:
    student, other = OTHERS
    for maker, day in ((student, 4), (other, 5)):
        shutil.chown(put(course, inbound, student.pw_name, day), maker.pw_uid)
    shutil.chown(put(course, inbound, other.pw_name, 5), other.pw_uid)
    assert "claims to be submitted by" not in succeed(course, "collect", ASSIGNMENT)
    for who, day in ((student, 4), (other, 5)):
        assert f"On day {day}." in (course.folder(who.pw_name) / "hw2.ipynb").read_text()


def test_the_students_configuration_is_the_one_on_their_page() -> None:
    page = (REPOSITORY / "docs" / "students.md").read_text(encoding="utf-8")
    for line in STUDENTS_CONFIG.split("\n"):
        assert line.partition("= ")[0] in page


def watching(course: ToyCourse, *options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "hw_grading", "watch", ASSIGNMENT, *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=course.root, text=True, **pipes)


def look(course: ToyCourse, status: int = 0) -> str:
    """Look once, and return what it said."""
    process = watching(course, "--once")
    said, errors = process.communicate()
    assert process.returncode == status, errors
    return errors if status else said


def test_a_watch_gives_what_tests_say_and_starts_again_where_it_was(
    course: ToyCourse, inbound: Path
) -> None:
    put(course, inbound, "ada")
    (put(course, inbound, "bob") / "hw2.ipynb").write_text("no notebook")
    os.mkfifo(put(course, inbound, "eve") / "p.ipynb")
    half = put(course, inbound, "kim") / "hw2.ipynb"  # `nbgrader submit` writes the secret last
    whole = half.read_text()
    half.write_text(whole[:500])
    (half.parent / SECRET).unlink()
    said = look(course)
    assert "graded 1 student: ada" in said
    assert [said.count(f"NOT GRADED: {who}") for who in ("bob", "kim")] == [1, 0]
    assert "NOT COLLECTED: 'eve+" in said
    assert "it is still being written" in said
    pages = inbound.parent / "feedback"
    [page] = pages.iterdir()
    assert "On day 4." in page.read_text()
    assert "<b>6</b> of 15 points so far" in page.read_text()
    assert "This page shows what the tests gave." in page.read_text()
    with Gradebook(course.course.db_url) as gradebook:
        whose = "hw2", ASSIGNMENT, "ada"
        mark = gradebook.find_grade("why", *whose)
        mark.manual_score, mark.needs_manual_grade = 2.0, False
        gradebook.find_comment("why", *whose).manual_comment = "A grader's comment."
        test = gradebook.find_grade("test_triple", *whose)
        test.manual_score, test.needs_manual_grade = 0.5, False
        gradebook.db.commit()
    before = page.stat().st_mtime_ns
    half.write_text(whole)
    (half.parent / SECRET).write_text("of kim")
    assert "graded 1 student: kim" in look(course)
    assert page.stat().st_mtime_ns == before

    succeed(course, "autograde", ASSIGNMENT, "--student=ada", "--force")
    assert "feedback for 1 student: ada" in look(course)
    assert "<b>6</b> of 15 points so far" in page.read_text()
    assert "grader's comment" not in page.read_text()
    with Gradebook(course.course.db_url) as gradebook:
        mark = gradebook.find_grade("why", *whose)
        assert (mark.manual_score, mark.needs_manual_grade) == (2, False)

    for step in ("generate_feedback", "release_feedback", "autograde"):
        more = ["--force"] if step == "autograde" else []
        succeed(course, step, ASSIGNMENT, "--student=ada", *more)
    assert "feedback for" not in look(course)  # the whole page stays
    assert "A grader's comment." in page.read_text()
    assert "what the tests gave" not in page.read_text()

    put(course, inbound, "zoe", day=3)
    run(course.root, "collect", ASSIGNMENT, "--update")  # eve fails
    succeed(course, "autograde", ASSIGNMENT, "--student=zoe")  # as a watch that is killed then
    said = look(course)
    assert "feedback for 1 student: zoe" in said
    assert "graded" not in said


def test_a_watch_waits_for_other_runs_is_alone_and_can_be_killed(
    course: ToyCourse, inbound: Path
) -> None:
    autograded = course.root / "autograded"
    autograded.mkdir()
    other = os.open(autograded, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    put(course, inbound, "ada")
    with watching(course, "--every", "1") as watch:
        assert watch.stdout

        def until(words: str) -> None:
            assert watch.stdout
            assert any(words in line for line in watch.stdout), watch.communicate()

        until("Another run is grading")
        os.close(other)
        until("feedback for 1 student: ada")
        error = look(course, status=2)
        assert error == "Another process watches hw2. End it first\n"
        (put(course, inbound, "bob") / "hw2.ipynb").write_text(
            nbformat.writes(course.answer(double=SLOW))
        )
        while not course.course.submitted("bob", ASSIGNMENT).exists():
            time.sleep(0.05)
        watch.kill()
    look(course)
    assert course.test_scores("bob") == course.test_scores("ada")
    assert len(list((inbound.parent / "feedback").iterdir())) == 2
