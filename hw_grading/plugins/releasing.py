"""Steps of ``nbgrader generate_assignment``, for nbgrader's own list of preprocessors."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_locked, is_solution, is_task

from hw_grading.gradebook.writing import write_whole
from hw_grading.homework.cells import is_test, is_trusted, uses_checks
from hw_grading.homework.course import Course
from hw_grading.homework.homework import START, has_manifest, manifest_of
from hw_grading.homework.source_notebook import check_cells, set_points
from hw_grading.rendering import templates_in

PLACEHOLDER = "{{ due_date }}"
# strftime would use the instructor's locale. The notebook is English.
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August"]
_MONTHS += ["September", "October", "November", "December"]


class CheckRegions(NbGraderPreprocessor):
    """Runs before the preprocessors of ``nbgrader generate_assignment`` that remove solutions."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Check one notebook, and return it unchanged; a `RuntimeError` names the wrong cells."""
        check_cells(nb, Path(resources["nbgrader"]["notebook"] + ".ipynb"))
        return nb, resources


class SetPoints(NbGraderPreprocessor):
    """Gives each test cell the points of its parts, before `SaveCells` stores them."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Process one notebook."""
        set_points(nb)
        return nb, resources


class CollapseTests(NbGraderPreprocessor):
    """Collapses the code of test cells in JupyterLab and Notebook 7; their results stay open."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Process one notebook."""
        for cell in nb.cells:
            if is_test(cell) or (is_trusted(cell) and uses_checks(cell)):  # also without points
                cell.metadata.setdefault("jupyter", NotebookNode())["source_hidden"] = True
        return nb, resources


class ShowDueDate(NbGraderPreprocessor):
    """Write the manifest's due date into markdown cells, and store it in the gradebook in UTC.

    One of the preprocessors of ``nbgrader generate_assignment``. The gradebook is unchanged with
    ``--no-db``, if it does not know the assignment, or if the homework has no manifest.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Process one notebook."""
        names = resources["nbgrader"]
        # The parents are the exporter and the converter.
        converter = self.parent.parent
        root = Path(converter.coursedir.root)
        manifest = manifest_of(root, names["assignment"])
        due = manifest.due_moment
        shown = in_words(due, manifest.zone_in_words) if due else "no due date"
        for cell in nb.cells:
            if cell.cell_type == "markdown":
                cell.source = cell.source.replace(PLACEHOLDER, shown)
        if converter.no_database or not has_manifest(root, names["assignment"]):
            return nb, resources
        with Gradebook(names["db_url"]) as gradebook, contextlib.suppress(MissingEntry):
            assignment = gradebook.find_assignment(names["assignment"])
            assignment.duedate = due.astimezone(UTC).replace(tzinfo=None) if due else None
            gradebook.db.commit()
        return nb, resources


def in_words(moment: datetime, zone_in_words: str) -> str:
    """Return a moment such as "Tuesday, 4 October 2022, 11:59 pm Pacific"."""
    day = f"{_DAYS[moment.weekday()]}, {moment.day} {_MONTHS[moment.month - 1]} {moment.year}"
    time = f"{moment.hour % 12 or 12}:{moment.minute:02d} {'am' if moment.hour < 12 else 'pm'}"
    return f"{day}, {time} {zone_in_words}".rstrip()


class WriteStartPage(NbGraderPreprocessor):
    """Write the page beside the released notebook, if the homework has a manifest.

    One of the preprocessors of ``nbgrader generate_assignment``. That command removes all files of
    an earlier release first.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Process one notebook; it is not changed."""
        name = resources["nbgrader"]["assignment"]
        # The parents are the exporter and the converter.
        course = Course.of(self.parent.parent.coursedir)
        if not has_manifest(course.root, name):
            return nb, resources
        folder = course.release(name)
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / START, start_page(course, name).encode())
        return nb, resources


def start_page(course: Course, assignment: str) -> str:
    """Return the page of a homework as HTML."""
    manifest = manifest_of(course.root, assignment)
    templates = templates_in(Path(__file__).parent)
    return templates.get_template("start.html").render(
        title=manifest.title or assignment, name=assignment, start=manifest.start
    )


def is_saved(cell: NotebookNode) -> bool:
    """Return whether nbgrader's `SaveCells` saves a cell in the gradebook."""
    return any(is_so(cell) for is_so in (is_grade, is_solution, is_locked, is_task))
