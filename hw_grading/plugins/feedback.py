"""The exporter of `nbgrader generate_feedback`. It serves every student, one at a time."""

import contextlib
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from markupsafe import Markup
from nbconvert.exporters import Exporter
from nbformat import NotebookNode
from nbgrader.converters import GenerateFeedback
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool

from hw_grading.batch.submissions import folders_of
from hw_grading.gradebook.graded_notebook import (
    MAX_BYTES,
    Places,
    open_notebook,
    plain,
    read_places,
)
from hw_grading.gradebook.results import read_results
from hw_grading.gradebook.scores import comments_of, open_gradebook
from hw_grading.homework.cells import is_test
from hw_grading.homework.course import Course
from hw_grading.homework.homework import why_no_id
from hw_grading.homework.notes import read_problems
from hw_grading.rendering import FORMULAS, feedback, templates_in
from hw_grading.rendering.answers import text_html
from hw_grading.rendering.feedback.cells import shown_cells
from hw_grading.rendering.feedback.summary import Facts, summary_of
from hw_support.submission.cells import text_of
from hw_support.submission.file import UserError, read_regular_file
from hw_support.submission.problems import encodable

_HERE = Path(feedback.__file__).parent
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)


class FeedbackExporter(Exporter):
    """Makes the feedback page of a student.

    If a graded notebook is damaged, its student still gets a page with the points. Only an
    unreadable gradebook is a failure, which nbgrader reports.
    """

    output_mimetype = "text/html"
    optimistic_validation = Bool(True).tag(config=True)

    def __init__(self, config: Any = None, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        self._environment = templates_in(_HERE)
        styles = (FORMULAS, _HERE / "page.css")
        self._style = Markup("".join(path.read_text(encoding="utf-8") for path in styles))
        self._instructors: tuple[Places, frozenset[str]] | None = None
        if isinstance(self.parent, GenerateFeedback):
            self._name_those_without(self.parent)

    def _file_extension_default(self) -> str:
        return ".html"

    def _name_those_without(self, converter: GenerateFeedback) -> None:
        """Report the students who get no page, and why."""
        course = converter.coursedir
        graded = dict(folders_of(course, course.autograded_directory))
        for student, _ in folders_of(course, course.submitted_directory):
            if student not in graded and not why_no_id(student):
                self.log.error(
                    f"NO FEEDBACK: {student!a} submitted, but there is no graded notebook. Run "
                    f"`nbgrader autograde {course.assignment_id}`"
                )
        for student, folder in graded.items():
            if why := why_no_id(student):
                # nbgrader uses the name as a pattern, which may match other students' folders.
                converter.assignments.pop(str(folder), None)
                self.log.error(
                    "NO FEEDBACK: %s: %s. Rename the folder, and grade again", ascii(student), why
                )

    def from_filename(  # type: ignore[override]  # a page is text
        self, filename: str, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Make the page of a graded notebook, or of a placeholder if it cannot be read."""
        path = Path(filename)
        resources = {} if resources is None else resources
        resources["metadata"] = {"name": path.stem, "path": str(path.parent)}
        try:
            text = read_regular_file(path, MAX_BYTES).decode("utf-8")
            notebook = nbformat.reads(text, as_version=4)
        except Exception as error:  # nbformat may raise any error
            why = f"it is not a notebook ({type(error).__name__})"
            if isinstance(error, UserError | OSError):
                why = f"it cannot be read: {error}"
            self.log.error("%s: the graded notebook is not shown: %s", filename, why)
            notebook = nbformat.v4.new_notebook()
            resources["no_notebook"] = "Your graded notebook is damaged. Tell your instructor."
        return self.from_notebook_node(notebook, resources, **kwargs)

    def from_notebook_node(  # type: ignore[override]  # a page is text
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Make the page of a graded notebook, which is not changed.

        `resources` hold under ``"facts"`` the `Facts` of the student. If the exporter's parent is
        nbgrader's converter, they are read from the gradebook instead.
        """
        resources = self._init_resources(resources)
        if isinstance(self.parent, GenerateFeedback):
            resources["facts"] = self._facts(self.parent, resources["nbgrader"]["student"])
        facts: Facts = resources.get("facts") or Facts()
        trouble = resources.get("no_notebook", "")
        run = facts.result.run
        problems = run.problems if run else read_problems(nb)
        try:
            cleared, resources = super().from_notebook_node(nb, resources, **kwargs)
            cells = cleared.cells
        except Exception as error:  # a preprocessor failed: hidden content may remain
            self.log.error("%s: the notebook is not shown: %s", ascii(facts.student), error)
            trouble = "Your notebook cannot be shown. Tell your instructor."
            cells = []
        page = self._environment.get_template("page.html.j2").render(
            facts=facts,
            student=plain(facts.student, 200),
            homework=facts.homework or resources.get("metadata", {}).get("name", ""),
            policy=POLICY,
            style=self._style,
            summary=summary_of(facts, cells, problems, _markdown),
            cells=list(shown_cells(facts, cells, _markdown)),
            trouble=trouble,
        )
        return encodable(page), resources

    def _facts(self, converter: GenerateFeedback, student: str) -> Facts:
        course = Course.of(converter.coursedir)
        homework = converter.coursedir.assignment_id
        if self._instructors is None:
            self._instructors = _instructors(course, homework)
        places, instructors = self._instructors
        results = read_results(course, homework, student, places)
        with open_gradebook(course.db_url, homework) as (db, _):
            comments = comments_of(db, homework, student)
        known = (results.cells, results.max_score, results.of(student))
        return Facts(student, homework, *known, comments, places, instructors)


_kept = functools.lru_cache(maxsize=500)(text_html)  # the instructor's texts, for the whole class


def _markdown(text: str, attachments: Mapping[str, Any] | None = None) -> Markup:
    return text_html(text, attachments) if attachments else _kept(text)


def _instructors(course: Course, homework: str) -> tuple[Places, frozenset[str]]:
    """Return the places of cells, and the instructor's texts; empty if there is no notebook."""
    texts, places = {""}, Places()
    source = course.notebooks_in(course.source(homework), homework)
    for path in (*course.notebooks_in(course.release(homework), homework), *source):
        with contextlib.suppress(UserError, OSError):
            cells = [c for c in open_notebook(path)["cells"] if isinstance(c, dict)]
            texts |= {text_of(cell.get("source")).strip() for cell in cells}
    with contextlib.suppress(UserError, OSError):
        places = read_places(*source)
    return places, frozenset(texts - {""})


class HideTestDetails(NbGraderPreprocessor):
    """Reduces a test cell's outputs to its printed lines, its score and the names of errors.

    The traceback of an error in a test cell (such as a time limit) quotes the hidden lines.
    """

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        """Shorten the outputs of one cell, if it is a test cell."""
        if is_test(cell):
            cell.outputs = [shown for output in cell.outputs if (shown := _shown(output))]
        return cell, resources


def _shown(output: Any) -> Any | None:
    if output.output_type == "error":
        text = f"{output.ename}: the details are not shown, because they may quote hidden tests."
        return type(output)(output_type="error", ename=output.ename, evalue="", traceback=[text])
    return output if output.output_type in ("stream", "execute_result") else None
