"""Moodle: fills in an assignment's grading worksheet, so that you can upload it again.

The names of its columns are in the site's language, so columns are recognised by their content. The
first has ``Participant 12345`` in each row. The full name follows it. The maximum grade has the
same number in all rows, and the grade comes before it. The column after it says whether the grade
can be changed. Moodle skips a row that was graded after the worksheet was made.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from hw_grading.exports.filling import Exported, differing_maximum, filled, the_one
from hw_grading.exports.grades import Grade, Grades, two_decimals
from hw_grading.exports.matching import LOGIN, NAME, NUMBER, Asked, Finder, match
from hw_grading.exports.sheet import Line, Sheet, number_in, read_sheet
from hw_grading.term.roster import folded
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import quoted

_IDENTIFIER = re.compile(r"([^\W\d].*?)(\d+)", re.DOTALL)
# English, German, French, Spanish, Italian, Portuguese, Dutch, Catalan, Polish, Czech, Swedish,
# Danish and Norwegian, Finnish, Turkish, Russian.
_GRADE = {
    *("grade", "bewertung", "note", "calificación", "voto", "valutazione", "nota", "avaliação"),
    *("cijfer", "beoordeling", "qualificació", "ocena", "známka", "hodnocení", "betyg"),
    *("karakter", "arvosana", "not", "оценка"),
}
_IDS = {
    *("id number", "id-nummer", "numéro d'identification", "número de id", "número id"),
    *("codice identificativo", "número de identificação", "idnumber", "matrikelnummer"),
}
_LOGINS = {
    *("username", "anmeldename", "nom d'utilisateur", "nombre de usuario", "email address"),
    *("email", "e-mail-adresse", "adresse de courriel", "dirección de correo"),
    *("indirizzo email", "endereço de email", "e-mailadres", "adreça electrònica"),
}
_NOT_GRADED = ("", "-")
_NO = {"no", "nein", "non", "não", "nee", "nie", "ne", "nej", "nei", "ei", "hayır", "нет"}


def fill_moodle(path: Path, grades: Grades, column: str = "") -> Exported:
    """Fill in the column of grades of Moodle's grading worksheet, or raise `Unreadable`."""
    sheet = read_sheet(path)
    identifier = _identifier(sheet)
    _expect_each_once(sheet, identifier)
    chosen = _grade_column(sheet, identifier, column)
    finder = Finder(grades)
    kinds = _kinds(sheet, range(identifier + 1, chosen), finder)

    def asked(row: Line) -> Asked:
        return [(kind, sheet.header[column], row[column]) for column, kind in kinds.items()]

    matches = match("Moodle", sheet, sheet.rows, asked, finder)
    maximum = sheet.rows[0][chosen + 1] if _is_maximum(sheet, chosen + 1) else ""
    to_check = [
        *differing_maximum(grades, maximum, sheet.place(sheet.rows[0])),
        *_over_the_maximum(matches.found.values(), maximum),
        *_locked(sheet, chosen, matches.found),
    ]
    return filled(sheet, chosen, matches, [maximum, *(row[chosen] for row in sheet.rows)], to_check)


def _identifier(sheet: Sheet) -> int:
    for column in range(len(sheet.header.values)):
        found = [_IDENTIFIER.fullmatch(row[column].strip()) for row in sheet.rows]
        if found and all(found) and len({one[1] for one in found if one}) == 1:
            return column
    raise Unreadable(
        f"{sheet.path}: expected a grading worksheet of Moodle, with a column of values such as "
        "Participant 12345, found none. In Moodle: the assignment, Submissions, Download grading "
        "worksheet"
    )


def _expect_each_once(sheet: Sheet, column: int) -> None:
    first: dict[str, Line] = {}
    for row in sheet.rows:
        other = first.setdefault(row[column].strip(), row)
        if other is not row:
            raise Unreadable(
                f"{sheet.place(row)}: {quoted(row[column])} is already in line {other.number}. "
                "Download the worksheet again"
            )


def _grade_column(sheet: Sheet, identifier: int, asked: str) -> int:
    columns = range(identifier + 1, len(sheet.header.values))
    names = {folded(asked)} if asked else _GRADE
    found = [column for column in columns if folded(sheet.header[column]) in names]
    if not asked and len(found) != 1:
        before_maximum = [c for c in columns if _is_maximum(sheet, c + 1) and _may_be(sheet, c)]
        found = [c for c in found if c in before_maximum] or before_maximum
    wanted = f"named {quoted(asked)}" if asked else "of grades, followed by the maximum grade"
    return the_one(sheet, wanted, found, columns)


def _is_maximum(sheet: Sheet, column: int) -> bool:
    """Whether a column has the same number in each row, like a maximum grade."""
    if column >= len(sheet.header.values):
        return False
    numbers = {number_in(row[column]) for row in sheet.rows}
    return len(numbers) == 1 and numbers != {None}


def _may_be(sheet: Sheet, column: int) -> bool:
    values = [row[column].strip() for row in sheet.rows]
    return all(value in _NOT_GRADED or number_in(value) is not None for value in values)


def _kinds(sheet: Sheet, columns: Sequence[int], finder: Finder) -> dict[int, str]:
    """Return each column's kind, from its name or because most of its values fit students.

    Students fill in some of these columns themselves, in their profiles. So a single value that is
    a student's number does not make a column of numbers.
    """
    kinds: dict[int, str] = {}
    for column in columns:
        called = folded(sheet.header[column])
        values = [row[column] for row in sheet.rows]
        if called in _IDS:
            kinds[column] = NUMBER
        elif called in _LOGINS or 2 * sum(finder.knows(LOGIN, v) for v in values) > len(sheet.rows):
            kinds[column] = LOGIN
    if columns:  # the full name comes right after the identifier
        kinds.setdefault(columns[0], NAME)
    return kinds


def _locked(sheet: Sheet, column: int, found: Mapping[int, Grade]) -> Iterator[str]:
    """Yield a sentence if scores differ from grades that Moodle does not let you change."""
    if column + 2 >= len(sheet.header.values):
        return
    rows = [row for row in sheet.rows if folded(row[column + 2]) in _NO and row.number in found]
    both = ((found[row.number], number_in(row[column])) for row in rows)
    ids = [g.id for g, now in both if g.final and number_in(two_decimals(g.final.final)) != now]
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
