"""A gradebook that is moved to PostgreSQL has the same content, and all commands work with it."""

import contextlib
import copy
import csv
import importlib
import pkgutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from at_the_desk import grade, known
from by_hand import ASSIGNMENT, configure, copied, grade_elsewhere, make_course
from nbgrader.api import Gradebook
from postgresql import PASSWORD, Server
from sqlalchemy.engine import make_url
from toy_course import ASSIGNMENT as TOY
from toy_course import FULL_MARKS, TESTS, ToyCourse, run

import hw_grading
from hw_grading.__main__ import main
from hw_grading.batch.lock import course_locked
from hw_grading.homework.course import Course
from hw_grading.outcome import GraderFault
from hw_grading.records.scores import Record, read_gradebook
from hw_grading.reports.table import report
from hw_grading.upkeep import move as moving
from hw_grading.upkeep.move import move
from hw_support.submission.file import Unreadable

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("postgresql"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),  # from nbgrader's code
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A gradebook with unusual names, texts, times and numbers."""
    course = make_course(tmp_path_factory.mktemp("made") / "course", ["ada", "王小明", "dan"])
    grade(course, ASSIGNMENT, "why", "ada", comment="Weil's so ist \U0001f600")
    grade_elsewhere(course, "dan", 2.25, comment="\x1b[31m; DROP TABLE grade; --")
    with Gradebook(course.db_url) as gradebook:
        gradebook.find_assignment(ASSIGNMENT).duedate = datetime(2024, 3, 10, 2, 30, 0, 123456)
        for student, days in (("ada", 2), ("dan", -1)):
            submission = gradebook.find_submission(ASSIGNMENT, student)
            submission.extension = timedelta(days=days, seconds=1, microseconds=7)
            submission.timestamp = datetime(2024, 3, 9, 23, 59, 59)
        notebook = gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "ada")
        notebook.flagged, notebook.late_submission_penalty = True, 0.1 + 0.2
        gradebook.add_assignment("ps2")
        gradebook.add_notebook("ps2", "ps2")
        gradebook.add_source_cell("top", "ps2", "ps2", cell_type="markdown", source="é\n" * 9_000)
        gradebook.db.commit()
    return course


@pytest.fixture
def course(made: Course, tmp_path: Path) -> Course:
    return copied(made, tmp_path / "course")


def changed(course: Course, *statements: str) -> Course:
    with contextlib.closing(sqlite3.connect(course.root / "gradebook.db")) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()
    return course


def in_order(records: list[Record]) -> list[Record]:
    records = [replace(one, scores=tuple(sorted(one.scores, key=str))) for one in records]
    return sorted(records, key=lambda one: one.student)


def tables_of(url: str) -> list[str]:
    engine = sqlalchemy.create_engine(url)
    names = sqlalchemy.inspect(engine).get_table_names()
    engine.dispose()
    return names


def test_everything_is_the_same_and_the_file_is_untouched(
    course: Course, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (course.root / "gradebook.db").read_bytes()
    in_file = known(course, ASSIGNMENT, "why"), read_gradebook(course.db_url, ASSIGNMENT)
    assert main(["--course", str(course.root), "move", database]) == 0
    said = capsys.readouterr().out
    assert PASSWORD not in said
    assert (course.root / "gradebook.db").read_bytes() == before
    assert [path.name for path in course.root.glob("gradebook.db*")] == ["gradebook.db"]

    (line,) = [line for line in said.splitlines() if "db_url" in line]
    setting = eval(line.partition("=")[2])
    assert make_url(setting) == make_url(database.replace(f":{PASSWORD}", ""))
    configure(course.root, setting)
    moved = Course(course.root)
    assert known(moved, ASSIGNMENT, "why") == in_file[0]
    cells, records, others = read_gradebook(moved.db_url, ASSIGNMENT)
    assert sorted(cells, key=str) == sorted(in_file[1][0], key=str)
    assert in_order(records) == in_order(in_file[1][1])
    assert others == {"ps2"}
    with Gradebook(moved.db_url) as gradebook:
        submission = gradebook.find_submission(ASSIGNMENT, "ada")
        assert submission.extension == timedelta(days=2, seconds=1, microseconds=7)
        assert submission.duedate == datetime(2024, 3, 12, 2, 30, 1, 123463)
        notebook = gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "ada")
        assert (notebook.flagged, notebook.late_submission_penalty) == (True, 0.1 + 0.2)
        (cell,) = gradebook.find_notebook("ps2", "ps2").source_cells
        assert (cell.source, cell.locked) == ("é\n" * 9_000, False)
    # New rows get numbers after the last ones of the file.
    grade(moved, ASSIGNMENT, "plot", "dan")
    assert "dan" in known(moved, ASSIGNMENT, "plot")


def test_columns_have_the_types_that_the_code_describes(course: Course, database: str) -> None:
    changed(course, "CREATE INDEX hw_grading_grade_notebook_id ON grade (notebook_id)")
    move(course, database)
    engine = sqlalchemy.create_engine(database)
    inspector = sqlalchemy.inspect(engine)
    kinds = {
        (table, column["name"]): str(column["type"])
        for table in ("submitted_assignment", "grade", "desk_item")
        for column in inspector.get_columns(table)
    }
    assert kinds["submitted_assignment", "extension"] == "INTERVAL"
    assert kinds["grade", "needs_manual_grade"] == "BOOLEAN"
    assert kinds["grade", "auto_score"] == "DOUBLE PRECISION"
    assert kinds["desk_item", "deleted"] == "BOOLEAN"
    assert "hw_grading_grade_notebook_id" in {i["name"] for i in inspector.get_indexes("grade")}
    engine.dispose()


def test_a_table_that_nobody_describes_is_moved_as_it_is(course: Course, database: str) -> None:
    changed(
        course,
        "CREATE TABLE later (n INTEGER PRIMARY KEY, name VARCHAR(9), at DATETIME, is_so BOOLEAN, "
        "points FLOAT, more JSON)",
        "INSERT INTO later VALUES (7, 'é', '2024-01-02 03:04:05.000006', 1, 0.1, '{\"a\": 1}')",
    )
    assert move(course, database).rows["later"] == 1
    engine = sqlalchemy.create_engine(database)
    with engine.begin() as db:
        (row,) = db.execute(sqlalchemy.text("SELECT * FROM later"))
        assert tuple(row) == (7, "é", datetime(2024, 1, 2, 3, 4, 5, 6), True, 0.1, {"a": 1})
        db.execute(sqlalchemy.text("INSERT INTO later (name) VALUES ('next')"))
        numbers = db.execute(sqlalchemy.text("SELECT n FROM later WHERE name = 'next'"))
        assert numbers.scalars().all() == [8]
    engine.dispose()


def test_every_table_of_the_project_is_described_to_the_move() -> None:
    """A table that the move does not know would get the types that SQLite reports."""
    found = {}
    for module in pkgutil.walk_packages(hw_grading.__path__, "hw_grading."):
        if ".skeleton" in module.name or module.name.endswith("__main__"):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, sqlalchemy.Table):
                found[value.name] = value.metadata
    assert {"desk_event", "hw_grading_cell_order"} <= set(found)
    assert {name for name, metadata in found.items() if metadata not in moving.DESCRIBED} == set()
    code = "from hw_grading.upkeep.move import DESCRIBED\nfor m in DESCRIBED: print(*m.tables)"
    by_itself = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert set(found) <= set(by_itself.stdout.split())


def test_null_characters_which_postgresql_refuses_are_replaced_and_counted(
    course: Course, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(course, "UPDATE comment SET manual_comment = 'a' || char(0) || 'b' WHERE 1")
    assert main(["--course", str(course.root), "move", database]) == 0
    assert "null character was replaced" in capsys.readouterr().out
    engine = sqlalchemy.create_engine(database)
    with engine.connect() as db:
        texts = db.execute(sqlalchemy.text("SELECT DISTINCT manual_comment FROM comment"))
        assert texts.scalars().all() == ["a\ufffdb"]
    engine.dispose()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (f"UPDATE student SET first_name = '{'n' * 150}' WHERE id = 'ada'", "stores at most 128"),
        ("DELETE FROM submitted_notebook", r"DELETE FROM grade WHERE notebook_id NOT IN"),
        ("UPDATE alembic_version SET version_num = 'old'", "nbgrader db upgrade"),
        (
            "ALTER TABLE grade ADD COLUMN more INTEGER",
            "has columns that this version of the grader does not know",
        ),
        (
            "UPDATE submitted_assignment SET timestamp = 'yesterday'",
            "of another type than its column",
        ),
        ("UPDATE grade SET needs_manual_grade = NULL", "cannot be"),
        ("DROP TABLE alembic_version", "cannot be moved"),
    ],
)
def test_data_that_postgresql_refuses_is_named_and_nothing_is_moved(
    statement: str, said: str, course: Course, database: str
) -> None:
    if "NULL" in statement:  # SQLite would not take it either
        changed(
            course,
            "CREATE TABLE g2 AS SELECT * FROM grade",
            "DROP TABLE grade",
            "ALTER TABLE g2 RENAME TO grade",
        )
    changed(course, statement)
    before = (course.root / "gradebook.db").read_bytes()
    with pytest.raises((Unreadable, GraderFault), match=said):
        move(course, database)
    assert tables_of(database) == []
    assert (course.root / "gradebook.db").read_bytes() == before


def test_a_copy_with_different_rows_is_not_kept(
    course: Course, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = moving._digest

    def another(connection: Any, table: Any) -> tuple[int, int]:
        count, total = digest(connection, table)
        is_new = connection.dialect.name == "postgresql" and table.name == "desk_event"
        return count, total + is_new

    monkeypatch.setattr(moving, "_digest", another)
    with pytest.raises(GraderFault, match=r"desk_event has \d+ rows, but its copy differs"):
        move(course, database)
    assert tables_of(database) == []


def test_the_comparison_sees_one_digit_and_one_row(course: Course, database: str) -> None:
    move(course, database)
    engine = sqlalchemy.create_engine(database)
    table = moving.DESCRIBED[0].tables["grade"]
    for change in (
        "UPDATE grade SET manual_score = 2.2500001 WHERE manual_score = 2.25",
        "DELETE FROM grade WHERE manual_score = 2.25",
    ):
        with engine.connect() as target, moving._held(course.root / "gradebook.db") as source:
            moving._compare(source, target, table)
            assert target.execute(sqlalchemy.text(change)).rowcount == 1
            with pytest.raises(GraderFault, match=r"grade has \d+ rows, but its copy differs"):
                moving._compare(source, target, table)
            target.rollback()
    engine.dispose()


def test_nobody_can_write_into_the_file_meanwhile(
    course: Course, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []
    copy_it = moving._copy

    def copy_and_try(*of: Any) -> int:
        with contextlib.closing(sqlite3.connect(course.root / "gradebook.db", timeout=0)) as db:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                db.execute("UPDATE student SET first_name = 'late'")
            tried.append(1)
        return copy_it(*of)

    monkeypatch.setattr(moving, "_copy", copy_and_try)
    move(course, database)
    assert tried


def test_a_gradebook_in_use_is_not_moved(
    course: Course, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hw_grading.records.database.SECONDS_TO_WAIT", 0)
    with contextlib.closing(sqlite3.connect(course.root / "gradebook.db")) as db:
        db.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unreadable, match="locked"):
            move(course, database)
        db.rollback()
    with (
        course_locked(course.root, course.root / "autograded"),
        pytest.raises(GraderFault, match="Another run is grading"),
    ):
        move(course, database)
    assert tables_of(database) == []


def test_invalid_addresses_give_a_sentence_without_a_password(
    course: Course, database: str, postgresql: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "latin"
    with postgresql.connect() as connection:
        connection.execute(
            f"CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE "
            "template0"
        )
    of = make_url(database)
    for address, said in (
        ("nonsense", "expected the address"),
        ("sqlite:///other.db", "expected the address"),
        ("postgresql+psycopg://grader@/", "expected the address"),
        (str(of.set(database="nowhere").render_as_string(False)), "does not exist"),
        (str(of.set(database=name).render_as_string(False)), "UTF-8"),
        (f"postgresql+psycopg://grader:{PASSWORD}@127.0.0.1:1/ml", "cannot be used"),
        (f"postgresql+nodriver://grader:{PASSWORD}@/ml", "not installed"),
    ):
        assert main(["--course", str(course.root), "move", address]) == 2
        err = capsys.readouterr().err
        assert said in err, address
        assert PASSWORD not in err
    with postgresql.connect() as connection:
        connection.execute(f"DROP DATABASE {name}")
    move(course, database.replace("postgresql+psycopg:", "postgresql:"))
    with pytest.raises(GraderFault, match="is not empty"):
        move(course, database)
    configure(course.root, database)
    with pytest.raises(Unreadable, match="nothing to move"):
        move(Course(course.root), database)
    configure(course.root, "sqlite:////nowhere/gradebook.db")
    with pytest.raises(Unreadable, match="There is no gradebook"):
        move(Course(course.root), database)


def test_every_command_of_an_instructor_works_on_a_course_that_was_moved(
    generated_course: ToyCourse, database: str, tmp_path: Path
) -> None:
    course = generated_course.copied(tmp_path / "course")
    for student in ("ada", "ben"):
        course.submit(student, course.answered)
    assert course.grade().returncode == 0
    grade(course.course, TOY, "why", "ada")
    before = report(course.root, TOY, 160)

    verb = ["--course", str(course.root)]
    assert main([*verb, "move", database]) == 0
    setting = f"c.CourseDirectory.db_url = {database!r}\n"
    with (course.root / "nbgrader_config.py").open("a") as stream:
        stream.write(setting)
    course = replace(course, settings=setting)
    assert report(course.root, TOY, 160) == before
    assert known(course.course, TOY, "why").count("half of it")
    (course.root / "gradebook.db").unlink()  # nothing may use the file any more
    root = course.root

    def nbgrader(*words: str) -> str:
        done = run(root, *words)
        assert done.returncode == 0, done.stderr
        return done.stderr

    nbgrader("generate_assignment", TOY, "--force")
    (root / "exchange").mkdir(mode=0o777, exist_ok=True)
    (root / "exchange").chmod(0o777)
    nbgrader("release_assignment", TOY)
    course.submit("cyd", course.answer(double="def double(x):\n    return x"))
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    (downloads / f"dan_{TOY}.ipynb").write_bytes(course.submit("ada", course.answered).read_bytes())
    assert main([*verb, "collect", TOY, str(downloads), "--yes"]) in (0, 1)
    assert course.folder("dan").joinpath(f"{TOY}.ipynb").is_file()
    nbgrader("autograde", TOY)
    nbgrader("autograde", TOY, "--force")
    assert course.test_scores("cyd") == {**TESTS, "test_double": 0.0}
    assert course.test_scores("dan") == TESTS
    assert known(course.course, TOY, "why").count("half of it")  # points given by hand
    assert main([*verb, "report", TOY]) == 0
    assert main([*verb, "plots", TOY]) == 0
    nbgrader("generate_feedback", TOY)
    nbgrader("release_feedback", TOY)
    nbgrader("export", "--to=grades.csv")
    with (root / "grades.csv").open(encoding="utf-8", newline="") as stream:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(stream)}
    assert scores == {"ada": FULL_MARKS + 1, "ben": FULL_MARKS, "cyd": 4.0, "dan": FULL_MARKS}
    page = nbgrader_api(course).get_submissions(TOY)
    assert {one["student"] for one in page} == {"ada", "ben", "cyd", "dan"}
    assert main([*verb, "backup"]) == 0
    assert not (root / "gradebook.db").exists()


def nbgrader_api(course: ToyCourse) -> Any:
    """The data that formgrader's pages request."""
    from nbgrader.apps.api import NbGraderAPI

    config = copy.deepcopy(course.course.config)
    return NbGraderAPI(Course(course.root).directory, config=config)
