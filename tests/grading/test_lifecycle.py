"""A run over a class begins and ends with nbgrader's conversion; its process can then go on."""

from __future__ import annotations

import gc
import signal
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.coursedir import CourseDirectory
from test_whole_class import SLOW, grading, ran, until_ended
from toy_course import ASSIGNMENT, FULL_MARKS, ToyCourse, run
from traitlets.config import Config, PyFileConfigLoader

from hw_grading.batch import submitted
from hw_grading.batch.ahead import Preparation
from hw_grading.batch.lock import course_locked
from hw_grading.batch.seeds import Seeds
from hw_grading.homework.homework import Homework
from hw_grading.outcome import GraderFault
from hw_grading.run.settings import RunSettings

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
        return "hw_grading.batch.local" in process.cmdline()
    except psutil.Error:  # it has ended
        return False


class Surroundings:
    """What a run changes in its process or starts; it has to be as before afterwards."""

    def __init__(self, course: ToyCourse) -> None:
        self.threshold = gc.get_threshold()
        self.frozen = gc.get_freeze_count()
        self.on_interrupt = signal.getsignal(signal.SIGINT)
        self.warnings = list(warnings.filters)
        self.threads = [t for t in threading.enumerate() if "_run_ahead" in t.name]
        children = psutil.Process().children(recursive=True)
        self.workers = [p.pid for p in children if _is_worker(p)]
        with course_locked(course.root, course.root / "autograded"):
            self.is_free = True


def succeed(converter: Autograde) -> None:
    """Go on as usual."""


def fail(what: BaseException) -> Callable[[Autograde], None]:
    def raise_it(converter: Autograde) -> None:
        raise what

    return raise_it


@slow
@pytest.mark.parametrize(
    ("way_out", "raised"),
    [
        (succeed, None),
        (fail(ValueError("in one submission")), NbGraderException),
        (fail(NbGraderException("of nbgrader's")), NbGraderException),
        (fail(SystemExit(130)), SystemExit),
        (fail(KeyboardInterrupt()), KeyboardInterrupt),
    ],
    ids=["success", "error", "NbGraderException", "SystemExit", "KeyboardInterrupt"],
)
def test_every_exit_ends_all_processes_and_locks(
    course: ToyCourse,
    way_out: Callable[[Autograde], None],
    raised: type[BaseException] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    converter = converter_of(course)
    before = Surroundings(course)
    convert = Autograde.convert_single_notebook
    held = []

    def convert_or_not(self: Autograde, path: str) -> None:
        with (
            pytest.raises(GraderFault, match="Another run"),
            course_locked(course.root, course.root / "autograded"),
        ):
            pass
        held.append(path)
        way_out(self)
        convert(self, path)

    monkeypatch.setattr(Autograde, "convert_single_notebook", convert_or_not)
    if raised is None:
        converter.start()
        assert graded_marks(course, "ada") == graded_marks(course, "bob") == FULL_MARKS
    else:
        with pytest.raises(raised):
            converter.start()
    assert held
    assert vars(Surroundings(course)) == vars(before)
    assert converter.convert_notebooks.__func__ is Autograde.convert_notebooks


@slow
def test_a_refused_run_leaves_nothing_behind(
    course: ToyCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise GraderFault("no sandbox")

    monkeypatch.setattr("hw_grading.batch.grading.expect_ready", refuse)
    converter = converter_of(course)
    before = Surroundings(course)
    with pytest.raises(NbGraderException, match="no sandbox"):
        converter.start()
    assert vars(Surroundings(course)) == vars(before)
    assert course.scores("ada") == {}


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
        f"[ERROR] Another run is grading the course in {course.root}, so nothing was graded. "
        "Wait until it has finished, then run this command again"
    ]
    assert api.autograde(OTHER, "bob")["success"]


class Folder:
    """A submission that counts how often it is read."""

    def __init__(self, root: Path) -> None:
        self.path = root / "hw2.ipynb"
        self.path.write_text("1")
        self.read = 0
        self.preparation = Preparation(
            self._sanitize, RunSettings(), Homework("toys"), Seeds(bytes(32))
        )

    def _sanitize(self, student: str, path: Path) -> Any:
        self.read += 1
        return new_notebook(cells=[new_code_cell(path.read_text())])

    def prepared_ahead(self) -> Folder:
        self.preparation.ahead("ada", self.path)
        return self

    def now(self) -> str:
        prepared = self.preparation.now("ada", self.path)
        assert prepared.notebook.cells[0].source in prepared.job.notebook
        return str(prepared.notebook.cells[0].source)


@pytest.fixture
def old_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all files count as so old that each change changes their times."""
    monkeypatch.setattr(submitted, "_COARSEST_CLOCK_NS", 0)


@pytest.mark.usefixtures("old_files")
def test_an_unchanged_submission_is_read_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path).prepared_ahead()
    assert folder.now() == "1"
    assert folder.read == 1


@pytest.mark.usefixtures("old_files")
@pytest.mark.parametrize("change", ["replaced", "overwrites no", "something beside it"])
def test_a_submission_whose_folder_has_changed_is_read_again(tmp_path: Path, change: str) -> None:
    folder = Folder(tmp_path).prepared_ahead()
    if change == "replaced":
        (tmp_path / "new").write_text("2")
        (tmp_path / "new").replace(folder.path)
    elif change == "overwrites no":
        folder.path.write_text("22")
    else:
        (tmp_path / "notes.txt").write_text("mine")
    assert folder.now() == folder.path.read_text()
    assert folder.read == 2


def test_times_of_a_just_written_file_are_not_trusted(tmp_path: Path) -> None:
    folder = Folder(tmp_path).prepared_ahead()
    assert submitted.stamp_of(tmp_path) is None
    assert folder.now() == "1"
    assert folder.read == 2


@pytest.mark.usefixtures("old_files")
def test_a_submission_is_the_same_job_each_time_it_is_read(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    keys = {folder.preparation.now("ada", folder.path).job.key for _ in range(2)}
    assert folder.read == 2
    assert len(keys) == 1
