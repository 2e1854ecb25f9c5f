"""What students and platforms were given: the scores on a page of feedback, and in an export.

A page has a digest of the scores that it shows. ``grading/exported/<homework>.json`` has the scores
of the last export of each kind. Both are compared with the scores of now, not by times: a late
penalty may change without any save.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pydantic import TypeAdapter
from traitlets import Bool
from traitlets.config import Configurable

from hw_grading.gradebook.requests import Request
from hw_grading.gradebook.results import Results, StudentResult
from hw_grading.homework.course import Course
from hw_grading.texts import in_digits, write_whole

NBGRADERS = "nbgrader"  # the kind of export that `nbgrader export` writes
# The sentences on known mistakes that a student reads, by test and fingerprint.
Told = Mapping[str, Mapping[str, str]]
_HEAD = 4_000  # bytes at the beginning of a page, which have the digest
_DIGEST = re.compile(rb'<meta name="scores" content="([0-9a-f]{64})">')


class FeedbackPage(Configurable):
    """The students' feedback; ``c.FeedbackPage``."""

    hide_items = Bool(
        False,
        help="The items of the rubrics are not shown, only points and the graders' comments. When "
        "the grades are out, set it to False, and write the feedback again: the report names it.",
    ).tag(config=True)


def feedback_digest(
    result: StudentResult,
    comments: Mapping[str, str],
    told: Told,
    asked: Mapping[str, Request],
    *,
    hides_items: bool = False,
) -> str:
    """Return the digest of what a student's feedback says: points, penalty, reasons, comments.

    `told` has the sentences on known mistakes, `asked` the requests, of which replies count.
    """
    replies = sorted((cell, one.reply) for cell, one in asked.items() if one.reply)
    scores = [(s.cell.name, s.auto, s.manual, s.extra, s.waits) for s in result.known.scores]
    corrections = [
        (correction.cell, correction.points, correction.reason) for correction in result.corrections
    ]
    totals = (result.final, result.score, result.penalty, result.why_penalty, result.slip_days)
    facts = [totals, sorted(scores), corrections, sorted(comments.items()), told]
    if result.comments:
        facts += [
            (comment.cell, comment.line, comment.text, comment.digest)
            for comment in result.comments
        ]
    facts += [replies] if replies else []
    facts += ["items are hidden"] if hides_items else []
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def pages_of(course: Course, assignment: str, student: str) -> list[Path]:
    """Return where a student's pages of feedback are, whether they exist or not."""
    folder = course.feedback(student, assignment)
    return [path.with_suffix(".html") for path in course.notebooks_in(folder, assignment)]


class Feedback(Enum):
    """A student's feedback, compared with the scores of now."""

    MISSING = "missing"
    OLDER = "older"
    CURRENT = "current"


def feedback_of(
    results: Results,
    comments: Mapping[str, Mapping[str, str]],
    told: Mapping[str, Told],
    asked: Mapping[str, Mapping[str, Request]],
) -> dict[str, Feedback]:
    """Return the feedback of each student who submitted.

    `comments` and requests (`asked`) are by student and grade id, `told` by student.
    """
    hides = FeedbackPage(config=results.course.config).hide_items
    found = {}
    for result in results.handed_in:
        student = result.student.id
        pages = pages_of(results.course, results.assignment, student)
        digests = {digest for page in pages if (digest := _digest_in(page)) is not None}
        if not digests:
            found[student] = Feedback.MISSING
        else:
            said = (comments.get(student, {}), told.get(student, {}), asked.get(student, {}))
            is_current = digests == {feedback_digest(result, *said, hides_items=hides)}
            found[student] = Feedback.CURRENT if is_current else Feedback.OLDER
    return found


def _digest_in(page: Path) -> str | None:
    """Return the digest in a page, "" if it has none, None if there is no page."""
    try:
        with page.open("rb") as file:
            match = _DIGEST.search(file.read(_HEAD))
    except OSError:
        return None
    return match[1].decode() if match else ""


# -- exports


@dataclass(frozen=True)
class Export:
    """The last export of a kind."""

    file: str  # its absolute path, or its address
    scores: dict[str, str]  # final scores, by student


def read_exports(course: Course, assignment: str) -> dict[str, Export]:
    """Return the last export of each kind; {} if there is none that can be read."""
    try:
        content = _path_of(course, assignment).read_bytes()
        return TypeAdapter(dict[str, Export]).validate_json(content)
    except (OSError, ValueError):
        return {}


def note_export(
    course: Course,
    assignment: str,
    kind: str,
    file: Path | str,
    results: Mapping[str, StudentResult],
) -> None:
    """Keep which scores an export of a kind has; those of other students in it stay noted.

    `file` is its path, or its address.
    """
    exports = read_exports(course, assignment)
    before = exports[kind].scores if kind in exports else {}
    scores = {student: in_digits(one.final) for student, one in results.items()}
    place = str(file.absolute()) if isinstance(file, Path) else file
    exports[kind] = Export(place, before | scores)
    path = _path_of(course, assignment)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, TypeAdapter(dict[str, Export]).dump_json(exports, indent=1))


def outdated_exports(results: Results) -> Iterator[tuple[str, str, list[str]]]:
    """Yield kind and file of each export, and the students whose final scores it does not have.

    An export whose file is gone does not count, nor does a student who left.
    """
    now = {r.student.id: in_digits(r.final) for r in results.handed_in if r.known.scored}
    now |= dict.fromkeys(results.zeros, in_digits(0.0))
    for student in results.left:
        now.pop(student, None)
    for kind, one in read_exports(results.course, results.assignment).items():
        if "://" in one.file or Path(one.file).exists():
            yield (
                kind,
                one.file,
                [who for who, score in now.items() if one.scores.get(who) != score],
            )


def _path_of(course: Course, assignment: str) -> Path:
    return course.root / "grading" / "exported" / f"{assignment}.json"
