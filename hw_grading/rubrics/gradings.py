"""The state of the answers to one question: the desk's data, beside nbgrader's own tables."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, and_, delete, select, update

from hw_grading.rubrics.given import Given, give, read_given
from hw_grading.rubrics.history import Stamp, log
from hw_grading.rubrics.model import Grading, Mark, Rubric
from hw_grading.rubrics.rows import Rows, now
from hw_grading.rubrics.tables import ANSWERS, APPLIED, GRADINGS


def read_gradings(
    rows: Rows, rubric: Rubric, student: str | None = None, *, lock: bool = False
) -> dict[str, Grading]:
    """Return the state of each answer, or of one student's; `lock` is as for `read_given`."""
    given = read_given(rows, student, lock=lock)
    known = {item.id for item in rubric.items}
    chosen: dict[str, set[str]] = {}
    for row in rows.all(APPLIED, student=student):
        if row.item in known:
            chosen.setdefault(row.student, set()).add(row.item)
    saved = {row.student: row for row in rows.all(GRADINGS, student=student)}
    digests = {row.student: row.digest for row in rows.all(ANSWERS, student=student)}
    return {
        name: _grading(
            name, one, saved.get(name), frozenset(chosen.get(name, ())), digests.get(name, "")
        )
        for name, one in given.items()
    }


def write_grading(
    rows: Rows,
    student: str,
    grading: Grading,
    rubric: Rubric,
    mark: Mark,
    stamp: Stamp,
    back: Mapping[str, Any] | None = None,
) -> None:
    """Save a mark: nbgrader's score and comment, and the desk's rows.

    Parameters
    ----------
    grading
        The state before the save.
    mark
        What the grader has decided.
    stamp
        Who saves it, and the answer that this grader looked at.
    back
        For an undo, the earlier state from the event that is taken back.
    """
    given = read_given(rows, student, lock=True)[student]
    score, text = None, None
    if mark.done:
        score = rubric.score(mark.chosen, mark.adjustment, stamp.max_points)
        text = rubric.comment(mark)
    waits = not mark.done and given.auto is None  # whether somebody still has to grade it
    only_remarks = _only_remarks(grading, mark)  # a flag alone is not a new grade
    waits = waits or only_remarks
    now_there = {row.digest for row in rows.all(ANSWERS, student=student)}
    if stamp.digest and now_there and stamp.digest not in now_there:
        waits = True  # tests graded another answer while the grader looked at this one
    if back is not None:  # keep it queued if tests queued it again since
        waits = back["waits"] or (grading.mark.done and grading.waits)
    if back is not None and back["overridden"]:
        give(rows, given, back["score"], back["comment"], waits=waits)
    else:
        give(rows, given, score, text, waits=waits)
    here = and_(rows.here(GRADINGS), GRADINGS.c.student == student)
    before = rows.connection.execute(select(GRADINGS).where(here)).one_or_none()
    digest_before = before.digest if before else ""
    digest = back["digest"] if back else stamp.digest or digest_before
    if back is None and only_remarks:
        digest = digest_before
    rows.execute(delete(GRADINGS).where(here))
    rows.insert(
        GRADINGS,
        student=student,
        revision=(before.revision if before else 0) + 1,
        adjustment=mark.adjustment,
        comment=mark.comment,
        done=mark.done,
        flagged=mark.flagged,
        flag_note=mark.flag_note,
        score=score,
        given_comment=text,
        digest=digest,
        grader=stamp.grader,
        at=now(),
        seconds=(before.seconds if before else 0.0) + stamp.seconds,
    )
    applied = and_(rows.here(APPLIED), APPLIED.c.student == student)
    rows.execute(delete(APPLIED).where(applied))
    for item in sorted(mark.chosen):
        rows.insert(APPLIED, student=student, item=item)
    log(
        rows,
        stamp,
        student,
        {
            "mark": _plain(grading.mark),
            "score": grading.score,
            "comment": grading.comment,
            "waits": grading.waits,
            "overridden": grading.overridden,
            "digest": digest_before,
        },
        {"mark": _plain(mark), "score": score},
    )


def rescore(rows: Rows, student: str, score: float | None, text: str | None) -> None:
    """Write the score and comment that a changed rubric gives an answer graded on the desk."""
    given = read_given(rows, student, lock=True)[student]
    give(rows, given, score, text, waits=given.waits)
    here = and_(rows.here(GRADINGS), GRADINGS.c.student == student)
    rows.execute(update(GRADINGS).where(here).values(score=score, given_comment=text))


def _plain(mark: Mark) -> dict[str, Any]:
    return {**asdict(mark), "chosen": sorted(mark.chosen)}


def _grading(
    student: str, given: Given, saved: Row[Any] | None, chosen: frozenset[str], digest: str
) -> Grading:
    if saved is None:
        overridden = given.score is not None or given.text is not None
        return Grading(
            student,
            _version(0, given, overridden),
            score=given.score,
            waits=given.waits,
            comment=given.text or "",
            overridden=overridden,
        )
    overridden = (given.score, given.text or "") != (saved.score, saved.given_comment or "")
    mark = Mark(chosen, saved.adjustment, saved.comment, saved.done, saved.flagged, saved.flag_note)
    return Grading(
        student,
        _version(saved.revision, given, overridden),
        mark,
        given.score,
        given.waits,
        given.text or "",
        overridden,
        changed=bool(saved.done and saved.digest and digest and saved.digest != digest),
        grader=saved.grader,
        at=saved.at,
        seconds=saved.seconds,
    )


def _only_remarks(grading: Grading, mark: Mark) -> bool:
    """Return whether the mark changes only comment or flag of an answer that is queued again."""
    old = grading.mark
    same = (old.chosen, old.adjustment, old.done) == (mark.chosen, mark.adjustment, mark.done)
    return grading.waits and old.done and same and old != mark


def _version(revision: int, given: Given, overridden: bool) -> str:
    """Return a version name of a state. Re-scoring by a changed rubric does not change it."""
    if not overridden:
        return str(revision)
    elsewhere = hashlib.sha256(repr((given.score, given.text)).encode()).hexdigest()[:12]
    return f"{revision}-{elsewhere}"
