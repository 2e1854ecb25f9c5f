"""Canvas: fills in a gradebook that Canvas exported, so that you can import it again.

Canvas identifies students by the columns up to ``Section``, and an assignment by ``(id)`` at the
end of a title. It skips a column whose points possible are ``(read only)``. It treats a blank cell
in place of an existing score as a change.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from hw_grading.exports.filling import Exported, differing_maximum, filled, the_one
from hw_grading.exports.grades import Grades
from hw_grading.exports.matching import LOGIN, NAME, NUMBER, PLATFORM_ID, Asked, Finder, match
from hw_grading.exports.sheet import Line, Sheet, number_in, read_sheet
from hw_grading.term.roster import TEST_STUDENT, folded
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

_TITLE_AND_ID = re.compile(r"(.*?)\s*\((\d+)\)\s*")
_COMPUTED = re.compile(r"(Current|Final|Override) (Score|Points|Grade|Status)")
_READ_ONLY = re.compile(r"read\s+only")
_NO_STUDENT = re.compile(r"\s*(Muted|Manual Posting.*)?\s*", re.IGNORECASE | re.DOTALL)
_IDENTITY = (("SIS User ID", NUMBER), ("SIS Login ID", LOGIN), ("ID", PLATFORM_ID))


def fill_canvas(path: Path, grades: Grades, column: str = "") -> Exported:
    """Fill in a homework's column of the gradebook that Canvas exported, or raise `Unreadable`.

    `column` is its title, with or without its ``(id)``, or the id alone. By default, the column
    has the homework's name, or its title, whole or up to the colon.
    """
    sheet = read_sheet(path)
    _expect_a_gradebook(sheet)
    points_row = _points_row(sheet)
    chosen = _column(sheet, points_row, grades, column)
    rows = [row for row in sheet.rows if not _is_no_student(sheet, row)]
    matches = match("Canvas", sheet, rows, lambda row: _asked(sheet, row), Finder(grades))
    numbers = [*points_row.values, *(row[chosen] for row in rows)]
    maximum = differing_maximum(grades, points_row[chosen], sheet.place(points_row))
    to_check = [*_without_id(sheet, chosen), *maximum]
    return filled(sheet, chosen, matches, numbers, to_check, excused="ex")


def _expect_a_gradebook(sheet: Sheet) -> None:
    names = [name.strip() for name in sheet.header.values]
    is_named = names[:1] == ["Student"] or names[:2] == ["LastName", "FirstName"]
    if not (is_named and "ID" in names and "Section" in names):
        found = ", ".join(map(quoted, names[:6]))
        raise Unreadable(
            f"{sheet.place(sheet.header)}: expected a gradebook that Canvas exported, with the "
            f"columns Student, ID and Section, found {found}. In Canvas: Grades, Export, Export "
            "Entire Gradebook"
        )


def _points_row(sheet: Sheet) -> Line:
    for row in sheet.rows:
        if "Points Possible" in row[0]:
            return row
    raise Unreadable(
        f"{sheet.path}: expected a row that begins with Points Possible, found none. Export the "
        "gradebook from Canvas again"
    )


def _column(sheet: Sheet, points_row: Line, grades: Grades, asked: str) -> int:
    first = [name.strip() for name in sheet.header.values].index("Section") + 1
    may_be = [
        number
        for number in range(first, len(sheet.header.values))
        if not _COMPUTED.search(sheet.header[number])
        and not _READ_ONLY.search(points_row[number])
        and (_title(sheet, number)[1] or number_in(points_row[number]) is not None)
    ]
    short = grades.title.partition(":")[0]  # people use this short title on Canvas
    own = {folded(name) for name in (grades.finals.assignment, grades.title, short)}
    names = {folded(asked)} if asked else own
    found = []
    for number in may_be:
        title, key = _title(sheet, number)
        called = {folded(sheet.header[number]), folded(title)} | ({key} if asked and key else set())
        if called & names:
            found.append(number)
    wanted = f"named {quoted(asked)}" if asked else "with the homework's name or title"
    return the_one(sheet, wanted, found, may_be)


def _title(sheet: Sheet, number: int) -> tuple[str, str]:
    match_ = _TITLE_AND_ID.fullmatch(sheet.header[number])
    return (match_[1], match_[2]) if match_ else (sheet.header[number], "")


def _without_id(sheet: Sheet, column: int) -> Iterator[str]:
    if not _title(sheet, column)[1]:
        yield (
            f"{sheet.place(sheet.header)}: the column {quoted(sheet.header[column])} has no (id) "
            "at its end. Canvas will create a new assignment for it, unless an assignment has "
            "exactly this title"
        )


def _is_no_student(sheet: Sheet, row: Line) -> bool:
    if "Points Possible" in row[0] or folded(_name(sheet, row)) in TEST_STUDENT:
        return True
    return all(_NO_STUDENT.fullmatch(value) for value in row.values)


def _name(sheet: Sheet, row: Line) -> str:
    if sheet.header[0].strip() == "LastName":
        return f"{row[0]}, {row[1]}"
    return row[0]


def _asked(sheet: Sheet, row: Line) -> Asked:
    names = [name.strip() for name in sheet.header.values]
    known = [
        (kind, column, row[names.index(column)]) for column, kind in _IDENTITY if column in names
    ]
    return [*known, (NAME, "name", _name(sheet, row))]
