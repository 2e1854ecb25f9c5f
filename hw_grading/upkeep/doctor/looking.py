"""Runs the doctor's checks in order; a check that fails becomes a line too."""

import contextlib
import re
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from traitlets import TraitError
from traitlets.config import Config

from hw_grading.homework.course import CONFIG, Course
from hw_grading.outcome import GraderFault
from hw_grading.upkeep.doctor import database, folders, machine, times
from hw_support.desk.doctor import Line
from hw_support.failures import one_line

SETTINGS = "settings"
_LONGEST = 300
_SETTING = re.compile(r"'(?P<trait>\w+)' trait of an? (?P<of>\w+) instance")
Look = Callable[[], Line]


def look(folder: Path) -> Iterator[Line]:
    """Run one check after another; every fault becomes a line."""
    yield from _tried("Python", machine.python)
    yield from _tried("packages", machine.packages)
    settings = _settings(folder)
    yield settings
    course = Course(folder) if settings.advice is None else None
    config, root = (course.config, course.root) if course else (Config(), folder)
    looks: list[tuple[str, Look]] = [
        ("sandbox", partial(machine.sandbox, config, [root])),
        ("memory", partial(machine.memory, config)),
        ("limits", partial(machine.limits, config)),
        ("disk", partial(folders.disk, root, config)),
    ]
    if course:
        looks += [
            ("gradebook", partial(database.gradebook, course)),
            ("exchange", partial(folders.exchange, course)),
            ("clock", partial(times.clock, course)),
            ("time zone", partial(times.zone, course)),
        ]
        with contextlib.suppress(Exception):  # other lines report faults of the settings
            looks += [(name, partial(times.due, course, name)) for name in course.homeworks()]
    for what, one in looks:
        yield from _tried(what, one, folder)


def _settings(folder: Path) -> Line:
    file = folder / f"{CONFIG}.py"
    try:
        course = Course(folder)
        course.directory, course.db_url  # noqa: B018
        root = course.root
    except GraderFault as fault:
        place = f" (line {line} of {file})" if (line := _line_of(fault, file)) else ""
        return Line(SETTINGS, "cannot be read", one_line(f"{fault}{place}", 2 * _LONGEST))
    except TraitError as error:
        return Line(SETTINGS, one_line(str(error), _LONGEST), _where_set(error, file))
    except (Exception, SystemExit) as error:
        found = one_line(f"cannot be read ({type(error).__name__}: {error})", _LONGEST)
        return Line(SETTINGS, found, f"Fix {file}.")
    if not file.exists() and not file.with_suffix(".json").exists():
        advice = "Go to the course's folder, or type: python -m hw_grading --course FOLDER doctor"
        return Line(SETTINGS, f"there is no {CONFIG}.py in {folder.absolute()}", advice)
    return Line(SETTINGS, f"{file}, for the course in {root}")


def _line_of(fault: BaseException, file: Path) -> int | None:
    cause = fault.__cause__
    if cause is None:
        return None
    if isinstance(cause, SyntaxError) and cause.filename and Path(cause.filename).name == file.name:
        return cause.lineno
    frames = traceback.extract_tb(cause.__traceback__)
    return next((f.lineno for f in reversed(frames) if Path(f.filename).name == file.name), None)


def _where_set(error: TraitError, file: Path) -> str:
    match = _SETTING.search(str(error))
    if match is None:
        return f"Fix it in {file}."
    name, lines = f"{match['of']}.{match['trait']}", []
    with contextlib.suppress(OSError):
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    numbers = [number for number, line in enumerate(lines, 1) if f"c.{name}" in line]
    return f"Fix c.{name} in {file}{f', line {numbers[-1]}' if numbers else ''}."


def _tried(what: str, one: Look, folder: Path = Path()) -> Iterator[Line]:
    try:
        yield one()
    except TraitError as error:
        yield Line(what, one_line(str(error), _LONGEST), _where_set(error, folder / f"{CONFIG}.py"))
    except Exception as error:
        found = one_line(f"cannot be checked ({type(error).__name__}: {error})", _LONGEST)
        yield Line(what, found, "If the other lines do not explain it, report it as a bug.")
