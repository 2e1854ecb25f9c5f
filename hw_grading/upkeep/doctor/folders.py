"""Folders: free space on the disk, and permissions in the exchange."""

import contextlib
import os
import shlex
import shutil
import stat
from pathlib import Path

from nbgrader.exchange.default import Exchange
from sqlalchemy import make_url
from traitlets.config import Config

from hw_grading.batch.settings import WholeClass
from hw_grading.homework.course import Course, fixed_folder
from hw_grading.homework.homework import STAFF
from hw_support.desk.doctor import Line

_SPARE_MB = 1_000  # for everything except results
_RIGHTS = {"r": stat.S_IROTH, "w": stat.S_IWOTH, "x": stat.S_IXOTH}  # permissions of other users


def disk(root: Path, config: Config) -> Line:
    """Check whether the disk has room for the results that are kept."""
    whole_class = WholeClass(config=config)
    place = whole_class.place(root)
    there = next(folder for folder in (place, *place.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free / 1e6
    wanted = max(0.0, whole_class.results_mb - _megabytes(place / "results")) + _SPARE_MB
    found = f"{free:,.0f} MB free in {there}"
    if not os.access(root, os.W_OK):
        found = f"you have no permission to write to {root}"
        return Line("disk", found, f"Type: ls -ld {typed(root)}")
    if free < wanted:
        advice = (
            f"{wanted:,.0f} MB are needed. Free some space, or lower c.WholeClass.results_mb, "
            f"which is {whole_class.results_mb:,}."
        )
        return Line("disk", found, advice)
    return Line("disk", found)


def exchange(course: Course) -> Line:
    """Check whether students on this machine can use the exchange, if the course uses it."""
    root = Path(Exchange(config=course.config).root).absolute()
    of_course = root / course.directory.course_id
    is_used = bool(course.directory.course_id) and of_course.is_dir()
    if not root.is_dir():
        make = f"mkdir -p {typed(root)} && chmod 1777 {typed(root)}"
        return Line("exchange", f"there is none. If students share this machine, type: {make}")
    # Folders with the permissions that students need there, the outermost first.
    needed = [*((folder, "x") for folder in reversed(root.parents)), (root, "wx")]
    if is_used:
        inner = (of_course / "outbound", "rx"), (of_course / "inbound", "wx")
        needed += [(of_course, "rx"), *inner]
    missing = [
        f"chmod {'1777' if folder == root else 'a+' + right} {typed(folder)}"
        for folder, right in needed
        if not _have_all(folder, right)
    ]
    if not missing:
        found = f"students can fetch from {root} and submit"
        if is_used and (read := _readable(course)):
            close = f"chmod -R o-rwx {' '.join(map(typed, read))}"
            return Line("exchange", f"{found}, but they can read the course too", f"Type: {close}")
        return Line("exchange", found)
    if not is_used:
        found = f"{root} is not used yet. If students share this machine, type: "
        return Line("exchange", found + " && ".join(missing))
    found = f"students cannot use {root}, which has assignments of {of_course.name}"
    return Line("exchange", found, f"Type: {' && '.join(missing)}")


def _readable(course: Course) -> list[Path]:
    """Return what all users of the machine can read, and students must not."""
    directory = course.directory
    steps = "source", "submitted", "autograded", "feedback"
    private = [fixed_folder(directory, getattr(directory, f"{step}_directory")) for step in steps]
    private += [course.root / STAFF, WholeClass(config=course.config).place(course.root)]
    if database := make_url(course.db_url).database:  # the file of SQLite
        private.append(course.root / database)
    return [
        path
        for path in private
        if path.exists()
        and _have_all(path, "r")
        and all(_have_all(folder, "x") for folder in path.parents)
    ]


def _have_all(folder: Path, right: str) -> bool:
    try:
        mode = folder.stat().st_mode
    except FileNotFoundError:
        return True  # nbgrader makes this folder
    wanted = sum(_RIGHTS[one] for one in right)
    return mode & wanted == wanted


def _megabytes(folder: Path) -> float:
    total = 0
    for path in folder.glob("*/*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total / 1e6


def typed(path: Path) -> str:
    """Return a path as one types it in a shell."""
    return shlex.quote(str(path))
