"""A backup has all that cannot be made again, and the page's commands put it back."""

import contextlib
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from by_hand import ASSIGNMENT, grade_elsewhere, grade_of, make_course
from toy_course import environment

from hw_grading.__main__ import main
from hw_grading.backup import back_up
from hw_grading.homework.course import REPOSITORY, Course
from hw_support.submission.file import UserError


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A course with a part of each kind; submissions are outside of its folder."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    course = make_course(tmp_path / "course", "ada", "ben")
    with (course.root / "nbgrader_config.py").open("a") as stream:
        stream.write("from hw_grading import configure; configure(c)\n")
        stream.write(f"c.CourseDirectory.submitted_directory = {str(tmp_path / 'handed_in')!r}\n")
    course = Course(course.root)
    for student in ("ada", "王小明"):
        write(course.submitted(student, ASSIGNMENT) / f"{ASSIGNMENT}.ipynb", f"of {student}")
    write(course.root / "students.csv", "id,name\nada,Ada\n")
    write(course.root / "gradebook.db.points.csv", "begins like the gradebook")
    write(course.root / "grading" / "results" / "c.json.gz", "a result")
    return course


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def files_below(root: Path) -> dict[str, tuple[bytes, int, int]]:
    """The content of every file, its permissions, and its time as exactly as a zip has it."""
    return {
        str(path.relative_to(root)): (
            b"" if path.name == "gradebook.db" else path.read_bytes(),
            stat.S_IMODE(path.stat().st_mode),
            0 if path.name == "gradebook.db" else int(path.stat().st_mtime) // 2,
        )
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def commands_of_the_page() -> str:
    page = (REPOSITORY / "docs" / "one-server.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"^## Put it back$.*?^```sh\n(.*?)^```$", page, re.M | re.S)
    assert len(commands.splitlines()) == 5
    return commands


@pytest.mark.skipif(not shutil.which("unzip") and "CI" not in os.environ, reason="needs unzip")
def test_the_commands_of_the_page_put_a_backup_back(course: Course, tmp_path: Path) -> None:
    grade_elsewhere(course, "ada", 3.5, comment="Well done; \0 \U0001f600")
    for notebook in course.root.rglob("*.ipynb"):
        os.utime(notebook, (1_700_000_000, 1_700_000_000))
    before, outside = files_below(course.root), files_below(tmp_path / "handed_in")
    safe = tmp_path / "safe"
    safe.mkdir()
    assert main(["--course", str(course.root), "backup", "--output", str(safe)]) == 0
    (backup,) = safe.iterdir()
    assert re.fullmatch(r"course-\d{4}-\d\d-\d\dT\d{6}Z\.zip", backup.name)
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600

    shutil.rmtree(course.root)
    shutil.rmtree(tmp_path / "handed_in")
    commands = commands_of_the_page().replace("/srv/course", str(course.root))
    commands = re.sub(r"/mnt/safe/\S*", str(backup), commands).replace("hw2", ASSIGNMENT)
    env = {**environment(), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["bash", "-c", commands], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done
    assert "fine  gradebook" in done.stdout
    assert "ada" in done.stdout.split("gradebook")[-1]  # in the report
    after = files_below(course.root)
    copies = {name for name in after if name.startswith("outside/")}
    assert {name: after[name] for name in after.keys() - copies} == before
    assert files_below(tmp_path / "handed_in").keys() == outside.keys()
    assert grade_of(Course(course.root), "ada") == (3.5, False)


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("course/gradebook.db", "File exists"),
        ("course/grading", "which is backed up"),
    ],
)
def test_a_place_that_cannot_be_used_is_refused_with_its_path(to, said, course, tmp_path, capsys):
    before = files_below(tmp_path)
    assert main(["--course", str(course.root), "backup", "--output", str(tmp_path / to)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert str(tmp_path / to) in line
    assert said in line
    assert files_below(tmp_path) == before


@pytest.mark.parametrize("content", [None, b"no database" * 1_000])
def test_without_a_readable_gradebook_there_is_no_backup(content, course: Course) -> None:
    (course.root / "gradebook.db").unlink()
    if content:
        (course.root / "gradebook.db").write_bytes(content)
    with pytest.raises(UserError, match=r"cannot be written: the gradebook \S*gradebook\.db: "):
        back_up(course)
    assert list((course.root / "backups").iterdir()) == []


def test_links_pipes_and_odd_names_of_students_stop_nobody(course, tmp_path, capsys) -> None:
    elsewhere = write(tmp_path / "elsewhere" / "file", "not to be carried away")
    folder = course.submitted("ada", ASSIGNMENT)
    (folder / "link").symlink_to(elsewhere)
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\x1b[31m.txt")).write_text("odd")
    os.utime(folder / f"{ASSIGNMENT}.ipynb", (-1e9, -1e9))  # 1938; a zip begins with 1980
    to = tmp_path / "safe"
    assert main(["--course", str(course.root), "backup", "--output", str(to)]) == 1
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert [line.split(": ")[2].split("/")[-1] for line in sorted(said.splitlines())] == [
        *("link", "loop", "pipe")
    ]
    with ZipFile(next(to.iterdir())) as archive:
        names = [name for name in archive.namelist() if "/handed_in/ada/" in name]
        files = {name.split("/")[-1] for name in names}
        assert files == {"", f"{ASSIGNMENT}.ipynb", "\\xff\x1b[31m.txt"}
        assert archive.testzip() is None


def test_the_gradebook_is_copied_while_others_write(course: Course) -> None:
    with contextlib.closing(sqlite3.connect(course.root / "gradebook.db")) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("UPDATE student SET last_name = 'in the log' WHERE id = 'ada'")
        db.commit()
        db.execute("UPDATE student SET last_name = 'not saved yet' WHERE id = 'ada'")
        path, _ = back_up(course)
    with ZipFile(path) as archive:
        names = [Path(name).name for name in archive.namelist()]
        found = {name for name in names if name.startswith("gradebook")}
        assert found == {"gradebook.db", "gradebook.db.points.csv"}
        copy = Path(archive.extract("gradebook.db", course.root.parent))
    with contextlib.closing(sqlite3.connect(copy)) as db:
        query = "SELECT last_name FROM student WHERE id = 'ada'"
        assert db.execute(query).fetchone() == ("in the log",)


KILLED = """
import os, signal, sys
from pathlib import Path
from hw_grading import backup
from hw_grading.homework.course import Course
backup.os.fsync = lambda *of: os.kill(os.getpid(), signal.SIGKILL)
backup.back_up(Course(Path(sys.argv[1])))
"""


def test_a_killed_backup_has_no_name_of_a_backup(course: Course) -> None:
    line = [sys.executable, "-c", KILLED, str(course.root)]
    assert subprocess.run(line, env=environment()).returncode == -signal.SIGKILL
    (left,) = (course.root / "backups").iterdir()
    assert left.name.startswith(".backup-")
    path, _ = back_up(course)
    assert [*path.parent.glob("*.zip")] == [path]
