"""What the desk shows of several graders: shares, second marks, and the comparison of graders."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hw_grading.analysis.closing import still_open
from hw_grading.analysis.graders import differences, habits, on_the_same
from hw_grading.desk import reading
from hw_grading.desk.desks import HomeworkDesk, NotThere
from hw_grading.desk.reading import Json, grading_json
from hw_grading.gradebook.model import Grading, Question
from hw_grading.gradebook.second_marks import Marked, Pair
from hw_grading.gradebook.shares import Share, owners

# What a page of second marks gets of an answer: all that says nothing of the first mark.
_OF_AN_ANSWER = (
    *("student", "name", "status", "reason", "late", "empty", "missing", "lacks"),
    *("hints", "html", "beside", "numbers", "digest"),
)
_OF_A_ROW = (
    *("student", "name", "missing", "failed", "lacks", "hints"),
    *("digest", "empty", "pictures", "excerpt", "error"),
)


def overview(desk: HomeworkDesk, grader: str) -> Json:
    """Return the progress of each question, what is open, and the students.

    Of a question, `now` is who has an answer open, `second` how many answers wait for this grader's
    second mark, and `shares` what each grader's share is.
    """
    known, results = desk.answers.known(), desk.answers.roster()
    here, shares = desk.book.graders(), desk.book.shares()

    def progress(question: Question) -> Json:
        cell = question.cell
        gradings, own = desk.book.both_gradings(cell, grader)
        return {
            **reading.summary(desk, question, gradings),
            "now": here.get(cell, []),
            "second": sum(one.waits for one in own.values()),
            "shares": _shares(desk, cell, shares.get(cell, []), gradings),
        }

    return {
        "grader": grader,
        "questions": [progress(question) for question in desk.questions()],
        "open": [asdict(one) for one in still_open(results)],
        "students": [{"student": s, "name": name} for s, name in desk.book.names().items()],
        "reading": {"read": len(known), "of": len(results.handed_in)},
    }


def _shares(
    desk: HomeworkDesk, cell: str, shares: Sequence[Share], gradings: Mapping[str, Grading]
) -> list[Json]:
    """Return how much of each grader's share is done."""
    found = {share.grader: {"done": 0, "of": 0} for share in sorted(shares)}
    of_whom = owners(shares, desk.book.order(cell, gradings), desk.sections)
    for student, grader in of_whom.items():
        found[grader]["done"] += not gradings[student].waits
        found[grader]["of"] += 1
    return [{"grader": grader, **counts} for grader, counts in found.items()]


def comparison(desk: HomeworkDesk, grader: str) -> Json:
    """Return how graders mark each question, and where two of them differ."""
    shares = desk.book.shares()
    return {
        "is_head": desk.book.is_head(grader),
        "sections": sorted({*desk.sections().values()}),
        "questions": [
            _of_question(desk, question) | {"shares": shares.get(question.cell, [])}
            for question in desk.questions()
        ],
    }


def _of_question(desk: HomeworkDesk, question: Question) -> Json:
    cell = question.cell
    firsts, pairs = desk.book.marked(cell)
    items = desk.book.rubric(cell).items
    place = {s: n for n, s in enumerate(desk.book.order(cell, desk.book.gradings(cell)), 1)}
    on_all = habits(firsts.values())
    unlike = [pair for pair in pairs if _given(pair.first) != _given(pair.second)]
    unlike.sort(key=lambda pair: (pair.taken != "", -abs(pair.first.points - pair.second.points)))
    return {
        "cell": cell,
        "title": question.title,
        "max_points": question.max_points,
        "items": items,
        "all": on_all,
        "same": on_the_same(pairs),
        "differences": differences(on_all, [item.id for item in items]),
        "pairs": [_pair(pair) | {"place": place[pair.student]} for pair in unlike],
    }


def _given(one: Marked) -> tuple[Any, ...]:
    return one.mark.chosen, one.mark.adjustment


def _pair(pair: Pair) -> Json:
    now = {name: getattr(pair.now, name) for name in ("score", "grader", "version", "waits")}
    return {
        "student": pair.student,
        "marks": [_mark(pair.first), _mark(pair.second)],
        "taken": pair.taken,
        "now": now,
    }


def _mark(one: Marked) -> Json:
    return {"grader": one.grader, "points": one.points, **one.mark.plain()}


# -- second marks


def second_question(desk: HomeworkDesk, cell: str, grader: str) -> Json:
    """Return what `reading.question` does, of the answers that a grader marks a second time.

    Neither it nor `second_answer` has anything of the first mark.
    """
    own = desk.book.second_gradings(cell, grader)
    whole = reading.question(desk, cell)
    rows = [row for row in whole["students"] if row["student"] in own]
    return {
        **{name: whole[name] for name in ("question", "rubric", "reading")},
        "students": [
            {name: row[name] for name in _OF_A_ROW} | _state(own[row["student"]]) for row in rows
        ],
        "comments": [],
        "same": [],
        "similar": [],
    }


def second_answer(desk: HomeworkDesk, cell: str, student: str, grader: str) -> Json:
    """Return an answer with the grader's own second mark."""
    own = desk.book.second_gradings(cell, grader).get(student)
    if own is None:
        raise NotThere("You do not mark this answer a second time.")
    whole = reading.answer(desk, cell, student)
    shown = {name: whole[name] for name in _OF_AN_ANSWER}
    return shown | {"given_html": "", "grading": grading_json(own)}


def _state(grading: Grading) -> Json:
    return {
        "graded": not grading.waits,
        "flagged": grading.mark.flagged,
        "score": grading.score,
        "changed": grading.changed,
        "overridden": False,
        "version": grading.version,
        "chosen": sorted(grading.mark.chosen),
        "grader": "",
    }
