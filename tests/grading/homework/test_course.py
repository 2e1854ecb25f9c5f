"""Commands read and write only the folders and the gradebook that the settings name."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from toy_course import ASSIGNMENT, TESTS, ToyCourse, run

from hw_grading.__main__ import main
from hw_grading.commands.new import new as new_homework
from hw_grading.commands.release import check_source
from hw_grading.gradebook.database import Unavailable
from hw_grading.gradebook.results import Status, read_results
from hw_grading.homework.course import Course, scratch_course, shelf_of
from hw_grading.outcome import SettingsError

ELSEWHERE = """
import os
c.CourseDirectory.root = {root!r}
c.CourseDirectory.directory_structure = os.path.join(
    "work", "{{assignment_id}}", "{{nbgrader_step}}", "of-{{student_id}}"
)
c.CourseDirectory.source_directory = "instructor"
c.CourseDirectory.release_directory = "for-students"
c.CourseDirectory.submitted_directory = "handed-in"
c.CourseDirectory.autograded_directory = "graded"
c.CourseDirectory.feedback_directory = os.path.join("given", "back")
c.CourseDirectory.db_url = "sqlite:///" + {root!r} + "/records/the class.db"
c.WholeClass.folder = "progress"
"""


def write_settings(folder: Path, text: str, name: str = "nbgrader_config.py") -> Course:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("c = get_config()\n" + text)
    return Course(folder)


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for Jupyter's configuration."""
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "jupyter"))
    monkeypatch.setenv("JUPYTER_NO_CONFIG", "")
    return tmp_path / "jupyter"


STARTS_NBGRADER = """
import os, time
from pathlib import Path
import nbgrader.apps.nbgraderapp as app
from hw_grading.homework.course import Course

def main():
    print(os.getpid(), flush=True)
    time.sleep(600)

app.main = main
Course(Path()).nbgrader("autograde", "ps1")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_nbgrader_ends_with_the_command_that_started_it() -> None:
    command = [sys.executable, "-c", STARTS_NBGRADER]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        child.wait(300)
    assert not child.is_running()


def test_settings_of_the_root_override_the_courses(
    tmp_path: Path, no_settings_of_this_machine: Path
) -> None:
    names = ("source", "release", "submitted")
    lines = [f'c.CourseDirectory.{name}_directory = "{{}}-{name}"\n' for name in names]
    write_settings(no_settings_of_this_machine, "".join(lines).format(*["jupyter"] * 3))
    here = "".join(lines[1:]).format(*["here"] * 2)
    here = f"import beside_the_settings\nc.CourseDirectory.root = '../root'\n{here}"
    course = write_settings(tmp_path / "here", here)
    (course.folder / "beside_the_settings.py").touch()
    write_settings(tmp_path / "root", lines[2].format("root"))
    assert course.source("ps1") == tmp_path / "root" / "jupyter-source" / "ps1"
    assert course.release("ps1") == tmp_path / "root" / "here-release" / "ps1"
    assert course.submitted("ada", "ps1") == tmp_path / "root" / "root-submitted" / "ada" / "ps1"


@pytest.mark.parametrize("text", ["c.CourseDirectory.root = 1/0", "this is not Python"])
def test_a_mistake_in_the_settings_is_reported_with_the_file(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    course = write_settings(tmp_path, text)
    with pytest.raises(
        SettingsError, match=r"nbgrader_config\.py or \.json: reading the settings failed"
    ):
        course.directory  # noqa: B018
    assert main(["--course", str(tmp_path), "report", "ps1"]) == 2
    assert "Fix the file" in capsys.readouterr().err


def test_an_invalid_address_is_not_shown(tmp_path: Path) -> None:
    course = write_settings(tmp_path, "c.CourseDirectory.db_url = 'postgresql//ada:secret@host'")
    with pytest.raises(SettingsError, match="is not an address such as") as caught:
        read_results(course, "ps1")
    assert "secret" not in str(caught.value)


def test_a_gradebook_is_found_from_any_folder(tmp_path: Path) -> None:
    course = write_settings(tmp_path, "c.CourseDirectory.db_url = 'sqlite:///records/class.db'")
    assert course.db_url == f"sqlite:///{tmp_path}/records/class.db"
    with pytest.raises(Unavailable, match=f"no gradebook {tmp_path}/records/class.db"):
        read_results(course, "ps1")
    assert not (tmp_path / "records").exists()


@pytest.mark.parametrize(
    ("structure", "parent", "within", "folder"),
    [
        ("{nbgrader_step}/{student_id}/{assignment_id}", "sub", "ps1", "ada"),
        ("x/{nbgrader_step}/of-{student_id}/a/{assignment_id}", "x/sub", "a", "of-ada"),
        ("{nbgrader_step}/{assignment_id}-{student_id}", "sub", "", "ps1-ada"),
    ],
)
def test_the_folders_of_students_are_found_in_every_structure(
    tmp_path: Path, structure: str, parent: str, within: str, folder: str
) -> None:
    course = write_settings(tmp_path, f"c.CourseDirectory.directory_structure = {structure!r}")
    shelf = shelf_of(course.directory, "sub", "ps1")
    assert (shelf.parent, shelf.within) == (tmp_path / parent, within)
    assert shelf.name(folder) == "ada"


def test_homeworks_are_the_source_folders_with_a_notebook(tmp_path: Path) -> None:
    structure = "c.CourseDirectory.directory_structure = "
    structure += "'[all]/{assignment_id}/{nbgrader_step}/{student_id}'"
    write_settings(tmp_path, structure)
    for name in ("ps1", "ps 2", ".ipynb_checkpoints", "empty"):
        folder = tmp_path / "[all]" / name / "source"
        folder.mkdir(parents=True)
        if name != "empty":
            (folder / "x.ipynb").write_text("{}")
    assert Course(tmp_path).homeworks() == ["ps 2", "ps1"]


def test_a_scratch_course_stays_in_its_folder(tmp_path: Path) -> None:
    own = tmp_path / "own"
    outside = tmp_path / "outside"
    settings = f"""
c.CourseDirectory.root = {str(own)!r}
c.CourseDirectory.db_url = "postgresql+psycopg://ada@host/real"
c.CourseDirectory.submitted_directory = {str(outside)!r}
c.CourseDirectory.source_directory = "instructor"
c.WholeClass.folder = {str(outside)!r}
c.Exchange.root = {str(outside)!r}
"""
    write_settings(tmp_path / "settings", settings)
    notebook = own / "instructor" / "ps1" / "ps1.ipynb"
    notebook.parent.mkdir(parents=True)
    notebook.write_text("{}")
    scratch = scratch_course(tmp_path / "scratch", tmp_path / "settings")
    assert scratch.homeworks() == ["ps1"]
    assert scratch.db_url == f"sqlite:///{tmp_path}/scratch/gradebook.db"
    assert scratch.submitted("ada", "ps1") == tmp_path / "scratch" / "submitted" / "ada" / "ps1"
    assert scratch.config.WholeClass.folder == "grading"
    assert scratch.config.Exchange.root == str(tmp_path / "scratch" / "exchange")
    assert not outside.exists()


@pytest.mark.slow
def test_a_course_without_default_folders_works_from_anywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "root"
    (root / "records").mkdir(parents=True)
    toys = ToyCourse.make(tmp_path / "settings", ELSEWHERE.format(root=str(root)))
    toys.submit("ada", toys.answered)
    toys.submit("cyd", toys.answer(double="import os; os._exit(1)"))
    done = toys.grade()
    assert done.returncode == 0, done.stderr
    results = read_results(toys.course, ASSIGNMENT).handed_in
    assert {result.student.id: result.status for result in results} == {
        "ada": Status.GRADED,
        "cyd": Status.SUBMISSION_FAILED,
    }
    assert toys.test_scores("ada") == TESTS
    words = ["--course", str(toys.root)]
    assert main([*words, "report", ASSIGNMENT]) == 0
    assert "graded 1, graded with problems 1, not graded 0" in capsys.readouterr().out
    assert check_source(toys.course, ASSIGNMENT) == []
    described = json.loads((toys.course.release(ASSIGNMENT) / "hw2.released.json").read_text())
    assert described["cpu_seconds_for_cell"] == {"sketch": 1.5}
    done = run(toys.root, "generate_feedback", ASSIGNMENT)
    assert done.returncode == 0, done.stderr
    back = root / "work" / ASSIGNMENT / "given" / "back"
    assert [page.name for page in back.rglob("*.html") if "ada" in str(page)] == ["hw2.html"]
    # nbgrader formats a source's folder like a student's, whose id is then ".".
    made = new_homework(toys.course, "hw7")
    assert root / "work" / "hw7" / "instructor" / "of-." / "hw7.ipynb" in made
    ours = ["nbgrader_config.py", "output.txt", "progress", "records", "staff", "work"]
    assert sorted({*os.listdir(root), *os.listdir(toys.root)}) == ours
    steps = ["for-students", "given", "graded", "handed-in", "instructor"]
    assert sorted(os.listdir(root / "work" / ASSIGNMENT)) == steps
