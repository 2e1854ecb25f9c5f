"""What the outputs of a cell give: the number that is a test's score, and its parts as data.

A test cell without `Checks` has what stock nbgrader gives it: 0 after an error or a text on stderr,
the number that its last line shows, or else full marks.
"""

import ast
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import nan
from typing import Any

from nbformat import NotebookNode

from hw_grading.notebooks import error_of, errors_in
from hw_grading.outcome import PartResult
from hw_support.checks.failures import plain_name
from hw_support.checks.fingerprint import of_error, of_message, of_values
from hw_support.checks.parts import SECOND_TRY
from hw_support.source import parsed
from hw_support.submission.cells import grade_id_of, text_of
from hw_support.submission.problems import plain

_LONGEST_NAME, _LONGEST_MESSAGE = 120, 1_000  # characters of a part
_CODES = re.compile(r"\x1b\[.*?[@-~]")  # of a terminal, which colour a traceback
# The header of a frame in a traceback of IPython's, with the cell's number and the function.
_FRAME = re.compile(r"\s*Cell In\[(\d+)\], line \d+, in ([A-Za-z_][\w.]*)\(")


def has_failed(cell: NotebookNode) -> bool:
    """Whether the first output that decides says so: an error, or a text on stderr."""
    for output in cell.outputs:
        if output.output_type == "error" or output.get("name") == "stderr":
            return True
        if output.output_type == "execute_result":
            return False
    return False


def number_in(cell: NotebookNode) -> float | None:
    """Return the number that a cell shows first; NaN for nothing, None for any other text."""
    for output in cell.outputs:
        if output.output_type == "execute_result":
            text = text_of(output.data.get("text/plain"))
            try:
                return float(text)
            except ValueError:
                return None if text else nan
    return None


def said_in(cell: NotebookNode) -> str:
    """Return what a test's first error says, with the innermost of the cell's own lines."""
    errors = [one for one in errors_in(cell) if one["ename"] != "NotImplementedError"]
    line = _line_of(cell, errors[0]) if errors else None
    return f"line {line}: {what_it_says(cell)}" if line else what_it_says(cell)


def what_it_says(cell: NotebookNode) -> str:
    """Return what the error of a cell says, or else what it has printed to stderr."""
    if errors := errors_in(cell):
        return error_of(errors[0])
    said = next((o.text for o in cell.outputs if o.get("name") == "stderr"), "")
    return f"printed to stderr: {plain(said, _LONGEST_MESSAGE)}" if said else ""


def fingerprint_of(cell: NotebookNode) -> str:
    """Return the fingerprint of what went wrong in a cell without `Checks`; "" if nothing did.

    An assertion that fails in the test itself is known by its line. Its values are not fresh, so
    they are the same for everybody who makes the mistake.
    """
    errors = errors_in(cell)
    if not errors:
        return of_message(what_it_says(cell))
    error, line = errors[0], _line_of(cell, errors[0])
    kind, said = plain_name(error["ename"], "an exception"), str(error["evalue"])
    function = _function_in(cell, error)
    if kind != "AssertionError" or function or not line:
        return of_error(kind, said, function)
    lines = cell.source.splitlines()
    return of_values(f"{kind} at {lines[line - 1].strip() if line <= len(lines) else ''}: {said}")


def _function_in(cell: NotebookNode, error: Mapping[str, Any]) -> str:
    """Return the student's function in which an error was raised, the innermost one; or ""."""
    is_test = cell.metadata.get("nbgrader", {}).get("grade")
    frames = (_FRAME.match(_uncoloured(frame)) for frame in error["traceback"])
    found = [f[2] for f in frames if f and not (is_test and f[1] == str(cell.execution_count))]
    return plain_name(found[-1]) if found else ""


def _line_of(cell: NotebookNode, error: Mapping[str, Any]) -> int | None:
    """Return the line of a cell that raised an error; None if the error came from elsewhere.

    IPython leaves out empty lines at the top of a cell, and counts from there.
    """
    above = sum(1 for _ in itertools.takewhile(str.isspace, cell.source.splitlines(True)))
    own = rf"Cell In\[{cell.execution_count}\], line (\d+)"
    frames = (_uncoloured(frame) for frame in error["traceback"])
    lines = [int(found[1]) for frame in frames if (found := re.match(own, frame.lstrip()))]
    return above + lines[-1] if lines else None


def _uncoloured(frame: str) -> str:
    return _CODES.sub("", frame)


def hide_source(cell: NotebookNode, released: str) -> None:
    """Give a test cell the text that students have, and cut its own lines from its errors."""
    if cell.source == released:
        return
    own = f"Cell In[{cell.execution_count}]"
    for error in errors_in(cell):
        if _is_assert_without_message(cell.source, _line_of(cell, error)):
            error["evalue"] = ""  # the grader's own words, which quote the line
        kept = [f for f in error["traceback"] if not _uncoloured(f).lstrip().startswith(own)]
        if kept and not error["evalue"]:
            kept[-1] = error["ename"]
        error["traceback"] = kept or [f"{error['ename']}: {error['evalue']}"]
    cell.source = released


def _is_assert_without_message(source: str, line: int | None) -> bool:
    if line is None:
        return False
    try:
        nodes = [*ast.walk(parsed(source))]
    except (SyntaxError, ValueError):
        return False
    asserts = [node for node in nodes if isinstance(node, ast.Assert) and not node.msg]
    return any(node.lineno <= line <= (node.end_lineno or line) for node in asserts)


def not_scored(why: str) -> NotebookNode:
    """Return the error that stands for a test's missing outputs."""
    shown = {"ename": "NotScored", "evalue": why, "traceback": [f"NotScored: {why}"]}
    return NotebookNode(output_type="error", **shown)


def parts_of_answer(cell: NotebookNode) -> Iterator[PartResult]:
    """Yield a part for a cell that is no test, if it ended in an error and has an answer."""
    errors, name = errors_in(cell), grade_id_of(cell) or ""
    if errors and errors[0]["ename"] != "NotImplementedError":
        said = what_it_says(cell)
        yield PartResult(name, name, 0.0, 0.0, False, said, fingerprint=fingerprint_of(cell))


def parts_of_test(
    cell: NotebookNode,
    score: float,
    examined: Sequence[Mapping[str, Any]],
    said: str,
    fingerprint: str,
) -> Iterator[PartResult]:
    """Yield the parts of a test; without any, one part that stands for the whole.

    `examined` are its parts, as in a `hw_grading.examiner.client.Verdict`. `said` is what its error
    says, and `fingerprint` the error's.
    """
    name, most = grade_id_of(cell) or "", float(cell.metadata.nbgrader["points"])
    errors = errors_in(cell)
    sum_of_parts = sum(part["points"] for part in examined if not part["message"])
    counts = not errors and abs(sum_of_parts - score) < 1e-9
    names: Counter[str] = Counter()
    for part in examined:
        what = plain(part["what"], _LONGEST_NAME)
        names[what] += 1
        what += f" ({names[what]})" if names[what] > 1 else ""
        earned = part["points"] if counts and not part["message"] else 0.0
        remark = SECOND_TRY if part["second_try"] else part["excused"]
        why = plain(part["message"] or remark, _LONGEST_MESSAGE)
        failed = bool(part["message"])
        about = {"fresh": part["fresh"], "fingerprint": part["fingerprint"] if failed else ""}
        yield PartResult(name, what, part["points"], earned, not failed, why, **about)
    if not examined:
        passed = not errors and score >= most
        why, mark = ("", "") if passed else (said, fingerprint)
        yield PartResult(name, name, most, score, passed, why, fingerprint=mark)
    elif not counts:
        yield PartResult(name, name, 0.0, score, not errors, said, fingerprint=fingerprint)
