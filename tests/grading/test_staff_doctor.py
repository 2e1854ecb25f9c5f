"""The instructor's doctor: each line says that it is fine, or what to type; it never crashes."""

import re
import shutil
import tempfile
from pathlib import Path

import pytest
from by_hand import make_course
from nbgrader.api import Gradebook
from postgresql import PASSWORD, Server

from hw_grading import doctor
from hw_grading.__main__ import main
from hw_grading.homework.course import Course
from hw_grading.run.settings import RunSettings
from hw_support.student.doctor import Line

EVERYTHING = [*("packages", "settings", "sandbox", "disk", "gradebook", "exchange", "ps1")]


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A course in which all is fine; other tests check this machine's sandbox."""
    monkeypatch.setattr(RunSettings, "expect_a_sandbox", lambda *of: None)
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "jupyter"))
    course = make_course(tmp_path / "course", "ada")
    set_in(course, "from hw_grading import configure; configure(c)")
    return set_in(course, f"c.Exchange.root = {str(tmp_path / 'exchange')!r}")


def set_in(course: Course, line: str) -> Course:
    with (course.folder / "nbgrader_config.py").open("a") as stream:
        stream.write(f"{line}\n")
    return Course(course.folder)


def lines_of(course: Course) -> dict[str, Line]:
    return {line.what: line for line in doctor.lines_of(course)}


def test_a_course_in_order_is_fine_and_each_thing_has_a_line(course, capsys):
    status = main(["--course", str(course.folder), "doctor"])
    said = capsys.readouterr().out
    found = re.findall(r"^fine  (.{11})", said, re.MULTILINE)
    assert [what.strip() for what in found] == EVERYTHING, said
    assert status == 0
    assert said.endswith("Everything is fine.\n")


@pytest.mark.parametrize(
    ("setting", "what", "said"),
    [
        ("c.WholeClass.wokers = 3", "settings", "Did you mean `workers`"),
        ("c.LatePolicy.percnt = 10", "ps1", "The settings are: floor"),
        ("del c.Autograde.exporter_class", "settings", "does not use the grader"),
        ("c.Exchange.timezone = 'Pacific'", "settings", "'Pacific' is not known here"),
        ("c.ExecuteSubmission.packages = ['not-there', '']", "settings", "install not-there ''"),
        ("c.Exchange.root = (", "settings", "line "),
        ("c.CourseDirectory.db_url = 'grades'", "settings", "db_url"),
        ("raise SystemExit(3)", "settings", "SystemExit"),
    ],
)
def test_a_wrong_setting_is_named_in_its_line(setting, what, said, course) -> None:
    lines = lines_of(set_in(course, setting))
    assert lines[what].advice
    assert said in str(lines[what])


def test_a_check_that_fails_becomes_a_line(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*of: object) -> None:
        raise ValueError("what\nnobody \x1b[31m thought of")

    monkeypatch.setattr(shutil, "disk_usage", fail)
    lines = lines_of(course)
    assert list(lines) == EVERYTHING
    assert "what nobody" in lines["disk"].found
    assert "\x1b" not in str(lines["disk"])


@pytest.mark.parametrize(
    ("change", "found", "advice"),
    [
        (lambda file: file.unlink(), "not there yet (`hw-grading release HOMEWORK` makes", None),
        (lambda file: file.write_bytes(b""), "empty (`hw-grading release HOMEWORK` makes", None),
        (lambda file: file.write_bytes(file.read_bytes()[:-9_000]), "sqlite", "Unzip a backup"),
    ],
)
def test_a_missing_an_empty_and_a_damaged_gradebook_are_named(change, found, advice, course):
    change(course.folder / "gradebook.db")
    line = lines_of(course)["gradebook"]
    assert found in line.found
    assert advice in str(line.advice) if advice else line.advice is None


@pytest.mark.slow
@pytest.mark.xdist_group("postgresql")
def test_a_gradebook_in_postgresql_is_checked(course: Course, postgresql: Server) -> None:
    empty = postgresql.new_database()
    line = lines_of(set_in(course, f"c.CourseDirectory.db_url = {empty!r}"))["gradebook"]
    assert (line.advice, "empty" in line.found) == (None, True)
    with Gradebook(empty):
        pass  # makes the tables
    line = lines_of(course)["gradebook"]
    assert (line.advice, line.found.startswith("postgresql, ")) == (None, True)
    nowhere = empty.replace("/gradebook_", "/nothing_")
    line = lines_of(set_in(course, f"c.CourseDirectory.db_url = {nowhere!r}"))["gradebook"]
    assert "does not exist" in str(line.advice)
    assert PASSWORD not in str(line)


def test_a_course_that_students_can_read_is_reported() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # every user may enter /tmp
        course = make_course(Path(folder) / "course", "ada")
        set_in(course, "from hw_grading import configure; configure(c)")
        set_in(course, f"c.CourseDirectory.course_id = 'ml'\nc.Exchange.root = {folder!r}")
        assert "is not used" in lines_of(course)["exchange"].found
        Path(folder, "ml").mkdir()
        Path(folder).chmod(0o755)
        for path in (course.folder, *course.folder.iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o644)
        line = lines_of(course)["exchange"]
        assert line.found == "students can read the course"
        assert f"chmod -R o-rwx {course.folder}/source" in str(line.advice)
        for path in course.folder.iterdir():  # students go through the folder to the exchange
            path.chmod(0o750 if path.is_dir() else 0o640)
        assert lines_of(course)["exchange"].advice is None
