"""Formats an explanation as lines for the instructor's terminal."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hw_grading.analysis.explain import Explained, Explanation, defining
from hw_grading.gradebook.graded_notebook import error_of, errors_in, outputs_of
from hw_grading.gradebook.scores import in_digits

_LINE = re.compile(r"line (\d+) of (\w+)")  # in a message: the line of a student's function


def in_words(found: Explanation) -> str:
    """Return the lines. Students' texts are included unchanged."""
    lines = [f"{found.student}, {found.assignment}, inputs from seed {found.seed}"]
    lines += [f"PROBLEM: {problem.message}" for problem in found.problems]
    lines += [f"The cell {name} ended in an error: {why}" for name, why in found.errors.items()]
    if not found.tests:
        lines.append("This student lost no points in tests. To see a test anyway, add its name.")
    for test in found.tests:
        lines += ["", *_test(found, test)]
    return "\n".join(lines)


def _test(found: Explanation, test: Explained) -> Iterator[str]:
    most = in_digits(test.score.cell.max_points)
    given = "no score" if test.score.auto is None else in_digits(test.score.auto)
    yield f"== {test.place}: {test.name}, {given} of {most} points by tests when it was graded"
    if test.score.manual is not None:
        yield f"A person gave {in_digits(test.score.manual)}; this score counts."
    for correction in test.corrections:
        yield f"Correction {correction.key}: {correction}"
    if test.is_newer:
        yield (
            "The instructor changed this test after the grading. The old test is shown here. To "
            f"grade with the new one: python -m hw_grading regrade {found.assignment}"
        )
    if test.parts is None:
        yield "The test was not run: see the failure above."
        yield from _errors(test)
        return
    for part in test.parts:
        yield from _part(part)
    yield from _errors(test)
    yield from _difference(test)
    yield from _sources(found, test)


def _part(part: Mapping[str, Any]) -> Iterator[str]:
    mark = "FAILED" if part["message"] else "passed"
    yield f"{mark}  {part['what']} [{in_digits(part['points'])} pt]"
    if part["message"]:
        yield f"        {part['message']}"
    elif part["second_try"]:
        yield "        with right functions in the place of those that stand above in the notebook"
    elif part["excused"]:
        yield "        excused: a function that has cost points already raises an error here"


def _difference(test: Explained) -> Iterator[str]:
    results = [o for o in outputs_of(test.cell) if o.get("output_type") == "execute_result"]
    text = "".join(results[0]["data"].get("text/plain", "")) if results else ""
    try:
        now = float(text)
    except ValueError:
        now = 0.0 if errors_in(test.cell) else test.score.cell.max_points
    if test.score.auto is not None and abs(now - test.score.auto) > 1e-9:
        yield (
            f"DIFFERENT RESULT: the score is {in_digits(now)} now, and was "
            f"{in_digits(test.score.auto)} in grading. "
            "Something is random, close to a limit, or changed since then."
        )


def _errors(test: Explained) -> Iterator[str]:
    for error in errors_in(test.cell):
        yield "  the test ended with:"
        yield from (f"    {line}" for line in error.get("traceback", [])[:-1])
        yield f"    {error_of(error)}"


def _sources(found: Explanation, test: Explained) -> Iterator[str]:
    """Yield the whole test and the answers that it names, with marks where something failed."""
    yield f"the test {test.name}:"
    yield from _numbered(test.cell.source, set())
    failed = [part["message"] for part in test.parts or () if part["message"]]
    marked = {(name, int(line)) for text in failed for line, name in _LINE.findall(text)}
    words = set(re.findall(r"\w+", test.cell.source)) | {name for name, _ in marked}
    shown: dict[str, tuple[str, set[int]]] = {}
    for function, (name, source) in defining(found.notebook, sorted(words)).items():
        lines = {line for marked_function, line in marked if marked_function == function}
        shown.setdefault(name, (source, set()))[1].update(lines)
    for name, (source, lines) in shown.items():
        yield f"the answer {name}:"
        yield from _numbered(source, lines)


def _numbered(source: str, marked: set[int]) -> Iterator[str]:
    for number, line in enumerate(source.splitlines(), start=1):
        yield f" {'>' if number in marked else ' '}{number:4}  {line}"
