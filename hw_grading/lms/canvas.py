"""Canvas: submissions from a flat zip, and the gradebook that Canvas exports and imports.

In ``doejane_LATE_789_456789_ps1-1.ipynb`` the parts are the student's name, "LATE" for a late file,
the ids of the user and of the upload, and the file's own name, with ``-1``, ``-2`` when a student
submits again. There are no submission times.

In the gradebook, students are identified by the columns up to ``Section``, and an assignment by
``(id)`` at the end of a title. Canvas skips a column whose points possible are ``(read only)``. It
treats a blank cell in place of an existing score as a change.
"""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from hw_grading.lms.grades import Exported, Grades, filled, the_one
from hw_grading.lms.roster import CANVAS_ID, TEST_STUDENT, Who, folded, people_in
from hw_grading.lms.tables import Row, Table, read_table
from hw_grading.lms.uploads import Accounts, Named, Naming, Upload
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

_IDS = re.compile(r"(?=(?:^|_)(\d+)_(\d+)_.)")  # ids of the user and the upload, anywhere
_TITLE_AND_ID = re.compile(r"(.*?)\s*\((\d+)\)\s*")
_READ_ONLY = re.compile(r"read\s+only")
_NO_STUDENT = re.compile(r"\s*(Muted|Manual Posting.*)?\s*", re.IGNORECASE | re.DOTALL)
_KEYS = (("sis user id", "SIS User ID"), ("sis login id", "SIS Login ID"), ("id", CANVAS_ID))


def is_named_so(path: str) -> bool:
    """Whether Canvas could have given this name to a file."""
    return bool(_IDS.search(PurePosixPath(path).name))


def naming(files: Sequence[Upload], homework: str, accounts: Accounts | None) -> Naming | None:
    """Return what the files' names say; None if this is no download from Canvas.

    `accounts` are those in Canvas' gradebook; None if you did not give it.
    """
    work = [upload for upload in files if upload.is_work]
    folders = [upload.folder for upload in work if is_named_so(upload.name)]
    if len(set(folders)) != 1 or 2 * len(folders) <= len(work):
        return None
    again = re.compile(rf"^({re.escape(homework)})-\d+(?=\.)")

    def named(upload: Upload) -> Named | None:
        name = PurePosixPath(upload.name).name
        match = _IDS.search(name)
        if not match or upload.folder != folders[0]:
            such_as = f"doejane_789_456789_{homework}.ipynb"
            raise Unreadable(f"expected a file name from Canvas, such as {such_as}")
        person, own = name[: match.start()], again.sub(r"\1", name[match.end(2) + 1 :])
        is_late = True if person.endswith("_LATE") else None
        person = person.removesuffix("_LATE")
        # Names of students and files may look like ids too.
        users = list(dict.fromkeys(found[1] for found in _IDS.finditer(name)))
        known = [user for user in users if accounts and user in accounts]
        if len(users) > 1 and len(known) != 1:
            raise Unreadable(
                f"its name may mean the Canvas ids {' and '.join(known or users)}. "
                + ("Look in Canvas whose it is" if known else "Add --canvas-gradebook FILE")
            )
        user = (known or users)[0]
        keys = ((CANVAS_ID, user), *(accounts or {}).get(user, ()))
        # If the gradebook lacks somebody, no name in it can be that person's.
        counts = accounts is None or user in accounts
        who = Who(f"{person} ({user})", keys, person if counts else "", user)
        return Named(user, (who,), own, late=is_late, attempt=int(match[2][:18]))

    return named


def accounts_in(path: Path) -> Accounts:
    """Return the SIS ids and logins in the gradebook that Canvas exported, by Canvas' id."""
    keys = {one.canvas_id: (("SIS User ID", one.sid), ("SIS Login ID", one.login))
            for one in people_in(path)}  # fmt: skip
    return {user: tuple(key for key in known if key[1]) for user, known in keys.items()}


def fill(path: Path, grades: Grades, column: str, accept_names: bool) -> Exported:
    """Fill in a homework's column of the gradebook that Canvas exported, or raise `Unreadable`.

    `column` is its title, with or without its ``(id)``, or the id alone. By default, the column
    has the homework's name, or its title, whole or up to the colon.
    """
    table = read_table(path)
    possible = next((row for row in table.rows if "Points Possible" in row.cells[0]), None)
    if not possible or not {"student", "id", "section"} <= set(table.columns):
        found = ", ".join(map(quoted, table.titles[:6]))
        raise Unreadable(
            f"{path.name}: expected a gradebook that Canvas exported, with the columns Student, ID "
            f"and Section and a row that begins with Points Possible, found {found}. In Canvas: "
            "Grades, Export, Export Entire Gradebook"
        )
    chosen = _column(table, possible, grades, column)
    rows = [row for row in table.rows if row is not possible and _is_student(row)]
    return filled(table, chosen, rows, _who, grades, accept_names, possible.cells[chosen])


def _column(table: Table, possible: Row, grades: Grades, asked: str) -> int:
    short = grades.title.partition(":")[0]  # people use this short title on Canvas
    names = (asked,) if asked else (grades.results.assignment, grades.title, short)
    wanted = f"named {quoted(asked)}" if asked else "with the homework's name or title"
    may_be: dict[int, set[str]] = {}
    for number in range(table.columns.index("section") + 1, len(table.titles)):
        title = _TITLE_AND_ID.fullmatch(table.titles[number])
        if title and not _READ_ONLY.search(possible.cells[number]):
            may_be[number] = {folded(title[0]), folded(title[1]), *([title[2]] if asked else [])}
    found = [number for number, called in may_be.items() if called & set(map(folded, names))]
    return the_one(table, wanted, found, list(may_be))


def _is_student(row: Row) -> bool:
    is_other = all(_NO_STUDENT.fullmatch(value) for value in row.cells)
    return not is_other and folded(row.values["student"]) not in TEST_STUDENT


def _who(row: Row) -> Who:
    keys = [(called, row.values.get(column, "")) for column, called in _KEYS]
    name = row.values["student"]
    return Who(quoted(name), tuple(key for key in keys if key[1]), name)
