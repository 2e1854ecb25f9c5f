"""A course: its configuration, where its files and its gradebook are, nbgrader's commands in it."""

from __future__ import annotations

import os
import re
import shutil
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from jupyter_core.paths import jupyter_config_path
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import find_all_files
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from traitlets.config import Application, Config, Configurable

from hw_grading.homework import nbgrader_command
from hw_grading.homework.homework import Homework, homework_of
from hw_grading.homework.notebook import solutions_of
from hw_grading.outcome import SettingsError
from hw_support.submission.file import UserError
from hw_support.submission.problems import quoted

CONFIG = "nbgrader_config"
REPOSITORY = Path(__file__).resolve().parents[2]
_MAX_BYTES = 100_000_000  # of the files beside a homework's notebooks
_MAX_LOG = 3_000  # characters from the end of nbgrader's log
_COMPILED = shutil.ignore_patterns("__pycache__")
_ANY = "\0"  # placeholder for a name; no file name can contain it
_IMPORT_PATH = threading.Lock()  # held by who changes the import path, which all threads have
_STEPS = ("source", "release", "submitted", "autograded", "feedback")
_LAYOUT = ("directory_structure", *(f"{step}_directory" for step in _STEPS))
# Of a traceback all but its last line, which names the error.
_TRACEBACK = re.compile(r"^Traceback \(most recent call last\):\n(?:\s.*\n|\n)*", re.MULTILINE)


@dataclass(frozen=True)
class Course:
    """A course, as nbgrader's own commands see it when they run in its folder."""

    folder: Path  # with `nbgrader_config.py`, which says where everything else is
    of_command: CourseDirectory | None = field(default=None, repr=False, compare=False)

    @cached_property
    def config(self) -> Config:
        """The settings from Jupyter's configuration folders, overridden by those of the course.

        `SettingsError` if a settings file has a mistake.
        """
        if self.of_command:
            # nbgrader makes the directory object before it reads the course's file, and passes it
            # only the settings of its own class. The command, its parent, has all settings.
            command: Configurable = self.of_command.parent or self.of_command
            return command.config
        app = Application(raise_config_file_errors=True)
        with _IMPORT_PATH:
            sys.path.insert(0, os.path.abspath(self.folder))  # as nbgrader does for settings files
            try:
                for name in ("jupyter_config", CONFIG):
                    _load(app, name, *reversed(jupyter_config_path()))
                _load(app, CONFIG, self.folder)
                root = self._root(app.config)
                if os.path.realpath(root) != os.path.realpath(self.folder):
                    _load(app, CONFIG, root)
            finally:
                sys.path.remove(os.path.abspath(self.folder))
        return app.config

    @classmethod
    def of(cls, directory: CourseDirectory) -> Course:
        """Return the course of a running nbgrader command, with the settings of that command."""
        return cls(Path(directory.root), directory)

    @cached_property
    def directory(self) -> CourseDirectory:
        """The course as nbgrader's own object, with these settings."""
        return self.of_command or CourseDirectory(
            config=self.config, root=str(self._root(self.config))
        )

    @property
    def root(self) -> Path:
        """The folder that contains all other folders, unless the settings place them elsewhere."""
        return Path(self.directory.root)

    @cached_property
    def db_url(self) -> str:
        """The gradebook's address. It may contain a password. The path of a file is absolute.

        `SettingsError` if the setting is not an address.
        """
        try:
            url = make_url(self.directory.db_url)
        except ArgumentError:
            expected = "sqlite:////courses/ml/gradebook.db or postgresql+psycopg://grader@host/ml"
            raise SettingsError(
                f"c.CourseDirectory.db_url is not an address such as {expected}"
            ) from None
        path = url.database
        if url.get_backend_name() != "sqlite" or not path or path.startswith(("file:", ":memory:")):
            return str(self.directory.db_url)
        url = url.set(database=os.path.join(os.path.abspath(self.folder), path))
        return url.render_as_string(hide_password=False)

    def homeworks(self) -> list[str]:
        """Return the names of the assignments that have a notebook among the sources."""
        shelf = _shelf(str(self.source(_ANY)))
        try:
            folders = os.listdir(shelf.parent)
        except OSError:
            return []
        names = {shelf.name(folder) for folder in folders if not folder.startswith(".")}
        return sorted(name for name in names if name and any(self.source(name).glob("*.ipynb")))

    def expect_homework(self, assignment: str) -> None:
        """Raise `UserError` if the course has no homework of that name."""
        if assignment not in (names := self.homeworks()):
            there = f"expected one of {', '.join(names)}" if names else "it has no homework at all"
            raise UserError(
                f"{self.folder.absolute()} has no homework {quoted(assignment)}: {there}"
            )

    def source(self, assignment: str) -> Path:
        """Return the folder with the instructor's notebook."""
        return self._folder(self.directory.source_directory, ".", assignment)

    def notebooks(self, assignment: str) -> list[str]:
        """Return the names of a homework's notebooks, in order, without ".ipynb".

        They are those that were released, and before a release all. So another file in the source
        folder, such as an empty ``Untitled.ipynb``, stops nothing. Without sources, the homework
        has one notebook, which is named after it.
        """
        folder = self.release(assignment)
        names = [path.stem for path in self.sources(assignment)]
        return [n for n in names if (folder / f"{n}.ipynb").is_file()] or names or [assignment]

    def sources(self, assignment: str) -> list[Path]:
        """Return all notebooks in the source folder of a homework, in order."""
        names: list[str] = []
        with suppress(OSError):
            names = sorted(os.listdir(self.source(assignment)))
        return [self.source(assignment) / name for name in names if name.endswith(".ipynb")]

    def notebooks_in(self, folder: Path, assignment: str) -> list[Path]:
        """Return where a homework's notebooks are in a folder, whether they exist or not."""
        return [folder / f"{name}.ipynb" for name in self.notebooks(assignment)]

    def files(self, assignment: str) -> dict[str, bytes]:
        """Return the files beside the notebooks that nbgrader gives to students, by path.

        `SettingsError` if they are too large.
        """
        folder = self.source(assignment)
        ignored = [*self.directory.ignore, "*.ipynb"]
        found = map(Path, find_all_files(str(folder), ignored))
        paths = sorted(path for path in found if path.is_file())  # no dangling link
        if (size := sum(path.stat().st_size for path in paths)) > _MAX_BYTES:
            raise UserError(
                f"{folder}: its files have {size:,} bytes in all, expected at most "
                f"{_MAX_BYTES:,}. Each submission gets a copy of them: make them smaller, or name "
                "those that grading does not need in c.CourseDirectory.ignore"
            )
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

    def homework(self, assignment: str) -> Homework:
        """Read all that grading needs of a homework; `UserError` if that is not possible."""
        sources = self.notebooks_in(self.source(assignment), assignment)
        return homework_of(self.root, assignment, self.files(assignment), solutions_of(sources))

    def release(self, assignment: str) -> Path:
        """Return the folder with the files that students get."""
        return self._folder(self.directory.release_directory, ".", assignment)

    def submitted(self, student: str, assignment: str) -> Path:
        """Return the folder with the files that a student submitted."""
        return self._folder(self.directory.submitted_directory, student, assignment)

    def autograded(self, student: str, assignment: str) -> Path:
        """Return the folder with a student's graded notebook."""
        return self._folder(self.directory.autograded_directory, student, assignment)

    def feedback(self, student: str, assignment: str) -> Path:
        """Return the folder with a student's pages of feedback."""
        return self._folder(self.directory.feedback_directory, student, assignment)

    def nbgrader(self, *words: str, log: Path | None = None) -> int:
        """Run one nbgrader command in the course, in a process of its own; return its exit status.

        Its output is appended to the file `log`, or goes to the terminal.
        """
        return nbgrader_command.run(words, self.folder, log)

    def run_nbgrader(self, *words: str, log: Path | None = None) -> None:
        """Run one nbgrader command; raise `UserError` with the end of its log if it fails."""
        if self.nbgrader(*words, log=log) != 0:
            text = log.read_text(encoding="utf-8", errors="replace") if log else ""
            said = _TRACEBACK.sub("", text)[-_MAX_LOG:]
            where = f"The end of its log, {log}:\n{said}" if log else "See its log above"
            raise UserError(f"`nbgrader {' '.join(words)}` failed. {where}")

    def _root(self, config: Config) -> Path:
        root = config.CourseDirectory.root if "root" in config.CourseDirectory else ""
        return Path(os.path.abspath(self.folder / str(root)))

    def _folder(self, step: str, student: str, assignment: str) -> Path:
        return Path(self.directory.format_path(step, student, assignment))


@dataclass(frozen=True)
class Shelf:
    """A folder with one subfolder for each student, or for each assignment."""

    parent: Path  # contains the subfolders
    within: str  # the next folder on the path to the work; "" if it is in the subfolder itself
    _form: str

    def name(self, folder: str) -> str | None:
        """Return the name that a subfolder is for, or None if it is for no name."""
        match = re.fullmatch("(.+)".join(map(re.escape, self._form.split(_ANY))), folder, re.DOTALL)
        return match[1] if match else None


def shelf_of(course: CourseDirectory, step: str, assignment: str) -> Shelf:
    """Return the folder with the students' folders of a step, ``course.submitted_directory``."""
    return _shelf(course.format_path(step, _ANY, assignment))


def _shelf(path: str) -> Shelf:
    parts = Path(path).parts
    at = next((n for n, part in enumerate(parts) if _ANY in part), len(parts) - 1)
    return Shelf(Path(*parts[:at]), "".join(parts[at + 1 : at + 2]), parts[at])


def fixed_folder(course: CourseDirectory, step: str) -> Path:
    """Return the innermost folder with a step's work of all students on all assignments."""
    return shelf_of(course, step, _ANY).parent


def scratch_course(folder: Path, source: Path = REPOSITORY) -> Course:
    """Make a new course in an empty or missing folder, from the source of another course.

    The new course copies the settings of the other one, except that it has its own gradebook, and
    nbgrader's own folders in it. So it never writes to the other course. FileExistsError if the
    folder is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(
            f"{folder} is not empty. A scratch course needs an empty folder: choose another one"
        )
    (folder / "exchange").mkdir(parents=True)
    old, new = Course(source), Course(folder)
    settings = source / f"{CONFIG}.py"
    text = settings.read_text(encoding="utf-8") if settings.exists() else ""
    text += "\n# A scratch course has everything for itself.\nc = get_config()\n"
    own = {
        "CourseDirectory.root": str(folder.absolute()),
        "CourseDirectory.db_url": f"sqlite:///{folder.absolute() / 'gradebook.db'}",
        "Exchange.root": str(folder.absolute() / "exchange"),
        "WholeClass.folder": "grading",
    }
    traits = CourseDirectory.class_traits()
    own |= {f"CourseDirectory.{name}": traits[name].default_value for name in _LAYOUT}
    text += "".join(f"c.{name} = {value!r}\n" for name, value in own.items())
    (folder / f"{CONFIG}.py").write_text(text, encoding="utf-8")
    for name in old.homeworks():
        shutil.copytree(old.source(name), new.source(name), ignore=_COMPILED)
    if (old.root / "staff").is_dir():
        shutil.copytree(old.root / "staff", folder / "staff", ignore=_COMPILED)
    return new


def released_copy(
    course: Course,
    assignment: str,
    folder: Path,
    settings: str = "",
    *,
    only_released: bool = False,
) -> Course:
    """Make a scratch course in a folder, with these further settings, and release a homework in it.

    `only_released` leaves out notebooks that lie in the source folder and were not released yet.
    `UserError` if nbgrader cannot release it.
    """
    place = scratch_course(folder / "course", course.folder).folder
    with (place / f"{CONFIG}.py").open("a", encoding="utf-8") as file:
        file.write(settings)
    scratch = Course(place)
    _copy_shared_files(course, scratch)
    for path in scratch.sources(assignment) if only_released else ():
        if path.stem not in course.notebooks(assignment):
            path.unlink()
    scratch.run_nbgrader("generate_assignment", assignment, log=folder / "log")
    return scratch


def _copy_shared_files(course: Course, scratch: Course) -> None:
    """Copy what several homeworks share: headers, templates of tests, and modules."""
    places = [
        (one.root, fixed_folder(one.directory, one.directory.source_directory))
        for one in (course, scratch)
    ]
    for old, new in zip(*places, strict=True):
        for path in old.iterdir():
            is_own = path.suffix == ".db" or path.stem == CONFIG or (new / path.name).exists()
            if path.is_file() and not is_own:
                shutil.copy(path, new)


def _load(app: Application, name: str, *folders: str | Path) -> None:
    """Add the settings of the Python and JSON files of a name in folders, if there are any."""
    for folder in folders:
        file = Path(os.path.abspath(folder), name)
        try:
            app.load_config_file(name, path=str(file.parent))
        except Exception as error:
            raise SettingsError(
                f"{file}.py or .json: reading the settings failed ({type(error).__name__}: "
                f"{error}). Fix the file, then try again"
            ) from error
