"""Checks what goes wrong in practice, on your machine and in your course, and says what to type."""

import difflib
import platform
import shlex
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
from nbgrader import api
from nbgrader.apps.nbgraderapp import NbGraderApp
from nbgrader.exchange.default import Exchange
from packaging.requirements import Requirement
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from traitlets import TraitError

from hw_grading import DISTRIBUTION
from hw_grading.batch.settings import WholeClass
from hw_grading.commands.release import check_source
from hw_grading.gradebook.database import Unavailable, engine_of, shown_address
from hw_grading.gradebook.lateness import terms_of
from hw_grading.homework.course import CONFIG, REPOSITORY, Course, fixed_folder
from hw_grading.homework.homework import STAFF, manifest_of
from hw_grading.outcome import GraderFault
from hw_grading.run.settings import ExecuteSubmission
from hw_support.desk.doctor import Line
from hw_support.failures import one_line

SETTINGS = "settings"
_MAX_SHOWN = 300  # characters of another program's message
_SPARE_MB = 1_000  # for everything except results
_ON_NETWORK = ("nfs", "cifs", "smb", "afs", "ceph", "lustre", "gpfs", "beegfs", "9p", "fuse.sshfs")
Found = tuple[str, str | None]  # what was found, and what to do; None if it is fine


def look(folder: Path) -> Iterator[Line]:
    """Run one check after another; a check that fails is a line too."""
    course = Course(folder)
    yield _tried("Python", python)
    yield _tried("packages", packages)
    settings_line = _tried(SETTINGS, partial(settings, course))
    yield settings_line
    if settings_line.advice is None:
        names: dict[str, Callable[[Course], Found]] = {
            "keys": keys,
            "sandbox": sandbox,
            "disk": disk,
            "gradebook": gradebook,
            "exchange": exchange,
            "time zone": time_zone,
        }
        for what, check in names.items():
            yield _tried(what, partial(check, course))
        for name in course.homeworks():
            yield _tried(name[:11], partial(homework, course, name))


def _tried(what: str, check: Callable[[], Found]) -> Line:
    try:
        return Line(what, *check())
    except (GraderFault, TraitError) as fault:
        return Line(what, one_line(str(fault), 2 * _MAX_SHOWN), f"Fix it in {CONFIG}.py.")
    except (Exception, SystemExit) as error:
        found = one_line(f"cannot be checked ({type(error).__name__}: {error})", _MAX_SHOWN)
        return Line(what, found, "If the other lines do not explain it, report it as a bug.")


def python() -> Found:
    """Check whether Python's programs are found by name: nbgrader starts alembic by name."""
    programs, alembic = Path(sys.executable).parent, shutil.which("alembic")
    is_here = (programs / "alembic").exists()
    if alembic is None or (is_here and Path(alembic).parent != programs):
        return "its programs are not first on the PATH", f"Type: source {programs}/activate"
    return f"{platform.python_version()} ({sys.executable})", None


def packages() -> Found:
    """Compare the installed packages with the requirements."""
    wrong = []
    for required in map(Requirement, metadata.requires(DISTRIBUTION) or ()):
        if required.marker and not required.marker.evaluate({"extra": "grading"}):
            continue
        try:
            found = metadata.version(required.name)
        except metadata.PackageNotFoundError:
            found = "not installed"
        if found == "not installed" or not required.specifier.contains(found, prereleases=True):
            wrong.append(f"{required.name} is {found} (needed: {required.specifier or 'any'})")
    install = f'Type: "{sys.executable}" -m pip install -r {REPOSITORY / "requirements.lock"}'
    return (", ".join(wrong), install) if wrong else ("all that grading needs is installed", None)


def settings(course: Course) -> Found:
    """Check whether the settings can be read."""
    file = course.folder / f"{CONFIG}.py"
    if not file.exists() and not file.with_suffix(".json").exists():
        how = "Go to the course's folder, or type: hw-grading --course FOLDER doctor"
        return f"there is no {file.name} in {course.folder.absolute()}", how
    course.directory, course.db_url  # noqa: B018
    return f"{file}, for the course in {course.root}", None


def keys(course: Course) -> Found:
    """Check whether each setting is read by something."""
    known: dict[str, set[str]] = {}
    kinds = [*NbGraderApp().all_configurable_classes(), *Exchange.__subclasses__()]
    for kind in [*kinds, WholeClass, ExecuteSubmission]:
        for parent in kind.mro():  # a setting of a class is one of its subclasses too
            known.setdefault(parent.__name__, set()).update(kind.class_trait_names(config=True))
    for name, section in course.config.items():
        near = [name] if name in known else difflib.get_close_matches(name, known, 1, 0.85)
        for trait in section if near else ():
            if trait not in known.get(name, ()):
                allowed = ", ".join(sorted(known[near[0]]))
                what = f"Fix it in {CONFIG}.py. The settings of c.{near[0]} are: {allowed}."
                return f"nothing reads c.{name}.{trait}", what
    return "each setting is read", None


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
    """Check whether the disk has room for the results that are kept."""
    whole_class = WholeClass(config=course.config)
    place = whole_class.place(course.root)
    kept = sum(file.stat().st_size for file in place.glob("results/*/*")) / 1e6
    there = next(folder for folder in (place, *place.absolute().parents) if folder.exists())
    free, wanted = shutil.disk_usage(there).free / 1e6, whole_class.results_mb - kept + _SPARE_MB
    advice = f"Free some space, or lower c.WholeClass.results_mb: {wanted:,.0f} MB are needed."
    return f"{free:,.0f} MB free in {there}", advice if free < wanted else None


def gradebook(course: Course) -> Found:
    """Check whether the gradebook can be reached, is not damaged, and has the right version."""
    url = make_url(course.db_url)
    found, file = f"{url.get_backend_name()}, {shown_address(url)}", Path(url.database or "")
    if url.get_backend_name() == "sqlite":
        kind = _file_system(file.parent)
        if kind.startswith(_ON_NETWORK):
            where = "a disk of this machine, or to PostgreSQL (docs/one-server.md)"
            return f"{found}, on {kind}, where SQLite's locks may fail", f"Move it to {where}."
        if not file.exists():
            return f"{found}, not there yet (`hw-grading release HOMEWORK` makes it)", None
        url = make_url(f"sqlite:///{file.absolute().as_uri()}?mode=ro&uri=true")
    try:
        with engine_of(url).connect() as connection:
            is_file = connection.dialect.name == "sqlite"
            damage = connection.scalar(text("PRAGMA quick_check(1)")) if is_file else "ok"
            if damage != "ok":
                return f"{found}: {damage}", "Put a backup back (docs/one-server.md)."
            if not inspect(connection).has_table("alembic_version"):
                return f"{found}, empty (`hw-grading release HOMEWORK` makes it)", None
            made_by = connection.scalar(text("SELECT version_num FROM alembic_version"))
    except (Unavailable, SQLAlchemyError) as error:
        said = str(getattr(error, "orig", None) or error).replace(url.password or "\0", "***")
        return found, f"It cannot be read ({one_line(said, _MAX_SHOWN)}). See docs/one-server.md."
    how = "Another version of nbgrader made it. Make a backup, then type: nbgrader db upgrade"
    return found, None if made_by == api.get_alembic_version() else how


def exchange(course: Course) -> Found:
    """Check whether students who share this machine can read the course."""
    root = Path(Exchange(config=course.config).root).absolute()
    if not course.directory.course_id or not (root / course.directory.course_id).is_dir():
        return f"{root} is not used", None
    directory, steps = course.directory, ("source", "submitted", "autograded", "feedback")
    private = [fixed_folder(directory, getattr(directory, f"{step}_directory")) for step in steps]
    private += [course.root / STAFF, WholeClass(config=course.config).place(course.root)]
    private += [Path(make_url(course.db_url).database or STAFF)]
    read = [str(path) for path in private if path.exists() and _is_public(path)]
    if read:
        return "students can read the course", f"Type: chmod -R o-rwx {shlex.join(read)}"
    return f"{root} is used, and students cannot read the course", None


def time_zone(course: Course) -> Found:
    """Check whether the exchange's time zone exists."""
    name = Exchange(config=course.config).timezone
    try:
        return f"{name}, now {datetime.now(ZoneInfo(name)):%Y-%m-%d %H:%M}", None
    except (OSError, ValueError, KeyError):
        how = "Set c.Exchange.timezone to an IANA name, such as America/Los_Angeles."
        return f"{name!r} is not known here", f"{how} Or type: pip install tzdata"


def homework(course: Course, name: str) -> Found:
    """Check the manifest, late work, and what `release` checks: ids, points, hidden regions."""
    try:
        terms_of(course, name)
        wrong = check_source(course, name)
    except (RuntimeError, OSError) as fault:
        wrong = str(fault).splitlines()
    if wrong:
        return "has a mistake", "\n      ".join(wrong)
    moment = manifest_of(course.root, name).due_moment
    return f"due {moment:%Y-%m-%d %H:%M:%S %Z}" if moment else "has no due date", None


def _file_system(folder: Path) -> str:
    """Return a folder's kind of file system, such as "ext4"; "" if unknown."""
    real = folder.resolve()
    around = [p for p in psutil.disk_partitions(all=True) if real.is_relative_to(p.mountpoint)]
    return str(max(around, key=lambda part: len(part.mountpoint)).fstype) if around else ""


def _is_public(path: Path) -> bool:
    """Whether every user of the machine can read a file or folder."""
    closed = [folder for folder in path.parents if not folder.stat().st_mode & stat.S_IXOTH]
    return not closed and bool(path.stat().st_mode & stat.S_IROTH)
