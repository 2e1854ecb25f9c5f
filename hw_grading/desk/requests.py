"""The page of requests: what students ask about their points, how it was graded, and the replies.

Texts of students are sent as they are, and shown as texts.
"""

from dataclasses import replace
from typing import Any

from sqlalchemy import select

from hw_grading.desk import reading
from hw_grading.desk.desks import HomeworkDesk, NotThere
from hw_grading.gradebook import requests
from hw_grading.gradebook.database import Database
from hw_grading.gradebook.requests import requests_in, versions_of
from hw_grading.gradebook.results import read_results
from hw_grading.gradebook.scores import comments_in, open_gradebook
from hw_grading.gradebook.tables import MARKS, matching
from hw_grading.mistakes.groups import answers_to_tests, code_of
from hw_grading.texts import cut, without_codes, without_controls

_LONGEST_CODE = 20_000  # characters
Json = dict[str, Any]


def queue(desk: HomeworkDesk, grader: str, student: str | None = None) -> list[Json]:
    """Return all requests, or a student's: the open ones first, the oldest of them first.

    What this grader has graded comes after the others if somebody else grades too.
    """
    course, name = desk.course, desk.assignment
    results = read_results(course, name, student, with_parts=False)
    with open_gradebook(course.db_url, name) as (db, _):
        asked, comments = requests_in(db, name, student), comments_in(db, name, student)
        marks = select(MARKS.c.grader).where(matching(MARKS, {"assignment": name}), MARKS.c.done)
        others = sorted({row.grader for row in db.execute(marks)} - {grader, ""})
    cells, tested = {cell.name: cell for cell in results.cells}, answers_to_tests(course, name)
    rows = []
    for who, of_student in asked.items():
        if who not in results.students:  # nbgrader's own command has removed the student
            continue
        result = results.of(who)
        versions = versions_of(result, comments.get(who, {}), tested)
        for cell, one in of_student.items():
            is_yours = bool(others) and one.graded_by == grader
            about = {
                "name": result.student.name,
                "title": str(results.places[cell]),
                "points": result.points(cell),
                "max_points": cells[cell].max_points if cell in cells else 0.0,
                "by_hand": cell in cells and cells[cell].by_hand,
                "older": one.older(versions[cell]) if one.is_open and cell in versions else "",
                "others": others if is_yours and one.is_open else [],
                "reply_html": reading.comment_html(one.reply),
            }
            rows.append(vars(one) | about)
    rows.sort(key=lambda row: (row["replied_at"] is not None, bool(row["others"]), row["at"]))
    return rows


def details(desk: HomeworkDesk, cell: str, student: str) -> Json:
    """Return how an answer was graded: by people with the history, by a test with its parts."""
    desk.expect_student(student)
    results = read_results(desk.course, desk.assignment, student)
    known = next((one for one in results.cells if one.name == cell), None)
    if known is None:
        raise NotThere(f"{desk.assignment} has no cell {cell!a} with points.")
    changes = [
        {"author": correction.author, "reason": correction.reason, "points": correction.points}
        for correction in results.of(student).corrections
        if correction.cell == cell
    ]
    if known.by_hand:
        answer = reading.answer(desk, cell, student)
        return {"changes": changes, "answer": answer, "events": desk.book.history(cell, student)}
    run = results.of(student).run
    answers = answers_to_tests(desk.course, desk.assignment).get(cell, ())
    code = code_of(desk.course, desk.assignment, student, answers)
    parts = run.parts_of(cell) if run else []
    return {
        "changes": changes,
        "code": cut(without_controls(without_codes(code)), _LONGEST_CODE),
        "parts": [replace(part, message=without_controls(part.message)) for part in parts],
    }


def reply(desk: HomeworkDesk, cell: str, student: str, grader: str, **said: Any) -> Json:
    """Reply to a request, as `hw_grading.gradebook.requests.reply`; return its new row."""
    database = Database(desk.course.db_url)
    try:
        requests.reply(database, desk.assignment, cell, student, grader=grader, **said)
    finally:
        database.close()
    return next(row for row in queue(desk, grader, student) if row["cell"] == cell)
