"""Time: the machine's clock, the course's time zone, due dates."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nbgrader.exchange.default import Exchange

from hw_grading.homework.course import Course
from hw_grading.homework.homework import STAFF
from hw_grading.homework.manifest import FILE_NAME, ManifestError, read_manifest
from hw_support.desk.doctor import Line

_SECONDS_OFF = 60
_SECONDS_FOR_TIMEDATECTL = 5


def clock(course: Course) -> Line:
    """Check whether the clock is behind existing files, or is known to be wrong."""
    now = time.time()
    shown = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%S} UTC"
    set_it = "Type: timedatectl set-ntp true   (or set it: date --utc --set=…)"
    for path in (Path(__file__), course.folder / "nbgrader_config.py", *_newest(course)):
        try:
            changed = path.stat().st_mtime
        except OSError:
            continue
        if changed > now + _SECONDS_OFF:
            when = f"{datetime.fromtimestamp(changed, UTC):%Y-%m-%d %H:%M:%S} UTC"
            return Line("clock", f"{shown}, but {path} was changed at {when}", set_it)
    synchronized = _is_synchronized()
    remark = f", {'' if synchronized else 'not '}synchronized over the network"
    remark = "" if synchronized is None else remark
    return Line("clock", shown + remark)


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
    return Line("time zone", f"{name}, now {now:%Y-%m-%d %H:%M} (tzdata {_tzdata()})")


def due(course: Course, homework: str) -> Line:
    """Check whether a homework's manifest can be read, with its due date and time zone."""
    path = course.root / STAFF / homework / FILE_NAME
    what = homework[:11]
    try:
        manifest = read_manifest(path)
    except ManifestError as error:
        return Line(what, "its manifest has a mistake", str(error))
    moment = manifest.due_moment
    if moment is None:
        return Line(what, "has no due date")
    return Line(what, f"due {moment:%Y-%m-%d %H:%M:%S} in {manifest.time_zone}")


def _newest(course: Course) -> list[Path]:
    """Return the files that grading wrote last, as far as they are quick to find."""
    places = [course.root / "gradebook.db", course.root / "grading"]
    return [place for place in places if os.path.lexists(place)]


def _is_synchronized() -> bool | None:
    """Return whether the network sets the clock; None if unknown."""
    program = shutil.which("timedatectl")
    if program is None:
        return None
    line = [program, "show", "--property=NTPSynchronized", "--value"]
    try:
        done = subprocess.run(
            line, capture_output=True, text=True, check=False, timeout=_SECONDS_FOR_TIMEDATECTL
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(done.stdout.strip())


def _tzdata() -> str:
    try:
        return metadata.version("tzdata")
    except metadata.PackageNotFoundError:
        return "of the system"
