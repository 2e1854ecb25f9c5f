"""Moodle: fills in an assignment's grading worksheet, so that you can upload it again.

The names of its columns are in the site's language: `Columns` has the English ones. The maximum
grade has the same number in all rows, and comes right after the grade. Moodle skips a row that was
graded after the worksheet was made.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

from hw_grading.exports.filling import Exported, differing_maximum, filled, the_one
from hw_grading.exports.grades import Grade, Grades, two_decimals
from hw_grading.exports.matching import LOGIN, NAME, NUMBER, Asked, Finder, match
from hw_grading.exports.sheet import Line, Sheet, number_in, read_sheet
from hw_grading.term.roster import folded
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

_GRADE, _CAN_BE_CHANGED, _NO = "Grade", "Grade can be changed", "no"


@dataclass(frozen=True)
class Columns:
    """The names of the columns that identify a student; a worksheet may lack some of them."""

    id: str = "ID number"
    login: str = "Email address"
    name: str = "Full name"


def fill_moodle(
    path: Path, grades: Grades, column: str = "", identity: Columns | None = None
) -> Exported:
    """Fill in the column of grades of Moodle's grading worksheet, or raise `Unreadable`."""
    sheet = read_sheet(path)
    kinds = _kinds(sheet, identity or Columns())
    numbers = range(len(sheet.header.values))
    wanted = f"named {quoted(column or _GRADE)}"
    chosen = the_one(sheet, wanted, _named(sheet, column or _GRADE), numbers)

    def asked(row: Line) -> Asked:
        return [(kind, sheet.header[column], row[column]) for column, kind in kinds.items()]

    matches = match("Moodle", sheet, sheet.rows, asked, Finder(grades))
    maximum = _maximum(sheet, chosen + 1)
    to_check = [
        *differing_maximum(grades, maximum, sheet.path.name),
        *_over_the_maximum(matches.found.values(), maximum),
        *_locked(sheet, chosen, matches.found),
    ]
    return filled(sheet, chosen, matches, [maximum, *(row[chosen] for row in sheet.rows)], to_check)


def _named(sheet: Sheet, name: str) -> list[int]:
    return [n for n, title in enumerate(sheet.header.values) if folded(title) == folded(name)]


def _kinds(sheet: Sheet, identity: Columns) -> dict[int, str]:
    """Return the kind of value in each column that identifies a student."""
    kinds: dict[int, str] = {}
    for name, usual, kind in zip(
        astuple(identity), astuple(Columns()), (NUMBER, LOGIN, NAME), strict=True
    ):
        found = _named(sheet, name)
        if len(found) > 1 or (not found and name != usual):
            what = f"{len(found)} of them" if found else "none"
            raise Unreadable(
                f"{sheet.place(sheet.header)}: expected one column named {quoted(name)}, found "
                f"{what}. The columns are {_titles(sheet)}"
            )
        kinds |= dict.fromkeys(found, kind)
    if not kinds:
        raise Unreadable(
            f"{sheet.place(sheet.header)}: expected a grading worksheet of Moodle, with at least "
            f"one of the columns {', '.join(map(quoted, astuple(identity)))}, found "
            f"{_titles(sheet)}. In Moodle: the assignment, Submissions, Download grading "
            "worksheet. If the site is in another language, name its columns with --column, "
            "--column-id, --column-login and --column-name"
        )
    return kinds


def _titles(sheet: Sheet) -> str:
    return ", ".join(map(quoted, sheet.header.values))


def _maximum(sheet: Sheet, column: int) -> str:
    """Return the number that a column has in each row; "" if it is no maximum grade."""
    if column >= len(sheet.header.values):
        return ""
    numbers = {number_in(row[column]) for row in sheet.rows}
    return sheet.rows[0][column] if len(numbers) == 1 and numbers != {None} else ""


def _locked(sheet: Sheet, column: int, found: Mapping[int, Grade]) -> Iterator[str]:
    """Yield a sentence if scores differ from grades that Moodle does not let you change."""
    ids = []
    can_be_changed = _named(sheet, _CAN_BE_CHANGED)
    for row in sheet.rows:
        grade = found.get(row.number)
        if not grade or not grade.final or not any(folded(row[n]) == _NO for n in can_be_changed):
            continue
        if number_in(two_decimals(grade.final.final)) != number_in(row[column]):
            ids.append(grade.id)
    if ids:
        yield (
            "Moodle does not import grades that are locked or overridden in its gradebook. These "
            f"students have such grades: {', '.join(ids)}. Unlock them there, or type them by hand"
        )


def _over_the_maximum(grades: Iterable[Grade], maximum: str) -> Iterator[str]:
    most = number_in(maximum)
    over = [g.id for g in grades if most is not None and g.final and g.final.final > most]
    if over:
        yield (
            f"Moodle accepts no grade above {two_decimals(most or 0)}, but these students have "
            f"more: {', '.join(over)}. Raise the maximum in Moodle, or lower these grades"
        )
