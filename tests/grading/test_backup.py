"""A backup holds all data that cannot be made again; a restore is complete or changes nothing."""

import contextlib
import gzip
import hashlib
import io
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
from pathlib import Path
from typing import Any

import pytest
from at_the_desk import grade, known
from by_hand import (
    ASSIGNMENT,
    add_student,
    configure,
    copied,
    grade_elsewhere,
    grade_of,
    make_course,
)
from postgresql import PASSWORD, Server
from toy_course import ASSIGNMENT as TOY
from toy_course import TESTS, ToyCourse, environment, run

from hw_grading.__main__ import main
from hw_grading.batch.lock import course_locked
from hw_grading.homework.course import Course
from hw_grading.outcome import GraderFault
from hw_grading.reports.table import report
from hw_grading.upkeep import archive, postgresql
from hw_grading.upkeep.backup import back_up
from hw_grading.upkeep.restore import restore
from hw_support.submission.file import Unreadable

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # from nbgrader's code


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return make_course(tmp_path_factory.mktemp("made") / "course", ["ada", "ben"])


@pytest.fixture
def course(made: Course, tmp_path: Path) -> Course:
    course = copied(made, tmp_path / "course")
    for student in ("ada", "王小明"):
        folder = course.submitted(student, ASSIGNMENT)
        folder.mkdir(parents=True)
        (folder / f"{ASSIGNMENT}.ipynb").write_text(f"handed in by {student}")
    (course.root / "students.csv").write_text("id,name\nada,Ada\n")
    (course.root / "staff" / ASSIGNMENT / "__pycache__").mkdir(parents=True)
    (course.root / "staff" / ASSIGNMENT / "homework.toml").write_text("points = 6\n")
    results = course.root / "grading" / "results" / "ab"
    results.mkdir(parents=True)
    (results / "c.json.gz").write_bytes(b"a result")
    (results / "d.part").write_bytes(b"half of one")
    return course


def files_of(root: Path, *but: str) -> dict[str, bytes]:
    """Every file below a folder, by its path."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.relative_to(root).parts[0] not in but
    }


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_backup_is_restored_into_an_empty_folder(course: Course) -> None:
    grade_elsewhere(course, "ada", 3.5, comment="Well done; \0 \U0001f600")
    notebook = course.submitted("ada", ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    os.utime(notebook, (1_700_000_000, 1_700_000_000))
    before = files_of(course.root)
    assert main(["--course", str(course.root), "backup", "--to", str(course.root.parent)]) == 0
    (backup,) = course.root.parent.glob("*.tar.gz")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600

    shutil.rmtree(course.root)
    assert main(["restore", str(backup), "--into", str(course.root)]) == 0
    after = files_of(course.root)
    lost = {"grading/results/ab/d.part"}
    assert set(before) - set(after) == lost
    for name in set(after) - {"gradebook.db"}:
        assert after[name] == before[name], name
    assert grade_of(Course(course.root), "ada") == (3.5, False)
    assert notebook.stat().st_mtime == 1_700_000_000
    assert left_in(course.root) == sorted({name.split("/")[0] for name in after})


def test_the_default_place_is_in_the_course_and_named_by_course_and_time(course: Course) -> None:
    made = back_up(course)
    assert made.path.parent == course.root / "backups"
    assert made.path.name.startswith("course-20")
    assert stat.S_IMODE(made.path.parent.stat().st_mode) == 0o700
    assert left_in(made.path.parent) == [made.path.name]
    assert not any("backups" in name for name in archive.read(made.path).digests)


def test_an_existing_file_is_not_overwritten(course: Course, tmp_path: Path) -> None:
    there = tmp_path / "mine.tar.gz"
    there.write_text("mine")
    with pytest.raises(Unreadable, match="exists already"):
        back_up(course, there)
    with pytest.raises(Unreadable, match="for the backup does not exist"):
        back_up(course, tmp_path / "nowhere" / "b.tar.gz")
    with pytest.raises(Unreadable, match="which the backup contains"):
        back_up(course, course.root / "grading" / "b.tar.gz")
    assert there.read_text() == "mine"
    assert left_in(tmp_path) == ["course", "mine.tar.gz"]


def test_without_a_gradebook_there_is_no_backup_and_a_sentence(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    (course.root / "gradebook.db").unlink()
    assert main(["--course", str(course.root), "backup"]) == 2
    assert "There is no gradebook" in capsys.readouterr().err
    assert not (course.root / "backups").exists()


def test_a_damaged_gradebook_is_no_backup(course: Course) -> None:
    content = bytearray((course.root / "gradebook.db").read_bytes())
    content[4096:12288] = b"x" * 8192
    (course.root / "gradebook.db").write_bytes(content)
    with pytest.raises(Unreadable, match=r"damaged|cannot be copied"):
        back_up(course)
    assert not (course.root / "backups").exists()


def test_links_and_pipes_of_students_are_named_and_left_out(
    course: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "elsewhere"
    secret.write_text("not to be carried away")
    folder = course.submitted("ada", ASSIGNMENT)
    (folder / "link").symlink_to(secret)
    (folder / "folder").symlink_to(tmp_path)
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    (course.submitted("eve", ASSIGNMENT).parent).symlink_to(folder)
    odd = os.fsencode(folder) + b"/\xff\x1b[31m.txt"
    Path(os.fsdecode(odd)).write_text("odd")
    os.link(secret, folder / "hard")  # a file like others
    backup = tmp_path / "b.tar.gz"
    assert main(["--course", str(course.root), "backup", "--to", str(backup)]) == 0
    said = capsys.readouterr().err
    assert said.count("a symbolic link") == 4
    assert "submitted/ada/ps1/pipe: a pipe, device or socket" in said
    assert "\x1b" not in said
    assert b"carried away" not in gzip.decompress(backup.read_bytes()).replace(
        b"not to be carried away", b"", 1
    )
    into = tmp_path / "into"
    restore(backup, into)
    restored = into / "submitted" / "ada" / ASSIGNMENT
    assert b"\xff\x1b[31m.txt" in os.listdir(os.fsencode(restored))
    assert not any(path.is_symlink() for path in into.rglob("*"))


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_read_is_named_with_status_1(course: Course) -> None:
    (course.submitted("ada", ASSIGNMENT) / f"{ASSIGNMENT}.ipynb").chmod(0)
    assert main(["--course", str(course.root), "backup"]) == 1


def test_a_folder_nested_too_deep_is_left_out(course: Course) -> None:
    place = os.open(course.submitted("ada", ASSIGNMENT), os.O_RDONLY)
    for _ in range(600):
        os.mkdir("d" * 20, dir_fd=place)
        deeper = os.open("d" * 20, os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = deeper
    os.close(place)
    made = back_up(course)
    assert [one.is_lost for one in made.left_out] == [True]
    restore(made.path, course.root.parent / "into")


def test_five_thousand_files_are_backed_up(course: Course, tmp_path: Path) -> None:
    folder = course.submitted("ada", ASSIGNMENT)
    for number in range(5_000):
        (folder / f"{number}.txt").write_text(str(number))
    made = back_up(course)
    restore(made.path, tmp_path / "into")
    into = tmp_path / "into" / "submitted" / "ada" / ASSIGNMENT
    assert (into / "4999.txt").read_text() == "4999"
    assert len(os.listdir(into)) == 5_001


@pytest.mark.slow
def test_a_backup_is_one_moment_of_a_gradebook_that_others_write(
    course: Course, tmp_path: Path
) -> None:
    """Two tables are changed together again and again; in each backup they agree."""
    path = course.root / "gradebook.db"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE one (n INTEGER)")
        db.execute("CREATE TABLE two (n INTEGER)")
        db.execute("INSERT INTO one VALUES (0)")
        db.execute("INSERT INTO two VALUES (0)")
        db.commit()
    stop = threading.Event()
    written = threading.Event()

    def write() -> None:
        with contextlib.closing(sqlite3.connect(path, timeout=60)) as db:
            while not stop.is_set():
                for table in ("one", "two"):
                    db.execute(f"UPDATE {table} SET n = n + 1")
                db.commit()
                written.set()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert written.wait(60)
        made = [back_up(course, tmp_path / f"{n}.tar.gz") for n in range(3)]
    finally:
        stop.set()
        thread.join()
    for number, one in enumerate(made):
        restore(one.path, tmp_path / f"into{number}")
        gradebook = tmp_path / f"into{number}" / "gradebook.db"
        with contextlib.closing(sqlite3.connect(gradebook)) as db:
            assert db.execute("SELECT one.n - two.n FROM one, two").fetchone() == (0,)


def test_a_gradebook_is_copied_with_the_content_of_its_log(course: Course, tmp_path: Path) -> None:
    path = course.root / "gradebook.db"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("UPDATE student SET last_name = 'in the log' WHERE id = 'ada'")
        db.commit()
        made = back_up(course)
    restore(made.path, tmp_path / "into")
    with contextlib.closing(sqlite3.connect(tmp_path / "into" / "gradebook.db")) as db:
        query = "SELECT last_name FROM student WHERE id = 'ada'"
        assert db.execute(query).fetchone() == ("in the log",)


def test_no_run_begins_during_a_backup_but_a_backup_can_begin_during_a_run(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    graded = course.root / "autograded"
    with course_locked(course.root, graded):
        made = back_up(course)
    assert made.was_being_graded
    assert archive.read(made.path).facts["was_being_graded"]
    tried: list[str] = []
    finish = archive.Writer.finish

    def grade_meanwhile(writer: archive.Writer, facts: Any) -> None:
        with pytest.raises(GraderFault) as raised, course_locked(course.root, graded):
            pass
        tried.append(str(raised.value))
        finish(writer, facts)

    monkeypatch.setattr(archive.Writer, "finish", grade_meanwhile)
    assert not back_up(course, course.root.parent / "b.tar.gz").was_being_graded
    assert "A backup is reading the course" in tried[0]
    with course_locked(course.root, graded):
        pass


def test_the_next_backup_removes_files_of_a_killed_one(course: Course) -> None:
    (course.root / "backups").mkdir()
    killed = (
        "import os, signal, sys; from pathlib import Path\n"
        "from hw_grading.homework.course import Course\n"
        "from hw_grading.upkeep import archive, backup\n"
        "archive.Writer.finish = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
        "backup.back_up(Course(Path(sys.argv[1])))\n"
    )
    line = [sys.executable, "-c", killed, str(course.root)]
    done = subprocess.run(line, env=environment(), check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = left_in(course.root / "backups")
    assert left.startswith(".backup-")
    made = back_up(course)
    assert left_in(course.root / "backups") == [made.path.name]


def test_a_full_disk_leaves_no_partial_backup(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*of: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "_copy", full)
    with pytest.raises(OSError, match="No space left"):
        back_up(course)
    monkeypatch.undo()
    assert not (course.root / "backups").exists()


# -- archives that are not backups


@pytest.fixture
def backup(course: Course) -> Path:
    return back_up(course, course.root.parent / "backup.tar.gz").path


def test_restoring_a_truncated_backup_writes_nothing(backup: Path, tmp_path: Path) -> None:
    whole = backup.read_bytes()
    into = tmp_path / "into"
    for length in (0, 1, 9, 100, len(whole) // 2, len(whole) - 9, len(whole) - 1):
        backup.write_bytes(whole[:length])
        with pytest.raises(Unreadable, match=r"cut off|no backup"):
            restore(backup, into)
        assert not into.exists()


def test_one_changed_byte_is_detected(backup: Path, tmp_path: Path) -> None:
    content = bytearray(gzip.decompress(backup.read_bytes()))
    at = content.index(b"handed in by ada")
    content[at] ^= 1
    backup.write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(Unreadable, match=r"submitted/ada/ps1/ps1.ipynb.* is damaged"):
        restore(backup, tmp_path / "into")
    assert not (tmp_path / "into").exists()


def forged(path: Path, *members: tarfile.TarInfo, content: bytes = b"x", **more: Any) -> Path:
    """An archive whose list agrees with it."""
    digest = hashlib.sha256(content).hexdigest()
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content))
        files = {member.name: digest for member in members if member.isreg()}
        listed = {"format": 1, "bytes": 1, "parts": ["course/submitted"], "files": files, **more}
        raw = json.dumps(listed).encode()
        member = tarfile.TarInfo("manifest.json")
        member.size = len(raw)
        tar.addfile(member, io.BytesIO(raw))
    return path


@pytest.mark.parametrize(
    "name", ["/tmp/out", "../out", "course/../../out", "course//out", "./out", "course/./out"]
)
def test_a_path_that_leads_out_is_refused(name: str, tmp_path: Path) -> None:
    bad = forged(tmp_path / "bad.tar.gz", tarfile.TarInfo(name))
    with pytest.raises(Unreadable, match="leads out"):
        restore(bad, tmp_path / "into")
    assert left_in(tmp_path) == ["bad.tar.gz"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, b"3"])
def test_links_and_devices_are_refused(kind: bytes, tmp_path: Path) -> None:
    member = tarfile.TarInfo("course/submitted/link")
    member.type, member.linkname = kind, "../../../etc/passwd"
    bad = forged(tmp_path / "bad.tar.gz", member)
    with pytest.raises(Unreadable, match="neither a file nor a folder"):
        restore(bad, tmp_path / "into")
    assert left_in(tmp_path) == ["bad.tar.gz"]


def test_parts_and_gradebooks_with_odd_paths_stay_within_the_folder(tmp_path: Path) -> None:
    member = tarfile.TarInfo("gradebook.db")
    bad = forged(
        tmp_path / "bad.tar.gz",
        member,
        parts=["course/../../out", "course/submitted", "gradebook.db"],
        database={"kind": "sqlite", "path": "../../out.db"},
    )
    restore(bad, tmp_path / "into")
    assert left_in(tmp_path) == ["bad.tar.gz", "into"]
    assert left_in(tmp_path / "into") == ["gradebook.db"]


@pytest.mark.parametrize("force", [False, True])
def test_a_part_with_an_absolute_path_or_the_folder_itself_is_not_written(
    tmp_path: Path, force: bool
) -> None:
    out = tmp_path / "out"
    bad = forged(
        tmp_path / "bad.tar.gz",
        tarfile.TarInfo(f"course{out}"),
        tarfile.TarInfo("outside/a"),
        parts=[f"course/{out}", f"outside/{out}", "course/", "course", "outside/"],
    )
    restore(bad, tmp_path / "into", force=force)
    assert left_in(tmp_path) == ["bad.tar.gz", "into"]
    assert left_in(tmp_path / "into") == []


@pytest.mark.parametrize(
    "facts",
    [
        {"parts": 1},
        {"parts": [1]},
        {"parts": ["course/\0"]},
        {"database": "sqlite"},
        {"database": {"kind": "sqlite", "path": "a\0b"}},
        {"database": {"kind": "sqlite", "path": 1}},
        {"outside": ["a"]},
    ],
)
def test_a_list_with_malformed_facts_is_refused(
    tmp_path: Path, facts: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    bad = forged(tmp_path / "bad.tar.gz", tarfile.TarInfo("course/submitted/a"), **facts)
    assert main(["restore", str(bad), "--into", str(tmp_path / "into")]) == 2
    assert "its facts about the course cannot be read" in capsys.readouterr().err
    assert left_in(tmp_path) == ["bad.tar.gz"]


def test_duplicate_unlisted_and_missing_files_are_refused(tmp_path: Path) -> None:
    one = tarfile.TarInfo("course/submitted/a")
    with pytest.raises(Unreadable, match="twice"):
        restore(forged(tmp_path / "a.tar.gz", one, one), tmp_path / "into")
    with pytest.raises(Unreadable, match="not in the list"):
        restore(forged(tmp_path / "b.tar.gz", one, files={}), tmp_path / "into")
    with pytest.raises(Unreadable, match="is missing"):
        restore(forged(tmp_path / "c.tar.gz", files={"course/a": "0" * 64}), tmp_path / "into")
    with pytest.raises(Unreadable, match="has the format '2'"):
        restore(forged(tmp_path / "d.tar.gz", one, format=2), tmp_path / "into")
    with pytest.raises(Unreadable, match="cannot be read"):
        restore(forged(tmp_path / "e.tar.gz", one, files=[]), tmp_path / "into")
    with pytest.raises(Unreadable, match="MB are free"):
        restore(forged(tmp_path / "f.tar.gz", one, bytes=10**18), tmp_path / "into")
    assert not (tmp_path / "into").exists()


def test_other_files_and_a_missing_file_give_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text").write_text("hello")
    for name, said in (("text", "not a backup"), ("nothing", "does not exist")):
        assert main(["restore", str(tmp_path / name), "--into", str(tmp_path / "into")]) == 2
        assert said in capsys.readouterr().err


# -- restoring into a folder that is not empty


def test_differing_files_are_refused_and_with_force_moved_aside(
    course: Course, backup: Path
) -> None:
    add_student(course, "cyd")
    (course.submitted("ada", ASSIGNMENT) / f"{ASSIGNMENT}.ipynb").write_text("newer")
    before = files_of(course.root)
    with pytest.raises(Unreadable, match="--force") as raised:
        restore(backup, course.root)
    assert "gradebook.db" in str(raised.value)
    assert "students.csv" not in str(raised.value)  # which is the same
    assert files_of(course.root) == before

    restored = restore(backup, course.root, force=True)
    aside = restored.put_aside
    assert aside is not None
    assert aside.parent == course.root
    assert (aside / "submitted" / "ada" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_text() == "newer"
    assert (aside / "gradebook.db").read_bytes() == before["gradebook.db"]
    kept = course.submitted("ada", ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    assert kept.read_text() == "handed in by ada"
    assert left_in(aside) == ["autograded", "gradebook.db", "grading", "submitted"]


def test_the_old_gradebooks_log_is_not_joined_to_the_restored_gradebook(
    course: Course, backup: Path
) -> None:
    (course.root / "gradebook.db").unlink()
    (course.root / "gradebook.db-wal").write_bytes(b"of the old one")
    (course.root / "grading" / "results" / "ab" / "d.part").unlink()
    restored = restore(backup, course.root)
    assert restored.put_aside is not None
    assert left_in(restored.put_aside) == ["gradebook.db-wal"]
    assert not (course.root / "gradebook.db-wal").exists()


def test_a_backup_can_be_restored_into_a_copy_of_the_repository(
    course: Course, backup: Path, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(course.root / "source", clone / "source")
    (clone / "source" / "__pycache__").mkdir()
    (clone / "autograded").mkdir()
    (clone / "autograded" / ".gitkeep").touch()
    (clone / "README.md").write_text("mine")
    assert restore(backup, clone).put_aside is None
    assert (clone / "autograded" / ".gitkeep").exists()
    assert (clone / "autograded" / "ada" / ASSIGNMENT).is_dir()
    assert (clone / "README.md").read_text() == "mine"


def test_an_sqlite_gradebook_is_not_restored_into_a_database(backup: Path, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="has an SQLite gradebook"):
        restore(backup, tmp_path / "into", database="postgresql://grader@/ml")
    with pytest.raises(Unreadable, match="expected the address"):
        restore(backup, tmp_path / "into", database="nonsense")
    assert not (tmp_path / "into").exists()


def test_a_failed_step_is_undone_with_all_steps_before_it(
    course: Course, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_of(course.root)
    add_student(course, "cyd")
    before = files_of(course.root)
    moves = [0]
    move = shutil.move

    def fail_once(old: Path, new: Path) -> None:
        moves[0] += 1
        if moves[0] == 4:
            raise OSError(28, "No space left on device")
        move(old, new)

    monkeypatch.setattr("hw_grading.upkeep.restore.shutil.move", fail_once)
    with pytest.raises(OSError, match="No space left"):
        restore(backup, course.root, force=True)
    assert files_of(course.root) == before
    assert not [name for name in left_in(course.root) if "restore" in name]


def test_a_course_that_is_being_graded_is_not_restored(course: Course, backup: Path) -> None:
    with (
        course_locked(course.root, course.root / "autograded"),
        pytest.raises(GraderFault, match="is being graded"),
    ):
        restore(backup, course.root, force=True)


# -- settings that name other places


def with_settings(course: Course, text: str) -> Course:
    with (course.root / "nbgrader_config.py").open("a") as stream:
        stream.write(text)
    return Course(course.root)


def test_the_secret_is_restored_readable_for_its_owner_only(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    from hw_grading.batch.seeds import course_seeds, secret_file

    seeds = course_seeds(secret_file(course.root, ""))
    made = back_up(course, tmp_path / "b.tar.gz")
    shutil.rmtree(tmp_path / "data")
    restore(made.path, tmp_path / "other")
    secret = secret_file(tmp_path / "other", "")
    assert course_seeds(secret) == seeds
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_an_existing_different_secret_is_not_lost(course: Course, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("1" * 64)
    course = with_settings(course, f"c.WholeClass.secret_file = {str(secret)!r}\n")
    made = back_up(course, tmp_path / "b.tar.gz")
    secret.write_text("2" * 64)
    with pytest.raises(Unreadable, match="secret"):
        restore(made.path, tmp_path / "into")
    assert not (tmp_path / "into").exists()
    restored = restore(made.path, tmp_path / "into", force=True)
    assert secret.read_text() == "1" * 64
    assert restored.put_aside is not None
    assert (restored.put_aside / "course.secret").read_text() == "2" * 64


def test_folders_outside_of_the_course_are_restored_within_it_and_named(
    course: Course, tmp_path: Path
) -> None:
    shutil.move(course.root / "submitted", tmp_path / "handed_in")
    shutil.move(course.root / "gradebook.db", tmp_path / "grades.db")
    course = with_settings(
        course,
        f"c.CourseDirectory.submitted_directory = {str(tmp_path / 'handed_in')!r}\n"
        f"c.CourseDirectory.db_url = 'sqlite:///{tmp_path}/grades.db'\n",
    )
    made = back_up(course, tmp_path / "b.tar.gz")
    restored = restore(made.path, tmp_path / "into")
    there = tmp_path / "into" / "outside" / "submitted" / "ada" / ASSIGNMENT
    assert (there / f"{ASSIGNMENT}.ipynb").is_file()
    said = "\n".join(restored.to_do)
    for words in (str(tmp_path / "handed_in"), "grades.db", "CourseDirectory.root"):
        assert words in said


def test_a_structure_without_folders_for_steps_is_refused(course: Course) -> None:
    course = with_settings(
        course,
        "c.CourseDirectory.directory_structure = '{student_id}/{nbgrader_step}/{assignment_id}'\n",
    )
    with pytest.raises(GraderFault, match="directory_structure"):
        back_up(course)


# -- PostgreSQL


@pytest.fixture(scope="module")
def made_in_postgresql(
    postgresql: Server, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Course, str]:
    url = postgresql.new_database()
    return make_course(tmp_path_factory.mktemp("pg") / "course", ["ada", "ben"], url), url


@pytest.mark.slow
@pytest.mark.xdist_group("postgresql")
class TestInPostgreSQL:
    def test_a_gradebook_is_restored_into_an_empty_database_only(
        self,
        made_in_postgresql: tuple[Course, str],
        postgresql: Server,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        made, like = made_in_postgresql
        url = postgresql.new_database(like)
        course = copied(made, tmp_path / "course", url)
        grade_elsewhere(course, "ada", 3.5, comment="王")
        lines: list[str] = []
        run_it = subprocess.run

        def watched(line: Any, *of: Any, **more: Any) -> Any:
            lines.append(" ".join(map(str, line)))
            return run_it(line, *of, **more)

        monkeypatch.setattr("hw_grading.upkeep.postgresql.subprocess.run", watched)
        backup = back_up(course, tmp_path / "b.tar.gz").path
        grade_elsewhere(course, "ada", 0.0)
        shutil.rmtree(course.root)
        with pytest.raises(GraderFault, match="is not empty") as raised:
            restore(backup, course.root, force=True)
        assert not course.root.exists()
        assert PASSWORD not in str(raised.value)

        other = postgresql.new_database()
        trial = restore(backup, tmp_path / "trial", database=other)
        assert "write that into nbgrader_config.py" in trial.to_do[-1]
        assert PASSWORD not in trial.to_do[-1]
        configure(tmp_path / "trial", other)
        assert grade_of(Course(tmp_path / "trial"), "ada") == (3.5, False)

        name = url.split("/gradebook_")[1].split("?")[0]
        with postgresql.connect() as connection:
            connection.execute(f"DROP DATABASE gradebook_{name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE gradebook_{name} TEMPLATE template0")
        restore(backup, course.root)
        assert grade_of(Course(course.root), "ada") == (3.5, False)
        assert any("pg_restore" in line for line in lines)
        assert not any(PASSWORD in line for line in lines)

    def test_for_an_old_or_missing_client_the_message_says_what_to_install(
        self,
        made_in_postgresql: tuple[Course, str],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        course, _ = made_in_postgresql
        monkeypatch.setattr(postgresql_module, "_OF_DEBIAN", tmp_path / "none")
        programs = tmp_path / "bin"
        programs.mkdir()
        monkeypatch.setenv("PATH", str(programs))
        with pytest.raises(GraderFault, match=r"pg_dump was not found.*postgresql-client-"):
            back_up(course, tmp_path / "b.tar.gz")
        (programs / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
        (programs / "pg_dump").chmod(0o755)
        with pytest.raises(GraderFault, match="version 9, older than the server's"):
            back_up(course, tmp_path / "b.tar.gz")
        assert not (tmp_path / "b.tar.gz").exists()

    def test_an_empty_or_missing_database_is_not_backed_up(
        self, made_in_postgresql: tuple[Course, str], postgresql: Server, tmp_path: Path
    ) -> None:
        made, _ = made_in_postgresql
        empty = postgresql.new_database()
        course = copied(made, tmp_path / "a", empty)
        with pytest.raises(GraderFault, match="no gradebook"):
            back_up(course)
        course = copied(made, tmp_path / "b", empty.replace("/gradebook_", "/nothing_"))
        with pytest.raises(GraderFault, match="does not exist") as raised:
            back_up(course)
        assert PASSWORD not in str(raised.value)


postgresql_module = postgresql


# -- a class, from grading to a restore


@pytest.mark.slow
def test_a_destroyed_class_is_restored_and_nothing_runs_again(
    toys: ToyCourse, tmp_path: Path
) -> None:
    course = toys
    course.submit("ada", course.answered)
    course.submit("ben", course.answer(double="def double(x):\n    return x"))
    assert course.grade().returncode == 0
    grade(course.course, TOY, "why", "ada")
    before = seen_of(course)
    assert "ada" in before["report"]
    assert "kim" in before["desk"]
    assert main(["--course", str(course.root), "backup", "--to", str(tmp_path / "b.tar.gz")]) == 0

    shutil.rmtree(course.root)
    assert main(["restore", str(tmp_path / "b.tar.gz"), "--into", str(course.root)]) == 0
    assert seen_of(course) == before
    results = files_of(course.root / "grading" / "results")
    assert len(results) == 2
    done = course.grade("--force")
    assert done.returncode == 0, done.stderr
    lines = (course.root / "grading" / f"{TOY}.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    ended = {event["student"]: event["again"] for event in events if event["event"] == "student"}
    assert ended == {"ada": True, "ben": True}
    assert files_of(course.root / "grading" / "results") == results
    assert course.test_scores("ada") == TESTS
    assert seen_of(course)["grades"] == before["grades"]


@pytest.fixture
def toys(generated_course: ToyCourse, tmp_path: Path) -> ToyCourse:
    return generated_course.copied(tmp_path / "toys")


def seen_of(course: ToyCourse) -> dict[str, str]:
    """A class's grades and report, and one of its questions on the desk."""
    done = run(course.root, "export", "--to=grades.csv")
    assert done.returncode == 0, done.stderr
    return {
        "desk": known(course.course, TOY, "why"),
        "grades": (course.root / "grades.csv").read_text(),
        "report": report(course.root, TOY, 160),
    }
