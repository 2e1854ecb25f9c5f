"""Late penalties are computed when scores are shown, in the homework's time zone."""

import csv
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from a_term import ALL_POINTS, DUE, ZONE, Term, utc
from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook
from traitlets.config import Config, PyFileConfigLoader

from hw_grading.final_scores.lateness import days_late, days_later, hours_late
from hw_grading.final_scores.policy import LatePolicy
from hw_grading.final_scores.scores import final_scores
from hw_grading.homework.course import REPOSITORY
from hw_grading.homework.manifest import ManifestError
from hw_grading.outcome import GraderFault
from hw_grading.plugins.saving import SaveScores
from hw_grading.records.database import Database
from hw_grading.reports.table import report

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # from nbgrader's code


@pytest.fixture
def term(tmp_path: Path) -> Term:
    return Term(tmp_path / "course").homework()


# -- the default, and settings


def test_late_work_loses_nothing_by_default(term):
    term.hand_in("ada", "2022-10-20 00:00:00")
    final = term.final()
    assert (final.penalty, final.why_penalty, final.final) == (0, "", ALL_POINTS)
    assert final.slip_days_left is None


def test_the_course_as_it_is_shipped_takes_nothing_off():
    config = PyFileConfigLoader("nbgrader_config.py", str(REPOSITORY)).load_config()
    policy = LatePolicy(config=Config({"LatePolicy": config.LatePolicy}))
    assert not policy.has_rules
    assert not any("AssignLate" in name for name in config.Autograde.autograde_preprocessors)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (
            {"percnt": 10},
            r"LatePolicy\.percnt .* Did you mean percent\? The settings are: .*slip_days",
        ),
        ({"percent": "10"}, "percent"),
        ({"percent": 101}, "100"),
        ({"per": "week"}, "day"),
        ({"slip_days": -1}, "slip_days"),
    ],
)
def test_an_invalid_setting_is_reported(term, setting, said):
    term.policy(**setting)
    with pytest.raises(GraderFault, match=said) as error:
        term.final()
    assert "nbgrader_config.py" in str(error.value)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("[late]\npercent = 101", "late.percent is 101. Allowed: a number of 100 or less."),
        ('[late]\nper = "week"', "late.per is 'week'. Allowed: 'day' or 'hour'."),
        ("[late]\nslip_days = 3", "late.slip_days is 3, but there is no such key."),
        ("late = 3", r"late is 3. Allowed: a section \[late\], with grace_minutes or percent"),
    ],
)
def test_a_mistake_in_the_manifest_is_reported(tmp_path, lines, said):
    term = Term(tmp_path / "course").homework(more=lines)
    with pytest.raises(ManifestError, match=said):
        term.final()


def test_a_homework_may_differ_from_the_course(tmp_path):
    term = Term(tmp_path / "course", percent=10)
    term.homework().homework("ps2", more="[late]\npercent = 50\n")
    for name in ("ps1", "ps2"):
        term.hand_in("ada", "2022-10-05 12:00:00", name=name)
    assert [term.final(name=name).final for name in ("ps1", "ps2")] == [9, 5]


# -- days and hours


def zoned(zone: str, **more: object) -> LatePolicy:
    return LatePolicy(zone=ZoneInfo(zone), **more)


@pytest.mark.parametrize(
    ("after", "days"),
    [
        (timedelta(0), 0),
        (timedelta(microseconds=999_999), 0),
        (timedelta(seconds=1), 1),
        (timedelta(days=1), 1),
        (timedelta(days=1, seconds=1), 2),
        (timedelta(days=40), 40),
        (-timedelta(days=3), 0),
    ],
)
def test_a_second_costs_a_whole_day(after, days):
    due = utc(DUE)
    assert days_late(zoned("UTC"), due, due + after) == days


@pytest.mark.parametrize(("seconds", "hours"), [(0, 0), (1, 1), (3600, 1), (3601, 2), (-5, 0)])
def test_a_second_costs_a_whole_hour(seconds, hours):
    due = utc(DUE)
    assert hours_late(zoned("UTC"), due, due + timedelta(seconds=seconds)) == hours


def test_late_days_and_hours_begin_after_the_grace_period():
    due, terms = utc(DUE), zoned("UTC", grace_minutes=15)
    at = [timedelta(minutes=15), timedelta(minutes=15, seconds=1), timedelta(days=1, minutes=15)]
    assert [days_late(terms, due, due + after) for after in at] == [0, 1, 1]
    assert [hours_late(terms, due, due + after) for after in at] == [0, 1, 24]


SPRING, AUTUMN = (
    ("2022-03-12 23:59:59", "2022-03-13 23:59:59"),
    (
        "2022-11-05 23:59:59",
        "2022-11-06 23:59:59",
    ),
)


@pytest.mark.parametrize(("due", "next_day", "hours"), [(*SPRING, 23), (*AUTUMN, 25)])
def test_a_day_later_is_the_same_time_on_the_clock_when_clocks_are_changed(due, next_day, hours):
    terms, moment, limit = zoned(ZONE), utc(due), utc(next_day)
    assert limit - moment == timedelta(hours=hours)
    assert days_later(moment, 1, terms.zone) == limit
    assert days_late(terms, moment, limit) == 1
    assert days_late(terms, moment, limit + timedelta(seconds=1)) == 2
    assert days_late(terms, moment, limit + timedelta(days=1)) == 2  # and not an hour more


def test_a_skipped_or_repeated_time_is_the_later_one():
    zone = ZoneInfo(ZONE)
    assert days_later(utc("2022-03-12 02:30:00"), 1, zone) == utc("2022-03-13 03:30:00")
    assert days_later(utc("2022-11-05 01:30:00"), 1, zone) == utc("2022-11-06 01:30:00", fold=1)


def test_days_are_counted_in_the_homeworks_time_zone(tmp_path):
    term = Term(tmp_path / "course", percent=10).homework(due=AUTUMN[0])
    term.hand_in("ada", AUTUMN[1]).hand_in("ben", utc(AUTUMN[1]) + timedelta(seconds=1))
    assert [term.final(student).final for student in ("ada", "ben")] == [9, 8]


def test_without_a_time_zone_in_the_manifest_the_courses_counts(tmp_path):
    term = Term(tmp_path / "course", percent=10).homework(due=AUTUMN[0])
    (term.folder / "staff" / "ps1" / "homework.toml").write_text("")
    settings = term.folder / "nbgrader_config.py"
    settings.write_text(settings.read_text() + f"\nc.Exchange.timezone = {ZONE!r}")
    term.hand_in("ada", AUTUMN[1])
    assert term.final().final == 9


# -- penalties


@pytest.mark.parametrize(
    ("policy", "points", "penalty", "why"),
    [
        (
            {"percent": 10},
            8,
            2,
            "1 d 2 h late: 10 % of all points for each day, so for 2 days",
        ),
        ({"percent": 1, "per": "hour"}, 8, 2.6, "for each hour, so for 26 hours"),
        ({"percent": 10, "of": "earned"}, 8, 1.6, "10 % of your points for each day"),
        ({"percent": 30, "floor": 50}, 8, 3, "for 2 days, but not below 50 % of all points"),
        ({"percent": 30, "floor": 50}, 4, 0, "not below 50 %"),
        ({"percent": 30, "floor": 50, "of": "earned"}, 8, 4, "not below 50 % of your points"),
        ({"percent": 100}, 8, 8, "100 % of all points"),
        ({"percent": 10, "grace_minutes": 26 * 60}, 8, 0, ""),
        ({"last_moment_hours": 26}, 8, 0, ""),
        ({"last_moment_hours": 25.5}, 8, 8, "submissions more than 25.5 h"),
    ],
)
def test_a_delay_of_26_hours_costs_the_configured_penalty(term, policy, points, penalty, why):
    term.policy(**policy)
    term.hand_in("ada", "2022-10-06 01:59:59", points)
    final = term.final()
    assert final.penalty == pytest.approx(penalty)
    assert final.final == pytest.approx(points - penalty)
    assert why in final.why_penalty
    assert bool(why) == bool(final.why_penalty)


def test_points_given_by_hand_later_do_not_count_after_the_last_moment(term):
    term.policy(last_moment_hours=48)
    term.hand_in("ada", "2022-10-10 00:00:00", None)
    assert term.final().final == 0
    assert "do not count" in term.final().why_penalty  # stated before anybody has graded it
    term.hand_in("ada", "2022-10-10 00:00:00", 10)
    final = term.final()
    assert (final.score, final.penalty, final.final) == (10, 10, 0)


def test_a_score_above_the_maximum_loses_a_share_of_all_points(term):
    term.policy(percent=10)
    term.hand_in("ada", "2022-10-05 12:00:00", 12)
    assert term.final().final == 11


def test_work_in_time_or_without_a_time_or_a_due_date_loses_nothing(term):
    term.policy(percent=50, last_moment_hours=1, slip_days=2)
    term.homework("ps2", due=None)
    term.hand_in("ada", DUE).hand_in("ben", None).hand_in("ada", "2030-01-01 00:00:00", name="ps2")
    assert [term.final(student).final for student in ("ada", "ben")] == [10, 10]
    assert term.final(name="ps2").final == 10


# -- slip days


def three(tmp_path: Path, **policy: object) -> Term:
    term = Term(tmp_path / "course", percent=100, **policy)
    # Not in the order of their due dates, which counts.
    for name, day in (("ps3", 21), ("ps1", 7), ("ps2", 14)):
        term.homework(name, due=f"2022-10-{day:02d} 23:59:59")
    return term


def days_of(term: Term, student: str = "ada") -> list[tuple[int, int | None, float]]:
    finals = [term.final(student, name) for name in ("ps1", "ps2", "ps3")]
    return [(one.slip_days, one.slip_days_left, one.final) for one in finals]


def test_slip_days_are_used_in_the_order_of_due_dates_and_never_overdrawn(tmp_path):
    term = three(tmp_path, slip_days=3)
    term.hand_in("ada", "2022-10-22 00:00:00", name="ps3")  # by a second
    term.hand_in("ada", "2022-10-16 00:00:00", name="ps2")  # by a day and a second
    term.hand_in("ada", "2022-10-08 00:00:00", name="ps1")
    assert days_of(term) == [(1, 2, 10), (2, 0, 10), (0, 0, 0)]
    term.policy(percent=100, slip_days=1)  # the instructor changes the balance
    assert days_of(term) == [(1, 0, 10), (0, 0, 0), (0, 0, 0)]


def test_time_beyond_the_slip_days_is_late(tmp_path):
    term = three(tmp_path, slip_days=2)
    term.policy(percent=10, slip_days=2)
    term.hand_in("ada", "2022-10-11 23:59:59", name="ps1")
    final = term.final()
    assert (final.slip_days, final.penalty) == (2, 2)
    assert "2 slip days used: 10 % of all points for each day, so for 2 days" in final.why_penalty


def test_no_slip_days_are_used_for_a_submission_that_scores_0_anyway(tmp_path):
    term = three(tmp_path, slip_days=5, last_moment_hours=24)
    term.hand_in("ada", "2022-10-10 00:00:00", name="ps1")
    term.hand_in("ada", "2022-10-15 12:00:00", name="ps2")
    assert days_of(term)[:2] == [(0, 5, 0), (1, 4, 10)]


def test_slip_days_for_one_homework_are_limited(tmp_path):
    term = three(tmp_path, slip_days=5, most_slip_days=1)
    term.homework("ps4", due="2022-10-28 23:59:59", more="[late]\nmost_slip_days = 0\n")
    term.hand_in("ada", "2022-10-09 12:00:00", name="ps1")
    term.hand_in("ada", "2022-10-29 12:00:00", name="ps4")
    assert days_of(term)[0] == (1, 4, 0)
    assert (term.final(name="ps4").slip_days, term.final(name="ps4").final) == (0, 0)


def test_a_slip_day_is_a_day_on_the_clock_when_clocks_are_changed(tmp_path):
    term = Term(tmp_path / "course", percent=100, slip_days=1).homework(due=AUTUMN[0])
    term.hand_in("ada", AUTUMN[1]).hand_in("ben", utc(AUTUMN[1]) + timedelta(seconds=1))
    assert [term.final(student).final for student in ("ada", "ben")] == [10, 0]


def test_a_student_without_submissions_has_all_slip_days(tmp_path):
    term = three(tmp_path, slip_days=3)
    with term.gradebook() as book:
        book.add_student("eve")
    assert days_of(term, "eve") == [(0, 3, 0)] * 3


# -- penalties that nbgrader has stored


def stored(term: Term, points: float) -> None:
    with term.gradebook() as book:
        book.find_submission_notebook("ps1", "ps1", "ada").late_submission_penalty = points
        book.db.commit()


def test_a_penalty_that_nbgrader_stored_counts_only_where_the_course_has_no_policy(term):
    term.hand_in("ada", "2022-10-05 12:00:00")
    stored(term, 3)
    assert (term.final().penalty, term.final().why_penalty) == (3, "12 h 1 min late")
    term.policy(percent=10)
    assert term.final().penalty == 1


def test_autograding_stores_no_penalty_and_the_extension(term):
    term.hand_in("ada", "2022-10-05 12:00:00")
    stored(term, 3)
    Database(term.course.db_url).make_tables()
    ids = {"notebook": "ps1", "assignment": "ps1", "student": "ada", "db_url": term.course.db_url}
    SaveScores().preprocess(new_notebook(), {"nbgrader": ids})
    with Gradebook(term.course.db_url) as book:
        submission = book.find_submission("ps1", "ada")
        assert submission.late_submission_penalty == 0
        assert submission.extension is None


# -- what people see


def test_the_report_shows_score_penalty_and_final_where_somebody_is_late(term):
    term.hand_in("ada", "2022-10-05 12:00:00", 7).hand_in("ben", DUE, 8)
    assert heads(term)[-2:] == ["total", "late"]
    term.policy(percent=10)
    assert heads(term)[-4:] == ["score", "penalty", "final", "late"]
    rows = {line.split()[0]: line.split() for line in lines_of(term)}
    assert rows["of"][-2:] == ["10", "10"]
    assert rows["ada"][-7:] == ["7", "1", "6", "12", "h", "1", "min"]
    assert rows["ben"][-3:] == ["8", "0", "8"]


def lines_of(term: Term) -> list[str]:
    return [line for line in report(term.folder, "ps1", 160).split("\n") if line]


def heads(term: Term) -> list[str]:
    return lines_of(term)[0].split()


def test_the_export_has_the_final_scores(term):
    term.policy(last_moment_hours=48)
    term.hand_in("ada", "2022-10-10 00:00:00", 10).hand_in("ben", DUE, 8)
    plugin = "--ExportApp.plugin_class=hw_grading.exports.tables.PlainCsv"
    assert term.course.nbgrader("export", "--to=out.csv", plugin) == 0
    with (term.folder / "out.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["student_id"]: row for row in csv.DictReader(stream)}
    names = ("raw_score", "late_submission_penalty", "score", "max_score")
    assert [float(rows["ada"][name]) for name in names] == [10, 10, 0, 10]
    assert [float(rows["ben"][name]) for name in names] == [8, 0, 8, 10]


def test_students_without_a_submission_have_nothing(term):
    term.policy(percent=10)
    with term.gradebook() as book:
        book.add_student("eve")
    eve = final_scores(term.course, "ps1").students["eve"]
    assert (eve.record, eve.score, eve.final, eve.points("why")) == (None, 0, 0, 0)


def test_cells_are_in_the_notebooks_order(term):
    assert [cell.name for cell in final_scores(term.course, "ps1").cells] == ["why", "plot"]


@pytest.mark.parametrize("name", ["grace_minutes", "percent", "floor", "last_moment_hours"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_nan_infinity_and_huge_settings_are_refused(tmp_path, name, value):
    term = Term(tmp_path / "course").homework()
    term.hand_in("ada", "2022-10-06 12:00:00", points=7)
    text = f"\nc.LatePolicy.percent = 10\nc.LatePolicy.{name} = float({str(value)!r})\n"
    with (term.folder / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write(text)
    with pytest.raises(GraderFault, match=rf"{name}"):
        term.final()
