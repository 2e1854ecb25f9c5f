"""Explains the points of a student's tests: each part and its message, as the last run found them.

All of it is in the gradebook. Nothing is run or written.
"""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path

from hw_grading.gradebook.results import Results, StudentResult, read_results
from hw_grading.gradebook.runs import Run
from hw_grading.gradebook.scores import Score
from hw_grading.homework.course import Course
from hw_grading.homework.notebook import Place
from hw_grading.mistakes.groups import told_to
from hw_grading.mistakes.known import read_mistakes
from hw_grading.outcome import Status
from hw_grading.texts import in_digits, typed
from hw_support.submission.file import UserError
from hw_support.submission.problems import Severity


def explain(
    folder: Path, assignment: str, student: str, test: str = "", *, verbose: bool = False
) -> str:
    """Return the explanation of a student's tests as lines; students' texts are unchanged.

    `test` is a grade id, a question such as ``"1.3b"``, or a heading; "" for all tests that
        lost points, which may be none. With `verbose` it has the seed of the fresh cases. Raises
    `Unavailable` or `UserError`.
    """
    results = read_results(Course(folder), assignment)
    result = _result(results, student)
    chosen = _chosen(results, result, test)
    run = result.run
    if run is None:
        raise UserError(
            f"{student} was never graded by this version, so what its tests found is not known: "
            + typed("hw-grading regrade", assignment, "--student", student)
        )
    seed = f", seed {run.seed}" if verbose else ""
    lines = [f"{student}, {assignment}, graded {run.at:%Y-%m-%d %H:%M} UTC{seed}"]
    lines += [f"PROBLEM: {p.message}" for p in run.problems if p.severity is Severity.FAILED]
    tests = {score.cell.name for score in result.known.scores if not score.cell.by_hand}
    lines += [
        f"The cell {part.cell} ended in an error: {part.message}"
        for part in run.parts
        if part.is_whole and part.cell not in tests
    ]
    if not chosen:
        lines.append("This student lost no points in tests. To see a test anyway, add --test.")
    told = told_to(result, read_mistakes(results.course.root, assignment))
    for name, score in chosen.items():
        lines += ["", *_test(results.places[name], score, result, run, told.get(name, {}))]
    return "\n".join(lines)


def _result(results: Results, student: str) -> StudentResult:
    handed_in = {result.student.id: result for result in results.handed_in}
    if student in handed_in:
        found = handed_in[student]
        if not found.known.scores:
            run = typed("nbgrader autograde", results.assignment)
            raise UserError(f"{student} is not graded yet: run `{run}`")
        if found.run is None and found.status is Status.NOT_GRADED:
            raise UserError(f"{student} is not graded. {found.reason}")
        return found
    alike = [name for name in handed_in if student.casefold() in name.casefold()]
    alike = alike or difflib.get_close_matches(student, handed_in, 1)
    hint = f": did you mean {' or '.join(alike[:3])}?" if alike else ""
    raise UserError(f"{student!r} has submitted nothing for {results.assignment}{hint}")


def _chosen(results: Results, result: StudentResult, test: str) -> dict[str, Score]:
    tests = {s.cell.name: s for s in result.known.scores if not s.cell.by_hand}
    if not test:
        return {n: s for n, s in tests.items() if (s.auto or 0.0) < s.cell.max_points}
    found = {name: tests[name] for name in results.places.matching(test, tests)}
    if not found:
        names = ", ".join(f"{name} ({results.places[name]})" for name in tests)
        raise UserError(
            f"{results.assignment} has no test {test!r}. Type the name or the question of one of "
            f"these: {names}. People grade the other questions"
        )
    return found


def _test(
    place: Place, score: Score, result: StudentResult, run: Run, told: Mapping[str, str]
) -> Iterator[str]:
    name, most = score.cell.name, in_digits(score.cell.max_points)
    given = "no score" if score.auto is None else in_digits(score.auto)
    yield f"== {place}: {name}, {given} of {most} points by tests"
    if score.manual is not None:
        yield f"A person gave {in_digits(score.manual)}; this score counts."
    yield from (f"Correction {o.key}: {o}" for o in result.corrections if o.cell == name)
    for part in run.parts_of(name):
        mark = "passed" if part.passed else "FAILED"
        points = f" [{in_digits(part.points)} pt]" if part.points else ""
        yield f"{mark}  {'the whole test' if part.is_whole else part.name}{points}"
        if part.message:
            yield f"        {part.message}"
        if not part.passed and (sentence := told.get(part.fingerprint)):
            yield f"        What happened: {sentence}"
