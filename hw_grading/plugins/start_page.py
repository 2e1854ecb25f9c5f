"""START.html, the page beside a released notebook that tells students how to start."""

from pathlib import Path
from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor

from hw_grading.homework.course import Course
from hw_grading.homework.homework import START, manifest_of
from hw_grading.pages.templates import templates_in
from hw_grading.records.writing import write_whole


class WriteStartPage(NbGraderPreprocessor):
    """Write the page beside the released notebook.

    One of the preprocessors of ``nbgrader generate_assignment``. That command removes all files of
    an earlier release first.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Process one notebook; it is not changed."""
        name = resources["nbgrader"]["assignment"]
        # The parents are the exporter and the converter.
        course = Course.of(self.parent.parent.coursedir)
        folder = course.release(name)
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / START, start_page(course, name).encode())
        return nb, resources


def start_page(course: Course, assignment: str) -> str:
    """Return the page of a homework as HTML."""
    manifest = manifest_of(course.root, assignment)
    templates = templates_in(Path(__file__).parent, keep_trailing_newline=True)
    return templates.get_template("start.html").render(
        title=manifest.title or assignment, name=assignment, start=manifest.start
    )
