"""Makes a new homework: one notebook, which you can release and grade at once.

`_NEW` has a question of each usual kind: a function with its test, a plot and a text that people
grade.
"""

import keyword
import re
import shutil
from pathlib import Path

from hw_grading.homework.course import CONFIG, Course
from hw_support.submission.file import UserError

_NEW = Path(__file__).with_name("new.ipynb")  # in which HOMEWORK stands for the name
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_SETTINGS = """try:
    from hw_grading import configure
except ImportError as error:
    raise SystemExit(
        f"{error}. Without the grader, nbgrader would run student code without a sandbox. "
        "Install hw-grading, or take these lines out of nbgrader_config.py."
    ) from None

c = get_config()
configure(c)
"""


def new(course: Course, assignment: str) -> list[Path]:
    """Write the notebook of a homework into a course, and return what was written.

    An empty folder first becomes a course, by an ``nbgrader_config.py``. If writing fails, nothing
    is left. `UserError` if the name cannot be used.
    """
    if not _NAME.fullmatch(assignment) or keyword.iskeyword(assignment):
        raise UserError(
            f"{assignment!r} cannot be the name of a homework, because its staff code is a Python "
            "package of that name. Choose a name such as hw3: a letter from A to Z, then "
            "letters, digits and _, at most 40 characters, and no word of Python"
        )
    if (folder := course.source(assignment)).exists():
        raise UserError(f"{folder} exists already. Choose another name, or move it away first")
    settings = [course.folder / f"{CONFIG}.py"] if is_empty(course.folder) else []
    notebook, text = folder / f"{assignment}.ipynb", _NEW.read_text(encoding="utf-8")
    try:
        for path in settings:
            path.write_text(_SETTINGS, encoding="utf-8", newline="\n")
        folder.mkdir(parents=True)
        notebook.write_text(text.replace("HOMEWORK", assignment), encoding="utf-8", newline="\n")
    except BaseException:
        for path in settings:
            path.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return [*settings, notebook]


def is_empty(folder: Path) -> bool:
    """Whether a folder has nothing but hidden files and folders."""
    return folder.is_dir() and all(path.name.startswith(".") for path in folder.iterdir())
