"""What the files of each learning platform look like: its downloads, and its list of students.

- **Canvas**: a flat zip with ``doejane_LATE_789_456789_ps1-1.ipynb``: the student's name, "LATE"
  for a late file, the ids of the user and of the upload, and the file's own name, with ``-1``,
  ``-2`` when a student submits again. Its gradebook says whose a user id is.
- **Moodle**: ``Jane Doe_12345_assignsubmission_file_/ps1.ipynb``, or this text before the file's
  name. The number is the participant's in this assignment only; the assignment's grading worksheet
  says whose it is. Its columns have names in the site's language.
- No platform: ``<student>_ps1.ipynb`` and such zips, as from `python -m hw_support zip`.

Neither of the first two gives times of submission. `gradescope` reads the exports of Gradescope.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from pathlib import Path, PurePosixPath

from hw_grading.lms.roster import CANVAS_ID, PARTICIPANT, TEST_STUDENT, Who, folded
from hw_grading.lms.tables import Table, read_table
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted

NOTEBOOK, ZIP = ".ipynb", ".zip"


@dataclass(frozen=True)
class Upload:
    """One file in a download."""

    download: str  # as you typed it
    name: str  # the file's path in it, as the platform gave it
    read: Callable[[], bytes]  # returns the file's content

    @property
    def file(self) -> str:
        """The download and the path in it, for messages."""
        is_one_file = PurePosixPath(self.download).name == self.name
        return self.download if is_one_file else f"{self.download}: {self.name}"

    @property
    def suffix(self) -> str:
        """The file name's extension, in lower case."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders around the file, the outermost first."""
        return PurePosixPath(self.name).parent.parts

    @property
    def is_work(self) -> bool:
        """Whether the file can be the graded notebook, or contain it."""
        return self.suffix in (NOTEBOOK, ZIP)


@dataclass(frozen=True)
class Found:
    """One student's file in a download, with what the platform says about it."""

    who: Who
    upload: Upload
    platform: str  # such as "Canvas"
    group: str  # files of one group are one submission
    own: str  # the file's name as its student wrote it
    when: datetime | None = None  # None if the platform gives no time
    late: bool = False  # says the platform, which gives no time then
    attempt: int = 0  # grows with each upload; 0 if the platform gives no number


# Returns a file for each student who handed it in; raises `UserError` if that is not clear.
Naming = Callable[[Upload], list[Found]]
# Values for which a platform vouches, by its number of a student
Accounts = Mapping[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Platform:
    """A platform that writes its number of a student into the names of files or folders."""

    name: str
    account: str  # what the number is called
    # Finds the number in a name, as often as it may be there; the file's own name begins at `own`.
    mark: re.Pattern[str]
    in_folders: bool  # a folder may have the mark
    such_as: str
    file: str  # the CSV file with all students
    option: str  # of `collect`, which names this file
    how: str  # to get it
    columns: Mapping[str, str]  # of this file: what a column has, and its title


CANVAS = Platform(
    "Canvas",
    CANVAS_ID,
    re.compile(r"(?=(?P<late>_LATE)?(?:^|_)(?P<account>\d+)_(?P<attempt>\d+)_(?P<own>.))"),
    False,
    "doejane_789_456789_{}.ipynb",
    "a gradebook that Canvas exported",
    "--canvas-gradebook",
    "In Canvas: Grades, Export, Export Entire Gradebook",
    {"participant": "ID", "id": "SIS User ID", "login": "SIS Login ID", "name": "Student"},
)
MOODLE = Platform(
    "Moodle",
    PARTICIPANT,
    re.compile(r"(?=_(?P<account>\d+)_assignsubmission_(?:file(?:_|$)(?P<own>))?)"),
    True,
    "Jane Doe_12345_assignsubmission_file",
    "a grading worksheet of Moodle",
    "--moodle-worksheet",
    "In Moodle: the assignment, Submissions, Download grading worksheet. If the site is in another "
    "language, name its columns (see --help)",
    {
        "participant": "Identifier",
        "id": "ID number",
        "login": "Email address",
        "name": "Full name",
    },
)
PLATFORMS = {platform.name.lower(): platform for platform in (CANVAS, MOODLE)}


# -- downloads


def by_name(
    platform: Platform, files: Sequence[Upload], homework: str, accounts: Accounts | None
) -> Naming | None:
    """Return what the names of files say; None if this is no download of the platform.

    `accounts` are those in the platform's list of students; None if you did not give it.
    """
    top = _top(files, platform.mark if platform.in_folders else None)

    def place(upload: Upload) -> tuple[str, str]:
        """Return the name with the mark, and the rest of the path; two empty texts if none."""
        inner = upload.name.removeprefix(top) if upload.name.startswith(top) else ""
        head, _, rest = inner.partition("/")
        is_marked = platform.mark.search(head) and (platform.in_folders or not rest)
        return (head, rest) if is_marked else ("", "")

    work = [upload for upload in files if upload.is_work]
    if 2 * sum(bool(place(upload)[0]) for upload in work) <= len(work):
        return None

    def naming(upload: Upload) -> list[Found]:
        head, rest = place(upload)
        # Names of students and files may look like numbers of the platform too.
        marks = {m["account"]: m for m in reversed([*platform.mark.finditer(head)])}
        numbers = [*reversed(marks)]
        known = [number for number in numbers if accounts and number in accounts]
        if numbers and accounts is not None and not known:
            raise UserError(
                f"the file of {platform.option} has no {platform.account} {' or '.join(numbers)}. "
                "Get it anew"
            )
        # A student chooses the name in it, and so all numbers but the platform's own.
        if len(numbers) > 1 and (platform.in_folders or known != numbers[:1]):
            both = known if len(known) > 1 else numbers
            raise UserError(
                f"its name may mean the {platform.account}s {' and '.join(both)}. "
                + (f"Look in {platform.name} whose it is" if known else f"Add {platform.option}")
            )
        number = (known or numbers or [""])[0]
        if not number or marks[number].start("own") < 0:
            such_as = platform.such_as.format(homework)
            raise UserError(f"expected a name from {platform.name}, such as {such_as}")
        mark = marks[number]
        said, own = head[: mark.start()], head[mark.start("own") :] + rest
        more = {name: text for name, text in mark.groupdict().items() if text}
        if "attempt" in more:  # the platform adds a number to the name of a later one
            own = re.sub(rf"^({re.escape(homework)})-\d+(?=\.)", r"\1", own)
        keys = ((platform.account, number), *(accounts or {}).get(number, ()))
        return [
            Found(
                Who(f"{said} ({number})", keys, said, account=number),
                upload,
                platform.name,
                group=f"{said}/{number}" if platform.in_folders else number,
                own=own,
                late="late" in more,
                attempt=int(more.get("attempt", "0")[:18]),
            )
        ]

    return naming


def by_student(files: Sequence[Upload], homework: str) -> Naming:
    """Name files by the id that begins their names; those in students' folders have none."""
    name, top = f"<student>_{homework}.ipynb", _top(files, None)

    def naming(upload: Upload) -> list[Found]:
        inner = upload.name.removeprefix(top)
        match = plainly_named(homework).fullmatch(inner)
        if not upload.is_work:
            return []
        if "/" in inner:
            raise UserError(
                "expected all files in one folder, found one folder for each student. Put the "
                f"files into one folder, named {name}"
            )
        if not match:
            raise UserError(f"expected a name such as {name}. Rename the file")
        who = Who(quoted(match["student"]), (("id", match["student"]),))
        return [Found(who, upload, "plain", group=upload.name, own=upload.name)]

    return naming


def is_of_one_student(name: str, homework: str) -> bool:
    """Whether a file, by its name, is the work of one student."""
    by_platform = any(platform.mark.search(name) for platform in PLATFORMS.values())
    return by_platform or bool(plainly_named(homework).fullmatch(name))


def plainly_named(homework: str) -> re.Pattern[str]:
    """Return the pattern for names of files: ``<student>_<homework>``, then anything."""
    return re.compile(rf"(?P<student>[^/]+?)_{re.escape(homework)}(?![A-Za-z0-9])[^/]*")


def _top(files: Sequence[Upload], mark: re.Pattern[str] | None) -> str:
    """Return the folder around all work, such as ``"all/"``, or what is before a student's."""
    work = [upload.folders for upload in files if upload.is_work] or [()]
    shared = takewhile(lambda same: len(set(same)) == 1, zip(*work, strict=False))
    before = takewhile(lambda same: not (mark and mark.search(same[0])), shared)
    return "".join(f"{same[0]}/" for same in before)


# -- lists of students


@dataclass(frozen=True)
class Sheet:
    """A platform's CSV file with a row, and a column of grades, for each student."""

    table: Table
    students: Mapping[int, Who]  # by the row's line

    @property
    def accounts(self) -> Accounts:
        """What the file vouches for, by the number of a student."""
        return {who.account: who.keys for who in self.students.values()}


def read_sheet(platform: Platform, path: Path, columns: Mapping[str, str]) -> Sheet:
    """Read a platform's file; `UserError` if it is another one.

    `columns` are titles that the user chose. A column must be there if the user named it, and the
    one with the platform's number.
    """
    table, titles = read_table(path), {**platform.columns, **columns}
    there = {what: table.columns.count(folded(title)) for what, title in titles.items()}
    if max(there.values()) > 1 or not all(there[what] for what in ("participant", *columns)):
        raise UserError(
            f"{path.name}, line 1: expected {platform.file}, with one column each of "
            f"{', '.join(map(quoted, titles.values()))}, found "
            f"{', '.join(map(quoted, table.titles))}. {platform.how}"
        )
    students = {}
    for row in table.rows:
        value = {what: row.values.get(folded(title), "") for what, title in titles.items()}
        number = re.search(r"\d+$", value["participant"])
        if number and not (platform is CANVAS and folded(value["name"]) in TEST_STUDENT):
            keys = [(titles[what], value[what]) for what in ("id", "login") if value[what]]
            keys.append((platform.account, number[0]))
            who = Who(quoted(value["name"]), tuple(keys), value["name"], number[0])
            students[row.line] = who
    return Sheet(table, students)
