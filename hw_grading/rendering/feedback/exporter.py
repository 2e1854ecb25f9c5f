"""The exporter of `nbgrader generate_feedback`. It serves every student, one at a time."""

import contextlib
import glob
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import Exporter
from nbformat import NotebookNode

from hw_grading.gradebook.book import ManualGrading
from hw_grading.gradebook.given import FeedbackPage, feedback_digest
from hw_grading.gradebook.requests import Tested, requests_in, versions_of
from hw_grading.gradebook.results import StudentResult, read_results
from hw_grading.gradebook.scores import Score, comments_in, open_gradebook
from hw_grading.gradebook.tables import now
from hw_grading.homework.course import Course
from hw_grading.homework.homework import manifest_of
from hw_grading.homework.notebook import Notebook, Places, is_test, read_places
from hw_grading.mistakes.groups import answers_to_tests, told_to
from hw_grading.mistakes.known import Mistake, read_mistakes
from hw_grading.notebooks import MAX_BYTES
from hw_grading.rendering import FORMULAS, STYLE, templates_in
from hw_grading.rendering.feedback.asking import SCRIPT, SCRIPT_DIGEST, asking_of
from hw_grading.rendering.feedback.cells import shown_cells
from hw_grading.rendering.feedback.summary import PageFacts, lacks_in, summary_of
from hw_support.submission.file import UserError, read_regular_file
from hw_support.submission.problems import Problem, encodable, plain

_HERE = Path(__file__).parent
_PAGE = templates_in(_HERE, FORMULAS, STYLE, _HERE / "page.css").get_template("page.html.j2")


class FeedbackExporter(Exporter):
    """Makes the feedback page of a student, for nbgrader's converter.

    If a graded notebook is damaged, its student still gets a page with the points. Only an
    unreadable gradebook is a failure, which nbgrader reports.
    """

    output_mimetype = "text/html"

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        folders = getattr(self.parent, "assignments", {})
        for folder in list(folders):
            below = folder.removeprefix(self.parent.coursedir.root)  # type: ignore[union-attr]
            if glob.escape(below) == below:
                continue
            del folders[folder]  # nbgrader uses it as a pattern, which matches other students'
            self.log.error("NO FEEDBACK: %s: rename the folder, and grade again", ascii(folder))

    def _file_extension_default(self) -> str:
        return ".html"

    def from_filename(  # type: ignore[override]  # a page is text
        self, filename: str, resources: dict[str, Any] | None = None, **_: Any
    ) -> tuple[str, dict[str, Any]]:
        """Make the page of a graded notebook."""
        resources = self._init_resources(resources)
        facts = self._facts(resources["nbgrader"]["student"])
        trouble = ""
        try:
            text = read_regular_file(Path(filename), MAX_BYTES).decode("utf-8")
            notebook = nbformat.reads(text, as_version=4)
            # The configured preprocessors remove hidden tests and mark schemes.
            notebook, _ = super().from_notebook_node(notebook, resources)
            for cell in filter(is_test, notebook.cells):
                hide_details(cell)
        except Exception as error:  # nbformat and preprocessors may raise any error
            self.log.error("%s: the notebook is not shown: %s", filename, error)
            notebook = nbformat.v4.new_notebook()
            trouble = "Your graded notebook cannot be shown. Tell your instructor."
        run = facts.result.run
        problems = run.problems if run else ()
        return page_of(facts, notebook.cells, problems, trouble), resources

    def _facts(self, student: str) -> PageFacts:
        course, assignment, places, instructors = self._of_class
        results = read_results(course, assignment, student, places)
        with open_gradebook(course.db_url, assignment) as (db, _):
            comments = comments_in(db, assignment, student).get(student, {})
            asked = requests_in(db, assignment, student).get(student, {})
        manifest = manifest_of(course.root, assignment)
        versions = {}
        if manifest.takes_requests(now()):
            versions = versions_of(results.of(student), comments, self._tested)
        return PageFacts(
            student,
            assignment,
            cells=results.cells,
            most=results.max_score,
            result=results.of(student),
            comments=comments,
            places=places,
            told=told_to(results.of(student), self._mistakes),
            marks=self._book.told(student),
            hides_items=FeedbackPage(config=course.config).hide_items,
            instructors=instructors,
            asked=asked,
            versions=versions,
            rules=manifest.requests,
        )

    @cached_property
    def _tested(self) -> Tested:
        course, assignment, *_ = self._of_class
        return answers_to_tests(course, assignment)

    @cached_property
    def _book(self) -> ManualGrading:
        course, assignment, *_ = self._of_class
        return ManualGrading(course, assignment)

    @cached_property
    def _mistakes(self) -> tuple[Mistake, ...]:
        course, assignment, *_ = self._of_class
        return read_mistakes(course.root, assignment)

    @cached_property
    def _of_class(self) -> tuple[Course, str, Places, frozenset[str]]:
        """The course, the homework, and where the instructor's cells are, with their texts."""
        directory = self.parent.coursedir  # type: ignore[union-attr]  # that of the converter
        course, assignment = Course.of(directory), directory.assignment_id
        texts, places = {""}, Places()
        source = course.notebooks_in(course.source(assignment), assignment)
        for path in (*course.notebooks_in(course.release(assignment), assignment), *source):
            with contextlib.suppress(UserError, OSError):
                texts |= {cell.source.strip() for cell in Notebook.read(path).cells}
        with contextlib.suppress(UserError, OSError):
            places = read_places(*source)
        return course, assignment, places, frozenset(texts - {""})


class TestsFeedbackExporter(FeedbackExporter):
    """Makes the page that tests alone give: without marks, comments, corrections and lateness."""

    def _facts(self, student: str) -> PageFacts:
        facts = super()._facts(student)
        known, cells = facts.result.known, facts.cells
        scores = tuple(Score(s.cell, s.auto, waits=s.auto is None) for s in known.scores)
        result = StudentResult(
            facts.result.student,
            replace(known, scores=scores, seconds_late=0.0),
            facts.result.run,
            score=sum(score.points for score in scores),
        )
        most = sum(cell.max_points for cell in cells)
        facts = replace(facts, comments={}, told={}, marks={}, asked={}, versions={})
        return replace(facts, most=most, result=result, of_tests_alone=True)


def page_of(
    facts: PageFacts, cells: Sequence[NotebookNode], problems: Iterable[Problem], trouble: str = ""
) -> str:
    """Return a student's page. The cells have no hidden content; `trouble` says why none is shown.

    `problems` are those that grading noted.
    """
    facts = replace(facts, lacks=lacks_in(facts, cells))
    page = _PAGE.render(
        facts=facts,
        student=plain(facts.student, 200),
        digest=feedback_digest(
            facts.result, facts.comments, facts.told, facts.asked, hides_items=facts.hides_items
        ),
        asking=asking_of(facts),
        script=SCRIPT,
        script_digest=SCRIPT_DIGEST,
        summary=summary_of(facts, cells, problems),
        cells=list(shown_cells(facts, cells)),
        trouble=trouble,
    )
    return encodable(page)


def hide_details(cell: NotebookNode) -> None:
    """Reduce a test's outputs to what it printed and the names of errors.

    The traceback of an error in a test cell (such as a time limit) quotes the hidden lines.
    """
    cell.outputs = [one for one in cell.outputs if one.output_type in ("stream", "error")]
    for output in cell.outputs:
        if output.output_type == "error":
            why = "the details are not shown, because they may quote hidden tests."
            output.update(evalue="", traceback=[f"{output.ename}: {why}"])
