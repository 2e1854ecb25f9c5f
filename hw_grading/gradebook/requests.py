"""Requests: what students ask about their points, and what graders reply.

The page of feedback makes a file, which a student hands in. Whose it is, the platform and the
roster say, never the file. A request is about one version of an answer and of its grading: the file
has their digests, as the page had them. What is in a file is not trusted.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from hw_grading.gradebook import corrections
from hw_grading.gradebook.corrections import Correction, CorrectionKind
from hw_grading.gradebook.database import Database
from hw_grading.gradebook.model import Refused, expect_name, expect_text
from hw_grading.gradebook.results import Results, StudentResult, read_results
from hw_grading.gradebook.scores import cells_of, comments_in
from hw_grading.gradebook.tables import MARKS, REQUESTS, matching, now, upsert
from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.texts import counted, named, without_controls
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted

MAX_BYTES = 1_000_000  # of a file
_VERSION = re.compile("[0-9a-f]{16}-[0-9a-f]{16}")
_FILE = re.compile(r"-request[^/]*\.json", re.IGNORECASE)  # platforms and browsers add numbers
_MAX_NAMED = 5  # questions in a line
_REASON = "After your request; the reply stands at the question."
Tested = Mapping[str, Sequence[str]]  # the grade ids of the answers that each test is about


@dataclass(frozen=True)
class Request:
    """What a student asks about the points of a cell, and the reply."""

    assignment: str
    cell: str  # its grade id
    student: str
    words: str  # not trusted
    version: str  # of the answer that it is about, as `versions_of` gives it; not trusted
    graded_by: str  # who had graded the answer by then; "" for tests alone
    at: datetime  # UTC
    revision: int = 1  # grows with each change
    reply: str = ""
    replied_by: str = ""
    replied_at: datetime | None = None  # None while it is open

    @property
    def is_open(self) -> bool:
        """Whether nobody has replied."""
        return self.replied_at is None

    def older(self, version: str) -> str:
        """Return a sentence if it is not about the present version of the answer; or ""."""
        if self.version == version:
            return ""
        if self.version.partition("-")[0] == version.partition("-")[0]:
            return "The points or the comment have changed since the page was made."
        return "It is about an older answer, not the one that is graded now."


@dataclass(frozen=True)
class Sent:
    """A file of a student, as a platform gave it."""

    student: str
    file: str  # for messages
    content: bytes
    when: datetime | None = None  # it was handed in, UTC; None if nothing proves it


@dataclass
class Taken:
    """What became of files, with sentences about a student's or a file's."""

    rows: list[Request] = field(default_factory=list)  # new or changed
    told: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def is_request(name: str) -> bool:
    """Whether a file is a request, by its name, such as ``ps1-request.json``."""
    return bool(_FILE.search(name))


def versions_of(
    result: StudentResult, comments: Mapping[str, str], tested: Tested
) -> dict[str, str]:
    """Return the present versions of a student's answers, by the grade ids of cells with points.

    A version has the digests of the answer and of its grading, with "-" between them. `comments`
    are the student's, by grade id.
    """
    answers = result.run.answers if result.run else {}
    found = {}
    for score in result.known.scores:
        name = score.cell.name
        about = [answers.get(one, "") for one in tested.get(name, (name,))]
        changes = [
            (correction.points, correction.reason)
            for correction in result.corrections
            if correction.cell == name
        ]
        given = (score.auto, score.manual, score.extra, score.waits)
        graded = [given, comments.get(name, ""), changes]
        found[name] = f"{_digest(about)}-{_digest(graded)}"
    return found


def _digest(facts: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def requests_in(
    db: Connection, assignment: str, student: str | None = None
) -> dict[str, dict[str, Request]]:
    """Return the requests about a homework, by student and grade id; the oldest first."""
    whose = {"assignment": assignment, "student": student}
    rows = db.execute(select(REQUESTS).where(matching(REQUESTS, whose)).order_by(REQUESTS.c.at))
    found: dict[str, dict[str, Request]] = {}
    for row in rows:
        found.setdefault(row.student, {})[row.cell] = Request(**row._mapping)
    return found


def take(
    course: Course, assignment: str, sent: Sequence[Sent], tested: Tested, *, dry_run: bool = False
) -> Taken:
    """Store the requests in files, in one transaction; with `dry_run` only say what it would do.

    Of the files of one student, the last counts. Raises `UserError` if the gradebook cannot be used
    or the homework has a mistake, never for what is in a file.
    """
    results = read_results(course, assignment, with_parts=False)
    database = Database(course.db_url)
    with database.reading() if dry_run else database.writing() as db:
        inbox = _Inbox(db, results, tested)
        for one in sent:
            inbox.add(one)
        for row in inbox.pending.values() if not dry_run else ():
            values = asdict(row)
            key = {name: values.pop(name) for name in ("assignment", "cell", "student")}
            upsert(db, REQUESTS, key, **values)
    inbox.taken.rows = [*inbox.pending.values()]
    return inbox.taken


class _Inbox:
    """Decides about the requests in files, one after the other."""

    def __init__(self, db: Connection, results: Results, tested: Tested) -> None:
        self._results, self._tested, self._name = results, tested, results.assignment
        self._manifest = manifest_of(results.course.root, self._name)
        self.taken = Taken()
        self.pending: dict[tuple[str, str], Request] = {}
        self._there = requests_in(db, self._name)
        self._comments = comments_in(db, self._name)
        marks = select(MARKS.c.student, MARKS.c.cell, MARKS.c.grader)
        marks = marks.where(matching(MARKS, {"assignment": self._name}), MARKS.c.done)
        self._graders = {(row.student, row.cell): row.grader for row in db.execute(marks)}

    def add(self, sent: Sent) -> None:
        """Decide about the questions in one file."""
        refused: dict[str, list[str]] = {}  # titles of questions, by the reason
        taken, older = [], []
        try:
            questions = _questions_in(sent.content, self._name, sent.student)
            result = self._results.students.get(sent.student)
            if result is None or not result.known.scores:
                raise UserError(f"nothing of {sent.student} is graded yet")
        except UserError as why:
            self.taken.refused.append((sent.file, str(why)))
            return
        versions = versions_of(result, self._comments.get(sent.student, {}), self._tested)
        for cell, (words, version) in questions.items():
            where, stored = (sent.student, cell), self._there.get(sent.student, {}).get(cell)
            before = self.pending.get(where) or stored
            new = Request(
                self._name,
                cell,
                sent.student,
                words,
                version,
                graded_by=self._graders.get(where, ""),
                at=sent.when or now().replace(microsecond=0),
                revision=stored.revision + 1 if stored else 1,
            )
            if before and (before.words, before.version) == (words, version):
                continue  # collected before
            if cell not in versions:
                refused.setdefault("it has no such question with points", []).append(quoted(cell))
            elif why_not := self._why_not(new, before, sent):
                refused.setdefault(why_not, []).append(self._title(cell))
            else:
                self.pending[where] = new
                taken.append(self._title(cell))
                older += [self._title(cell)] if new.older(versions[cell]) else []
        if taken:
            about = f"asks about {', '.join(taken)}"
            about += f" (about an older version: {', '.join(older)})" if older else ""
            self.taken.told.append((sent.student, about))
        for reason, titles in refused.items():
            said = f"{self._name}, {named(titles, _MAX_NAMED)}: {reason}"
            self.taken.refused.append((sent.file, said))

    def _why_not(self, new: Request, before: Request | None, sent: Sent) -> str:
        """Return why a request is refused; "" if it is not."""
        limits = self._manifest.requests
        if not self._manifest.takes_requests(new.at):
            last = limits.until if limits.most else None
            return f"the last day to ask was {last}" if last else "it takes no requests"
        if (length := len(new.words)) > limits.characters:
            most = f"at most {limits.characters:,} are allowed"
            return f"the text has {length:,} characters, and {most}"
        if before and not before.is_open:
            return "it has its reply already, and one asks once about a question"
        if before and sent.when and sent.when < before.at:
            return "a newer request is there"
        others = {cell for student, cell in self.pending if student == sent.student}
        if not before and len(others.union(self._there.get(sent.student, ()))) >= limits.most:
            return f"one may ask about {counted(limits.most, 'question')} at most"
        return ""

    def _title(self, cell: str) -> str:
        return str(self._results.places[cell])


def _questions_in(content: bytes, assignment: str, student: str) -> dict[str, tuple[str, str]]:
    """Return the words about each question in a file, and the version that they are about.

    `UserError` if it is another file, or about another student or homework.
    """
    if len(content) > MAX_BYTES:
        raise UserError(f"expected at most {MAX_BYTES:,} bytes, found {len(content):,}")
    try:
        file = json.loads(content, strict=False)  # who fills it in by hand may break lines
        homework, whose, questions = (file[key] for key in ("homework", "student", "questions"))
        asked = {cell: (one["text"], one["version"]) for cell, one in questions.items()}
        texts = [homework, whose, *itertools.chain.from_iterable(asked.values())]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a text is none")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise UserError(
            "expected the file that a page of feedback makes, found something else. Ask the "
            "student for the request by another way"
        ) from None
    if homework != assignment:
        raise UserError(f"it is about {quoted(homework)}, not {assignment}")
    if whose.casefold() != student.casefold():
        raise UserError(f"it is about the points of {quoted(whose)}, and {student} handed it in")
    found = {}
    for cell, (text, version) in asked.items():
        words = without_controls("\n".join(text.splitlines())).strip()
        if words:
            found[cell] = words, version if _VERSION.fullmatch(version) else ""
    return found


def reply(
    database: Database,
    assignment: str,
    cell: str,
    student: str,
    *,
    revision: int,
    words: str,
    grader: str,
    points: float | None = None,
) -> None:
    """Reply to a request, as it was at a revision; give the cell other points if there are any.

    `points` become a correction for this student alone, in the same transaction. Raises `Refused`.
    """
    expect_text(words)
    if not words.strip():
        raise Refused("Write a reply, which the student reads.")
    with database.writing() as db:
        request = requests_in(db, assignment, student).get(student, {}).get(cell)
        if request is None or request.revision != revision:
            by = (request and request.replied_by) or "The student"
            raise Refused(
                f"{by} changed it in the meantime. Nothing was saved. Load the page again."
            )
        if points is not None:
            cells = {one.name: one for one in cells_of(db, assignment).values()}
            change = Correction(
                0, cell, points, _REASON, CorrectionKind.SET, assignment, author=grader
            )
            try:
                corrections.add(db, cells[cell], change, [student])
            except KeyError:
                raise Refused(f"{assignment} has no cell {cell!r} with points.") from None
            except UserError as why:
                raise Refused(f"{why}.") from None
        key = {"assignment": assignment, "cell": cell, "student": student}
        values = {"reply": words.strip(), "replied_by": expect_name(grader), "replied_at": now()}
        upsert(db, REQUESTS, key, revision=revision + 1, **values)
