"""The instructor's doctor: each line says that it is fine, or what to type; it never crashes."""

import contextlib
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections import namedtuple
from importlib import metadata
from pathlib import Path

import pytest
from by_hand import configure, copied, make_course
from nbgrader.api import Gradebook
from postgresql import PASSWORD, Server
from toy_course import environment

from hw_grading.__main__ import main
from hw_grading.homework.course import Course
from hw_grading.sandbox.available import SandboxUnavailable
from hw_grading.upkeep.doctor import database as gradebook_line
from hw_grading.upkeep.doctor import folders, look, machine, times
from hw_support.desk.doctor import Line

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # from nbgrader's code


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return make_course(tmp_path_factory.mktemp("made") / "course", ["ada"])


@pytest.fixture
def course(made: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A course in which all is fine; other tests check this machine's sandbox and packages."""
    monkeypatch.setattr(machine, "expect_a_sandbox", lambda *of: None)
    monkeypatch.setattr(machine, "LOCK", tmp_path / "no.lock")
    programs = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "jupyter"))
    exchange = tmp_path / "exchange"
    course = copied(made, tmp_path / "course")
    add(course, f"c.Exchange.root = {str(exchange)!r}")
    add(course, "c.WholeClass.results_mb = 1")
    return Course(course.root)


def add(course: Course, line: str) -> None:
    with (course.folder / "nbgrader_config.py").open("a") as stream:
        stream.write(line + "\n")


def lines_of(folder: Path) -> dict[str, Line]:
    return {line.what: line for line in look(folder)}


def test_a_course_in_order_is_fine_and_each_thing_has_a_line(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--course", str(course.folder), "doctor"]) == 0
    said = capsys.readouterr().out
    found = re.findall(r"^fine  (.{11})", said, re.MULTILINE)
    assert [what.strip() for what in found] == [
        *("Python", "packages", "settings", "sandbox", "memory", "limits"),
        *("disk", "gradebook", "exchange", "clock", "time zone", "ps1"),
    ]
    assert said.endswith("Everything is fine.\n")
    assert "SQLite" in said
    assert "journal delete" in said


# -- settings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("c = get_config()\n\nc.Exchange.root = (\n", "line 3"),
        ("c = get_config()\nc.WholeClass.workers = undefined\n", "line 2"),
        ("import nothing_of_this_name\n", "line 1"),
        ("c.CourseDirectory.db_url = 'grades'\n", "db_url"),
        ("c.CourseDirectory.db_url = 3\n", "line 1"),
        ("raise SystemExit(3)\n", "nbgrader_config.py"),
        ("\x00", "nbgrader_config.py"),
    ],
)
def test_settings_with_a_mistake_are_named_with_file_and_line(
    text: str, said: str, course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    (course.folder / "nbgrader_config.py").write_text(text)
    assert main(["--course", str(course.folder), "doctor"]) == 2
    out = capsys.readouterr().out
    (advice,) = re.findall(r"^FIX   settings .*\n      (.*)$", out, re.MULTILINE)
    assert said in advice
    assert "nbgrader_config.py" in advice
    assert "fine  sandbox" in out  # what can be checked is checked
    assert not re.search("^(fine|FIX )  gradebook", out, re.MULTILINE)


def test_a_setting_of_the_wrong_kind_is_named_where_it_is_used(course: Course) -> None:
    add(course, "c.WholeClass.workers = 'two'")
    lines = lines_of(course.folder)
    number = len((course.folder / "nbgrader_config.py").read_text().splitlines())
    assert f"line {number}" in str(lines["memory"].advice)
    assert "c.WholeClass.workers" in str(lines["memory"].advice)
    assert lines["gradebook"].advice is None


@pytest.mark.parametrize("setting", ["percnt = 10", "percent = 'ten'", "percent = -1"])
def test_a_wrong_setting_of_late_work_is_reported(course: Course, setting: str) -> None:
    add(course, f"c.LatePolicy.{setting}")
    line = next(one for one in look(course.folder) if "late work" in one.found)
    assert setting.split()[0] in str(line.advice)


def test_a_folder_that_is_not_a_course_is_reported(
    tmp_path: Path, course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main(["--course", str(empty), "doctor"]) == 2
    assert "there is no nbgrader_config.py" in capsys.readouterr().out
    assert main(["--course", str(tmp_path / "nowhere"), "doctor"]) == 2


def test_whatever_fails_becomes_a_line(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*of: object) -> Line:
        raise RuntimeError("what\nnobody \x1b[31m thought of")

    for module, names in (
        (machine, ("python", "packages", "sandbox", "memory", "limits")),
        (folders, ("disk", "exchange")),
        (times, ("clock", "zone", "due")),
        (gradebook_line, ("gradebook",)),
    ):
        for name in names:
            monkeypatch.setattr(module, name, fail)
    lines = list(look(course.folder))
    assert len(lines) == 12
    for line in lines:
        assert line.what == "settings" or "what nobody" in line.found
        assert "\x1b" not in str(line)
        assert "\n" not in line.found


@pytest.mark.parametrize("package", ["nbgrader", "nbformat", "sqlalchemy"])
def test_a_package_that_every_command_needs_is_named(package: str, course: Course) -> None:
    code = (
        f"import runpy, sys; sys.modules[{package!r}] = None\n"
        "sys.argv = ['hw_grading', 'doctor']\n"
        "runpy.run_module('hw_grading', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(),
        cwd=course.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert package in done.stderr
    assert "pip install" in done.stderr
    assert "Traceback" not in done.stderr


# -- the machine


def test_programs_that_are_not_on_the_path_are_named(
    course: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "activate" in str(machine.python().advice)


def test_packages_are_compared_with_the_lock(
    course: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lock = tmp_path / "requirements.lock"
    monkeypatch.setattr(machine, "LOCK", lock)
    numpy = metadata.version("numpy")
    right = f"# of a tool\nnumpy=={numpy}\nnot-installed==1 \nnumpy==0 ; python_version < '3'\n"
    lock.write_text(right)
    assert machine.packages() == Line("packages", "as locked")
    lock.write_text(right.replace(f"numpy=={numpy}", "numpy==0.1"))
    line = machine.packages()
    assert line.found == f"numpy {numpy} (locked: 0.1)"
    assert f"pip install -r {lock}" in str(line.advice)


def test_a_missing_or_old_package_that_grading_needs_is_named(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = ["numpy>=99", "not-there>=1; extra == 'grading'", "nor-this; extra == 'pdf'"]
    monkeypatch.setattr(machine.metadata, "requires", lambda name: needed)
    line = machine.packages()
    assert "(>=99 is needed), not-there is not installed" in line.found
    assert "nor-this" not in line.found
    assert "hw-grading[grading]" in str(line.advice)


@pytest.mark.parametrize(
    ("variable", "said"),
    [("KUBERNETES_SERVICE_HOST", "Kubernetes"), ("container", "container (podman)")],
)
def test_without_a_sandbox_the_message_says_what_to_do_in_a_container_too(
    variable: str, said: str, course: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused(*of: object) -> None:
        raise SandboxUnavailable("making one failed.\n    why\nIn Docker start it with --this")

    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "max_user_namespaces").write_text("0\n")
    monkeypatch.setattr(machine, "_KERNEL", tmp_path)
    monkeypatch.setattr(machine, "expect_a_sandbox", refused)
    monkeypatch.setenv(variable, "podman")
    line = lines_of(course.folder)["sandbox"]
    assert line.found == "making one failed."
    assert said in str(line.advice)
    assert "user.max_user_namespaces is 0" in str(line.advice)
    assert "--this" in str(line.advice)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [("core\n", ""), ("\n", ""), ("|/usr/share/apport/apport -p%p -s%s\n", "start apport as root")],
)
def test_a_program_that_the_system_starts_for_crashes_is_named(
    pattern: str, said: str, course: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "core_pattern").write_text(pattern)
    monkeypatch.setattr(machine, "_KERNEL", tmp_path)
    monkeypatch.setattr(machine, "expect_a_sandbox", lambda *of: None)
    line = lines_of(course.folder)["sandbox"]
    assert line.advice is None
    assert said in line.found
    assert ("crashes" in line.found) is bool(said)


def test_a_sandbox_turned_off_in_the_settings_is_reported(course: Course) -> None:
    add(course, 'c.ExecuteSubmission.sandbox = "none"')
    line = lines_of(course.folder)["sandbox"]
    assert line.advice is None
    assert "with your rights" in line.found


def test_memory_says_how_many_are_graded_at_once_as_a_run_would(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hw_grading.batch.settings.cores", lambda: 8)
    monkeypatch.setattr(machine, "cores", lambda: 8)
    add(course, "c.WholeClass.memory_mb_in_all = 7000")
    line = lines_of(course.folder)["memory"]
    assert "2 at once, each with up to 3,000 MB; with more memory, 8 at once" in line.found
    assert line.advice is None
    add(course, "c.WholeClass.memory_mb_in_all = 2000")
    assert "may need 3,000 MB" in str(lines_of(course.folder)["memory"].advice)


def test_limits_have_a_line_with_and_without_a_sandbox(course: Course) -> None:
    line = lines_of(course.folder)["limits"]
    assert "measured 2 times a second" in line.found
    assert "the system limits the number of its processes" in line.found
    assert line.advice is None
    add(course, 'c.ExecuteSubmission.sandbox = "none"')
    line = lines_of(course.folder)["limits"]
    assert "measured 2 times a second" in line.found
    assert "nothing limits its processes" in line.found


def test_too_little_disk_space_for_results_is_reported_with_the_setting(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(folders.shutil, "disk_usage", lambda path: usage(9, 8, 1_500_000_000))
    assert lines_of(course.folder)["disk"].advice is None
    add(course, "c.WholeClass.results_mb = 4000")
    assert "5,000 MB are needed" in str(lines_of(course.folder)["disk"].advice)


# -- the gradebook


def test_a_gradebook_that_is_not_there_yet_is_fine(course: Course) -> None:
    (course.root / "gradebook.db").unlink()
    line = lines_of(course.folder)["gradebook"]
    assert line.advice is None
    assert "`python -m hw_grading release HOMEWORK` makes it" in line.found
    assert not (course.root / "gradebook.db").exists()


def test_a_damaged_gradebook_and_one_of_another_nbgrader_are_reported(course: Course) -> None:
    path = course.root / "gradebook.db"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE alembic_version SET version_num = 'old'")
        db.commit()
    assert "nbgrader db upgrade" in str(lines_of(course.folder)["gradebook"].advice)
    content = bytearray(path.read_bytes())
    path.write_bytes(b"no database" * 1000)
    assert "put a backup back" in str(lines_of(course.folder)["gradebook"].advice).lower()
    content[4096:12288] = b"x" * 8192
    path.write_bytes(content)
    assert "put a backup back" in str(lines_of(course.folder)["gradebook"].advice).lower()


def test_a_gradebook_on_a_network_is_reported_with_a_better_place(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradebook_line, "file_system", lambda folder: "nfs4")
    line = lines_of(course.folder)["gradebook"]
    assert "(nfs4)" in str(line.advice)
    assert "docs/one-server.md" in str(line.advice)


def test_the_innermost_file_system_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    part = namedtuple("part", "mountpoint fstype")
    here = os.path.realpath(tmp_path)
    parts = [part("/", "ext4"), part(here, "nfs"), part(here + "x", "cifs")]
    monkeypatch.setattr(gradebook_line.psutil, "disk_partitions", lambda all: parts)
    assert gradebook_line.file_system(tmp_path) == "nfs"
    assert gradebook_line.file_system(tmp_path.parent) == "ext4"


def test_several_graders_get_the_advice_to_use_postgresql(course: Course) -> None:
    with contextlib.closing(sqlite3.connect(course.root / "gradebook.db")) as db:
        db.execute("CREATE TABLE IF NOT EXISTS hw_grading_event (grader TEXT)")
        db.executemany("INSERT INTO hw_grading_event VALUES (?)", [("kim",), ("lee",), ("mo",)])
        db.commit()
    line = lines_of(course.folder)["gradebook"]
    assert "3 graders" in line.found
    assert "PostgreSQL" in line.found
    assert line.advice is None


@pytest.mark.slow
@pytest.mark.xdist_group("postgresql")
def test_a_gradebook_in_postgresql_is_checked(course: Course, postgresql: Server) -> None:
    empty = postgresql.new_database()
    add(course, f"c.CourseDirectory.db_url = {empty!r}")
    line = lines_of(course.folder)["gradebook"]
    assert line.advice is None
    assert "empty" in line.found
    with Gradebook(empty):
        pass  # makes the tables
    line = lines_of(course.folder)["gradebook"]
    assert line.advice is None
    assert line.found.startswith("PostgreSQL, ")
    assert line.found.endswith("UTF-8")

    add(course, f"c.CourseDirectory.db_url = {empty.replace('/gradebook_', '/nothing_')!r}")
    line = lines_of(course.folder)["gradebook"]
    assert "does not exist" in str(line.advice)
    with postgresql.connect() as connection:
        connection.execute(
            "CREATE DATABASE plain ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' "
            "TEMPLATE template0"
        )
    plain = re.sub("gradebook_[0-9]+", "plain", empty)
    add(course, f"c.CourseDirectory.db_url = {plain!r}")
    line = lines_of(course.folder)["gradebook"]
    assert "SQL_ASCII" in str(line.advice)
    assert PASSWORD not in str(line)


# -- exchange and time


def test_an_unused_exchange_is_only_reported(course: Course, tmp_path: Path) -> None:
    line = lines_of(course.folder)["exchange"]
    assert line.advice is None
    assert f"chmod 1777 {tmp_path}/exchange" in line.found
    (tmp_path / "exchange").mkdir(mode=0o755)
    line = lines_of(course.folder)["exchange"]
    assert line.advice is None
    assert f"chmod 1777 {tmp_path}/exchange" in line.found


def test_an_exchange_with_assignments_must_be_open_for_students(
    course: Course, tmp_path: Path
) -> None:
    add(course, 'c.CourseDirectory.course_id = "ml"')
    exchange = tmp_path / "exchange"
    for name in ("outbound", "inbound"):
        (exchange / "ml" / name).mkdir(parents=True)
    for parent in (exchange, *exchange.parents):
        if parent.stat().st_uid == os.getuid() and parent.is_relative_to(tmp_path.parent):
            parent.chmod(parent.stat().st_mode | 0o111)
    exchange.chmod(0o755)
    (exchange / "ml" / "inbound").chmod(0o700)
    advice = str(lines_of(course.folder)["exchange"].advice)
    assert f"chmod 1777 {exchange} &&" in advice
    assert f"chmod a+wx {exchange}/ml/inbound" in advice
    assert "outbound" not in advice
    tmp_path.chmod(0o700)
    assert f"chmod a+x {tmp_path} &&" in str(lines_of(course.folder)["exchange"].advice)


def test_students_who_share_the_machine_must_not_read_the_course(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = folders._have_all
    above = set(tmp_path.parents)
    monkeypatch.setattr(folders, "_have_all", lambda f, right: f in above or look_up(f, right))
    tmp_path.chmod(0o711)
    for folder in (course.folder, *course.folder.iterdir()):
        folder.chmod(0o755 if folder.is_dir() else 0o644)
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    exchange.chmod(0o1777)
    assert lines_of(course.folder)["exchange"].advice is None  # no students, as far as it shows
    add(course, 'c.CourseDirectory.course_id = "ml"')
    for name, mode in (("outbound", 0o755), ("inbound", 0o733)):
        (exchange / "ml" / name).mkdir(parents=True)
        (exchange / "ml" / name).chmod(mode)
    line = lines_of(course.folder)["exchange"]
    assert line.found.endswith("they can read the course too")
    command = str(line.advice).removeprefix("Type: ")
    for name in ("source", "autograded", "gradebook.db"):
        assert f"{course.folder}/{name}" in command
    subprocess.run(command, shell=True, check=True)
    assert lines_of(course.folder)["exchange"].advice is None


def test_an_invalid_time_zone_is_reported(course: Course) -> None:
    for name in ("Mars/Base", "", "../etc/passwd", "PST8PDTX"):
        add(course, f"c.Exchange.timezone = {name!r}")
        assert "c.Exchange.timezone" in str(lines_of(course.folder)["time zone"].advice)
    add(course, "c.Exchange.timezone = 'America/New_York'")
    assert lines_of(course.folder)["time zone"].advice is None


def test_a_manifest_with_a_mistake_has_its_line(course: Course) -> None:
    folder = course.root / "staff" / "ps1"
    folder.mkdir(parents=True)
    (folder / "homework.toml").write_text('due = "2030-09-10 23:59:59"\ntime_zone = "Mars"\n')
    line = lines_of(course.folder)["ps1"]
    assert "homework.toml" in str(line.advice)
    assert "time_zone" in str(line.advice)
    (folder / "homework.toml").write_text("due = \n")
    assert "line 1" in str(lines_of(course.folder)["ps1"].advice)
    (folder / "homework.toml").write_text('due = "2030-09-10 23:59:59"\n')
    assert "2030-09-10 23:59:59" in lines_of(course.folder)["ps1"].found


def test_a_clock_behind_its_own_files_is_reported(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = time.time() + 7200
    os.utime(course.root / "gradebook.db", (later, later))
    line = lines_of(course.folder)["clock"]
    assert "gradebook.db was changed at" in line.found
    assert "timedatectl" in str(line.advice)


def test_this_machine_is_checked_without_mocks(tmp_path: Path) -> None:
    configure(tmp_path, "")
    lines = lines_of(tmp_path)
    assert not [line for line in lines.values() if "cannot be checked" in line.found]
    assert lines["sandbox"].advice is None or "bubblewrap" in str(lines["sandbox"])


@pytest.mark.parametrize("command", [["doctor"], ["report", "hw2"]])
def test_without_the_packages_every_command_says_what_to_type(command: list[str]) -> None:
    root = Path(__file__).resolve().parents[2]
    alone = [sys.executable, "-S", "-m", "hw_grading", *command]  # without site-packages
    done = subprocess.run(alone, cwd=root, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert f'Type: "{sys.executable}" -m pip install -r requirements.lock' in done.stderr
