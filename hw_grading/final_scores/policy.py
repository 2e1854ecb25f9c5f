"""The rules for late work: the course's settings, and one homework's changes to them."""

import difflib
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from traitlets import Any, Enum, Float, Integer, TraitError
from traitlets.config import Configurable

from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.homework.manifest import FILE_NAME, Manifest
from hw_grading.outcome import GraderFault

_FLOATS = ("grace_minutes", "percent", "floor", "last_moment_hours")
_MOST = 1e6  # minutes or hours; a longer time may not fit into a date


class LatePolicy(Configurable):
    """The course's rules for late work; ``c.LatePolicy`` in ``nbgrader_config.py``.

    By default late work loses nothing. `terms_of` returns the rules of one homework.
    """

    zone = Any(UTC)  # a tzinfo, in which days are counted

    grace_minutes = Float(
        0.0,
        min=0,
        help="Submissions up to this many minutes late are on time. Late days begin after these "
        "minutes.",
    ).tag(config=True)
    percent = Float(
        0.0, min=0, max=100, help="Percent taken off for each day or hour that has begun."
    ).tag(config=True)
    per = Enum(["day", "hour"], "day", help="The unit of time for `percent`.").tag(config=True)
    of = Enum(
        ["possible", "earned"],
        "possible",
        help="The base of `percent` and `floor`: all points of the homework (as in Canvas), or "
        "the points that the student earned.",
    ).tag(config=True)
    floor = Float(0.0, min=0, max=100, help="Lateness lowers no score below this percentage.").tag(
        config=True
    )
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
    most_slip_days = Integer(
        None, min=0, allow_none=True, help="The most slip days for one homework. None: all of them."
    ).tag(config=True)
    use_slip_days = Enum(
        ["automatic", "asked"],
        "automatic",
        help="automatic: the first late submissions use the slip days. asked: only those with "
        "`python -m hw_grading extend ... --slip`.",
    ).tag(config=True)

    @property
    def has_rules(self) -> bool:
        """Whether the course or the homework has a rule for late work."""
        return bool(self.percent or self.slip_days) or self.last_moment_hours is not None


def terms_of(course: Course, assignment: str) -> LatePolicy:
    """Return a homework's rules for late work: its manifest's settings override the course's.

    Raises `GraderFault` or `ManifestError` if a setting is unknown or not allowed.
    """
    manifest = manifest_of(course.root, assignment)
    terms = _policy_of(course)
    for name, own in manifest.late.model_dump(exclude_none=True).items():
        setattr(terms, name, own)
    for name in _FLOATS:
        value = getattr(terms, name)
        if value is not None and not 0 <= value <= _MOST:  # this also refuses NaN
            raise GraderFault(
                f"{name} of late work is {value:g} for {assignment}. Expected a number "
                f"from 0 to {_MOST:,.0f}: change it in nbgrader_config.py or {FILE_NAME}"
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
