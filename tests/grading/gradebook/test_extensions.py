"""Extensions and slip days by student: from a command or a CSV, in our own table and nbgrader's."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from by_hand import Term, utc
from nbgrader.api import Gradebook
from toy_course import save_nothing

from hw_grading.commands.extend import moment_of
from hw_grading.gradebook.database import Database
from hw_grading.gradebook.extensions import Extension, extensions_in, grant, remove
from hw_grading.gradebook.lateness import zone_of
from hw_grading.gradebook.results import read_results
from hw_grading.gradebook.scores import open_gradebook
from hw_grading.homework.homework import Manifest
from hw_support.submission.file import UserError

LATE = "2022-10-06 01:59:59"  # by 26 hours


def granted(term: Term, name: str = "ps1") -> dict[str, Extension]:
    with open_gradebook(term.course.db_url, name) as (db, _):
        return {student: one for (_, student), one in extensions_in(db, name).items()}


def of_nbgrader(term: Term, what: str = "extension") -> timedelta | float | None:
    with Gradebook(term.course.db_url) as book:
        return getattr(book.find_submission("ps1", "ada"), what)


def grant_by_nbgrader(term: Term, hours: float, student: str = "ada") -> None:
    with Gradebook(term.course.db_url) as book:
        book.grant_extension("ps1", student, hours=hours)


def seconds_late(term: Term) -> float:
    record = term.final().record
    assert record is not None
    return record.seconds_late


def of(*students: str) -> list[str]:
    return [word for student in students for word in ("--student", student)]


def test_an_extension_counts_in_scores_and_in_nbgraders_pages(term, capsys):
    term.policy(percent=10)
    term.hand_in("ada", LATE).hand_in("ben", LATE)
    until = ("--until", "2022-10-08 23:59", "--reason", "ill")
    assert term.type("extend", "ps1", *of("ada"), *until) == 0
    said = capsys.readouterr().out
    assert said.startswith("ada: until 2022-10-08 23:59:00 America/Los_Angeles (by ")
    assert said.endswith(": ill)\n")
    assert (term.final().final, term.final("ben").final) == (10, 8)
    assert (seconds_late(term), of_nbgrader(term, "total_seconds_late")) == (0, 0)
    late = {s: r.known.late for s, r in read_results(term.course, "ps1").students.items()}
    assert late == {"ada": "", "ben": "1 d 2 h"}
    one = granted(term)["ada"]
    assert (one.reason, bool(one.author)) == ("ill", True)


def test_an_extension_may_be_granted_before_a_submission(term):
    term.policy(percent=10)
    assert term.type("extend", "ps1", *of("ada"), "--hours", "26") == 0
    term.hand_in("ada", LATE)
    assert term.final().final == 10
    assert of_nbgrader(term, "total_seconds_late") > 0  # until it is autograded
    save_nothing(term.course, "ps1", "ada")
    assert of_nbgrader(term) == timedelta(hours=26)
    assert (seconds_late(term), of_nbgrader(term, "total_seconds_late")) == (0, 0)


def test_nbgraders_own_extension_is_replaced_by_ours(term, capsys):
    term.hand_in("ada", LATE)
    term.type("extend", "ps1", *of("ada"), "--hours", "1")
    grant_by_nbgrader(term, hours=48)
    assert seconds_late(term) == 25 * 3600
    term.type("extend", "ps1", *of("ada"), "--hours", "30")
    assert (seconds_late(term), of_nbgrader(term)) == (0, timedelta(hours=30))
    capsys.readouterr()
    term.type("extend", "ps1", *of("ada", "ben"), "--remove")
    assert capsys.readouterr().out == "ada: extension removed\nben: had no extension\n"
    assert (granted(term), of_nbgrader(term)) == ({}, None)


def test_a_student_gets_fewer_slip_days_and_keeps_the_others(term, capsys):
    term.policy(percent=10, slip_days=3)
    for student, slip in (("ada", 0), ("ben", 1)):
        term.hand_in(student, LATE)
        term.type("extend", "ps1", *of(student), "--slip", slip)
    term.type("extend", "ps1", *of("ada"), "--hours", "1", "--reason", "ill")
    one = granted(term)["ada"]
    assert (one.seconds, one.slip, one.reason) == (3600, 0, "ill")
    finals = [term.final(student) for student in ("ada", "ben")]
    assert [(f.slip_days, f.slip_days_left, f.final) for f in finals] == [(0, 3, 8), (1, 2, 9)]
    capsys.readouterr()
    term.type("extend", "ps1", "--list")
    assert "ben: at most 1 slip day, 1 used here, 2 left (by " in capsys.readouterr().out


def from_csv(term: Term, content: str | bytes) -> int:
    path = term.folder / "extensions.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return term.type("extend", "ps1", "--from-csv", path)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_csv_grants_all_of_its_rows_for_this_homework(term, mark):
    term.homework("ps2", due="2022-11-01 12:00:00")
    term.hand_in("ada", LATE)
    content = "\ufeffStudent,Until,Hours,Slip,Reason,Homework\r\nada,2022-10-08 23:59,,,ill\r\n"
    content += 'bên,,"1.5",1,,ps1\r\n,,,,,\r\nada,,5,,,ps2'
    assert from_csv(term, content.replace(",", mark)) == 0
    found = granted(term)
    assert (found["ada"].until, found["ada"].reason) == (utc("2022-10-08 23:59"), "ill")
    assert (found["bên"].seconds, found["bên"].slip) == (5400, 1)
    assert granted(term, "ps2") == {}
    assert of_nbgrader(term) is not None


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("ben", "expected until or hours, or slip days"),
        ("ben,2022-10-0", "expected a time such as 2022-10-08 23:59 in America/Los_Angeles, found"),
        ("ben,2022-10-04 23:59", "after the due date, and within a year"),
        ("ben,,48 h", "expected a number of hours up to 8784, found '48 h'"),
        ("ben,,,1.5", "expected a number of whole slip days"),
        ("../ben,2022-10-08", "is not a student's id"),
        ("ada,2022-10-08", "ada is named twice"),
        ("ben,2022-10-08,,,ps9", "the gradebook has no homework 'ps9'"),
    ],
)
def test_a_row_in_error_is_named_and_nothing_is_granted(term, capsys, row, said):
    content = f"student,until,hours,slip,homework\nada,2022-10-08 23:59\n{row}\ncyd,,5\n"
    assert from_csv(term, content) == 2
    complaint = capsys.readouterr().err
    assert "extensions.csv, line 3: " in complaint
    assert said in complaint
    assert complaint.endswith("No extension was granted.\n")
    assert granted(term) == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ps1", "--hours", "3"], "expected students of ps1: --student ID or --from-csv FILE"),
        (["ps1", "--from-csv", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_a_contradictory_command_grants_nothing(term, capsys, words, said):
    assert term.type("extend", *words) == 2
    assert said in capsys.readouterr().err
    assert granted(term) == {}


def test_an_extension_without_a_due_date_is_refused(term, capsys):
    term.homework("ps2", due=None)
    assert term.type("extend", "ps2", *of("ada"), "--hours", "3") == 2
    assert "no due date" in capsys.readouterr().err
    term.type("extend", "ps1", "--list")
    assert capsys.readouterr().out == "Nobody has an extension for ps1.\n"
    term.type("extend", "ps1", *of("eve"), "--hours", "24")
    assert "The gradebook has no such student yet: check the id" in capsys.readouterr().out


def test_a_failure_half_way_grants_nothing(term):
    term.hand_in("ada", LATE)
    database = Database(term.course.db_url)

    def interrupted() -> Iterator[Extension]:
        yield Extension("ps1", "ada", seconds=3600.0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grant(database, interrupted(), "kim")
    assert (granted(term), of_nbgrader(term)) == ({}, None)
    assert remove(database, "ps1", ["ada"]) == ["ada"]
    database.close()


def test_times_are_read_strictly(term):
    zone = zone_of(term.course, Manifest(time_zone="America/Los_Angeles"))
    assert moment_of("2022-10-08", zone) == utc("2022-10-08 23:59:59")
    assert moment_of("2022-11-06 01:30", zone) == utc("2022-11-06 01:30:00", fold=1)
    assert moment_of("2022-10-08T23:59+02:00", zone) == datetime(2022, 10, 8, 21, 59)
    with pytest.raises(UserError, match=r"in America/Los_Angeles, found 'Friday'"):
        moment_of("Friday", zone)


def test_nbgraders_own_extensions_are_taken_over_once(term):
    term.hand_in("ada").hand_in("ben")
    grant_by_nbgrader(term, 5)
    database = Database(term.course.db_url)
    database.make_tables()
    grant_by_nbgrader(term, 5, "ben")
    database.make_tables()
    assert {s: (one.seconds, one.author) for s, one in granted(term).items()} == {
        "ada": (18000, "nbgrader")
    }
    assert seconds_late(term) == 0
