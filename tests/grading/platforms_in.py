"""Small models of Canvas and Moodle, which export and import files as the platforms do.

Each makes the file that its platform exports, and imports a file by the platform's own rules.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class CanvasStudent:
    id: str
    name: str
    sis: str = ""
    login: str = ""
    scores: dict[str, str] = field(default_factory=dict)  # by the assignment's id

    @property
    def sortable(self) -> str:
        first, _, last = self.name.rpartition(" ")
        return f"{last}, {first}" if first else last


@dataclass
class Canvas:
    """A course: `assignments` are (id, title, points possible)."""

    students: list[CanvasStudent]
    assignments: Sequence[tuple[str, str, str]] = (
        ("55", "Quiz", "10"),
        ("123456", "ps1", "6"),
    )

    def exported(self, delimiter: str = ",", end: str = "\r\n") -> str:
        titles = [f"{title} ({key})" for key, title, _ in self.assignments]
        possible = [points for *_, points in self.assignments]
        identity = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
        computed = ["Current Score", "Final Score"]
        none = [""] * len(titles)
        rows = [
            [*identity, *titles, *computed],
            ["", "", "", "", "", *["Manual Posting", *none][: len(titles)], "", ""],
            ["    Points Possible", "", "", "", "", *possible, "(read only)", "(read only)"],
        ]
        for one in self.students:
            scores = [one.scores.get(key, "") for key, *_ in self.assignments]
            known = [one.sortable, one.id, one.sis, one.login, "LEC 001"]
            rows.append([*known, *scores, "70.00", "35.00"])
        rows.append(["Student, Test", "999", "", "f3a9", "LEC 001", *none, "", ""])
        stream = io.StringIO(newline="")
        csv.writer(stream, delimiter=delimiter, lineterminator=end).writerows(rows)
        return stream.getvalue()

    def imported(self, content: bytes) -> tuple[dict[tuple[str, str], tuple[str, str]], list[str]]:
        """Return the changes by student and assignment, and the assignments to be created."""
        text = content.decode("utf-8").removeprefix("\ufeff")
        first = text.splitlines()[:3]
        widths = {d: {len(next(csv.reader([line], delimiter=d))) for line in first} for d in ";,"}
        delimiter = ";" if len(widths[";"]) == 1 and max(widths[";"]) > max(widths[","]) else ","
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
        head, rows = rows[0], rows[1:]
        assert "Student" in head[0]
        assert "ID" in head[1]
        after = head.index("Section") + 1
        points = next(row for row in rows if "Points Possible" in row[0])
        new: list[str] = []
        columns: dict[int, str] = {}
        for number, title in enumerate(head[after:], after):
            if re.search(r"(Current|Final|Override) (Score|Points|Grade)", title):
                continue
            match = re.fullmatch(r".*\((\d+)\)", title)
            keys = {key for key, *_ in self.assignments}
            by_title = [key for key, called, _ in self.assignments if called == title]
            if match and match[1] in keys:
                columns[number] = match[1]
            elif by_title:
                columns[number] = by_title[0]
            else:
                new.append(title)
        changes = {}
        for row in rows:
            if row is points or all(
                re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", value) for value in row
            ):
                continue
            one = self._student(row)
            if one is None:
                if row[1] != "999":  # Canvas' own
                    new.append(row[0])
                continue
            for number, key in columns.items():
                if re.search(r"read\s+only", points[number]):
                    continue
                old, value = one.scores.get(key, ""), _with_a_point(row[number].strip())
                if _score(old) != _score(value):
                    changes[one.name, key] = (old, value)
        return changes, new

    def _student(self, row: list[str]) -> CanvasStudent | None:
        for is_it in (
            lambda one: row[1] and one.id == row[1],
            lambda one: row[2] and one.sis == row[2],
            lambda one: row[3] and one.login == row[3],
            lambda one: row[0] in (one.name, one.sortable),
        ):
            if found := next(filter(is_it, self.students), None):
                return found
        return None


@dataclass
class MoodleStudent:
    number: int
    name: str
    id_number: str = ""
    email: str = ""
    grade: str = ""
    feedback: str = ""


ENGLISH = {
    "participant": "Participant ",
    "columns": [
        *("Identifier", "Full name", "ID number", "Email address", "Status", "Grade"),
        *("Maximum grade", "Grade can be changed", "Last modified (submission)"),
        *("Last modified (grade)", "Feedback comments"),
    ],
}
GERMAN = {
    "participant": "Teilnehmer/in",
    "columns": [
        *("ID", "Vollständiger Name", "ID-Nummer", "E-Mail-Adresse", "Status", "Bewertung"),
        *("Bestwertung", "Bewertung kann geändert werden", "Zuletzt geändert (Abgabe)"),
        *("Zuletzt geändert (Bewertung)", "Feedback als Kommentar"),
    ],
}


@dataclass
class Moodle:
    """An assignment of a site whose language is one of these."""

    students: list[MoodleStudent]
    language: dict[str, object] = field(default_factory=lambda: ENGLISH)
    maximum: str = "6.00"

    def exported(self, delimiter: str = ",", end: str = "\n") -> str:
        rows = [self.language["columns"]]
        for one in self.students:
            rows.append(
                [
                    f"{self.language['participant']}{one.number}",
                    *(one.name, one.id_number, one.email, "Submitted for grading", one.grade),
                    *(self.maximum, "Yes", "Tuesday, 4 October 2022, 11:59 PM", "-"),
                    one.feedback,
                ]
            )
        stream = io.StringIO(newline="")
        csv.writer(stream, delimiter=delimiter, lineterminator=end).writerows(rows)
        return stream.getvalue()

    def imported(self, content: bytes, delimiter: str = ",") -> dict[str, tuple[str, str]]:
        """Return the grades that change, by name; other fields must be as they were."""
        text = content.decode("utf-8").removeprefix("\ufeff")
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
        assert rows[0] == self.language["columns"]
        before = list(csv.reader(io.StringIO(self.exported(), newline="")))
        by_number = {one.number: one for one in self.students}
        changes = {}
        for row, old in zip(rows[1:], before[1:], strict=True):
            assert row[:5] + row[6:] == old[:5] + old[6:]
            one = by_number[int(row[0][len(str(self.language["participant"])) :])]
            if row[5] != one.grade:
                changes[one.name] = (one.grade, row[5])
        return changes


def _with_a_point(value: str) -> str:
    return value.replace(",", ".") if re.fullmatch(r"-?[0-9.,]+%?", value) else value


def _score(value: str) -> str:
    if value in ("", "-"):
        return ""
    return value if value.upper() == "EX" else f"{float(_with_a_point(value)):.2f}"
