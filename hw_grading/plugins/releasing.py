"""Steps of ``nbgrader generate_assignment``, for nbgrader's own list of preprocessors."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from packaging.utils import canonicalize_name

from hw_grading.homework.cells import description_of
from hw_grading.homework.course import Course
from hw_grading.homework.homework import Manifest, has_manifest, manifest_of
from hw_grading.homework.notebook import is_test, is_trusted, uses_checks
from hw_grading.homework.points import fill_points, set_points
from hw_grading.homework.requirements import requirements_of
from hw_grading.homework.source_notebook import check_cells
from hw_grading.mistakes.known import read_mistakes, sentence_for
from hw_grading.run.settings import ExecuteSubmission
from hw_grading.texts import write_whole
from hw_support.source import tested_in
from hw_support.submission.cells import grade_id_of
from hw_support.submission.released import ENDING, grade_ids_in

PLACEHOLDER = "{{ due_date }}"


class CheckRegions(NbGraderPreprocessor):
    """Runs before the preprocessors of ``nbgrader generate_assignment`` that remove solutions."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Check one notebook, and return it unchanged; the `UserError` names the wrong cells."""
        check_cells(nb, Path(resources["nbgrader"]["notebook"] + ".ipynb"))
        return nb, resources


class PrepareCells(NbGraderPreprocessor):
    """Gives test cells the points of their parts; writes points and due date into markdown cells.

    The code of cells with `Checks` is collapsed in JupyterLab and Notebook 7; results stay open.
    The due date of a homework with a manifest is stored in the gradebook in UTC, unless nbgrader
    runs with ``--no-db``.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Process one notebook; the `UserError` names cells with `Checks` that have mistakes."""
        names, converter = resources["nbgrader"], self.parent.parent  # the exporter's parent
        check_cells(nb, Path(names["notebook"] + ".ipynb"), with_checks_alone=True)
        root = Path(converter.coursedir.root)
        manifest = manifest_of(root, names["assignment"])
        due = manifest.due_moment
        fill_in(nb, manifest)  # before `SaveCells` stores the points
        for cell in nb.cells:
            if uses_checks(cell) and (is_test(cell) or is_trusted(cell)):
                cell.metadata.setdefault("jupyter", NotebookNode())["source_hidden"] = True
        if converter.no_database or not has_manifest(root, names["assignment"]):
            return nb, resources
        with Gradebook(names["db_url"]) as gradebook:
            assignment = gradebook.find_assignment(names["assignment"])
            assignment.duedate = due.astimezone(UTC).replace(tzinfo=None) if due else None
            gradebook.db.commit()
        return nb, resources


def fill_in(nb: NotebookNode, manifest: Manifest) -> None:
    """Give test cells the points of their parts, and texts the points and the due date."""
    due = manifest.due_moment
    shown = due_in_words(due, manifest.zone_in_words) if due else "no due date"
    set_points(nb)
    fill_points(nb)
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace(PLACEHOLDER, shown)


def due_in_words(moment: datetime, zone_in_words: str) -> str:
    """Return a moment such as "Tuesday, 4 October 2022, 11:59 pm Pacific".

    Names are English on every machine, because no program here calls `locale.setlocale`.
    """
    day = f"{moment:%A}, {moment.day} {moment:%B} {moment.year}"
    time = f"{moment.hour % 12 or 12}:{moment:%M} {moment:%p}".lower()
    return f"{day}, {time} {zone_in_words}".rstrip()


class DescribeRelease(NbGraderPreprocessor):
    """Writes the description of a released notebook beside it, for the students' commands.

    Runs last. nbgrader removes all files of an earlier release first.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Process one notebook; it is not changed."""
        names = resources["nbgrader"]
        course = Course.of(self.parent.parent.coursedir)
        folder = course.release(names["assignment"])
        folder.mkdir(parents=True, exist_ok=True)
        text = release_description(course, names["assignment"], names["notebook"], nb)
        write_whole(folder / f"{names['notebook']}{ENDING}", text.encode())
        return nb, resources


def _told_to_students(
    course: Course, assignment: str, notebook: NotebookNode
) -> dict[str, dict[str, str]]:
    """Return the sentences on known mistakes, by the name of the `Checks` and by fingerprint."""
    mistakes = [mistake for mistake in read_mistakes(course.root, assignment) if mistake.told]
    told: dict[str, dict[str, str]] = {}
    for cell in filter(uses_checks, notebook.cells):
        test = grade_id_of(cell) or ""
        known = {
            fingerprint
            for mistake in mistakes
            if mistake.test == test
            for fingerprint in mistake.fingerprints
        }
        sentences = {
            one: said for one in sorted(known) if (said := sentence_for(mistakes, test, one))
        }
        for name, _ in tested_in(cell.source) if sentences else ():
            told.setdefault(name, {}).update(sentences)
    return told


def release_description(course: Course, assignment: str, name: str, notebook: NotebookNode) -> str:
    """Describe a released notebook as JSON; see `hw_support.submission.released`."""
    limits, manifest = ExecuteSubmission(config=course.config), manifest_of(course.root, assignment)
    seconds, ids = manifest.seconds("cpu_seconds"), grade_ids_in(notebook)
    needed = requirements_of(course.root, [notebook])
    description = description_of(
        notebook,
        assignment=assignment,
        notebook=name,
        packages=sorted({*needed.packages, *map(canonicalize_name, limits.packages)}),
        certification=manifest.certification if manifest.certification in ids else "",
        arrays=manifest.arrays,
        plots={cell: plot for cell, plot in manifest.plots.items() if cell in ids},
        cpu_seconds_for_cell={cell: seconds[cell] for cell in seconds if cell in ids},
        cpu_seconds_per_cell=limits.cpu_seconds_per_cell,
        output_bytes_per_cell=limits.output_bytes_per_cell,
        known=_told_to_students(course, assignment, notebook),
        files=[*course.files(assignment)],
    )
    return json.dumps(description, indent=1, ensure_ascii=False) + "\n"
