"""Makes a new homework: one notebook, which you can release and grade at once.

`_NEW` has a question of each usual kind: a function with its test, a plot and a text that people
grade.
"""

import keyword
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat

from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.database import Unavailable
from hw_grading.homework.course import CONFIG, Course
from hw_grading.homework.homework import FILE_NAME, has_manifest
from hw_grading.homework.layout import LOCKED, STAFF
from hw_grading.homework.notebook import kind_of
from hw_grading.texts import counted, signed
from hw_support.submission.cells import grade_id_of
from hw_support.submission.file import UserError

_NEW = Path(__file__).with_name("new.ipynb")  # in which HOMEWORK stands for the name
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_END = "END MARK SCHEME"
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
    folder = _free_folder(course, assignment)
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


def new_from(course: Course, assignment: str, old: str) -> list[str]:
    """Begin a homework from an earlier one of the course; return what was done, in lines.

    Copies its notebooks, its manifest and all else in its folder of `staff/`, with its named
    mistakes. Items that graders added to a rubric stand in the mark scheme, to be taken or removed.
    If that fails, nothing is left. May raise `UserError`.
    """
    folder = _free_folder(course, assignment)
    course.expect_homework(old)
    staff, old_staff = (course.root / STAFF / name for name in (assignment, old))
    if staff.exists():
        raise UserError(f"{staff} exists already. Choose another name, or move it away first")
    added, said = _added_items(course, old)
    skip = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    try:
        shutil.copytree(course.source(old), folder, ignore=skip)
        if old_staff.is_dir():
            shutil.copytree(old_staff, staff, ignore=skip)
            for path in staff.rglob("*.py"):
                text = path.read_text(encoding="utf-8")
                renamed = re.sub(rf"\b{STAFF}\.{re.escape(old)}\b", f"{STAFF}.{assignment}", text)
                path.write_text(renamed, encoding="utf-8")
        for path in folder.glob("*.ipynb"):
            _add_items(path, added, old)
        if (notebook := folder / f"{old}.ipynb").exists():
            notebook.rename(folder / f"{assignment}.ipynb")
    except BaseException:
        for made in (folder, staff):
            shutil.rmtree(made, ignore_errors=True)
        raise
    lines = [str(folder), *([str(staff)] if staff.exists() else []), *said]
    if has_manifest(course.root, assignment):
        lines.append(f"Change the due date in {staff / FILE_NAME}.")
    return lines


def _added_items(course: Course, old: str) -> tuple[dict[str, list[str]], list[str]]:
    """Return the lines of items that graders added, by the answer's grade id, and what to say."""
    book = ManualGrading(course, old)
    added: dict[str, list[str]] = {}
    try:
        for question in book.questions():
            if items := book.added_items(question.cell):
                added[question.cell] = [f"{item.text} ({signed(item.points)})" for item in items]
    except Unavailable as why:
        return {}, [f"Items that graders added to rubrics are not known: {why}"]
    finally:
        book.close()
    said = f"{counted(sum(map(len, added.values())), 'item')} that graders added to rubrics"
    how = "in the mark schemes of the notebook: make them lines of the scheme, or remove them."
    return added, [f"{said} stand {how}"] if added else []


def _add_items(path: Path, added: Mapping[str, Sequence[str]], old: str) -> None:
    """Write items into the mark schemes above the answers of a notebook; make one if need be."""
    notebook = nbformat.read(path, as_version=4)
    above = None
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (_END in cell.source or kind_of(cell) == LOCKED):
            above = cell
        lines = added.get(grade_id_of(cell) or "")
        if not lines or above is None:  # a release wants a locked question for a mark scheme
            continue
        text = f"Added while {old} was graded:\n\n" + "".join(f"* {line}\n" for line in lines)
        if _END not in above.source:
            above.source += f"\n\n<!-- BEGIN MARK SCHEME -->\n<!-- {_END} -->"
        before, end, after = above.source.rpartition(f"<!-- {_END}")
        above.source = f"{before.rstrip()}\n\n{text}{end}{after}"
    nbformat.write(notebook, path)


def _free_folder(course: Course, assignment: str) -> Path:
    """Return the folder of a new homework; `UserError` if its name cannot be used."""
    if not _NAME.fullmatch(assignment) or keyword.iskeyword(assignment):
        raise UserError(
            f"{assignment!r} cannot be the name of a homework, because its staff code is a Python "
            "package of that name. Choose a name such as hw3: a letter from A to Z, then "
            "letters, digits and _, at most 40 characters, and no word of Python"
        )
    if (folder := course.source(assignment)).exists():
        raise UserError(f"{folder} exists already. Choose another name, or move it away first")
    return folder


def is_empty(folder: Path) -> bool:
    """Whether a folder has nothing but hidden files and folders."""
    return folder.is_dir() and all(path.name.startswith(".") for path in folder.iterdir())
