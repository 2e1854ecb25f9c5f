"""Moodle: submissions from ``Jane Doe_12345_assignsubmission_file_/ps1.ipynb``, grading worksheets.

The full name is the student's own to change. The number is the participant's in this assignment
only; the assignment's grading worksheet says whose it is. Older versions end the folder's name with
a "_". With one setting, the file's name begins with this text instead. There are no submission
times.

A worksheet is filled in and uploaded again. Its columns have names in the site's language:
`Columns` has the English ones. The maximum grade comes right after the grade. Moodle skips a row
that was graded after the worksheet was made.
"""

import re
from argparse import Namespace
from collections.abc import Sequence, Set
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from hw_grading.lms.grades import Exported, Grades, filled, the_one
from hw_grading.lms.roster import Who, folded
from hw_grading.lms.tables import Row, Table, read_table
from hw_grading.lms.uploads import Accounts, Named, Naming, Upload
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

# A folder of Moodle's, perhaps in another folder. Names further inside are the student's.
_OUTER = re.compile(
    r"(?:(?![^/]*_assignsubmission_)[^/]+/)?([^/]+)_(\d+)_assignsubmission_file(?:_?/|_)(?=.)"
)
_MARK = re.compile(r"_\d+_assignsubmission_")
_NUMBER = re.compile(r"\d+$")


@dataclass(frozen=True)
class Columns:
    """The names of a worksheet's columns; it may lack all but the first."""

    participant: str = "Identifier"
    id: str = "ID number"
    login: str = "Email address"
    name: str = "Full name"

    @classmethod
    def chosen(cls, options: Namespace) -> "Columns":
        """Return the columns that the options of a command name."""
        said = {field.name: getattr(options, f"column_{field.name}", None) for field in fields(cls)}
        return cls(**{what: name for what, name in said.items() if name})


def is_named_so(name: str) -> bool:
    """Whether Moodle could have given this path to a file."""
    return bool(_OUTER.match(name))


def naming(files: Sequence[Upload], accounts: Accounts | None) -> Naming | None:
    """Return what the paths of files say; None if this is no download from Moodle.

    `accounts` are those in the assignment's grading worksheet; None if you did not give it.
    """
    work = [upload for upload in files if upload.is_work]
    if 2 * sum(is_named_so(upload.name) for upload in work) <= len(work):
        return None

    def named(upload: Upload) -> Named | None:
        match = _OUTER.match(upload.name)
        folder = upload.name[match.start(1) :].partition("/")[0] if match else ""
        if not match or len(_MARK.findall(folder)) != 1:  # a name may have such a mark in it
            raise Unreadable(
                "expected a folder name from Moodle with one number, such as Jane "
                "Doe_12345_assignsubmission_file"
            )
        name, number = match[1], match[2]
        if accounts is not None and number not in accounts:
            raise Unreadable(
                f"the grading worksheet has no participant {number}. Download the worksheet of "
                "this assignment"
            )
        keys = (accounts or {}).get(number, ())
        who = Who(f"{name} ({number})", keys, name, account=number)
        return Named(f"{name}/{number}", (who,), upload.name[match.end() :])

    return named


def accounts_in(path: Path, columns: Columns) -> Accounts:
    """Return the ids and emails in a grading worksheet, by the number of the participant."""
    table = read_table(path)
    there = _there(table, columns, {"participant"})
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for row in table.rows:
        if number := _NUMBER.search(row.values[folded(columns.participant)]):
            found[number[0]] = _keys(row, there)
    return found


def fill(path: Path, grades: Grades, column: str, columns: Columns, accept_names: bool) -> Exported:
    """Fill in the column of grades of Moodle's grading worksheet, or raise `Unreadable`."""
    table = read_table(path)
    there = _there(table, columns)
    grade = column or "Grade"
    titles = list(enumerate(map(folded, table.titles)))
    found = [number for number, title in titles if title == folded(grade)]
    chosen = the_one(table, f"named {quoted(grade)}", found, [number for number, _ in titles])

    def who(row: Row) -> Who:
        name = row.values[there["name"]] if "name" in there else ""
        return Who(quoted(name), _keys(row, there), name)

    maxima = {row.cells[chosen + 1] for row in table.rows if chosen + 1 < len(row.cells)}
    maximum = maxima.pop() if len(maxima) == 1 else ""
    return filled(table, chosen, table.rows, who, grades, accept_names, maximum)


def _there(table: Table, columns: Columns, needed: Set[str] = frozenset()) -> dict[str, str]:
    """Return the columns that a worksheet has, in lower case.

    Raises `Unreadable` if a column is there twice, or one is missing that is needed or that you
    named, or all are.
    """
    names = {field.name: folded(getattr(columns, field.name)) for field in fields(columns)}
    there = {what: name for what, name in names.items() if name in table.columns}
    asked = {one.name for one in fields(columns) if getattr(columns, one.name) != one.default}
    is_twice = any(table.columns.count(name) > 1 for name in there.values())
    if is_twice or not there or not there.keys() >= asked | needed:
        raise Unreadable(
            f"{table.path.name}, line 1: expected a grading worksheet of Moodle, with one column "
            f"each of {', '.join(map(quoted, astuple(columns)))}, found "
            f"{', '.join(map(quoted, table.titles))}. In Moodle: the assignment, Submissions, "
            "Download grading worksheet. If the site is in another language, name its columns (see "
            "--help)"
        )
    return there


def _keys(row: Row, there: dict[str, str]) -> tuple[tuple[str, str], ...]:
    names = [there[what] for what in ("id", "login") if what in there]
    return tuple((name, row.values[name]) for name in names if row.values[name])
