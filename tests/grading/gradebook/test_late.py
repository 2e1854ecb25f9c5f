"""Late penalties are computed when scores are shown, in the homework's time zone."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from by_hand import ALL_POINTS, DUE, ZONE, Term, utc
from nbgrader.api import Gradebook
from toy_course import save_nothing
from traitlets.config import Config, PyFileConfigLoader

from hw_grading.analysis.report import report
from hw_grading.gradebook.database import Database
from hw_grading.gradebook.lateness import LatePolicy, days_late, days_later
from hw_grading.homework.course import REPOSITORY
from hw_grading.outcome import SettingsError

NOON = "2022-10-05 12:00:00"  # on the day after the due date
SPRING = ("2022-03-12 23:59:59", "2022-03-13 23:59:59")
AUTUMN = ("2022-11-05 23:59:59", "2022-11-06 23:59:59")


def test_late_work_loses_nothing_by_default(term):
    term.hand_in("ada", "2022-10-20 00:00:00")
    final = term.final()
    assert (final.penalty, final.why_penalty, final.final) == (0, "", ALL_POINTS)
    assert final.slip_days_left is None
    config = PyFileConfigLoader("nbgrader_config.py", str(REPOSITORY)).load_config()
    assert not LatePolicy(config=Config({"LatePolicy": config.LatePolicy})).has_rules
    assert not any("AssignLate" in name for name in config.Autograde.autograde_preprocessors)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("percnt", 10, r"\.percnt .* The settings are: .*slip_days"),
        ("percent", 101, "100"),
        ("percent", float("nan"), "percent"),
        ("last_moment_hours", float("inf"), "last_moment_hours"),
    ],
)
def test_a_setting_that_is_unknown_or_invalid_is_reported(term, name, value, said):
    text = f"\nc.LatePolicy.{name} = "
    text += f"float({str(value)!r})" if isinstance(value, float) else repr(value)
    with (term.folder / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write(text)
    with pytest.raises(SettingsError, match=said) as error:
        term.final()
    assert "nbgrader_config.py" in str(error.value)


def zoned(zone: str, **more: object) -> LatePolicy:
    return LatePolicy(zone=ZoneInfo(zone), **more)


@pytest.mark.parametrize(
    ("after", "grace", "days"),
    [
        (timedelta(microseconds=999_999), 0, 0),
        (timedelta(seconds=1), 0, 1),
        (timedelta(days=1), 0, 1),
        (timedelta(days=1, seconds=1), 0, 2),
        (-timedelta(days=3), 0, 0),
        (timedelta(minutes=15), 15, 0),
        (timedelta(minutes=15, seconds=1), 15, 1),
        (timedelta(days=1, minutes=15), 15, 1),
    ],
)
def test_a_second_after_the_grace_period_costs_a_whole_day(after, grace, days):
    due = utc(DUE)
    assert days_late(zoned("UTC", grace_minutes=grace), due, due + after) == days


@pytest.mark.parametrize(("due", "next_day", "hours"), [(*SPRING, 23), (*AUTUMN, 25)])
def test_a_day_later_is_the_same_time_of_day_if_clocks_change(due, next_day, hours):
    terms, moment, limit = zoned(ZONE), utc(due), utc(next_day)
    assert limit - moment == timedelta(hours=hours)
    assert days_later(moment, 1, terms.zone) == limit
    after = [timedelta(0), timedelta(seconds=1), timedelta(days=1)]  # and not an hour more
    assert [days_late(terms, moment, limit + one) for one in after] == [1, 2, 2]


def test_a_skipped_or_repeated_time_is_the_later_one():
    zone = ZoneInfo(ZONE)
    assert days_later(utc("2022-03-12 02:30:00"), 1, zone) == utc("2022-03-13 03:30:00")
    assert days_later(utc("2022-11-05 01:30:00"), 1, zone) == utc("2022-11-06 01:30:00", fold=1)


@pytest.mark.parametrize("whose", ["the manifest's", "the course's"])
def test_days_are_counted_in_the_homeworks_time_zone(tmp_path, whose):
    term = Term(tmp_path / "course", percent=10).homework(due=AUTUMN[0])
    if whose == "the course's":
        (term.folder / "staff" / "ps1" / "homework.toml").write_text("")
        settings = term.folder / "nbgrader_config.py"
        settings.write_text(settings.read_text() + f"\nc.Exchange.timezone = {ZONE!r}")
    term.hand_in("ada", AUTUMN[1]).hand_in("ben", utc(AUTUMN[1]) + timedelta(seconds=1))
    assert [term.final(student).final for student in ("ada", "ben")] == [9, 8]


@pytest.mark.parametrize(
    ("policy", "points", "penalty", "why"),
    [
        ({"percent": 10}, 8, 2, "1 d 2 h late: 10 % of all points for each day, so for 2 days"),
        ({"percent": 10}, 12, 2, "10 % of all points"),
        ({"percent": 30, "floor": 50}, 8, 3, "for 2 days, but not below 50 % of all points"),
        ({"percent": 30, "floor": 50}, 4, 0, "not below 50 %"),
        ({"percent": 100}, 8, 8, "100 % of all points"),
        ({"percent": 10, "grace_minutes": 26 * 60}, 8, 0, ""),
        ({"last_moment_hours": 26}, 8, 0, ""),
        ({"last_moment_hours": 25.5}, 8, 8, "submissions more than 25.5 h"),
        ({"last_moment_hours": 25.5}, None, 0, "do not count"),  # also before it is graded
    ],
)
def test_a_delay_of_26_hours_costs_the_configured_penalty(term, policy, points, penalty, why):
    term.policy(**policy)
    term.hand_in("ada", "2022-10-06 01:59:59", points)
    final = term.final()
    assert final.penalty == pytest.approx(penalty)
    assert final.final == pytest.approx((points or 0) - penalty)
    assert why in final.why_penalty
    assert bool(why) == bool(final.why_penalty)


def test_work_in_time_or_without_times_loses_nothing(term):
    term.policy(percent=50, last_moment_hours=1, slip_days=2)
    term.homework("ps2", due=None)
    term.hand_in("ada", DUE).hand_in("ben", None).hand_in("ada", "2030-01-01 00:00:00", name="ps2")
    assert [term.final(student).final for student in ("ada", "ben")] == [10, 10]
    assert term.final(name="ps2").final == 10


def test_nbgraders_stored_penalty_counts_only_without_a_policy(term):
    term.hand_in("ada", NOON)
    with term.gradebook() as book:
        book.find_submission_notebook("ps1", "ps1", "ada").late_submission_penalty = 3
        book.db.commit()
    assert (term.final().penalty, term.final().why_penalty) == (3, "12 h 1 min late")
    term.policy(percent=10)
    assert term.final().penalty == 1
    Database(term.course.db_url).make_tables()
    save_nothing(term.course, "ps1", "ada")
    with Gradebook(term.course.db_url) as book:
        submission = book.find_submission("ps1", "ada")
        assert (submission.late_submission_penalty, submission.extension) == (0, None)


ONE_DAY, TWO_DAYS = timedelta(seconds=1), timedelta(days=1, seconds=1)


@pytest.mark.parametrize(
    ("policy", "manifest", "late", "days"),
    [
        # In the order of the due dates, and never overdrawn
        ({"slip_days": 3}, "", [ONE_DAY, TWO_DAYS, ONE_DAY], [(1, 2, 10), (2, 0, 10), (0, 0, 0)]),
        ({"slip_days": 1}, "", [ONE_DAY, TWO_DAYS, ONE_DAY], [(1, 0, 10), (0, 0, 0), (0, 0, 0)]),
        # Work that scores 0 anyway uses none
        (
            {"slip_days": 5, "last_moment_hours": 24},
            "",
            [TWO_DAYS, ONE_DAY, None],
            [(0, 5, 0), (1, 4, 10), (0, 4, 0)],
        ),
        # A homework allows fewer, or none
        ({"slip_days": 5}, "[late]\nmost_slip_days = 1\n", [TWO_DAYS] * 3, [(1, 4, 0)]),
        ({"slip_days": 5}, "[late]\nmost_slip_days = 0\n", [TWO_DAYS] * 3, [(0, 5, 0)]),
    ],
)
def test_slip_days_are_used_by_the_homework_that_is_due_first(
    tmp_path, policy, manifest, late, days
):
    term = Term(tmp_path / "course", percent=100, **policy)
    dues = {f"ps{n}": f"2022-10-{7 * n:02d} 23:59:59" for n in (1, 2, 3)}
    for name in ("ps3", "ps1", "ps2"):
        term.homework(name, due=dues[name], more=manifest if name == "ps1" else "")
    with term.gradebook() as book:
        book.add_student("ada")
    for (name, due), after in zip(dues.items(), late, strict=True):
        if after is not None:
            term.hand_in("ada", utc(due) + after, name=name)
    finals = [term.final(name=name) for name in dues][: len(days)]
    assert [(one.slip_days, one.slip_days_left, one.final) for one in finals] == days


def test_time_beyond_the_slip_days_is_late(term):
    term.policy(percent=10, slip_days=2)
    term.hand_in("ada", "2022-10-08 23:59:59")
    final = term.final()
    assert (final.slip_days, final.penalty) == (2, 2)
    assert "2 slip days used: 10 % of all points for each day, so for 2 days" in final.why_penalty


def test_the_report_shows_penalties_where_somebody_is_late(term):
    def lines() -> list[list[str]]:
        return [line.split() for line in report(term.folder, "ps1", 160).split("\n") if line]

    term.hand_in("ada", NOON, 7).hand_in("ben", DUE, 8)
    assert lines()[0][-2:] == ["total", "late"]
    term.policy(percent=10)
    assert lines()[0][-4:] == ["score", "penalty", "final", "late"]
    rows = {line[0]: line for line in lines()}
    assert rows["of"][-2:] == ["10", "10"]
    assert rows["ada"][-7:] == ["7", "1", "6", "12", "h", "1", "min"]
    assert rows["ben"][-3:] == ["8", "0", "8"]
