"""Time: the machine's clock, the course's time zone, due dates."""

import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nbgrader.exchange.default import Exchange

from hw_grading.gradebook.lateness import terms_of
from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.homework.manifest import ManifestError
from hw_grading.outcome import GraderFault
from hw_grading.upkeep.doctor.machine import version_of
from hw_support.desk.doctor import Line

_SECONDS_OFF = 60
_SECONDS_FOR_TIMEDATECTL = 5


def clock(course: Course) -> Line:
    """Check whether the clock is behind existing files, or is known to be wrong."""
    now = time.time()
    shown = _shown(now)
    newest = [course.root / "gradebook.db", course.root / "grading"]  # grading wrote these last
    for path in (Path(__file__), course.folder / "nbgrader_config.py", *newest):
        try:
            changed = path.stat().st_mtime
        except OSError:
            continue
        if changed > now + _SECONDS_OFF:
            set_it = "Type: timedatectl set-ntp true   (or set it: date --utc --set=…)"
            return Line("clock", f"{shown}, but {path} was changed at {_shown(changed)}", set_it)
    is_set = {"yes": "", "no": "not "}.get(_network_sets_it())
    remark = "" if is_set is None else f", {is_set}synchronized over the network"
    return Line("clock", shown + remark)


def _shown(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC"


def zone(course: Course) -> Line:
    """Check whether the exchange's time zone, for nbgrader's submission times, exists."""
    name = Exchange(config=course.config).timezone
    try:
        now = datetime.now(ZoneInfo(name))
    except (OSError, ValueError, ZoneInfoNotFoundError):
        advice = (
            "Set c.Exchange.timezone in nbgrader_config.py to an IANA name, such as "
            "America/Los_Angeles. If it is one already: pip install tzdata"
        )
        return Line("time zone", f"{name!r} is not known here", advice)
    version = version_of("tzdata") or "of the system"
    return Line("time zone", f"{name}, now {now:%Y-%m-%d %H:%M} (tzdata {version})")


def due(course: Course, homework: str) -> Line:
    """Check a homework's manifest with its due date, and the settings of late work."""
    what = homework[:11]
    try:
        manifest = manifest_of(course.root, homework)
    except ManifestError as error:
        return Line(what, "its manifest has a mistake", str(error))
    try:
        terms_of(course, homework)
    except GraderFault as fault:
        return Line(what, "a setting of late work is wrong, so no score can be shown", str(fault))
    moment = manifest.due_moment
    if moment is None:
        return Line(what, "has no due date")
    return Line(what, f"due {moment:%Y-%m-%d %H:%M:%S} in {manifest.time_zone}")


def _network_sets_it() -> str:
    line = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
    limit = _SECONDS_FOR_TIMEDATECTL
    try:
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=limit)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
