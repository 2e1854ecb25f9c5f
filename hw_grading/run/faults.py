"""Decides which tests have no score because of a fault of the homework or of the grader.

A run records the faults that it has met. A test that the instructor's solutions pass is *sound*: it
has no fault, and none above it counts. What fails in it is the submission, or the grader itself. So
the decision needs the trial of the solutions (`hw_grading.grade.trial`), and the run does not.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import nbformat
from nbformat import NotebookNode

from hw_grading.homework.cells import is_test
from hw_grading.homework.notes import add_problems, put_notes_on_top, read_problems
from hw_grading.outcome import CellFault, Outcome, PartResult, Status
from hw_grading.run.kernel import Problems
from hw_grading.run.outputs import not_scored
from hw_support.submission.cells import grade_id_of
from hw_support.submission.problems import Kind, Problem, Severity


def outcome_of(
    notebook: NotebookNode,
    problems: Iterable[Problem],
    parts: Sequence[PartResult],
    unscored: Sequence[str],
    faults: Sequence[CellFault] = (),
) -> Outcome:
    """Return the outcome of a run that has ended. The notebook gets these problems as notes."""
    add_problems(notebook, problems)
    put_notes_on_top(notebook)
    text = json.dumps(notebook, ensure_ascii=False)
    failures = [p.message for p in read_problems(notebook) if p.severity is Severity.FAILED]
    status = Status.SUBMISSION_FAILED if failures else Status.GRADED
    return Outcome(status, tuple(failures), text, tuple(parts), tuple(unscored), tuple(faults))


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
    parts = [part for part in outcome.parts if part.cell not in without]
    names = [name for name in tests if name in (*outcome.unscored, *without)]
    made = outcome_of(notebook, problems, parts, names)
    return replace(made, seconds=outcome.seconds, cpu_seconds=outcome.cpu_seconds)
