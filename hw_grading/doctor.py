"""Checks what goes wrong in practice, on your machine and in your course, and says what to type."""

import itertools
import platform
import shlex
import shutil
import stat
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
from nbgrader import api
from nbgrader.exchange.default import Exchange
from packaging.requirements import Requirement
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from traitlets import TraitError

from hw_grading import DISTRIBUTION, REQUIREMENTS, STUDENTS_DISTRIBUTION
from hw_grading.commands.release import check_source
from hw_grading.configuration import NOT_CONFIGURED, is_configured
from hw_grading.grade.settings import WholeClass
from hw_grading.gradebook.database import Unavailable, engine_of, shown_address
from hw_grading.gradebook.lateness import terms_of
from hw_grading.homework.course import CONFIG, Course, fixed_folder
from hw_grading.homework.homework import manifest_of
from hw_grading.homework.layout import STAFF
from hw_grading.outcome import GraderFault
from hw_grading.run.settings import ExecuteSubmission
from hw_grading.texts import say
from hw_support.checks.failures import one_line
from hw_support.student.doctor import Line, told
from hw_support.submission.file import UserError

_MAX_SHOWN = 300  # characters of another program's message
_DISK_MB = 2_000
_ON_NETWORK = ("nfs", "cifs", "smb", "afs", "ceph", "lustre", "gpfs", "beegfs", "9p", "fuse.sshfs")
_MAKES_IT = "(`hw-grading release HOMEWORK` makes it)"
_PUT_BACK = "Unzip a backup, which `hw-grading backup` made, in an empty folder."
Found = tuple[str, str | None]  # what was found, and what to do; None if it is fine


def doctor(course: Course) -> bool:
    """Print a line for each thing that grading needs; return whether all are fine."""
    return told(lines_of(course), say)


def lines_of(course: Course) -> Iterator[Line]:
    """Run one check after another; a check that fails is a line too."""
    yield _tried("packages", packages, course)
    yield (first := _tried("settings", settings, course))
    if first.advice is None:
        for check in (sandbox, disk, gradebook, exchange):
            yield _tried(check.__name__, check, course)
        for name in course.homeworks():
            yield _tried(name[:11], partial(homework, name=name), course)


def _tried(what: str, check: Callable[[Course], Found], course: Course) -> Line:
    try:
        return Line(what, *check(course))
    except (UserError, TraitError) as fault:
        return Line(what, one_line(str(fault), 2 * _MAX_SHOWN), f"Fix it in {CONFIG}.py.")
    except (Exception, SystemExit) as error:
        found = one_line(f"cannot be checked ({type(error).__name__}: {error})", _MAX_SHOWN)
        return Line(what, found, "If the other lines do not explain it, report it as a bug.")


def packages(_: Course) -> Found:
    """Compare the installed packages with the requirements."""
    wrong = []
    named = [metadata.requires(name) or () for name in (DISTRIBUTION, STUDENTS_DISTRIBUTION)]
    for required in map(Requirement, itertools.chain(*named)):
        if required.marker and not required.marker.evaluate({"extra": ""}):
            continue
        try:
            found = metadata.version(required.name)
            if not required.specifier.contains(found, prereleases=True):
                wrong.append(f"{required.name} is {found} (needed: {required.specifier})")
        except metadata.PackageNotFoundError:
            wrong.append(f"{required.name} is not installed")
    install = f'Type: "{sys.executable}" -m pip install {REQUIREMENTS}'
    all_there = f"all are installed, for Python {platform.python_version()} ({sys.executable})"
    return (", ".join(wrong), install) if wrong else (all_there, None)


def _is_installed(name: str) -> bool:
    try:
        return bool(metadata.version(name))
    except (metadata.PackageNotFoundError, ValueError):  # or no name
        return False


def settings(course: Course) -> Found:
    """Check whether the settings can be read, and our own ones have a meaning."""
    file = course.folder.absolute() / f"{CONFIG}.py"
    address = shown_address(make_url(course.db_url))
    if not is_configured(course.config):
        return f"{file} does not use the grader", NOT_CONFIGURED
    zone = Exchange(config=course.config).timezone
    try:
        ZoneInfo(zone)
    except (OSError, ValueError, KeyError):
        how = "Set c.Exchange.timezone to an IANA name, such as America/Los_Angeles."
        return f"the time zone {zone!r} is not known here", f"{how} Or type: pip install tzdata"
    with warnings.catch_warnings(record=True) as said:  # traitlets warns of unknown names
        WholeClass(config=course.config)
        more = ExecuteSubmission(config=course.config).packages
    if said:
        return str(said[0].message), f"Fix it in {CONFIG}.py."
    if missing := [name for name in more if not _is_installed(name)]:
        how = f'Type: "{sys.executable}" -m pip install {shlex.join(missing)}'
        return f"c.ExecuteSubmission.packages: not installed: {', '.join(missing)}", how
    return f"{file}, for the course in {course.root}, gradebook {address}, time zone {zone}", None


def sandbox(course: Course) -> Found:
    """Make a sandbox as grading does for a submission."""
    settings = ExecuteSubmission(config=course.config)
    if settings.sandbox == "none":
        return "none: c.ExecuteSubmission.sandbox lets student code run with your rights", None
    try:
        settings.expect_a_sandbox([course.root])
    except GraderFault as fault:
        first, _, rest = str(fault).partition("\n")
        return first, rest.strip().replace("\n", "\n      ") or first
    return "bubblewrap works", None


def disk(course: Course) -> Found:
    """Check whether the disk has room for results and temporary files."""
    free = shutil.disk_usage(course.root).free // 1_000_000
    advice = f"Free some space: {_DISK_MB:,} MB are needed."
    return f"{free:,} MB free in {course.root}", advice if free < _DISK_MB else None


def gradebook(course: Course) -> Found:
    """Check whether the gradebook can be reached, is not damaged, and has the right version."""
    url = make_url(course.db_url)
    found, file = f"{url.get_backend_name()}, {shown_address(url)}", Path(url.database or "")
    is_file = url.get_backend_name() == "sqlite"
    if is_file and (kind := _file_system(file.parent)).startswith(_ON_NETWORK):
        where = "a disk of this machine, or to PostgreSQL (c.CourseDirectory.db_url)"
        return f"{found}, on {kind}, where SQLite's locks may fail", f"Move it to {where}."
    if is_file and not file.exists():
        return f"{found}, not there yet {_MAKES_IT}", None
    try:
        with engine_of(url).connect() as connection:
            damage = connection.scalar(text("PRAGMA quick_check(1)")) if is_file else "ok"
            if damage != "ok":
                return f"{found}: {damage}", _PUT_BACK
            if not inspect(connection).has_table("alembic_version"):
                return f"{found}, empty {_MAKES_IT}", None
            made_by = connection.scalar(text("SELECT version_num FROM alembic_version"))
    except (Unavailable, SQLAlchemyError) as error:
        said = str(getattr(error, "orig", None) or error).replace(url.password or "\0", "***")
        how = _PUT_BACK if is_file else "Start its server, or repair c.CourseDirectory.db_url."
        return found, f"It cannot be read ({one_line(said, _MAX_SHOWN)}). {how}"
    how = "Another version of nbgrader made it. Make a backup, then type: nbgrader db upgrade"
    return found, None if made_by == api.get_alembic_version() else how


def exchange(course: Course) -> Found:
    """Check whether students who share this machine can read what is private in the course."""
    root, directory = Path(Exchange(config=course.config).root).absolute(), course.directory
    if not course.directory.course_id or not (root / course.directory.course_id).is_dir():
        return f"{root} is not used", None
    steps = ("source", "submitted", "autograded", "feedback")
    private = [fixed_folder(directory, getattr(directory, f"{step}_directory")) for step in steps]
    private += [course.root / STAFF, WholeClass(config=course.config).place(course.root)]
    private += [Path(make_url(course.db_url).database or STAFF)]
    if read := [str(path) for path in private if path.exists() and _is_public(path)]:
        return "students can read the course", f"Type: chmod -R o-rwx {shlex.join(read)}"
    return f"{root} is used, and students cannot read the course", None


def homework(course: Course, name: str) -> Found:
    """Check the manifest, late work, and what `release` checks: ids, points, hidden regions."""
    try:
        terms_of(course, name)
        wrong = check_source(course, name)
    except (UserError, OSError) as fault:
        wrong = str(fault).splitlines()
    if wrong:
        return "has a mistake", "\n      ".join(wrong)
    moment = manifest_of(course.root, name).due_moment
    due = f"due {moment:%Y-%m-%d %H:%M:%S %Z}" if moment else "has no due date"
    return due if (course.root / STAFF / name).is_dir() else f"{due}; no {STAFF}/{name}", None


def _file_system(folder: Path) -> str:
    """Return a folder's kind of file system, such as "ext4"; "" if unknown."""
    real = folder.resolve()
    around = [p for p in psutil.disk_partitions(all=True) if real.is_relative_to(p.mountpoint)]
    return str(max(around, key=lambda part: len(part.mountpoint)).fstype) if around else ""


def _is_public(path: Path) -> bool:
    """Whether every user of the machine can read a file or folder."""
    above = all(folder.stat().st_mode & stat.S_IXOTH for folder in path.absolute().parents)
    return above and bool(path.stat().st_mode & stat.S_IROTH)
