"""Late work: a course's rules, how late a submission is, and its cost in points or slip days.

Times are UTC without a time zone, as in the gradebook. A day later means the same clock time on the
next day, in the homework's time zone. When the clocks change, that day has 23 or 25 hours.
Fractions of a second never count as late.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from traitlets import Any, Float, Integer, TraitError
from traitlets.config import Configurable

from hw_grading.gradebook.scores import SubmissionRecord
from hw_grading.homework.course import Course
from hw_grading.homework.homework import Manifest, manifest_of
from hw_grading.outcome import SettingsError
from hw_grading.texts import counted, in_digits

_DAY = timedelta(days=1)
_FLOATS = ("grace_minutes", "percent", "floor", "last_moment_hours")
_MOST = 1e6  # minutes or hours; a longer time may not fit into a date


class LatePolicy(Configurable):
    """The course's rules for late work; ``c.LatePolicy``. By default late work loses nothing."""

    zone = Any(UTC)  # a tzinfo, in which days are counted
    # The most slip days for this homework, from its manifest. None: all of them.
    most_slip_days = Integer(None, allow_none=True)

    grace_minutes = Float(
        0.0,
        min=0,
        help="Submissions up to this many minutes late are on time. Late days begin after these "
        "minutes.",
    ).tag(config=True)
    percent = Float(
        0.0,
        min=0,
        max=100,
        help="Percent of all points of the homework, taken off for each day that has begun.",
    ).tag(config=True)
    floor = Float(
        0.0, min=0, max=100, help="Lateness lowers no score below this percentage of all points."
    ).tag(config=True)
    last_moment_hours = Float(
        None,
        min=0,
        allow_none=True,
        help="Submissions more than this many hours after the student's due date score 0. None: no "
        "limit.",
    ).tag(config=True)
    slip_days = Integer(
        0, min=0, help="Days that each student may be late, over all homeworks together."
    ).tag(config=True)

    @property
    def has_rules(self) -> bool:
        """Whether the course has a rule for late work."""
        return bool(self.percent or self.slip_days) or self.last_moment_hours is not None


def terms_of(course: Course, assignment: str) -> LatePolicy:
    """Return a homework's rules for late work: the course's, and its manifest's slip days.

    Raises `SettingsError` or `ManifestError` if a setting is unknown or not allowed.
    """
    manifest = manifest_of(course.root, assignment)
    terms = _policy_of(course)
    terms.most_slip_days = manifest.late.most_slip_days
    for name in _FLOATS:
        value = getattr(terms, name)
        if value is not None and not 0 <= value <= _MOST:  # this also refuses NaN
            raise SettingsError(
                f"c.LatePolicy.{name} is {value:g}. Expected a number from 0 to {_MOST:,.0f}: "
                "change it in nbgrader_config.py"
            )
    terms.zone = zone_of(course, manifest)
    return terms


def zone_of(course: Course, manifest: Manifest) -> tzinfo:
    """Return a homework's time zone: from its manifest, else from the course, else UTC."""
    if "time_zone" in manifest.model_fields_set:
        return ZoneInfo(manifest.time_zone)
    exchange = course.config.Exchange
    try:
        return ZoneInfo(str(exchange.timezone) if "timezone" in exchange else "UTC")
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return ZoneInfo("UTC")


def _policy_of(course: Course) -> LatePolicy:
    settings = course.config.LatePolicy
    known = sorted(LatePolicy.class_own_traits(config=True))
    for name in settings:
        if name not in known:
            raise SettingsError(
                f"c.LatePolicy.{name} in nbgrader_config.py is not a setting. The settings are: "
                f"{', '.join(known)}"
            )
    try:
        return LatePolicy(config=course.config)
    except TraitError as error:
        raise SettingsError(f"c.LatePolicy in nbgrader_config.py: {error}") from None


def days_later(moment: datetime, days: int, zone: tzinfo) -> datetime:
    """Return the moment with the same clock time in a zone, a number of days later.

    If clocks show that time twice, the second one counts. If clocks skip it, the result is an hour
    later.
    """
    if not days:
        return moment
    wall = moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) + timedelta(days=days)
    read = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return max(read).replace(tzinfo=None)


def days_late(terms: LatePolicy, due: datetime, when: datetime) -> int:
    """Return the number of days begun after the due date; 0 if in time or in the grace period."""
    when = when.replace(microsecond=0)
    grace = timedelta(minutes=terms.grace_minutes)
    days = max(0, (when - due - grace) // _DAY - 1)
    while when > days_later(due, days, terms.zone) + grace:
        days += 1
    return days


def is_too_late(terms: LatePolicy, due: datetime, when: datetime) -> bool:
    """Return whether a submission came after the last moment, so that it scores 0."""
    if terms.last_moment_hours is None or not days_late(terms, due, when):
        return False
    return when.replace(microsecond=0) - due > timedelta(hours=terms.last_moment_hours)


def penalty_of(
    terms: LatePolicy, record: SubmissionRecord, score: float, most: float, slip_days: int = 0
) -> tuple[float, str]:
    """Return the points that lateness costs, from 0 to `score`, and why; "" if it costs nothing.

    `most` is the homework's total points, `slip_days` what this homework uses of them.
    """
    score = max(0.0, score)
    if record.due is None or record.handed_in is None:
        return 0.0, ""
    if is_too_late(terms, record.due, record.handed_in):
        hours = in_digits(terms.last_moment_hours or 0.0)
        return score, (
            f"{record.late} late: submissions more than {hours} h after the due date do not count"
        )
    due = days_later(record.due, slip_days, terms.zone)
    begun = days_late(terms, due, record.handed_in)
    if not begun or not terms.percent:
        return 0.0, ""
    asked = begun * terms.percent * most / 100
    spared = max(0.0, score - terms.floor * most / 100)
    return min(asked, spared), _why(terms, record.late, begun, slip_days, asked > spared)


def _why(terms: LatePolicy, late: str, begun: int, slip_days: int, is_at_floor: bool) -> str:
    used = f", {counted(slip_days, 'slip day')} used" if slip_days else ""
    why = f"{late} late{used}: {in_digits(terms.percent)} % of all points for each day"
    why += f", so for {counted(begun, 'day')}"
    if is_at_floor and terms.floor:
        why += f", but not below {in_digits(terms.floor)} % of all points"
    return why


def used_by_homework(
    submissions: Iterable[SubmissionRecord], terms: Callable[[str], LatePolicy]
) -> dict[str, int]:
    """Return how many slip days each homework of one student uses.

    `submissions` are sorted by the due date for all. The homework that is due first gets its days
    first, and the balance never falls below zero. Work after the last moment uses none: it
    scores 0 anyway.
    """
    used: dict[str, int] = {}
    for submission in submissions:
        of = terms(submission.assignment)
        needed = 0
        if (
            submission.due
            and submission.handed_in
            and not is_too_late(of, submission.due, submission.handed_in)
        ):
            needed = days_late(of, submission.due, submission.handed_in)
        left = max(0, of.slip_days - sum(used.values()))
        limits = (
            left,
            of.most_slip_days,
            submission.extension.slip if submission.extension else None,
        )
        used[submission.assignment] = min(needed, *(limit for limit in limits if limit is not None))
    return used
