"""A run over a class begins and ends with nbgrader's conversion; its process can then go on."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path

import nbformat
import psutil
import pytest
from nbgrader.apps.api import NbGraderAPI
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.coursedir import CourseDirectory
from test_whole_class import SLOW, grading, ran, until_ended
from toy_course import ASSIGNMENT, FULL_MARKS, ToyCourse, run
from traitlets.config import Config, PyFileConfigLoader

from hw_grading.grade.pipeline import course_locked, locked
from hw_support.submission.file import UserError

slow = pytest.mark.slow
OTHER = "hw3"  # a second homework of the course


def settings_of(course: ToyCourse) -> Config:
    return PyFileConfigLoader("nbgrader_config.py", str(course.root)).load_config()


def api_of(course: ToyCourse) -> NbGraderAPI:
    """The API that formgrader calls, in this process."""
    config = settings_of(course)
    return NbGraderAPI(CourseDirectory(config=config), config=config)


def converter_of(course: ToyCourse) -> Autograde:
    """What `nbgrader autograde` makes, with a class of two."""
    for student in ("ada", "bob"):
        course.submit(student, course.answered)
    config = settings_of(course)
    directory = CourseDirectory(config=config, assignment_id=ASSIGNMENT)
    return Autograde(coursedir=directory, config=config)


def graded_marks(course: ToyCourse, student: str) -> float:
    return sum(filter(None, course.test_scores(student).values()))


def test_an_error_within_a_run_is_not_told_as_a_locked_course(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError), locked(tmp_path, "Another process has it"):
        raise BlockingIOError


@slow
def test_one_process_grades_again_and_again(course: ToyCourse) -> None:
    api = api_of(course)
    course.submit("ada", course.released)
    course.submit("bob", course.answered)
    for student, marks in (("ada", 0), ("bob", FULL_MARKS)):
        result = api.autograde(ASSIGNMENT, student)
        assert result["success"], result
        assert graded_marks(course, student) == marks
    course.submit("ada", course.answered)
    result = api.autograde(ASSIGNMENT, "ada")
    assert result["success"], result
    assert graded_marks(course, "ada") == FULL_MARKS
    assert ran(course) == {"ada": 2, "bob": 1}


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "hw_grading.grade.workers" in process.cmdline()
    except psutil.Error:  # it has ended
        return False


class Surroundings:
    """What a run changes in its process or starts; it has to be as before afterwards."""

    def __init__(self, course: ToyCourse) -> None:
        self.warnings = list(warnings.filters)
        self.threads = [t for t in threading.enumerate() if "hw-worker" in t.name]
        children = psutil.Process().children(recursive=True)
        _, alive = psutil.wait_procs(filter(_is_worker, children), timeout=10)  # some are ending
        self.workers = [p.pid for p in alive]
        with course_locked(course.course):
            self.is_free = True


@slow
@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (None, None),
        (ValueError("in one submission"), NbGraderException),
        (KeyboardInterrupt(), SystemExit),
    ],
    ids=repr,
)
def test_every_exit_ends_all_processes_and_locks(
    course: ToyCourse,
    error: BaseException | None,
    raised: type[BaseException] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    converter = converter_of(course)
    before = Surroundings(course)
    protect = Autograde.set_permissions
    held = []

    def protect_or_not(self: Autograde, *whose: str) -> None:
        with (
            pytest.raises(UserError, match="Another run"),
            course_locked(course.course),
        ):
            pass
        held.append(whose)
        if error:
            raise error
        protect(self, *whose)

    monkeypatch.setattr(Autograde, "set_permissions", protect_or_not)
    if raised is None:
        converter.start()
        assert graded_marks(course, "ada") == graded_marks(course, "bob") == FULL_MARKS
    else:
        with pytest.raises(raised):
            converter.start()
    assert held
    assert vars(Surroundings(course)) == vars(before)


@slow
def test_a_run_of_another_homework_is_refused_with_a_sentence(course: ToyCourse) -> None:
    source = course.root / "source"
    (source / OTHER).mkdir()
    nb = nbformat.read(source / ASSIGNMENT / "hw2.ipynb", as_version=4)
    nbformat.write(nb, source / OTHER / f"{OTHER}.ipynb")
    assert run(course.root, "generate_assignment", OTHER).returncode == 0
    handed_in = course.root / "submitted" / "bob" / OTHER
    handed_in.mkdir(parents=True)
    nbformat.write(course.answered, handed_in / f"{OTHER}.ipynb")
    course.submit("ada", course.answered)
    course.submit("slow", nbformat.writes(course.answer(double=SLOW.format(20))))
    api = api_of(course)
    with grading(course) as process:
        until_ended(course, 1)
        refused = api.autograde(OTHER, "bob")
        assert process.wait(120) == 0
    assert not refused["success"]
    told = [line for line in refused["log"].splitlines() if "Another run" in line]
    assert told == [
        f"[ERROR] Another run is grading the course in {course.root}, so nothing was graded. Wait "
        "until it has finished, then run this command again"
    ]
    assert api.autograde(OTHER, "bob")["success"]
