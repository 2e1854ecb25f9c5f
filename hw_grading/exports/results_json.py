"""The ``results.json`` of Gradescope's autograders, for one submission.

It leaves out lateness and the points that people give, because Gradescope has its own rubric and
late dates. It tells students the same about hidden tests as their feedback.
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from hw_grading.exports.grades import two_decimals
from hw_grading.final_scores.scores import FinalScore, final_scores
from hw_grading.homework.course import Course, scratch_course
from hw_grading.outcome import Status
from hw_grading.plugins.feedback.facts import Facts
from hw_grading.plugins.feedback.failures import Line, failures_of, lines_of, mended_in
from hw_grading.plugins.feedback.hiding import HideTestDetails
from hw_grading.records.graded_notebook import MAX_BYTES as MAX_GRADED_BYTES
from hw_grading.records.results import Roster, read_roster, read_student
from hw_grading.records.scores import NoScores, Score
from hw_support.failures import visible
from hw_support.submission.cells import grade_id_of
from hw_support.submission.file import MAX_BYTES, Unreadable, read_regular_file, read_submission
from hw_support.submission.problems import Problem, encodable, quoted

_STUDENT = "student"


def results_of(
    course: Course, assignment: str, student: str, visibility: str = "after_published"
) -> dict[str, Any]:
    """Return the results of a graded submission for Gradescope, or raise `NoScores`."""
    roster = read_roster(course.folder, assignment)
    record = next((one for one in roster.records if one.student == student), None)
    if record is None:
        raise NoScores(f"{quoted(student)} has submitted nothing for {assignment}")
    result, _ = read_student(roster, record)
    if result.status is Status.NOT_GRADED:
        raise NoScores(f"{quoted(student)}: {result.reason}")
    path = course.autograded(student, assignment) / f"{assignment}.ipynb"
    notebook = read_submission(path, max_bytes=MAX_GRADED_BYTES, keep_outputs=True)[0]
    hide = HideTestDetails()
    cells = [hide.preprocess_cell(cell, {}, n)[0] for n, cell in enumerate(notebook.cells)]
    final = final_scores(course, assignment).students[student]
    tests = _tests(roster, final, result.record.scores, lines_of(cells))
    return {
        "score": float(two_decimals(sum(test["score"] for test in tests))),
        "output": _about_all(result.problems, roster, cells),
        "visibility": visibility,
        "stdout_visibility": "hidden",
        "tests": tests,
    }


def as_json(results: dict[str, Any]) -> str:
    """Return the text of the file."""
    return encodable(json.dumps(results, indent=1, ensure_ascii=False)) + "\n"


def _tests(
    roster: Roster, final: FinalScore, scores: Sequence[Score], lines: dict[str, list[Line]]
) -> list[dict[str, Any]]:
    tests: list[dict[str, Any]] = []
    for score in scores:
        cell = score.cell
        if cell.by_hand:
            continue
        more = [one for one in final.corrections if one.cell == cell.name]
        most = 0.0 if any(one.drops for one in more) else cell.max_points
        place = roster.places[cell.name]
        said = [_said(line) for line in lines.get(cell.name, [])]
        said += [f"{one.points:+g}: {one.reason}" for one in more]
        has_number = any(character.isdigit() for character in place.question)
        tests.append(
            {
                "score": float(two_decimals(score.points + sum(one.points for one in more))),
                "max_score": float(two_decimals(most)),
                "name": visible(str(place)),
                "number": visible(place.question) if has_number else str(len(tests) + 1),
                "output": "\n".join(said),
                "visibility": "visible",
            }
        )
    return tests


def _said(line: Line) -> str:
    return visible(f"{line.text} ({line.points})" if line.points else line.text)


def _about_all(problems: Sequence[Problem], roster: Roster, cells: Sequence[NotebookNode]) -> str:
    facts = Facts(homework=roster.assignment, places=roster.places)
    numbers = {name: n for n, cell in enumerate(cells) if (name := grade_id_of(cell))}
    said = []
    for title, lines in failures_of(problems, facts, numbers).items():
        said += [title, *(f"  {_said(line)}" for line in lines)]
    said += [_said(line) for line in mended_in(problems, facts, numbers)]
    return "\n".join(map(visible, said))


def graded(
    course: Course, assignment: str, notebook: Path, visibility: str, sandbox: bool
) -> dict[str, Any]:
    """Grade a notebook as `nbgrader autograde` does; return its results for Gradescope.

    Without the sandbox, the notebook runs with your own rights: do that only on a machine for this
    submission alone, such as Gradescope's containers. Raises `Unreadable` if the file or the
    homework does not exist, `RuntimeError` if grading failed for a reason outside the notebook.
    """
    course.expect_homework(assignment)
    try:
        content = read_regular_file(notebook.resolve(), MAX_BYTES)
    except Unreadable as why:
        raise Unreadable(f"{notebook}: {why}") from None
    with tempfile.TemporaryDirectory(prefix="hw-one-") as folder:
        scratch = scratch_course(Path(folder) / "course", course.folder)
        submitted = scratch.submitted(_STUDENT, assignment)
        submitted.mkdir(parents=True)
        (submitted / f"{assignment}.ipynb").write_bytes(content)
        log = Path(folder) / "log"
        scratch.must("generate_assignment", assignment, log=log)
        options = [] if sandbox else ["--ExecuteSubmission.sandbox=none"]
        scratch.must("autograde", assignment, "--create", *options, log=log)
        return results_of(scratch, assignment, _STUDENT, visibility)
