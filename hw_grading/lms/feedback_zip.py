"""Packs the class's pages of feedback into a zip that a platform takes and gives to its students.

- **Moodle** ("Upload multiple feedback files in a zip") and **Canvas** ("Upload Submissions") read
  from a file's name whose it is: the name that the download had, up to the student's own file name.
- Any other platform: one file for each student, ``<id>_<homework>.html``.

A page goes to the student whose file `collect` took, if the list of students still says so.
"""

import io
import shutil
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme

from hw_grading.gradebook.collected import CollectedRecord, read_collected
from hw_grading.gradebook.database import Unavailable
from hw_grading.gradebook.given import Feedback, feedback_of, pages_of
from hw_grading.gradebook.requests import requests_in
from hw_grading.gradebook.results import Results, read_results
from hw_grading.gradebook.scores import comments_in, open_gradebook
from hw_grading.homework.course import Course
from hw_grading.homework.notebook import is_test
from hw_grading.lms.platforms import PLAIN, PLATFORMS, Platform
from hw_grading.lms.roster import Roster, Who, read_roster
from hw_grading.lms.tables import folded
from hw_grading.mistakes.groups import told_in
from hw_grading.notebooks import MAX_BYTES
from hw_grading.rendering.feedback.exporter import hide_details
from hw_grading.rendering.feedback.summary import in_short
from hw_grading.rendering.markdown import comment_markdown
from hw_grading.texts import counted, message_of, named, typed, write_whole
from hw_support.student.pdf import write_pdf
from hw_support.submission.cells import nbgrader_metadata
from hw_support.submission.file import UserError, read_regular_file

_Name = Callable[[str], str]  # of a file in the zip, by the file's own name
KINDS = (*PLATFORMS, PLAIN)
_MAX_NAMED = 10  # students in one sentence


@dataclass(frozen=True)
class Packed:
    """A zip that was written."""

    path: Path
    students: list[str]  # who have a page in it
    left_out: list[str]  # sentences that say who has none, and why


def older_pages(course: Course, assignment: str, students: Collection[str] = ()) -> list[str]:
    """Return the students whose pages say something else than the gradebook says now."""
    try:
        results = read_results(course, assignment)
    except Unavailable:  # nbgrader says it
        return []
    pages = pages_now(results)
    older = (student for student, page in pages.items() if page is Feedback.OLDER)
    return [student for student in older if student in (students or pages)]


def pages_now(results: Results) -> dict[str, Feedback]:
    """Return how each student's page compares with what the gradebook says now."""
    with open_gradebook(results.course.db_url, results.assignment) as (db, _):
        name = results.assignment
        said = comments_in(db, name), told_in(results), requests_in(db, name)
    return feedback_of(results, *said)


def remove_pages(course: Course, assignment: str, students: Collection[str]) -> None:
    """Remove students' pages of feedback, as nbgrader does before it writes them again."""
    for student in students:
        shutil.rmtree(course.feedback(student, assignment), ignore_errors=True)


def pack_feedback(
    course: Course,
    assignment: str,
    kind: str,
    *,
    roster: Path | None = None,
    students: Collection[str] = (),
    with_pdf: bool = False,
) -> Packed:
    """Write the pages of feedback into ``<assignment>_feedback_<kind>.zip`` in this folder.

    `kind` is one of `KINDS`. No `students` means all. Raises `Unavailable` or `UserError` if
    nothing was written.
    """
    results = read_results(course, assignment)
    pages = pages_now(results)
    why: defaultdict[str, list[str]] = defaultdict(list)  # who is left out, by the reason
    if kind == PLAIN:
        named_as = {student: _named_by_id(student) for student in pages}
    else:
        people = read_roster(course, roster)
        records = read_collected(course, assignment).students
        named_as = _named_as_collected(PLATFORMS[kind], records, people, why)
    files: dict[str, bytes] = {}
    given = []
    pages = {student: page for student, page in pages.items() if student in (students or pages)}
    for student, page in pages.items():
        if not_now := why_not_current(page, assignment, "--zip", kind):
            why[not_now].append(student)
        elif student in named_as:
            paths = filter(Path.exists, pages_of(course, assignment, student))
            files |= {named_as[student](path.name): path.read_bytes() for path in paths}
            given.append(student)
        elif not any(student in others for others in why.values()):
            why[f"not collected from {PLATFORMS[kind].name}"].append(student)
    if with_pdf:
        for student in given:
            for path in course.notebooks_in(course.autograded(student, assignment), assignment):
                try:
                    content = _pdf_of(results, student, path)
                except (UserError, OSError, ValueError) as error:
                    why[f"without a PDF ({message_of(error)})"].append(student)
                else:
                    files[named_as[student](f"{path.stem}.pdf")] = content
    left_out = by_reason(why, pages)
    if not files:
        raise UserError("\n".join(["No zip was written: nobody has a page for it.", *left_out]))
    path = Path(f"{assignment}_feedback_{kind}.zip")
    write_whole(path, _packed(files))
    return Packed(path, given, left_out)


def why_not_current(page: Feedback, assignment: str, *options: str) -> str:
    """Return why a page is not given to its student, and what to type; "" if it is."""
    if page is Feedback.MISSING:
        return f"no feedback is written: {typed('hw-grading feedback', assignment)}"
    if page is Feedback.OLDER:
        how = typed("hw-grading feedback", assignment, *options)
        return f"the feedback is older than the scores: {how}"
    return ""


def by_reason(why: Mapping[str, Collection[str]], students: Collection[str]) -> list[str]:
    """Return a sentence for each reason why some of the students are left out."""
    return [
        f"{counted(len(asked), 'student')}: {reason} ({named(asked, _MAX_NAMED)})"
        for reason, those in why.items()
        if (asked := [student for student in those if student in students])
    ]


def _packed(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in files.items():
            bundle.writestr(name, content)
    return stream.getvalue()


def _named_by_id(student: str) -> _Name:
    return lambda file: f"{student}_{file}"


def _named_as_collected(
    platform: Platform,
    records: Mapping[str, CollectedRecord],
    people: Roster,
    why: defaultdict[str, list[str]],
) -> dict[str, _Name]:
    """Return what names a student's files on a platform; add those who are left out to `why`."""
    own = {who: one for who, one in records.items() if one.platform == platform.name}
    unnamed = [student for student, record in own.items() if not record.name]
    why["collected by an earlier version: collect again"] += unnamed
    known = [student for student in own if student not in unnamed]
    by_person, unknown = people.match(known, lambda student: _who(own[student]))
    found: dict[str, _Name] = {}
    for person, students in by_person.items():
        if [*map(folded, students)] == [folded(person.id)]:
            record = own[students[0]]
            found[students[0]] = partial(platform.returned, record.name, record.account)
        else:
            why[f"the list of students says that this is {person.id}: collect again"] += students
    for student, reason in unknown:
        why[str(reason)].append(student)
    return found


def _who(record: CollectedRecord) -> Who:
    return Who(record.account, record.keys, account=record.account)


def _pdf_of(results: Results, student: str, path: Path) -> bytes:
    """Return a graded notebook as PDF, below the result in a few lines; no hidden line is in it."""
    notebook = nbformat.reads(read_regular_file(path, MAX_BYTES).decode("utf-8"), as_version=4)
    for preprocessor in (ClearHiddenTests(), ClearMarkScheme(enforce_metadata=False)):
        notebook, _ = preprocessor.preprocess(notebook, {})
    for cell in filter(is_test, notebook.cells):
        hide_details(cell)
    said = in_short(results.of(student), results.max_score, results.places)
    notebook.cells.insert(0, new_markdown_cell(comment_markdown("\n".join(said))))
    with tempfile.TemporaryDirectory(prefix="hw-feedback-") as folder:
        write_pdf(
            notebook, target := Path(folder, "graded.pdf"), author=student, is_given=_is_given
        )
        return target.read_bytes()


def _is_given(cell: NotebookNode) -> bool:
    """Whether a cell of code is the instructor's."""
    marks = nbgrader_metadata(cell)
    return bool(marks.get("locked")) or is_test(cell)
