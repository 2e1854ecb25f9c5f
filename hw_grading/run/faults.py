"""Decides which tests have no score because of a fault of the homework or of the grader.

A run records the faults that it has met. A test that the instructor's solutions pass is *sound*: it
has no fault, and none above it counts. What fails in it is the submission, or the grader itself. So
the decision needs the trial of the solutions (`hw_grading.grade.trial`), and the run does not.
"""

import json
from collections.abc import Collection
from dataclasses import replace

import nbformat

from hw_grading.homework.notebook import is_test
from hw_grading.homework.notes import limited
from hw_grading.outcome import Outcome
from hw_grading.run.kernel import Problems
from hw_grading.run.scores import not_scored
from hw_support.submission.cells import grade_id_of
from hw_support.submission.problems import Kind


def settled(outcome: Outcome, sound: Collection[str]) -> Outcome:
    """Return an outcome in which each test has its score, or none because of its fault.

    `sound` are grade ids of the tests that the solutions pass.
    """
    faults = [one for one in outcome.faults if one.certain or one.cell not in sound]
    if not faults:
        return replace(outcome, faults=())
    notebook = nbformat.from_dict(json.loads(outcome.notebook))
    tests = {grade_id_of(cell) or "": cell for cell in filter(is_test, notebook.cells)}
    problems = Problems()
    for fault in faults:
        tests[fault.cell].outputs.insert(0, not_scored(fault.why))
        whose = "grader" if fault.cell in sound else "homework"
        said = f"has no score, because of a fault of the {whose}: {fault.why}"
        problems.add(tests[fault.cell], Kind.GRADER, said)
    without = {one.cell for one in faults}
    return replace(
        outcome,
        notebook=json.dumps(notebook, ensure_ascii=False),
        problems=limited([*outcome.problems, *problems]),
        scores=tuple(replace(s, earned=None) if s.cell in without else s for s in outcome.scores),
        parts=tuple(part for part in outcome.parts if part.cell not in without),
        faults=(),
    )
