"""Steps of ``nbgrader generate_assignment``, for nbgrader's own list of preprocessors."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from hw_grading.gradebook.writing import write_whole
from hw_grading.homework.cells import is_test, is_trusted, uses_checks
from hw_grading.homework.course import Course
from hw_grading.homework.homework import START, has_manifest, manifest_of
from hw_grading.homework.source_notebook import check_cells, set_points
from hw_grading.rendering import templates_in

PLACEHOLDER = "{{ due_date }}"


class CheckRegions(NbGraderPreprocessor):
    """Runs before the preprocessors of ``nbgrader generate_assignment`` that remove solutions."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Check one notebook, and return it unchanged; a `RuntimeError` names the wrong cells."""
        check_cells(nb, Path(resources["nbgrader"]["notebook"] + ".ipynb"))
        return nb, resources


class PrepareCells(NbGraderPreprocessor):
    """Gives test cells the points of their parts, and writes the due date into markdown cells.

    The code of cells with `Checks` is collapsed in JupyterLab and Notebook 7; results stay open.
    The due date of a homework with a manifest is stored in the gradebook in UTC, unless nbgrader
    runs with ``--no-db``.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Process one notebook."""
        names, converter = resources["nbgrader"], self.parent.parent  # the exporter's parent
        root = Path(converter.coursedir.root)
        manifest = manifest_of(root, names["assignment"])
        due = manifest.due_moment
        shown = in_words(due, manifest.zone_in_words) if due else "no due date"
        set_points(nb)  # before `SaveCells` stores them
        for cell in nb.cells:
            if cell.cell_type == "markdown":
                cell.source = cell.source.replace(PLACEHOLDER, shown)
            elif uses_checks(cell) and (is_test(cell) or is_trusted(cell)):
                cell.metadata.setdefault("jupyter", NotebookNode())["source_hidden"] = True
        if converter.no_database or not has_manifest(root, names["assignment"]):
            return nb, resources
        with Gradebook(names["db_url"]) as gradebook:
            assignment = gradebook.find_assignment(names["assignment"])
            assignment.duedate = due.astimezone(UTC).replace(tzinfo=None) if due else None
            gradebook.db.commit()
        return nb, resources


def in_words(moment: datetime, zone_in_words: str) -> str:
    """Return a moment such as "Tuesday, 4 October 2022, 11:59 pm Pacific".

    Names are English on every machine, because no program here calls `locale.setlocale`.
    """
    day = f"{moment:%A}, {moment.day} {moment:%B} {moment.year}"
    time = f"{moment.hour % 12 or 12}:{moment:%M} {moment:%p}".lower()
    return f"{day}, {time} {zone_in_words}".rstrip()


class WriteStartPage(NbGraderPreprocessor):
    """Writes the page beside the released notebook, if the homework has a manifest.

    nbgrader removes all files of an earlier release first.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Process one notebook; it is not changed."""
        name = resources["nbgrader"]["assignment"]
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
    page = templates_in(Path(__file__).parent).get_template("start.html")
    title = manifest.title or assignment
    return page.render(title=title, name=assignment, start=manifest.start)
