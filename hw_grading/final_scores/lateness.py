"""How late something is, in days and hours, and what that takes off a score.

Times are UTC without a time zone, as in the gradebook. A day later is the same time on the clock
on the next day, in the homework's time zone: on the days on which clocks are changed it has 23 or
25 hours. Parts of a second are never late.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from hw_grading.final_scores.policy import Terms
from hw_grading.records.scores import Record, in_digits

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


def days_later(moment: datetime, days: int, zone: tzinfo) -> datetime:
    """Return the moment when clocks in a zone show the same time, so many days later.

    Where they show it twice, it is the second time; where they skip it, an hour after it.
    """
    if not days:
        return moment
    wall = moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) + timedelta(days=days)
    read = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return max(read).replace(tzinfo=None)


def days_late(terms: Terms, due: datetime, when: datetime) -> int:
    """Return how many days after the due date have begun, 0 if it was in time or in the grace."""
    when = when.replace(microsecond=0)
    grace = timedelta(minutes=terms.grace_minutes)
    days = max(0, (when - due - grace) // _DAY - 1)
    while when > days_later(due, days, terms.zone) + grace:
        days += 1
    return days


def hours_late(terms: Terms, due: datetime, when: datetime) -> int:
    """Return how many hours after the due date have begun, 0 if it was in time or in the grace."""
    late = when.replace(microsecond=0) - due - timedelta(minutes=terms.grace_minutes)
    return max(0, -(-late // _HOUR))


def is_too_late(terms: Terms, due: datetime, when: datetime) -> bool:
    """Whether it came after the last moment, so that nothing counts."""
    if terms.last_moment_hours is None or not days_late(terms, due, when):
        return False
    return when.replace(microsecond=0) - due > timedelta(hours=terms.last_moment_hours)


def penalty_of(
    terms: Terms, record: Record, score: float, most: float, slip_days: int = 0
) -> tuple[float, str]:
    """Return what lateness takes off a score, and why.

    Parameters
    ----------
    terms
        Of the homework.
    record
        The student's row of the gradebook, which says when it was due and handed in.
    score, most
        The student's points, and all points.
    slip_days
        That are used for it.

    Returns
    -------
    penalty, why
        From 0 to `score`; in words, "" if lateness costs nothing.
    """
    score = max(0.0, score)
    if record.due is None or record.handed_in is None:
        return 0.0, ""
    if is_too_late(terms, record.due, record.handed_in):
        hours = in_digits(terms.last_moment_hours or 0.0)
        return score, (
            f"{record.late} late: nothing counts that is handed in more than {hours} h after the "
            "due date"
        )
    due = days_later(record.due, slip_days, terms.zone)
    count = days_late if terms.per == "day" else hours_late
    begun = count(terms, due, record.handed_in)
    if not begun or not terms.percent:
        return 0.0, ""
    base = most if terms.of == "possible" else score
    asked = begun * terms.percent * base / 100
    spared = max(0.0, score - terms.floor * base / 100)
    return min(asked, spared), _why(terms, record.late, begun, slip_days, asked > spared)


def _why(terms: Terms, late: str, begun: int, slip_days: int, is_at_floor: bool) -> str:
    used = f", {counted(slip_days, 'slip day')} used" if slip_days else ""
    of = "all points" if terms.of == "possible" else "your points"
    why = f"{late} late{used}: {in_digits(terms.percent)} % of {of} for each {terms.per}"
    why += f", so for {counted(begun, terms.per)}"
    if is_at_floor and terms.floor:
        why += f", but not below {in_digits(terms.floor)} % of {of}"
    return why


def counted(number: int, thing: str) -> str:
    """Return such as "1 day" and "2 days"."""
    return f"{number} {thing}" + ("" if number == 1 else "s")
