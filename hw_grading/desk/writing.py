"""The changes that the desk's pages make, from a request's bytes to the answer's JSON.

A request may contain anything. pydantic makes the gradebook's own objects of it, or refuses it.
"""

from collections.abc import Mapping
from datetime import datetime
from re import fullmatch
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hw_grading.desk import any_answer, mistakes, requests
from hw_grading.desk.desks import HomeworkDesk, NotThere
from hw_grading.desk.reading import Json, comment_html, grading_json
from hw_grading.gradebook.comments import Said
from hw_grading.gradebook.model import (
    LONGEST_TEXT,
    Conflict,
    Grading,
    Mark,
    Refused,
    Rescored,
    Rubric,
    expect_text,
)
from hw_grading.gradebook.shares import Share
from hw_grading.mistakes.known import LONGEST_SENTENCE

LONGEST_BODY = 4_000_000  # bytes


class Body(BaseModel):
    """The content of a request."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class Name(Body):
    """The name of a grader."""

    name: str


class _Seen(Body):
    """What the grader saw: versions and digests of answers, by student, and the rubric."""

    versions: dict[str, str] = Field(min_length=1)
    digests: dict[str, Annotated[str, Field(pattern="^[0-9a-f]{0,64}$")]] = {}
    rubric_revision: int


class _Save(_Seen):
    mark: Mark


class _Items(_Seen):
    items: list[str]


class _Page(Body):
    """A page that shows an answer, by its random id."""

    page: str = Field(pattern="^[0-9a-f]{32}$")


class _Opening(_Page):
    student: str | None = None  # whose answer it opens; without one, where its grader goes on
    here: str = ""  # the student whose answer it has open
    helping: bool = False  # whether its grader leaves the own share


class _Shares(Body):
    shares: list[Share]


class _Decision(Body):
    student: str
    version: str  # of what counts, as the grader saw it
    whose: str  # the grader whose mark counts from now on


class _Redo(Body):
    whose: str  # the grader whose marks are put back


class _NewRubric(Body):
    rubric: Rubric


class _Comment(Body):
    student: str
    line: int = Field(ge=0, le=100_000)
    text: str = Field(max_length=LONGEST_TEXT)
    seen: datetime | None
    digest: str = Field(pattern="^[0-9a-f]{16}$")


class _Correction(Body):
    student: str
    points: float
    reason: str


class _Undo(Body):
    correction: int = Field(ge=0)


class _Sentence(Body):
    sentence: str = Field(max_length=LONGEST_SENTENCE)


class _Pardon(Body):
    plan: str  # of what the grader saw
    reason: str


class _Reply(Body):
    revision: int  # of the request that the grader saw
    words: str
    points: float | None = None


class _Text(Body):
    text: str = Field(max_length=LONGEST_TEXT)


_Body = TypeVar("_Body", bound=Body)


def body_of(raw: bytes, kind: type[_Body]) -> _Body:
    """Return what a request contains; `Refused` if it is anything else."""
    if (size := len(raw)) > LONGEST_BODY:
        raise Refused(f"The request has {size:,} bytes; at most {LONGEST_BODY:,} are allowed.")
    try:
        return kind.model_validate_json(raw or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise Refused(
            f"The server expected something else in the request: {where or 'all of it'}: "
            f"{first['msg']}. Load the page again."
        ) from None


def written(desk: HomeworkDesk, cell: str, what: str, then: str, raw: bytes, grader: str) -> Json:
    """Make one change, in a question or test or, if `cell` is "", in the homework.

    `what` and `then` are the words of the address before and after the question's grade id.
    `NotThere` if there is no such address or no such question.
    """
    book = desk.book
    if cell and what not in ("comment", "correct", "mistake", "pardon", "request"):
        desk.question(cell)
    match bool(cell), what, then:
        case True, "save", "":  # a mark for one answer or for several
            save = body_of(raw, _Save)
            return _saved(book.save(cell, save.versions, save.mark, **_seen(desk, save, grader)))
        case True, "items", "":  # adds items to several answers
            more = body_of(raw, _Items)
            return _saved(
                book.add_items(cell, more.versions, more.items, **_seen(desk, more, grader))
            )
        case True, "second", "":  # a second mark, which changes nothing that counts
            save = body_of(raw, _Save)
            return _saved(
                book.save_second(cell, save.versions, save.mark, **_seen(desk, save, grader))
            )
        case True, "share", "":  # shares a question out
            book.share_out(cell, body_of(raw, _Shares).shares, grader=grader)
            return {}
        case True, "decide", "":  # lets one of two marks count
            book.decide(cell, grader=grader, **dict(body_of(raw, _Decision)))
            return {}
        case True, "redo", "":  # puts all marks of a grader back
            back = book.redo(cell, body_of(raw, _Redo).whose, grader=grader)
            return {"back": list(back)}
        case True, "open", "":  # leases an answer to a page
            opening = dict(body_of(raw, _Opening))
            not_run, sections = desk.not_run(), desk.sections
            opened = book.open(cell, grader=grader, not_run=not_run, sections=sections, **opening)
            return vars(opened)
        case False, "leave", "":
            book.leave(body_of(raw, _Page).page)
            return {}
        case True, "undo", "":
            undone = book.undo(cell, grader=grader)
            return {"undone": {student: grading_json(one) for student, one in undone.items()}}
        case True, "rubric", "preview":
            return {"rescored": book.preview(cell, _rubric(raw))}
        case True, "rubric", "":
            return _changed(*book.change_rubric(cell, _rubric(raw), grader=grader))
        case True, "rubric", "undo":
            return _changed(*book.undo_rubric(cell, grader=grader))
        case True, "comment", "":  # on any answer, or on a line of it
            words = dict(body_of(raw, _Comment))
            return any_answer.comment(desk, cell, words.pop("student"), Said(**words), grader)
        case True, "correct", "":  # sets one student's points of a test
            new = body_of(raw, _Correction)
            key = book.correct_student(cell, new.student, new.points, new.reason, grader)
            return {"correction": key}
        case True, "correct", "undo":
            book.undo_correction(body_of(raw, _Undo).correction, grader)
            return {}
        case True, "mistake", group if group:  # names the mistake of a group, or takes its name
            return mistakes.name(desk, cell, group, body_of(raw, _Sentence).sentence)
        case True, "pardon", group if group:  # gives a group its points
            pardon = body_of(raw, _Pardon)
            return mistakes.pardon(desk, cell, group, pardon.plan, pardon.reason, grader)
        case True, "request", student if student:  # replies to it
            said = body_of(raw, _Reply)
            return requests.reply(desk, cell, student, grader, **dict(said))
        case False, "preview", "":  # shows a comment as students will read it
            text = body_of(raw, _Text).text
            expect_text(text)
            return {"html": comment_html(text)}
    raise NotThere("This page does not exist.")


def _seen(desk: HomeworkDesk, body: _Seen, grader: str) -> dict[str, Any]:
    """Return who saves, and what the grader saw."""
    if unknown := body.versions.keys() - desk.book.names().keys():
        raise NotThere(f"The gradebook has no answers of {min(unknown)!a}. Load the page again.")
    saw = {"rubric_revision": body.rubric_revision, "digests": body.digests}
    return {"grader": grader, **saw}


def _rubric(raw: bytes) -> Rubric:
    """Return a rubric from a request. A new item has the id ""."""
    rubric = body_of(raw, _NewRubric).rubric
    if not all(fullmatch("[0-9a-f]{0,32}", item.id) for item in rubric.items):
        raise Refused("The rubric has an item of another program. Load the page again.")
    return rubric


def _saved(results: Mapping[str, Grading | Conflict]) -> Json:
    saved, refused = {}, {}
    for student, result in results.items():
        if isinstance(result, Conflict):
            refused[student] = {"message": str(result), "theirs": grading_json(result.theirs)}
        else:
            saved[student] = grading_json(result)
    return {"saved": saved, "refused": refused}


def _changed(rubric: Rubric, rescored: list[Rescored]) -> Json:
    return {"rubric": rubric, "rescored": rescored}
