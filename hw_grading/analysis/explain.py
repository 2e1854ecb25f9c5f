"""Explains a test's points: each part's message, the test, and the answers that it calls.

Parts and messages are rows of the student's last run. The texts are those of the graded notebook,
if it can still be read. Nothing is run or written.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

from hw_grading.gradebook.graded_notebook import error_of, errors_in, open_notebook
from hw_grading.gradebook.questions import Place
from hw_grading.gradebook.results import Result, Results, read_results
from hw_grading.gradebook.runs import Run, digest_of
from hw_grading.gradebook.scores import Score, in_digits
from hw_grading.homework.cells import instructor_cells
from hw_grading.homework.course import Course
from hw_grading.outcome import Part
from hw_support.submission.cells import grade_id_of, marks_of, text_of
from hw_support.submission.file import Unreadable
from hw_support.submission.problems import Severity

_LINE = re.compile(r"line (\d+) of (\w+)")  # in a message: the line of a student's function
Cell = Mapping[str, Any]  # of a graded notebook, with unchecked content


def explain(folder: Path, assignment: str, student: str, test: str = "") -> str:
    """Return the explanation of a student's tests as lines; students' texts are unchanged.

    `test` is a grade id, a question such as ``"1.3b"``, or a heading; "" for all tests that
    lost points, which may be none. Raises `Unavailable`, `Unreadable` or `RuntimeError`.
    """
    results = read_results(Course(folder), assignment)
    result = _result(results, student)
    chosen = _chosen(results, result, test)
    run = result.run
    if run is None:
        raise RuntimeError(
            f"{student} was never graded by this version, so what its tests found is not known: "
            f"hw-grading regrade {assignment} --student {student}"
        )
    lines = [f"{student}, {assignment}, graded {run.at:%Y-%m-%d %H:%M} UTC, seed {run.seed}"]
    lines += [f"PROBLEM: {p.message}" for p in run.problems if p.severity is Severity.FAILED]
    tests = {score.cell.name for score in result.known.scores if not score.cell.by_hand}
    lines += [
        f"The cell {part.cell} ended in an error: {part.message}"
        for part in run.parts
        if part.is_whole and part.cell not in tests
    ]
    cells: Sequence[Cell] = ()
    path = results.course.autograded(student, assignment) / f"{assignment}.ipynb"
    try:
        cells = [cell for cell in open_notebook(path)["cells"] if isinstance(cell, dict)]
    except (Unreadable, OSError) as why:
        lines.append(f"The texts of the graded notebook are not shown: {path}: {why}")
    if not chosen:
        lines.append("This student lost no points in tests. To see a test anyway, add --test.")
    newer = _newer(results, run)
    for name, score in chosen.items():
        lines += ["", *_test(results.places[name], score, result, name in newer, assignment)]
        lines += _sources(run.parts_of(name), name, cells)
    return "\n".join(lines)


def _result(results: Results, student: str) -> Result:
    handed_in = {one.student.id: one for one in results.handed_in}
    if student in handed_in:
        if handed_in[student].known.scores:
            return handed_in[student]
        raise RuntimeError(
            f"{student} is not graded yet: run `nbgrader autograde {results.assignment}`"
        )
    alike = [name for name in handed_in if student.casefold() in name.casefold()]
    alike = alike or difflib.get_close_matches(student, handed_in, 1)
    hint = f": did you mean {' or '.join(alike[:3])}?" if alike else ""
    raise RuntimeError(f"{student!r} has submitted nothing for {results.assignment}{hint}")


def _chosen(results: Results, result: Result, test: str) -> dict[str, Score]:
    tests = {s.cell.name: s for s in result.known.scores if not s.cell.by_hand}
    if not test:
        return {n: s for n, s in tests.items() if (s.auto or 0.0) < s.cell.max_points}
    if test in tests:
        return {test: tests[test]}
    wanted, found = _plainly(test), {}
    for name, score in tests.items():
        place = results.places[name]
        labels = (name.removeprefix("test_"), place.question, place.title, str(place))
        if wanted in map(_plainly, labels):
            found[name] = score
    if not found:
        names = ", ".join(f"{name} ({results.places[name]})" for name in tests)
        raise RuntimeError(
            f"{results.assignment} has no test {test!r}. Type the name or the question of one of "
            f"these: {names}. People grade the other questions"
        )
    return found


def _plainly(label: str) -> str:
    words = " ".join(label.replace("`", "").split()).casefold()
    return re.sub(r"^q(?=\d)", "", words)  # "1.3b" means the same as Q1.3b


def _newer(results: Results, run: Run) -> set[str]:
    """Return the instructor's cells whose text in the gradebook is not the one that was graded."""
    with Gradebook(results.course.db_url) as gradebook:
        own = instructor_cells(gradebook, results.assignment, results.assignment)
    graded, now = run.graded_with["cells"], {one.grade_id: digest_of(one.source) for one in own}
    return {name for name in graded if graded[name] != now.get(name, graded[name])}


def _test(
    place: Place, score: Score, result: Result, is_newer: bool, assignment: str
) -> Iterator[str]:
    name, most = score.cell.name, in_digits(score.cell.max_points)
    given = "no score" if score.auto is None else in_digits(score.auto)
    yield f"== {place}: {name}, {given} of {most} points by tests"
    if score.manual is not None:
        yield f"A person gave {in_digits(score.manual)}; this score counts."
    yield from (f"Correction {o.key}: {o}" for o in result.corrections if o.cell == name)
    if is_newer:
        yield (
            "The instructor changed this test after the grading. To grade with the new one: "
            f"hw-grading regrade {assignment}"
        )
    for part in result.run.parts_of(name) if result.run else ():
        mark = "passed" if part.passed else "FAILED"
        points = f" [{in_digits(part.points)} pt]" if part.points else ""
        yield f"{mark}  {'the whole test' if part.is_whole else part.name}{points}"
        if part.message:
            yield f"        {part.message}"


def _sources(parts: Sequence[Part], test: str, cells: Sequence[Cell]) -> Iterator[str]:
    """Yield the whole test and the answers that it names, with marks where something failed."""
    cell = next((cell for cell in cells if grade_id_of(cell) == test), None)
    if cell is None:
        return
    for error in errors_in(cell):
        yield "  the test ended with:"
        frames = error.get("traceback")
        yield from (f"    {text_of(f)}" for f in (frames if isinstance(frames, list) else [])[:-1])
        yield f"    {error_of(error)}"
    source = text_of(cell.get("source"))
    yield f"the test {test}:"
    yield from _numbered(source, set())
    messages = [part.message for part in parts if not part.passed]
    marked = {(name, int(line)) for text in messages for line, name in _LINE.findall(text)}
    words = set(re.findall(r"\w+", source)) | {name for name, _ in marked}
    shown: dict[str, tuple[str, set[int]]] = {}
    for function, (name, answer) in _defining(cells, sorted(words)).items():
        lines = {line for marked_function, line in marked if marked_function == function}
        shown.setdefault(name, (answer, set()))[1].update(lines)
    for name, (answer, lines) in shown.items():
        yield f"the answer {name}:"
        yield from _numbered(answer, lines)


def _defining(cells: Sequence[Cell], functions: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return name and source of the student's cell that defines each function, by function."""
    found: dict[str, tuple[str, str]] = {}
    for number, cell in enumerate(cells, start=1):
        marks = marks_of(cell)
        of_instructor = (marks.get("grade") or marks.get("locked")) and not marks.get("solution")
        if cell.get("cell_type") != "code" or of_instructor:
            continue
        source = text_of(cell.get("source"))
        for name in functions:
            if f"def {name}(" in source:  # the last definition counts
                found[name] = grade_id_of(cell) or f"cell {number}", source
    return found


def _numbered(source: str, marked: set[int]) -> Iterator[str]:
    for number, line in enumerate(source.splitlines(), start=1):
        yield f" {'>' if number in marked else ' '}{number:4}  {line}"
