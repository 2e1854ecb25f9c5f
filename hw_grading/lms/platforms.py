"""What the files of each learning platform look like: its downloads, and its list of students.

- **Canvas**: a flat zip with ``doejane_LATE_789_456789_ps1-1.ipynb``: the student's name, "LATE"
  for a late file, the ids of the user and of the upload, and the file's own name, with ``-1``,
  ``-2`` when a student submits again. Its gradebook says whose a user id is.
- **Moodle**: ``Jane Doe_12345_assignsubmission_file_/ps1.ipynb``, or this text before the file's
  name. The number is the participant's in this assignment only; the assignment's grading worksheet
  says whose it is. The worksheet must be in English, the language of each person's own choice.
- **Gradescope**: a folder for each submission, such as ``submission_123/``, and beside them
  ``submission_metadata.yml``, with ``:submitters:`` and ``:created_at:`` for each.
- No platform: ``<student>_ps1.ipynb`` and such zips, as from `python -m hw_support zip`.

Gradescope gives times of submission, Moodle in its worksheet only. Canvas says what is late; by its
API, which `canvas` reads, it gives times too.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import yaml

from hw_grading.homework.folders import time_of
from hw_grading.lms.downloads import Upload
from hw_grading.lms.roster import CANVAS_ID, TEST_STUDENT, Who
from hw_grading.lms.tables import Table, folded, read_table
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted


@dataclass(frozen=True)
class Found:
    """One student's file in a download, with what the platform says about it."""

    who: Who
    upload: Upload
    platform: str  # such as "Canvas"
    group: str  # files of one group are one submission
    own: str  # the file's name as its student wrote it
    asks: bool = False  # whether the student hands in a request with it
    beside: tuple[str, ...] = ()  # other notebooks and zips of the submission, which do not count
    when: datetime | None = None  # UTC, without a zone; None if the platform gives no time
    why_no_time: str = ""  # a sentence; "" if there is a time, or the platform says it is in time
    late: bool = False  # says the platform
    attempt: int = 0  # grows with each upload; 0 if the platform gives no number


@dataclass(frozen=True)
class Account:
    """What a platform's list of students says about one of them."""

    keys: tuple[tuple[str, str], ...]  # values for which the platform vouches; see `Who`
    when: datetime | None = None  # of the last submission, UTC; None if unknown
    why_no_time: str = ""


Accounts = Mapping[str, Account]  # by the platform's number of a student


@dataclass(frozen=True)
class Platform:
    """A platform that writes its number of a student into the names of files or folders."""

    name: str
    account: str  # what the number is called
    # Finds the number in a name, as often as it may be there; the file's own name begins at `own`.
    mark: re.Pattern[str]
    in_folders: bool  # a folder may have the mark
    file: str  # the CSV file with all students, and how to get it
    option: str  # of `collect`, which names this file
    columns: Mapping[str, str]  # of this file: what a column has, and its title
    no_time: str  # why a submission has no time without this file; "" if it never has one

    def marks_in(self, name: str) -> list[re.Match[str]]:
        """Return where a file's path has, or may have, the platform's number of its student."""
        head, _, rest = name.partition("/")
        return [] if rest and not self.in_folders else [*self.mark.finditer(head)]

    def returned(self, name: str, account: str, file: str) -> str:
        """Return the name under which the platform takes a file for the student of a download.

        `name` is that of the student's file in it. Moodle finds no student whose name has "_".
        """
        head, slash, _ = name.partition("/")
        [mark, *_] = [mark for mark in self.marks_in(name) if mark["account"] == account]
        begin, own = mark.start(), mark.start("own")
        said = head[:begin].replace("_", " ") if self.in_folders else head[:begin]
        return f"{said}{head[begin:own]}{slash}{file}"


CANVAS = Platform(
    "Canvas",
    CANVAS_ID,
    re.compile(r"(?=(?P<late>_LATE)?(?:^|_)(?P<account>\d+)_(?P<attempt>\d{1,18})_(?P<own>.))"),
    False,
    "a gradebook that Canvas exported (Grades, Export, Export Entire Gradebook)",
    "--canvas-gradebook",
    {"participant": "ID", "id": "SIS User ID", "login": "SIS Login ID", "name": "Student"},
    "",
)
MOODLE = Platform(
    "Moodle",
    "participant",
    re.compile(r"(?=_(?P<account>\d+)_assignsubmission_file(?:_|$)(?P<own>))"),
    True,
    "a grading worksheet of Moodle (the assignment, Submissions, Download grading worksheet; with "
    "English as your language in Moodle)",
    "--moodle-worksheet",
    {
        "participant": "Identifier",
        "id": "ID number",
        "login": "Email address",
        "name": "Full name",
        "time": "Last modified (submission)",
        "feedback": "Feedback comments",
    },
    "the times are in the grading worksheet: download both at the same time, and add "
    "--moodle-worksheet FILE",
)
_MOODLES_TIME = "%A, %d %B %Y, %I:%M %p"
PLAIN = "plain"  # the platform of files that no platform has named
_METADATA = "submission_metadata.yml"
_MAX_METADATA = 20_000_000  # bytes, which take 1 GB of memory
# Moodle first: a name that may be of both is then Moodle's, and refused if it has two numbers.
PLATFORMS = {platform.name.lower(): platform for platform in (MOODLE, CANVAS)}


# -- downloads


def found_by(
    upload: Upload, assignment: str, metadata: Any, accounts: Mapping[str, Accounts]
) -> list[Found]:
    """Return a file for each student who handed it in; `UserError` if that is not clear.

    Gradescope's `metadata` says so, or else the file's name; `accounts` are those in the lists of
    students that you gave, by the platform's name.
    """
    if metadata is not None:
        return _found_by_metadata(upload, metadata)
    marks = [(one, mark) for one in PLATFORMS.values() for mark in one.marks_in(upload.name)]
    if not marks:
        return [_found_by_id(upload, assignment)]
    (platform, mark), numbers = marks[0], list(dict.fromkeys(m["account"] for _, m in marks))
    listed = accounts.get(platform.name)
    known = [number for number in numbers if listed and number in listed]
    # Names of students and files may look like numbers of the platform too. A student chooses the
    # name in it, and so all numbers but the platform's own.
    if len(numbers) > 1 and (platform.in_folders or known != numbers[:1]):
        raise UserError(
            f"its name may mean the {platform.account}s {' and '.join(numbers)}. Look in "
            f"{platform.name} whose it is, and rename it"
        )
    if listed is not None and not known:
        raise UserError(
            f"the file of {platform.option} has no {platform.account} {numbers[0]}. Get it anew"
        )
    head, _, rest = upload.name.partition("/")
    said, own = head[: mark.start()], head[mark.start("own") :] + rest
    more = {name: text for name, text in mark.groupdict().items() if text}
    if "attempt" in more:  # the platform adds a number to the name of a later one
        own = without_number(own, assignment)
    own_key = ((CANVAS_ID, numbers[0]),) if platform is CANVAS else ()
    about = (listed or {}).get(numbers[0], Account(own_key, why_no_time=platform.no_time))
    who = Who(f"{said} ({numbers[0]})", about.keys, said, account=numbers[0])
    why_late = f"late, says {platform.name}, without a time" if "late" in more else ""
    return [
        Found(
            who,
            upload,
            platform.name,
            group=numbers[0],
            own=own,
            when=about.when,
            why_no_time=why_late or about.why_no_time,
            late=bool(why_late),
            attempt=int(more.get("attempt", "0")),
        )
    ]


def without_number(own: str, assignment: str) -> str:
    """Return a file's name without the number that Canvas adds to it at a later attempt."""
    return re.sub(rf"^({re.escape(assignment)})-\d+(?=\.)", r"\1", own)


def _found_by_id(upload: Upload, assignment: str) -> Found:
    """Return what the id says with which a file's name begins."""
    match = _plainly_named(assignment).fullmatch(upload.name)
    if not (match and (upload.is_work or upload.is_request)):
        raise UserError(
            "expected a file that a platform has named, or all files in one folder, with names "
            f"such as <student>_{assignment}.ipynb. Move and rename it"
        )
    who = Who(quoted(match["student"]), (("id", match["student"]),))
    why_no_time = "its file has no time"
    return Found(who, upload, PLAIN, upload.name, upload.name, why_no_time=why_no_time)


def read_metadata(files: Sequence[Upload]) -> Any:
    """Return Gradescope's list of submissions by folder; None if this is none of its exports.

    The list is at the top, where students cannot write.
    """
    metadata = next((upload for upload in files if upload.name == _METADATA), None)
    if not metadata:
        return None
    try:
        if len(content := metadata.read()) > _MAX_METADATA:
            raise UserError(
                f"expected at most {_MAX_METADATA:,} bytes, found {len(content):,}. Remove "
                ":results: and :history: from it"
            )
        # Dictionaries, lists and texts only: `BaseLoader` obeys no tags. An alias is the same
        # object again, so a few lines cannot become gigabytes.
        return yaml.load(content, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except (yaml.YAMLError, UserError, UnicodeError, RecursionError, ValueError) as error:
        raise UserError(f"{_METADATA} cannot be read: {quoted(error, 200)}") from None


def _found_by_metadata(upload: Upload, metadata: Any) -> list[Found]:
    """Return what Gradescope's list says about a file, for each of its students."""
    folder, _, own = upload.name.partition("/")
    entry = metadata.get(folder) if isinstance(metadata, dict) else None
    people = entry.get(":submitters") if isinstance(entry, dict) else None
    if not (own and isinstance(entry, dict) and people and isinstance(people, list)):
        raise UserError(f"{_METADATA} names no student for its folder")
    when = _moment(entry.get(":created_at"))
    return [
        Found(_submitter(person), upload, "Gradescope", group=folder, own=own, when=when)
        for person in people
    ]


def _submitter(person: Any) -> Who:
    texts = person if isinstance(person, dict) else {}
    name, sid, email = (_text(texts.get(key)) for key in (":name", ":sid", ":email"))
    keys = tuple((what, value) for what, value in (("sid", sid), ("email", email)) if value)
    said = ", ".join(filter(None, (name, sid, email)))
    return Who(said or "a student without a name", keys, account=email)


def _text(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""  # aliases could make others endless
    return "" if text in ("~", "null") else text


def _moment(value: Any) -> datetime:
    """Return a time; for a Ruby object its `utc`, since its `time` is local and says it is not.

    Raises `UserError` if there is none that is possible.
    """
    text = _text(value.get("utc") if isinstance(value, dict) else value)
    try:
        if not re.search(r"(?:Z|UTC|[+-]\d\d:?\d\d)$", text):
            raise UserError(f"{quoted(text)} without a time zone")
        return time_of(re.sub(r" (?=[+-]\d)", "", text))
    except UserError as why:
        such_as = "2022-10-04 16:59:00 -07:00"
        raise UserError(f"expected a time such as {such_as} for :created_at, found {why}") from None


def is_of_one_student(name: str, assignment: str) -> bool:
    """Whether a file, by its name, is the work of one student."""
    is_marked = any(platform.marks_in(name) for platform in PLATFORMS.values())
    return is_marked or bool(_plainly_named(assignment).fullmatch(name))


def _plainly_named(assignment: str) -> re.Pattern[str]:
    """Return the pattern for names of files: ``<student>_<homework>``, then anything."""
    return re.compile(rf"(?P<student>[^/]+?)_{re.escape(assignment)}(?![A-Za-z0-9])[^/]*")


# -- lists of students


def read_sheet(platform: Platform, path: Path) -> tuple[Table, dict[int, Who]]:
    """Read a platform's CSV file with a row for each student; return the student of each line.

    `UserError` if no column has the platform's number.
    """
    table, titles = read_table(path), platform.columns
    table.expect(folded(titles["participant"]), in_file=f" in {platform.file}")
    students = {}
    for row in table.rows:
        value = {what: row.values.get(folded(title), "") for what, title in titles.items()}
        number = re.search(r"\d+$", value["participant"])
        if number and not (platform is CANVAS and folded(value["name"]) in TEST_STUDENT):
            keys = [(titles[what], value[what]) for what in ("id", "login") if value[what]]
            keys += [(CANVAS_ID, number[0])] if platform is CANVAS else []
            students[row.line] = Who(quoted(value["name"]), tuple(keys), value["name"], number[0])
    return table, students


def accounts_in(platform: Platform, path: Path, zone: tzinfo) -> Accounts:
    """Read what a platform's CSV file says about each student; raise as `read_sheet`.

    Its times are clock times of a zone. A time that cannot be read is unknown, with the reason.
    """
    table, students = read_sheet(platform, path)
    title = platform.columns.get("time")
    values = {row.line: row.values.get(folded(title or "")) for row in table.rows}
    accounts = {}
    for line, who in students.items():
        when, why = _time_in(values[line], path, zone) if title else (None, "")
        accounts[who.account] = Account(who.keys, when, why)
    return accounts


def _time_in(text: str | None, path: Path, zone: tzinfo) -> tuple[datetime | None, str]:
    """Return the time in a row, or else None and why there is none."""
    try:
        wall = datetime.strptime(folded(text or ""), _MOODLES_TIME).replace(tzinfo=zone)
        return time_of(f"{wall.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"), ""
    except (ValueError, OverflowError, UserError):
        such_as = "Tuesday, 4 October 2022, 11:59 PM"
        found = f"expected a time such as {such_as}, found {quoted(text or '')}"
        return None, f"{path.name}: {found}. Download it with English as your language in Moodle"
