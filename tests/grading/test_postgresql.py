"""A class is graded, reported and exported with its gradebook in PostgreSQL, as with SQLite."""

import copy
import csv
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import psycopg
import pytest
import sqlalchemy
from nbgrader.api import Gradebook
from postgresql import PASSWORD, Server
from toy_course import ASSIGNMENT, FULL_MARKS, TESTS, ToyCourse, run

from hw_grading.batch.folders import with_long_wait
from hw_grading.batch.process import one_engine
from hw_grading.commands.sample import cell_of
from hw_grading.homework.instructor_cells import instructor_cells
from hw_grading.plugins.saving import SaveScores, add_indexes
from hw_grading.records.results import Status, StudentResult, read_results
from hw_grading.records.scores import NoScores
from hw_grading.reports.plots_page import write_plots_page
from hw_grading.reports.statistics.page import write_statistics
from hw_grading.reports.table import report
from hw_grading.similarity.page import write_similarity

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("postgresql"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),  # from nbgrader's code
]

DUE = datetime(2024, 3, 1, 12)
LONG = "n" * 150  # longer than nbgrader's tables have room for


def moved(course: ToyCourse) -> nbformat.NotebookNode:
    nb = copy.deepcopy(course.answered)
    nb.cells.insert(1, nb.cells.pop(nb.cells.index(cell_of(nb, "test_triple"))))
    return nb


def without_a_test(course: ToyCourse) -> nbformat.NotebookNode:
    nb = copy.deepcopy(course.answered)
    nb.cells.remove(cell_of(nb, "test_double"))
    return nb


def hand_in(course: ToyCourse) -> None:
    course.submit("honest", course.answered)
    course.submit("wrong", course.answer(double="def double(x):\n    return x"))
    course.submit("moved", moved(course))
    course.submit("deleted", without_a_test(course))
    course.submit("broken", b"{")
    course.submit("endless", course.answer(triple="while True: pass"))
    course.submit("王小明", course.answer(why="Weil's so ist; -- ' \" \x00 \U0001f600"))
    course.submit("o.neil+1@x-y.example", course.answered)
    for student in ("honest", "wrong"):
        late = "2024-03-02 18:30:00 UTC" if student == "wrong" else "2024-03-01 11:00:00 UTC"
        (course.folder(student) / "timestamp.txt").write_text(late)


@pytest.fixture(scope="module")
def generated(postgresql: Server, tmp_path_factory: pytest.TempPathFactory) -> ToyCourse:
    """A course whose gradebook is in PostgreSQL, and nothing handed in."""
    settings = f"c.CourseDirectory.db_url = {postgresql.new_database()!r}\n"
    return ToyCourse.make(tmp_path_factory.mktemp("postgresql") / "course", settings)


def with_own_gradebook(course: ToyCourse, postgresql: Server, root: Path) -> ToyCourse:
    url = postgresql.new_database(course.course.db_url)
    return course.copied(root, f"c.CourseDirectory.db_url = {url!r}\n")


@pytest.fixture(scope="module")
def both(
    postgresql: Server,
    generated: ToyCourse,
    generated_course: ToyCourse,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, ToyCourse]:
    """The same class, graded with a gradebook in PostgreSQL, whose rows moved, and in SQLite."""
    in_file = generated_course.copied(tmp_path_factory.mktemp("sqlite") / "course")
    ours = with_own_gradebook(generated, postgresql, tmp_path_factory.mktemp("ours") / "course")
    courses = {"postgresql": ours, "sqlite": in_file}
    with Gradebook(ours.course.db_url) as gradebook:
        # PostgreSQL returns a changed row after all others.
        update = "UPDATE source_cell SET source = source WHERE name IN ('double', 'triple')"
        gradebook.db.execute(sqlalchemy.text(update))
        gradebook.db.commit()
        rows = [cell.name for cell in gradebook.find_notebook("hw2", ASSIGNMENT).source_cells]
        assert rows.index("test_double") < rows.index("double")
    for course in courses.values():
        with Gradebook(course.course.db_url) as gradebook:
            gradebook.find_assignment(ASSIGNMENT).duedate = DUE
            gradebook.db.commit()
        hand_in(course)
        done = course.grade()
        assert done.returncode == 0, done.stderr
    return courses


@pytest.fixture(scope="module")
def in_postgresql(both: dict[str, ToyCourse]) -> ToyCourse:
    return both["postgresql"]


def results_of(course: ToyCourse) -> dict[str, StudentResult]:
    _, results = read_results(course.root, ASSIGNMENT)
    return {result.record.student: result for result in results}


def test_scores_and_problems_are_those_of_sqlite_cell_by_cell(both: dict[str, ToyCourse]) -> None:
    ours, theirs = (results_of(course) for course in both.values())
    assert len(ours) == 8
    assert ours == theirs
    assert both["postgresql"].test_scores("honest") == TESTS
    assert both["postgresql"].test_scores("wrong") == {**TESTS, "test_double": 0.0}
    assert ours["wrong"].record.seconds_late == 30.5 * 3600
    assert ours["broken"].status is Status.SUBMISSION_FAILED
    for student in ours:
        assert both["postgresql"].scores(student) == both["sqlite"].scores(student)


def test_an_honest_notebook_has_no_problem_and_one_that_was_moved_is_mended(
    in_postgresql: ToyCourse,
) -> None:
    results = results_of(in_postgresql)
    assert results["honest"].problems == ()
    assert results["moved"].record.auto_total == FULL_MARKS
    assert any("moved" in problem.message for problem in results["moved"].problems)
    assert not any("moved" in str(cell) for cell in in_postgresql.graded("honest").cells)


def test_the_report_is_the_same(both: dict[str, ToyCourse]) -> None:
    ours, theirs = (report(course.root, ASSIGNMENT, 160) for course in both.values())
    assert ours == theirs
    assert "1 d 6 h" in ours


def test_the_plots_page_is_made(in_postgresql: ToyCourse, tmp_path: Path) -> None:
    page = write_plots_page(in_postgresql.root, ASSIGNMENT, tmp_path / "plots.html")
    assert "王小明" in page.read_text(encoding="utf-8")


def test_the_statistics_and_similar_answers_are_the_same(
    both: dict[str, ToyCourse], tmp_path: Path
) -> None:
    tables: dict[str, list[str]] = {}
    for name, course in both.items():
        out = tmp_path / name / "page.html"
        _, *written = write_statistics(course.root, ASSIGNMENT, out, students=False)
        write_similarity(course.root, ASSIGNMENT, out.with_name("alike.html"), 5)
        written.append(out.with_name("alike.csv"))
        tables[name] = [path.read_text(encoding="utf-8") for path in written]
    one, other = tables.values()
    assert one == other
    assert "test_triple" in one[0]


def test_feedback_and_the_export_have_the_scores(both: dict[str, ToyCourse]) -> None:
    tables = []
    for course in both.values():
        done = run(course.root, "generate_feedback", ASSIGNMENT)
        assert done.returncode == 0, done.stderr
        page = (course.course.feedback("honest", ASSIGNMENT) / "hw2.html").read_text("utf-8")
        assert f"<b>{FULL_MARKS:g}</b> of 15 points" in page
        done = run(course.root, "export", "--to=grades.csv")
        assert done.returncode == 0, done.stderr
        with (course.root / "grades.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        tables.append(sorted(rows, key=lambda row: row["student_id"]))
    assert tables[0] == tables[1]
    scores = {row["student_id"]: float(row["score"]) for row in tables[0]}
    assert scores["honest"] == FULL_MARKS


def test_reading_changes_nothing(in_postgresql: ToyCourse, tmp_path: Path) -> None:
    def rows() -> Any:
        """Every row with the transaction that wrote it."""
        url = in_postgresql.course.db_url
        with psycopg.connect(libpq(url), autocommit=True) as connection:
            query = "SELECT relname FROM pg_stat_user_tables ORDER BY relname"
            tables = [name for (name,) in connection.execute(query)]
            return {
                name: sorted(connection.execute(f"SELECT xmin::text, t::text FROM {name} t"))
                for name in tables
            }

    before = rows()
    assert "grade" in before
    report(in_postgresql.root, ASSIGNMENT, 160)
    write_plots_page(in_postgresql.root, ASSIGNMENT, tmp_path / "plots.html")
    assert rows() == before


def libpq(db_url: str) -> str:
    return db_url.replace("postgresql+psycopg", "postgresql")


def test_a_gradebook_that_is_not_there_is_named_without_its_password(
    database: str, postgresql: Server, tmp_path: Path
) -> None:
    empty = postgresql.new_database()
    nowhere = database.replace("/gradebook_", "/no_gradebook_") + "&application_name=secret2"
    for url, said in ((empty, "generate_assignment"), (nowhere, "does not exist")):
        (tmp_path / "nbgrader_config.py").write_text(f"c.CourseDirectory.db_url = {url!r}")
        with pytest.raises(NoScores, match=said) as caught:
            read_results(tmp_path, ASSIGNMENT)
        assert "postgresql+psycopg://grader:***@/" in str(caught.value)
        assert PASSWORD not in str(caught.value)
        assert "secret2" not in str(caught.value)
        assert caught.value.__cause__ is None
    with postgresql.connect(sqlalchemy.make_url(empty).database or "") as connection:
        tables = connection.execute("SELECT relname FROM pg_stat_user_tables").fetchall()
    assert tables == []


@pytest.fixture
def fresh(generated: ToyCourse, postgresql: Server, tmp_path: Path) -> ToyCourse:
    """The generated course with a gradebook of its own."""
    return with_own_gradebook(generated, postgresql, tmp_path / "course")


@pytest.fixture
def graded_url(in_postgresql: ToyCourse, postgresql: Server) -> str:
    """The address of a copy of the graded class's gradebook."""
    return postgresql.new_database(in_postgresql.course.db_url)


def test_two_graders_that_save_the_same_students_at_once_both_succeed(
    in_postgresql: ToyCourse, graded_url: str
) -> None:
    """Each grader saves every student many times, while indexes are made and removed again."""
    students = ["honest", "wrong", "moved", "deleted"]
    notebooks = {student: in_postgresql.graded(student) for student in students}
    failed: list[BaseException] = []
    start = threading.Barrier(3)

    def save(order: list[str]) -> None:
        try:
            start.wait()
            for student in order * 10:
                ids = {"notebook": "hw2", "assignment": ASSIGNMENT, "student": student}
                nb = copy.deepcopy(notebooks[student])
                SaveScores().preprocess(nb, {"nbgrader": {**ids, "db_url": graded_url}})
        except BaseException as error:
            failed.append(error)

    def index() -> None:
        try:
            start.wait()
            for _ in range(20):
                with psycopg.connect(libpq(graded_url), autocommit=True) as connection:
                    connection.execute("DROP INDEX IF EXISTS hw_grading_grade_notebook_id")
                    connection.execute("DROP INDEX IF EXISTS hw_grading_comment_notebook_id")
                add_indexes(graded_url)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=save, args=(students,))]
    threads += [threading.Thread(target=save, args=(students[::-1],))]
    threads += [threading.Thread(target=index)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with Gradebook(graded_url) as gradebook:
        for student in students:
            saved = gradebook.find_submission_notebook("hw2", ASSIGNMENT, student)
            assert {grade.name: grade.auto_score for grade in saved.grades} == (
                in_postgresql.scores(student)
            )


def test_two_runs_that_make_the_same_indexes_at_once_both_succeed(fresh: ToyCourse) -> None:
    failed: list[BaseException] = []
    start = threading.Barrier(4)

    def index() -> None:
        try:
            start.wait()
            add_indexes(fresh.course.db_url)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=index) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    indexes = sqlalchemy.inspect(sqlalchemy.create_engine(fresh.course.db_url)).get_indexes("grade")
    assert "hw_grading_grade_notebook_id" in {index["name"] for index in indexes}


def test_a_longer_wait_is_for_files_only(database: str) -> None:
    assert with_long_wait(database) == database
    assert with_long_wait("sqlite:////c/a b.db") == "sqlite:////c/a b.db?timeout=600"
    assert with_long_wait("sqlite:////c/a.db?timeout=5") == "sqlite:////c/a.db?timeout=5"


def test_an_older_gradebook_uses_the_order_of_the_source(fresh: ToyCourse) -> None:
    source = fresh.course.source(ASSIGNMENT) / "hw2.ipynb"
    cells = nbformat.read(source, as_version=4).cells
    names = [c.metadata.nbgrader.grade_id for c in cells if "nbgrader" in c.metadata]
    with Gradebook(fresh.course.db_url) as gradebook:
        for change in (
            "DROP TABLE hw_grading_cell_order",
            "UPDATE source_cell SET source = source WHERE name = 'double'",
        ):
            gradebook.db.execute(sqlalchemy.text(change))
        gradebook.db.commit()
        by_source = instructor_cells(gradebook, ASSIGNMENT, "hw2", source)
        by_rows = instructor_cells(gradebook, ASSIGNMENT, "hw2")
    assert [cell.grade_id for cell in by_source] == names
    assert by_rows[-1].grade_id == "double"


def test_a_name_too_long_for_nbgraders_tables_blocks_nobody_else(fresh: ToyCourse) -> None:
    fresh.submit("ada", fresh.answered)
    fresh.submit(LONG, fresh.answered)
    done = fresh.grade()
    assert done.returncode != 0
    assert "its name has more than 128 characters" in done.stderr
    assert fresh.test_scores("ada") == TESTS


def test_a_connection_that_the_server_has_ended_is_opened_again(postgresql: Server) -> None:
    url = postgresql.new_database()
    with one_engine():
        with Gradebook(url) as gradebook:
            gradebook.add_student("ann")
        name = sqlalchemy.make_url(url).database
        with postgresql.connect() as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            assert ended.fetchall() == [(True,)]
        with Gradebook(url) as gradebook:
            assert [student.id for student in gradebook.students] == ["ann"]
