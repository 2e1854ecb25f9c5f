"""Makes a course one of stock nbgrader again: what a release fills in stands in the source then.

Nothing that was graded is removed. Stock nbgrader reads neither the tables nor the folders of this
grader.
"""

from collections.abc import Iterator

import nbformat

from hw_grading.grade.settings import WholeClass
from hw_grading.homework.course import CONFIG, Course
from hw_grading.homework.homework import manifest_of
from hw_grading.plugins.releasing import fill_in
from hw_grading.texts import write_whole
from hw_support.submission.released import ENDING


def leave(course: Course) -> Iterator[str]:
    """Write points and due dates into the source notebooks; remove the descriptions of releases.

    Yields a line for each file that changed, and for what is left to do. It can be repeated.
    """
    for name in course.homeworks():
        for path in course.sources(name):
            notebook = nbformat.read(path, as_version=4)
            before = nbformat.writes(notebook)
            fill_in(notebook, manifest_of(course.root, name))
            if (after := nbformat.writes(notebook)) != before:
                write_whole(path, f"{after}\n".encode())
                yield f"{path}: points and due date stand in it now"
        for path in sorted(course.release(name).glob(f"*{ENDING}")):
            path.unlink()
            yield f"{path}: removed; nbgrader would copy it into each student's feedback"
    settings = WholeClass(config=course.config)
    yield f"In {course.folder / f'{CONFIG}.py'}, put these two lines in the place of configure(c):"
    yield "    c.ClearMarkScheme.enforce_metadata = False"
    yield f"    c.CourseDirectory.ignore = {[*course.directory.ignore, f'*{ENDING}']!r}"
    yield (
        f"Keep {settings.place(course.root)} and the tables hw_grading_* if you may come back: "
        "they have results, rubrics and history. nbgrader does not read them."
    )
