"""`hw-grading remove` leaves nothing of a student in any table or file, and all of the others."""

import json
from pathlib import Path

import pytest
from by_hand import ASSIGNMENT, make_course
from graded_course import PASSED, run_of
from sqlalchemy import func, insert, select

from hw_grading.__main__ import main
from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.collected import (
    Collected,
    CollectedRecord,
    read_collected,
    write_collected,
)
from hw_grading.gradebook.database import Database
from hw_grading.gradebook.given import read_exports
from hw_grading.gradebook.model import Mark
from hw_grading.gradebook.requests import Sent, take
from hw_grading.gradebook.runs import remember, save_run, source_digest
from hw_grading.gradebook.tables import (
    ABSENCES,
    COMMENTS,
    CORRECTIONS,
    EXTENSIONS,
    METADATA,
    SECOND_MARKS,
    now,
)
from hw_grading.homework.course import Course

STUDENTS = ("ada", "ada2")
_AUTHOR = {"reason": "x", "author": "kim", "at": now()}


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course with something of both students in each place."""
    course = make_course(tmp_path / "course", *STUDENTS)
    grading = course.root / "grading"
    records = {one: CollectedRecord(f"{one}.ipynb", "Canvas", "0", 1) for one in STUDENTS}
    write_collected(course, ASSIGNMENT, Collected(records))
    export = {"canvas": {"file": "/x.csv", "scores": dict.fromkeys(STUDENTS, "3")}}
    lines = [f"{json.dumps({'student': one, 'end': 'graded'})}\n" for one in STUDENTS]
    files = {
        f"exported/{ASSIGNMENT}.json": json.dumps(export),
        f"{ASSIGNMENT}.jsonl": "".join(lines),
        "regrades/ps.csv": 'student,message\nada,"one\ntwo"\nada2,three\n',
        **{f"collected/{ASSIGNMENT}/{one}/0.ipynb": "an older one" for one in STUDENTS},
    }
    for name, content in files.items():
        path = grading / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    book = ManualGrading(course, ASSIGNMENT)
    revision = book.rubric("why").revision
    for one in STUDENTS:
        for step in (course.submitted, course.autograded, course.feedback):
            step(one, ASSIGNMENT).mkdir(parents=True, exist_ok=True)
            (step(one, ASSIGNMENT) / "a.ipynb").write_text("a notebook")
        version = {one: book.grading("why", one).version}
        book.save("why", version, Mark(done=True), grader="kim", rubric_revision=revision)
    book.close()
    with Database(course.db_url).writing() as connection:
        for one in STUDENTS:
            save_run(connection, ASSIGNMENT, one, run_of(None, [PASSED]))
            remember(connection, ASSIGNMENT, one, {"why": source_digest(one)})
            key = {"assignment": ASSIGNMENT, "student": one, **_AUTHOR}
            for table in (EXTENSIONS, ABSENCES):
                connection.execute(insert(table).values(key))
            more = {"cell": "why", "kind": "add", "points": 1.0}
            connection.execute(insert(CORRECTIONS).values(key | more))
            said = {"cell": "why", "line": 0, "text": "x", "grader": "kim", "digest": ""}
            those = {name: key[name] for name in ("assignment", "student", "at")}
            connection.execute(insert(COMMENTS).values(those | said))
            second = {"cell": "why", "grader": "kim", "first_grader": "lee", "taken": ""}
            second |= {"revision": 1, "mark": "{}", "first": "{}", "digest": ""}
            connection.execute(insert(SECOND_MARKS).values(those | second))
    sent = [Sent(one, one, _request(one)) for one in STUDENTS]
    assert len(take(course, ASSIGNMENT, sent, {}).rows) == len(STUDENTS)
    return course


def _request(student: str) -> bytes:
    file = {
        "homework": ASSIGNMENT,
        "student": student,
        "questions": {"why": {"text": "Why?", "version": ""}},
    }
    return json.dumps(file).encode()


def rows(course: Course, student: str) -> dict[str, int]:
    """Return how many rows of a student each of our tables has."""
    found = {}
    with Database(course.db_url).reading() as connection:
        for table in METADATA.sorted_tables:
            if "student" in table.c:
                query = select(func.count()).where(table.c.student == student)
                found[table.name] = connection.scalar(query) or 0
    return found


def test_nothing_of_the_student_stays_and_all_of_the_others(course, capsys):
    before = rows(course, "ada2")
    assert sum(count > 0 for count in before.values()) == len(before) - 1  # but leases
    assert main(["--course", str(course.root), "remove", "ada", "--yes"]) == 0
    assert "removed: gradebook: 11 rows of runs, marks" in capsys.readouterr().out
    assert set(rows(course, "ada").values()) == {0}
    assert rows(course, "ada2") == before
    paths = [path for path in course.root.rglob("*") if path.name != "gradebook.db"]
    assert [path for path in paths if path.name == "ada"] == []
    assert len([path for path in paths if path.name == "ada2"]) == 4
    texts = {path: path.read_text() for path in paths if path.suffix in (".json", ".jsonl", ".csv")}
    assert sum("ada2" in text for text in texts.values()) == 4
    assert [path for path, text in texts.items() if "ada" in text.replace("ada2", "")] == []
    assert [*read_collected(course, ASSIGNMENT).students] == ["ada2"]
    assert read_exports(course, ASSIGNMENT)["canvas"].scores == {"ada2": "3"}

    assert main(["--course", str(course.root), "remove", "ada", "--yes"]) == 2
    assert "has nothing of a student 'ada'" in capsys.readouterr().err


def test_an_id_is_no_path_and_nothing_is_removed_without_a_yes(course, capsys, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda _: "")
    before = sorted(course.root.rglob("*"))
    assert main(["--course", str(course.root), "remove", "../ada", "--yes"]) == 2
    assert main(["--course", str(course.root), "remove", "ada"]) == 0
    assert "Nothing was removed." in capsys.readouterr().out
    assert sorted(course.root.rglob("*")) == before
