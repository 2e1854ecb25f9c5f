"""How late a submission is, and how many points or slip days that costs.

Times are UTC without a time zone, as in the gradebook. A day later means the same clock time on the
next day, in the homework's time zone. When the clocks change, that day has 23 or 25 hours.
Fractions of a second never count as late.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, tzinfo

from hw_grading.gradebook.handed_in import HandedIn
from hw_grading.gradebook.policy import LatePolicy
from hw_grading.gradebook.scores import Record, counted, in_digits

_DAY = timedelta(days=1)


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
    terms: LatePolicy, record: Record, score: float, most: float, slip_days: int = 0
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
    handed_in: Iterable[HandedIn], terms: Callable[[str], LatePolicy]
) -> dict[str, int]:
    """Return how many slip days each homework of one student uses.

    `handed_in` is sorted by the due date for all. The homework that is due first gets its days
    first, and the balance never falls below zero. Work after the last moment uses none: it
    scores 0 anyway.
    """
    used: dict[str, int] = {}
    for one in handed_in:
        of = terms(one.assignment)
        left = max(0, of.slip_days - sum(used.values()))
        needed = 0
        if one.when is not None and not is_too_late(of, one.due, one.when):
            needed = days_late(of, one.due, one.when)
        used[one.assignment] = min(left, needed, _allowed(one, of))
    return used


def _allowed(one: HandedIn, terms: LatePolicy) -> int:
    granted = one.extension.slip if one.extension else None
    limits = (terms.slip_days, terms.most_slip_days, granted)
    return min(limit for limit in limits if limit is not None)
