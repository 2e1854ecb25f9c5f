"""Habits of test cells that cost students points or hide mistakes; each a sentence."""

import ast
from collections.abc import Iterator

from hw_grading.homework.layout import TEST
from hw_grading.homework.notebook import as_released, uses_checks
from hw_grading.homework.points import points_of
from hw_grading.trying.plan import CodeCell, Plan
from hw_support.source import tree_of

_PYTHONS = {"print", "len", "type", "isinstance", "range", "round", "abs", "sorted", "set", "list"}


def habits(plan: Plan) -> Iterator[str]:
    """Yield sentences on the test cells of a notebook."""
    tests = [*plan.tests.values()]
    plain = [test for test in tests if not uses_checks(plan.notebook.cells[test.index])]
    hidden = [test for test in plain if as_released(test.source) != test.source]
    if plain:
        yield (
            f"{len(plain)} of {len(tests)} test cells run beside student code, which can read them"
            f"{f' ({len(hidden)} have hidden lines)' if hidden else ''}; "
            f"{sum(map(_calls_with_arguments, plain))} of them call a function with arguments and "
            "could be `Checks`."
        )
    if shown := [test.name for test in plain if test not in hidden]:
        yield (
            f"{', '.join(shown)}: students see all that is asked, so an answer that knows these "
            "results passes. Add hidden lines, or use `Checks`, which draws fresh cases."
        )
    by_tests: dict[str, str] = {}  # names that only an earlier test binds
    for cell in plan.cells:
        if cell.kind != TEST:
            by_tests = {name: test for name, test in by_tests.items() if name not in cell.binds}
            continue
        for needed in sorted(cell.reads & by_tests.keys()):
            yield (
                f"{cell.name} needs {needed}, which the earlier test {by_tests[needed]} binds. "
                "If that test fails, this one does too: bind the name in a locked cell."
            )
        by_tests |= {name: cell.name for name in cell.binds if not name.startswith("_")}
        points = points_of(plan.notebook.cells[cell.index])
        asserts = sum(isinstance(node, ast.Assert) for node in ast.walk(tree_of(cell.source)))
        if asserts > 1 and points > 1 and not _gives_partial_credit(cell):
            yield (
                f"{cell.name} has {asserts} asserts for {points:g} points, and the first that "
                "fails takes all of them: split it, or end it in a number."
            )


def _calls_with_arguments(test: CodeCell) -> bool:
    calls = (node for node in ast.walk(tree_of(test.source)) if isinstance(node, ast.Call))
    return any(isinstance(c.func, ast.Name) and c.func.id not in _PYTHONS and c.args for c in calls)


def _gives_partial_credit(test: CodeCell) -> bool:
    body = tree_of(test.source).body
    return bool(body) and isinstance(body[-1], ast.Expr)
