"""Grades one notebook as a class is graded, and returns its result as JSON data.

Nothing is saved but the result of the run, in the cache. No gradebook has to have the student. If
none has the homework, it is released in a scratch folder.
"""

import json
import logging
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from hw_grading.grade.class_run import running
from hw_grading.grade.job import Job
from hw_grading.grade.read import Reader
from hw_grading.grade.save import is_unanswered
from hw_grading.grade.settings import WholeClass
from hw_grading.grade.submissions import with_long_wait
from hw_grading.grade.trial import BesideClass, Trial
from hw_grading.grade.turns import Gate
from hw_grading.gradebook.database import Database
from hw_grading.gradebook.runs import message_of_part
from hw_grading.homework.cells import test_cells
from hw_grading.homework.course import Course, released_copy
from hw_grading.homework.notebook import Place, read_places
from hw_grading.notebooks import cells_by_id
from hw_grading.outcome import GraderFault, Outcome, PartResult, Status
from hw_grading.run.settings import ExecuteSubmission
from hw_grading.texts import counted, counted_points, in_digits, signed
from hw_support.submission.cells import InstructorCell, grade_id_of
from hw_support.submission.file import UserError
from hw_support.submission.problems import Kind, Severity, quoted

VERSION = 1  # of the format: a field that changes its meaning, or goes, is a new version
WHO = "(file)"  # in the place of a student's id; no id has brackets


def grade_file(
    course: Course, assignment: str, file: Path, *, student: str = WHO, gate: Gate | None = None
) -> dict[str, Any]:
    """Return the result of a notebook, in the format that docs/grade-file.md describes.

    `UserError` says in one sentence why it was not graded.
    """
    course.expect_homework(assignment)
    name = _notebook_of(course, assignment, file)
    whole_class = WholeClass(config=course.config)
    settings = ExecuteSubmission(config=course.config)
    place = whole_class.place(course.root).absolute()
    with ExitStack() as stack:
        if gate:
            places = whole_class.at_once(settings.memory_mb)
            stack.enter_context(gate.place(place, places))
        if not Database(course.db_url).has_homework(assignment):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hw-file-"))
            kept = f"c.WholeClass.folder = {str(place)!r}\n"
            course = released_copy(course, assignment, Path(folder), kept)
        whole_class.executor = "serial"
        whole_class.folder = str(place)
        tests = test_cells(course.db_url, assignment)
        run = running(course, assignment, tests, 1, whole_class=whole_class)
        class_run = stack.enter_context(run)
        db_url = with_long_wait(course.db_url)
        reader = Reader(course, assignment, db_url, class_run.conditions)
        job = reader.read(student, file, name)
        for problem in job.problems:
            if problem.kind is Kind.OTHER_HOMEWORK:
                first = problem.message.partition(". ")[0]
                raise UserError(f"{quoted(file.name)} was not graded. {first}")
        outcome = class_run.begin(job).result()
        if outcome.faults:  # only then the solutions decide what counts
            trial = Trial(course, assignment, reader, class_run)
            outcome = BesideClass(trial, 0, logging.getLogger()).settled(job, outcome)
        if outcome.status is Status.NOT_GRADED:
            raise GraderFault(outcome.why)
        places_of = read_places(*course.notebooks_in(course.source(assignment), assignment))
        return _result(assignment, job, outcome, reader.cells(name), places_of)


def not_graded(assignment: str, why: str) -> dict[str, Any]:
    """Return the result of a notebook that was not graded."""
    return {"version": VERSION, "homework": assignment, "status": Status.NOT_GRADED, "why": why}


def in_lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines that sum up the result of a graded notebook for people."""
    total = f"{in_digits(result['points'])} of {counted_points(result['most'])}"
    if result["waiting"]:
        total += f"; people still grade {counted(len(result['waiting']), 'answer')}"
    yield f"{result['homework']}: {total}"
    yield from (f"PROBLEM: {one['message']}" for one in result["problems"] if one["failed"])
    for question in result["questions"]:
        for cell in question["cells"]:
            lost: defaultdict[str, float] = defaultdict(float)
            for part in cell["parts"]:
                if not part["passed"]:
                    lost[part["message"]] += part["most"] - part["points"]
            for message, points in lost.items():
                yield f"{question['name']} {cell['title']}: {signed(-points)} {message}"


def _notebook_of(course: Course, assignment: str, file: Path) -> str:
    """Return which notebook of a homework a file is: by its name, if there are several."""
    names = course.notebooks(assignment)
    if len(names) > 1 and file.stem not in names:
        expected = " or ".join(f"{name}.ipynb" for name in names)
        raise UserError(f"{quoted(file.name)} cannot be told apart: name it {expected}")
    return file.stem if file.stem in names else names[0]


def _result(
    assignment: str,
    job: Job,
    outcome: Outcome,
    instructors: list[InstructorCell],
    places: Mapping[str, Place],
) -> dict[str, Any]:
    notebook = nbformat.from_dict(json.loads(outcome.notebook))
    answers = cells_by_id(notebook)
    own = {grade_id_of(cell): cell for cell in notebook.cells}
    scores = {score.cell: score.earned for score in outcome.scores}
    parts: defaultdict[str, list[PartResult]] = defaultdict(list)
    for part in outcome.parts:
        parts[part.cell].append(part)
    questions: dict[str, dict[str, Any]] = {}
    waiting = []
    for cell in instructors:
        name = cell.grade_id
        shown = [_part(part, own.get(name)) for part in parts[name]]
        if cell.points is None and not shown:
            continue
        points: float | None = None
        if cell.is_test:
            points = scores.get(name)
        elif cell.points is not None and is_unanswered(own[name], answers, cell.source):
            points = 0.0
        if cell.points and points is None:
            waiting.append(name)
        at = places[name]
        of = {"name": at.question, "heading": at.heading, "points": 0.0, "most": 0.0, "cells": []}
        question = questions.setdefault(at.question, of)
        question["points"] += points or 0.0
        question["most"] += cell.points or 0.0
        about = {"id": name, "title": at.title, "by_hand": not cell.is_test}
        values = {"points": points, "most": cell.points or 0.0, "parts": shown}
        question["cells"].append(about | values)
    return {
        "version": VERSION,
        "homework": assignment,
        "notebook": job.name,
        "status": outcome.status,
        "why": outcome.why,
        "points": sum(one["points"] for one in questions.values()),
        "most": sum(one["most"] for one in questions.values()),
        "waiting": waiting,
        "questions": [*questions.values()],
        "problems": [
            {
                "kind": one.kind,
                "cell": one.cell,
                "failed": one.severity is Severity.FAILED,
                "message": one.message,
            }
            for one in outcome.problems
        ],
        "seconds": round(outcome.seconds, 3),
    }


def _part(part: PartResult, cell: NotebookNode | None) -> dict[str, Any]:
    return {
        "name": "" if part.is_whole else part.name,
        "points": part.earned,
        "most": part.points,
        "passed": part.passed,
        "message": part.message if part.passed else message_of_part(part, cell),
        "fresh": part.fresh,
    }
