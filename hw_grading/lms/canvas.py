"""One assignment on Canvas, by its API: its submissions, and their files.

Canvas is trusted to say whose a submission is and when it came. Names, files and comments in it are
students', and are not trusted.
"""

import hashlib
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from traitlets import Dict, Integer, TraitError, Unicode
from traitlets.config import Configurable

from hw_grading import DISTRIBUTION
from hw_grading.gradebook.collected import CollectedRecord
from hw_grading.homework.course import Course
from hw_grading.homework.folders import time_of
from hw_grading.lms.downloads import NOTEBOOK, Upload
from hw_grading.lms.platforms import CANVAS, Found, without_number
from hw_grading.lms.roster import CANVAS_ID, Who
from hw_grading.outcome import SettingsError
from hw_grading.texts import typed
from hw_support.submission.file import MAX_BYTES, UserError, read_regular_file
from hw_support.submission.problems import quoted

TOKEN = "CANVAS_TOKEN"  # the environment's variable
_SERVICE = "hw-grading"  # in the keyring
_MOST_REPEATED = 1_000  # submissions in a row that earlier pages had: Canvas has 100 on a page
_LOCAL = ("localhost", "127.0.0.1", "::1")


class Canvas(Configurable):
    """Canvas by its API; ``c.Canvas``. The token is in no file of the course."""

    address = Unicode(
        "", help="The address of your Canvas, such as https://canvas.example.edu."
    ).tag(config=True)
    course_id = Integer(0, help="The number in the address of the course's page.").tag(config=True)
    assignments = Dict(
        default_value={},
        key_trait=Unicode(),
        value_trait=Integer(),
        help='The number in the address of each homework\'s page, such as {"hw3": 1234}.',
    ).tag(config=True)


@dataclass(frozen=True)
class Attached:
    """A file of a submission."""

    number: int  # Canvas' own, which grows
    name: str  # as its student wrote it, without folders
    size: int  # bytes
    url: str


@dataclass(frozen=True)
class Submission:
    """What Canvas says of a student and the last attempt; all that students wrote is in `files`."""

    user: int
    who: Who
    attempt: int  # 0 if nothing was submitted
    when: datetime | None  # UTC, without a zone
    late: bool  # by Canvas' due date
    files: tuple[Attached, ...]
    score: float | None  # as it was entered, before Canvas' own rule for late work
    deducted: float  # points, by that rule
    excused: bool
    comments: frozenset[str]  # texts, if they were asked for
    attempts: Mapping[int, int]  # the last attempt with a file, by the file's number


class OnCanvas:
    """A homework on Canvas. All methods raise `UserError` if Canvas does not do what they ask."""

    def __init__(self, course: Course, assignment: str) -> None:
        """Connect; `UserError` if a setting, the token or the library is missing."""
        try:
            settings = Canvas(config=course.config)
        except TraitError as error:
            raise SettingsError(f"c.Canvas in nbgrader_config.py: {error}") from None
        number = settings.assignments.get(assignment, 0)
        if not (settings.address and settings.course_id and number):
            raise SettingsError(
                "nbgrader_config.py does not say where the homework is on Canvas. Add: c.Canvas."
                "address = 'https://…'; c.Canvas.course_id = …; "
                f"c.Canvas.assignments = {{{assignment!r}: …}}"
            )
        address = _checked(settings.address)
        try:
            from hw_grading.lms.canvas_api import CanvasApi
        except ImportError:
            raise UserError(
                "the library canvasapi is missing. Type: "
                + typed(sys.executable, "-m", "pip", "install", f"{DISTRIBUTION}[canvas]")
            ) from None
        self.url = f"{address}/courses/{settings.course_id}/assignments/{number}"
        self.api = CanvasApi(address, _token_for(address), settings.course_id, number)
        self.about = self.api.assignment()

    def submissions(self, *include: str) -> list[Submission]:
        """Return what Canvas says of each student; `include` are Canvas' names of what to add."""
        found: dict[int, Submission] = {}
        repeated = 0
        with self.api.answering():
            for about in self.api.submissions(["user", *include]):
                read = _read(about)
                repeated = repeated + 1 if read.user in found else 0
                if repeated > _MOST_REPEATED:
                    raise UserError("Canvas gives the same page again and again. Try again later")
                found[read.user] = read
        return [*found.values()]

    def content(self, file: Attached, folder: Path) -> bytes:
        """Return a file's content, which is then kept in a folder for the next time."""
        kept = folder / str(file.number)
        if not kept.exists():
            if file.size > MAX_BYTES:
                raise UserError(f"expected at most {MAX_BYTES:,} bytes, found {file.size:,}")
            content = self.api.file(file.url)
            if len(content) != file.size:
                found = f"{len(content):,} bytes of {file.size:,}"
                raise UserError(f"it was cut off on the way, after {found}. Collect again")
            kept.write_bytes(content)
        return kept.read_bytes()


def _checked(address: str) -> str:
    """Return an address without a slash at its end; `SettingsError` if a token is not for it."""
    parts = urlsplit(address)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)
    if not is_safe or parts.path.strip("/") or parts.query or "@" in parts.netloc:
        raise SettingsError(
            "c.Canvas.address: expected an address such as https://canvas.example.edu, found "
            f"{quoted(address)}"
        )
    return f"{parts.scheme}://{parts.netloc}"


def _token_for(address: str) -> str:
    """Return the token, from the environment or else the keyring; `UserError` if there is none."""
    token = os.environ.get(TOKEN, "")
    if not token:
        with suppress(ImportError):
            import keyring
            from keyring.errors import KeyringError

            with suppress(KeyringError):
                token = keyring.get_password(_SERVICE, address) or ""
    token = token.strip()
    if not token:
        raise UserError(
            f"there is no token for {address}. Make one in Canvas (Account, Settings, New Access "
            f"Token), and give it in the variable {TOKEN}, or install keyring and type: "
            + typed("python -m keyring set", _SERVICE, address)
        )
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise UserError("the token for Canvas has characters that no token has. Copy it again")
    return token


def _read(about: Mapping[str, Any]) -> Submission:
    user = int(about["user_id"])
    person = about.get("user") or {}
    keys = [(CANVAS_ID, str(user))]
    ids = (("SIS User ID", person.get("sis_user_id")), ("SIS Login ID", person.get("login_id")))
    keys += [(title, str(value)) for title, value in ids if value]
    name = str(person.get("name") or "")
    history = about.get("submission_history") or []
    attempts = {
        file.number: int(version.get("attempt") or 0)
        for version in sorted([*history, about], key=lambda one: one.get("attempt") or 0)
        for file in _files(version)
    }
    when = about.get("submitted_at")
    score = about["entered_score"] if about.get("entered_score") is not None else about["score"]
    return Submission(
        user,
        Who(f"{quoted(name)} ({user})", tuple(keys), name, account=str(user)),
        int(about.get("attempt") or 0),
        time_of(when) if when else None,
        bool(about.get("late")),
        _files(about),
        None if score is None else float(score),
        float(about.get("points_deducted") or 0),
        bool(about.get("excused")),
        frozenset(str(one["comment"]) for one in about.get("submission_comments") or ()),
        attempts,
    )


def _files(version: Mapping[str, Any]) -> tuple[Attached, ...]:
    found = []
    for one in version.get("attachments") or ():
        name = PurePosixPath(one["display_name"]).name or "file"
        found.append(Attached(int(one["id"]), name, one["size"], one["url"]))
    return tuple(found)


# -- what `collect` takes


def found_on_canvas(
    course: Course, assignment: str, records: Mapping[str, CollectedRecord], stack: ExitStack
) -> tuple[list[list[Found]], list[tuple[str, str]]]:
    """Return the files of each student's last attempt, and those without a file, with the reason.

    A notebook that is in ``submitted/`` is not fetched again. `records` are by student. Fetched
    files are kept until the stack is closed.
    """
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="hw-canvas-")))
    canvas = OnCanvas(course, assignment)
    there = _collected(course, assignment, records)
    groups, left_out = list[list[Found]](), list[tuple[str, str]]()
    for submission in canvas.submissions():
        group = []
        for file in submission.files:
            read = partial(canvas.content, file, folder)
            if path := there.get((submission.who.account, file.number)):
                read = partial(read_regular_file, path, MAX_BYTES)
            group.append(
                Found(
                    submission.who,
                    # as in a download
                    Upload(
                        canvas.url, f"student_{submission.user}_{file.number}_{file.name}", read
                    ),
                    CANVAS.name,
                    group=submission.who.account,
                    own=without_number(file.name, assignment),
                    when=submission.when,
                    why_no_time="" if submission.when else "Canvas gives no time",
                    late=submission.late,
                    attempt=file.number,
                )
            )
        if group:
            groups.append(group)
        elif submission.attempt:
            left_out.append((canvas.url, f"{submission.who.said} submitted no file"))
    return groups, left_out


def _collected(
    course: Course, assignment: str, records: Mapping[str, CollectedRecord]
) -> dict[tuple[str, int], Path]:
    """Return the notebooks that were collected, by Canvas' numbers of the user and the file."""
    there = {}
    for student, one in records.items():
        path = course.submitted(student, assignment) / f"{assignment}.ipynb"
        with suppress(UserError, OSError):
            content = read_regular_file(path, MAX_BYTES)
            is_same = hashlib.sha256(content).hexdigest() == one.sha256
            if is_same and one.platform == CANVAS.name and one.name.endswith(NOTEBOOK):
                there[one.account, one.attempt] = path
    return there
