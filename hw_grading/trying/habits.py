"""Habits of test cells that cost students points or hide mistakes; each a sentence."""

import ast
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from hw_grading.homework.course import Course
from hw_grading.homework.notebook import as_released, is_test, uses_checks
from hw_grading.homework.points import points_of
from hw_grading.run.settings import ExecuteSubmission
from hw_support.source import bound_by, read_by, tree_of
from hw_support.submission.cells import grade_id_of


def habits(course: Course, scratch: Course, assignment: str) -> list[str]:
    """Return sentences on a homework; `scratch` is a copy of the course where it is released."""
    found: list[str] = []
    for path in scratch.notebooks_in(scratch.source(assignment), assignment):
        notebook = nbformat.read(path, as_version=4)
        found += _of_notebook(notebook)
    found += _of_modules(scratch.files(assignment))
    found += _of_limits(course)
    return found


def _of_notebook(notebook: NotebookNode) -> Iterator[str]:
    tests = [cell for cell in notebook.cells if is_test(cell)]
    plain = [cell for cell in tests if not uses_checks(cell)]
    hidden = [cell for cell in plain if as_released(cell.source, "code") != cell.source]
    calling = [cell for cell in plain if _calls_with_arguments(cell.source)]
    if plain:
        yield (
            f"{len(plain)} of {len(tests)} test cells run beside student code, which can read them"
            f"{f' ({len(hidden)} have hidden lines)' if hidden else ''}; {len(calling)} of them "
            "call a function with arguments and could be `Checks`."
        )
    if shown := [grade_id_of(cell) or "" for cell in plain if cell not in hidden]:
        yield (
            f"{', '.join(shown)}: students see all that is asked, so an answer that knows these "
            "results passes. Add hidden lines, or use `Checks`, which draws fresh cases."
        )
    by_tests: dict[str, str] = {}  # names that only an earlier test binds
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        name = grade_id_of(cell) or "a cell"
        if is_test(cell):
            for needed in sorted({*read_by(cell.source)} & by_tests.keys()):
                if needed not in bound_by(cell.source):
                    yield (
                        f"{name} needs {needed}, which the earlier test {by_tests[needed]} binds. "
                        "If that test fails, this one does too: bind the name in a locked cell."
                    )
            by_tests |= {one: name for one in bound_by(cell.source) if not one.startswith("_")}
            asserts = sum(isinstance(n, ast.Assert) for n in ast.walk(tree_of(cell.source)))
            if asserts > 1 and points_of(cell) > 1 and not _gives_partial_credit(cell.source):
                yield (
                    f"{name} has {asserts} asserts for {points_of(cell):g} points, and the first "
                    "that fails takes all of them: split it, or end it in a number."
                )
        else:
            for one in bound_by(cell.source):
                by_tests.pop(one, None)


def _of_modules(files: dict[str, bytes]) -> Iterator[str]:
    for path in sorted({path.partition("/")[0] for path in files}):
        module = Path(path).stem
        if path.endswith(".py") and (module in sys.stdlib_module_names or find_spec(module)):
            yield (
                f"{path} has the name of an installed module. In a notebook it takes that module's "
                "place: give it another name."
            )


def _of_limits(course: Course) -> Iterator[str]:
    asked = course.config.ExecutePreprocessor.get("timeout") if course.config else None
    limit = ExecuteSubmission(config=course.config).cpu_seconds_per_cell
    if isinstance(asked, int | float) and asked > limit:
        yield (
            f"c.ExecutePreprocessor.timeout is {asked:g} s, and this grader's limit for a cell is "
            f"{limit:g} s of CPU time: set c.ExecuteSubmission.cpu_seconds_per_cell."
        )


def _calls_with_arguments(source: str) -> bool:
    calls = (one for one in ast.walk(tree_of(source)) if isinstance(one, ast.Call))
    known = {"print", "len", "type", "isinstance", "range", "round", "abs", "sorted", "set", "list"}
    return any(isinstance(c.func, ast.Name) and c.func.id not in known and c.args for c in calls)


def _gives_partial_credit(source: str) -> bool:
    body = tree_of(source).body
    return bool(body) and isinstance(body[-1], ast.Expr)
