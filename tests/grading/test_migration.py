"""A gradebook of version 2.0 says the same after its tables were replaced, and loses nothing."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from by_hand import ASSIGNMENT, grade_of, make_course
from nbgrader import api
from sqlalchemy import create_engine, inspect

from hw_grading.gradebook.book import GradeBook
from hw_grading.gradebook.corrections import Correction, corrections_in, undo
from hw_grading.gradebook.database import Database, Unavailable
from hw_grading.gradebook.extensions import Extension, extensions_in, grant, remove
from hw_grading.gradebook.model import Refused
from hw_grading.gradebook.runs import digests_before
from hw_grading.gradebook.scores import open_gradebook, submissions_in
from hw_grading.homework.course import Course

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # from nbgrader's code

OLD = Path(__file__).with_name("gradebook_2_0.sql")
SAID: dict[str, Any] = json.loads(OLD.with_suffix(".json").read_text())


@pytest.fixture
def course(tmp_path: Path) -> Course:
    course = make_course(tmp_path / "course", [])
    path = course.folder / "gradebook.db"
    path.unlink()
    with sqlite3.connect(path) as gradebook:
        gradebook.executescript(OLD.read_text())
    return course


def change(course: Course, statement: str) -> None:
    """Change the old gradebook."""
    with sqlite3.connect(course.folder / "gradebook.db") as gradebook:
        gradebook.execute(statement)


@pytest.fixture
def book(course: Course) -> Iterator[GradeBook]:
    book = GradeBook(course, ASSIGNMENT)
    yield book
    book.close()


def plain(value: object) -> Any:
    """Return data as JSON has it."""
    text = json.dumps(value, default=lambda v: sorted(v) if isinstance(v, frozenset) else str(v))
    return json.loads(text)


def corrections(course: Course) -> list[Correction]:
    with open_gradebook(course.db_url, ASSIGNMENT) as (db, _):
        return corrections_in(db, ASSIGNMENT, undone=True)


def names_of_tables(course: Course) -> set[str]:
    engine = create_engine(course.db_url)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_rubrics_marks_flags_and_history_are_the_same(book):
    rubric = plain(asdict(book.rubric("why")))
    assert rubric == {name: SAID["rubric"][name] for name in rubric}
    gradings = {name: asdict(one) for name, one in book.gradings("why").items()}
    assert plain(gradings) == SAID["gradings"]
    events = plain([asdict(event) for event in book.history("why")])
    assert events == [one if one["student"] else one | {"what": ""} for one in SAID["history"]]
    flagged = [one.student for one in book.gradings("why").values() if one.mark.flagged]
    assert flagged == ["ben"]
    with book._database.reading() as connection:
        before = digests_before(connection, ASSIGNMENT, "eve")
    assert before == {"why": "d" * 64, "": "7"}


def test_saves_of_before_are_taken_back(course, book):
    with pytest.raises(Refused, match="in formgrader"):  # the latest save of kim
        book.undo("why", grader="kim")
    assert grade_of(course, "ben") == (2, True)
    book.undo("why", grader="lee")
    assert grade_of(course, "ben") == (None, True)
    book.undo_rubric("why", grader="lee")
    assert "chooses a $\\delta$." in [item.text for item in book.rubric("why").items]
    assert grade_of(course, "ada") == (3, False)  # the first item has two points again


def test_a_rubric_that_took_points_off_begins_with_all_points(course, book):
    change(course, "UPDATE desk_rubric SET kind = 'subtracting'")
    first, *_ = book.rubric("why").items
    assert (first.points, first.text) == (4, "All points, before those taken off")
    mark = book.gradings("why")["ada"].mark
    assert first.id in mark.chosen
    assert book.rubric("why").score(mark, 9) == 4 + 2.5  # of the items, and what it began with


def test_due_dates_are_the_same_and_extensions_are_ours(course):
    with open_gradebook(course.db_url, ASSIGNMENT) as (db, _):
        assert {one.student: str(one.due) for one in submissions_in(db).values()} == SAID["due"]
        found = {s: one for (_, s), one in extensions_in(db, ASSIGNMENT).items()}
    assert {s: (one.seconds, one.slip, one.author) for s, one in found.items()} == {
        "ada": (86400, None, "kim"),
        "ben": (43200, None, "nbgrader"),
        "cyd": (172800, 2, "kim"),
        "dan": (None, 1, "kim"),
        "eve": (None, None, "kim"),
        "fay": (7200, None, "kim"),
    }
    assert str(found["eve"].until) == SAID["due"]["eve"]
    database = Database(course.db_url)
    grant(database, [Extension(ASSIGNMENT, "ben", seconds=60.0)], "kim")
    assert remove(database, ASSIGNMENT, ["ada"]) == []
    with api.Gradebook(course.db_url) as gradebook:
        of = {one: gradebook.find_submission(ASSIGNMENT, one).extension for one in ("ada", "ben")}
    assert of == {"ada": None, "ben": timedelta(minutes=1)}


def test_corrections_are_the_same_and_numbers_go_on(course, book):
    change(
        course, "ALTER TABLE hw_grading_correction ADD COLUMN beyond BOOLEAN"
    )  # a column that an early version 2.0 had
    found = plain([asdict(one) for one in corrections(course)])
    assert found == [one | {"student": ""} for one in SAID["corrections"]]
    assert book.correct_student("why", "ada", 4, "regraded", "kim") == 4
    undo(Database(course.db_url), ASSIGNMENT, 1, "kim")
    assert [one.undone_by for one in corrections(course)] == ["kim", "lee", None, None]


def test_several_processes_at_once_move_the_rows_once(course):
    failures: list[BaseException] = []

    def read() -> None:
        try:
            assert len(corrections(course)) == 3
            Database(course.db_url).make_tables()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert not [name for name in names_of_tables(course) if name.startswith("desk_")]
    assert len([n for n in names_of_tables(course) if n.startswith("hw_grading_")]) <= 7


def test_if_a_row_cannot_be_moved_all_stays_as_it_was(course):
    change(course, "DROP TABLE desk_applied")
    before = names_of_tables(course)
    with pytest.raises(Unavailable):
        GradeBook(course, ASSIGNMENT).rubric("why")
    assert names_of_tables(course) == before


def test_nbgraders_own_extensions_are_taken_over_once(tmp_path):
    """In a course that has used only nbgrader until now."""
    course = make_course(tmp_path / "course", ["ada", "ben"])
    with api.Gradebook(course.db_url) as gradebook:
        gradebook.grant_extension(ASSIGNMENT, "ada", hours=5)
    database = Database(course.db_url)
    database.make_tables()
    with api.Gradebook(course.db_url) as gradebook:
        gradebook.grant_extension(ASSIGNMENT, "ben", hours=5)
    database.make_tables()
    with database.reading() as connection:
        found = extensions_in(connection, ASSIGNMENT).values()
    assert [(one.student, one.seconds, one.author) for one in found] == [("ada", 18000, "nbgrader")]
