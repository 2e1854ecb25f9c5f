"""The scores and comments in nbgrader's own tables, for the answers to one question."""

from dataclasses import dataclass
from typing import Any

from nbgrader import api
from sqlalchemy import Row, Table, select, update

from hw_grading.rubrics.rows import Rows

_tables = api.Base.metadata.tables
_ASSIGNMENT, _SOURCE, _CELL = (_tables[name] for name in ("assignment", "notebook", "base_cell"))
_SUBMISSION, _NOTEBOOK = _tables["submitted_assignment"], _tables["submitted_notebook"]
_GRADE, _COMMENT = _tables["grade"], _tables["comment"]


@dataclass(frozen=True)
class Given:
    """One answer in nbgrader's tables; `grade` and `comment` are the keys of its rows."""

    grade: str
    comment: str | None
    score: float | None
    auto: float | None
    waits: bool
    text: str | None


def read_given(rows: Rows, student: str | None = None, *, lock: bool = False) -> dict[str, Given]:
    """Return the contents of nbgrader's tables, by student; `lock` locks the rows."""
    here = _ASSIGNMENT.c.name == rows.assignment
    whose = select(_NOTEBOOK.c.id, _SUBMISSION.c.student_id)
    whose = whose.select_from(_NOTEBOOK.join(_SUBMISSION).join(_ASSIGNMENT))
    if student is not None:
        whose = whose.where(_SUBMISSION.c.student_id == student)
    students = {row[0]: row[1] for row in rows.connection.execute(whose.where(here))}
    cells = select(_CELL.c.id).select_from(_CELL.join(_SOURCE).join(_ASSIGNMENT))
    keys = list(rows.connection.scalars(cells.where(here, _CELL.c.name == rows.cell)))

    def by_notebook(table: Table) -> dict[str, Row[Any]]:
        query = select(table).where(table.c.cell_id.in_(keys))
        if student is not None:
            query = query.where(table.c.notebook_id.in_(list(students)))
        if lock:
            query = query.with_for_update()  # SQLite has already locked the whole database
        found = rows.connection.execute(query)
        return {row.notebook_id: row for row in found if row.notebook_id in students}

    grades, comments = by_notebook(_GRADE), by_notebook(_COMMENT)
    given = {}
    for notebook, row in grades.items():
        comment = comments.get(notebook)
        key, text = (comment.id, comment.manual_comment) if comment else (None, None)
        scores = (row.manual_score, row.auto_score, bool(row.needs_manual_grade))
        given[students[notebook]] = Given(row.id, key, *scores, text)
    return given


def give(rows: Rows, given: Given, score: float | None, text: str | None, *, waits: bool) -> None:
    """Write nbgrader's score and comment."""
    grade = update(_GRADE).where(_GRADE.c.id == given.grade)
    rows.connection.execute(grade.values(manual_score=score, needs_manual_grade=waits))
    if given.comment is not None:
        comment = update(_COMMENT).where(_COMMENT.c.id == given.comment)
        rows.connection.execute(comment.values(manual_comment=text or None))
