"""The page of any answer of a student: its lines, the parts of its tests, comments, corrections."""

import functools
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hw_grading.desk.desks import HomeworkDesk, NotThere
from hw_grading.desk.reading import (
    Json,
    comment_html,
    of_submission,
    or_text,
    results_of,
    tests_of,
    used_before,
    why_missing,
)
from hw_grading.gradebook.comments import Comment, Said
from hw_grading.gradebook.runs import source_digest
from hw_grading.homework.layout import ANSWER
from hw_grading.homework.notebook import Cell, Notebook
from hw_grading.notebooks import size_and_time
from hw_grading.outcome import PartResult
from hw_grading.rendering.answers import code_html, outputs_html, text_html
from hw_grading.rendering.limits import PageLimits
from hw_support.submission.cells import text_of
from hw_support.submission.problems import plain

_LONGEST = 1_000  # characters of a part's message


def expect_answer(desk: HomeworkDesk, cell: str) -> None:
    """Raise `NotThere` if the homework has no answer with this grade id."""
    if cell not in (answers := _answers(desk)):
        raise NotThere(f"{desk.assignment} has no such answer. It has: {', '.join(answers)}.")


def shown(desk: HomeworkDesk, cell: str, student: str) -> Json:
    """Return an answer with its tests' parts, what graders said of it, and its neighbours."""
    expect_answer(desk, cell)
    name, answers = desk.name_of(student), _answers(desk)
    submission, cells = desk.answers.read(student)
    results = results_of(desk, student)
    result, about = results.of(student), answers[cell]
    by_hand = any(question.cell == cell for question in desk.questions())
    found, limits = cells.get(cell, {}), PageLimits()
    source = text_of(found.get("source"))
    digest = source_digest(source)
    order = list(answers)
    here = order.index(cell)
    parts = result.run.parts if result.run else ()
    return {
        "name": name,
        **of_submission(submission),
        "title": str(about.place),
        "by_hand": by_hand,
        "missing": "" if found else why_missing(submission),
        "lines": _lines(source, limits) if about.is_code else [],
        "html": or_text(outputs_html if about.is_code else _text, found, limits),
        "digest": digest,
        "comments": [_comment(one, digest) for one in result.comments if one.cell == cell],
        "used": used_before(desk, cell, desk.book.gradings(cell) if by_hand else {}),
        "events": desk.book.history_of_any(cell, student),
        "tests": [
            test | {"parts": [_part(part) for part in parts if part.cell == test["cell"]]}
            for test in tests_of(desk, results, student)
            if cell in test["answers"]
        ],
        "errors": [plain(part.message, _LONGEST) for part in parts if part.cell == cell],
        "previous": order[here - 1] if here else None,
        "next": order[here + 1] if here + 1 < len(order) else None,
    }


def comment(desk: HomeworkDesk, cell: str, student: str, said: Said, grader: str) -> Json:
    """Save or remove a comment; return the answer as it is then."""
    expect_answer(desk, cell)
    desk.expect_student(student)
    desk.book.comment(cell, student, said, grader)
    return shown(desk, cell, student)


def _answers(desk: HomeworkDesk) -> dict[str, Cell]:
    """Return the answers of the instructor's notebooks in their order, by grade id."""
    paths = desk.course.notebooks_in(desk.course.source(desk.assignment), desk.assignment)
    found: dict[str, Cell] = {}
    for path in filter(Path.exists, paths):
        found |= _answers_in(path, size_and_time(path))
    return found


@functools.lru_cache(maxsize=20)
def _answers_in(path: Path, _: object) -> dict[str, Cell]:
    cells = Notebook.read(path).cells
    return {cell.grade_id: cell for cell in cells if cell.kind == ANSWER and cell.grade_id}


def _lines(source: str, limits: PageLimits) -> list[str]:
    """Return each line of code as HTML."""
    lines = code_html(source, limits, nowrap=True).split("\n") if source.strip() else []
    return list(lines[: source.count("\n") + 1])  # pygments ends the last line


def _text(cell: Mapping[str, Any], limits: PageLimits) -> str:
    return text_html(text_of(cell.get("source")), cell.get("attachments"), limits)


def _part(one: PartResult) -> Json:
    names = ("points", "earned", "passed", "fresh", "is_whole")
    about = {name: getattr(one, name) for name in names}
    return about | {"name": plain(one.name, _LONGEST), "message": plain(one.message, _LONGEST)}


def _comment(one: Comment, digest: str) -> Json:
    html = comment_html(one.text)
    return asdict(one) | {"outdated": one.digest != digest, "html": html}
