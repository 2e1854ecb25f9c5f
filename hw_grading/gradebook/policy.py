"""The rules for late work: the course's settings, and the slip days that one homework allows."""

import difflib
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from traitlets import Any, Float, Integer, TraitError
from traitlets.config import Configurable

from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.homework.manifest import Manifest
from hw_grading.outcome import GraderFault

_FLOATS = ("grace_minutes", "percent", "floor", "last_moment_hours")
_MOST = 1e6  # minutes or hours; a longer time may not fit into a date
_DROPPED = {
    "per": "`percent` is for each day",
    "of": "`percent` and `floor` are of all points of the homework",
    "use_slip_days": "slip days are used by themselves, and `extend … --slip 0` saves a student's",
    "most_slip_days": "write `most_slip_days` into the section [late] of a homework's manifest",
}


class LatePolicy(Configurable):
    """The course's rules for late work; ``c.LatePolicy`` in ``nbgrader_config.py``.

    By default late work loses nothing. `terms_of` returns the rules of one homework.
    """

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

    Raises `GraderFault` or `ManifestError` if a setting is unknown or not allowed.
    """
    manifest = manifest_of(course.root, assignment)
    terms = _policy_of(course)
    terms.most_slip_days = manifest.late.most_slip_days
    for name in _FLOATS:
        value = getattr(terms, name)
        if value is not None and not 0 <= value <= _MOST:  # this also refuses NaN
            raise GraderFault(
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
        if name in _DROPPED:
            raise GraderFault(
                f"Remove c.LatePolicy.{name} from nbgrader_config.py: {_DROPPED[name]}"
            )
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            meant = f"Did you mean {near[0]}? " if near else ""
            raise GraderFault(
                f"c.LatePolicy.{name} in nbgrader_config.py is not a setting. {meant}The "
                f"settings are: {', '.join(known)}"
            )
    try:
        return LatePolicy(config=course.config)
    except TraitError as error:
        raise GraderFault(f"c.LatePolicy in nbgrader_config.py: {error}") from None
