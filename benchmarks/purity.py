"""Group the kept wrong answers of hw0 and hw2, in several forms, and count what is together.

Each answer has one mistake. Its forms are the answer with other names of variables, with the
factors of products in another order, and with loops in the place of matrix products.
"""

import ast
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from hw_grading.homework.course import REPOSITORY, Course, released_copy
from hw_grading.homework.homework import STAFF
from hw_grading.mistakes.groups import key_of
from hw_grading.trying import kept
from hw_grading.trying.answers import tests_of
from hw_grading.trying.submitting import Grading
from hw_support.checks.fingerprint import is_of_results

_KINDS = "messages", "results"
_LOOPS = """
def _product(a, b):
    import numpy as np
    if not a.ndim == b.ndim == 2 or a.size * b.shape[1] > 100_000:
        return a @ b
    return np.array([[sum(x * y for x, y in zip(row, column)) for column in b.T] for row in a])

"""


@dataclass(frozen=True)
class Form:
    """A wrong answer in one form."""

    mistake: str
    form: str

    def __str__(self) -> str:
        return f"{self.mistake} ({self.form})"


def run() -> None:
    """Print the shares, and the mistakes that share a group or are in several."""
    alone, answers = dict.fromkeys(_KINDS, 0), dict.fromkeys(_KINDS, 0)
    together = mistakes = 0
    for assignment in ("hw0", "hw2"):
        groups = grouped(assignment)
        of = defaultdict[str, set[tuple[str, ...]]](set)
        for key, members in groups.items():
            names = {one.mistake for one in members}
            kind = _KINDS[any(map(is_of_results, key))]
            answers[kind] += len(members)
            alone[kind] += len(members) * (len(names) == 1)
            if len(names) > 1:
                print(f"together: {'; '.join(sorted(names))}\n    by {'; '.join(key)}")
            for name in names:
                of[name].add(key)
        for name, keys in of.items():
            mistakes += 1
            together += len(keys) == 1
            if len(keys) > 1:
                print(f"apart: {name}\n    by {' | '.join('; '.join(key) for key in sorted(keys))}")
    for kind in _KINDS:
        share = f"{alone[kind]} of {answers[kind]}, {alone[kind] / answers[kind]:.1%}"
        print(f"grouped by {kind}, answers in a group of their mistake alone: {share}")
    share = f"{together} of {mistakes}, {together / mistakes:.1%}"
    print(f"mistakes that have all of their forms in one group: {share}")


def grouped(assignment: str) -> dict[tuple[str, ...], list[Form]]:
    """Grade all forms; return those that lose points in their own test, by test and key."""
    course = Course(REPOSITORY)
    wrong = kept.answers(course.root / STAFF / assignment / kept.FOLDER, "wrong")
    groups = defaultdict[tuple[str, ...], list[Form]](list)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        scratch = released_copy(course, assignment, Path(folder) / "course")
        grading = Grading(scratch, assignment, Path(folder) / "kept", False, stack)
        asked = [
            (
                (one, Form(str(one), form)),
                [
                    (plan, grading.usable(plan, [*tests_of(plan, one.of)]), cells)
                    for plan in grading.plans
                ],
            )
            for one in wrong
            for form, cells in forms_of(one)
        ]
        for (one, form), result in grading.graded(asked):
            for plan in grading.plans:
                for test in tests_of(plan, one.of):
                    failed = [p for p in result.parts if p.cell == test and not p.passed]
                    if test in result.lost and failed:
                        groups[test, *key_of(failed)].append(form)
    return groups


def forms_of(answer: kept.Answer) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the answer, and its forms as far as they differ from it."""
    seen = set()
    for form, change in {
        "as it is": ast.NodeTransformer(),
        "other names": _OtherNames(),
        "other order": _OtherOrder(),
        "loops": _Loops(),
    }.items():
        cells = {}
        for name, source in answer.cells.items():
            try:
                changed = ast.unparse(change.visit(ast.parse(source)))
            except SyntaxError:  # which is the mistake
                changed = source
            cells[name] = _LOOPS * ("_product(" in changed) + changed
        if (text := repr(cells)) not in seen:
            seen.add(text)
            yield form, cells


class _OtherNames(ast.NodeTransformer):
    """Gives the variables of functions other names, but not parameters."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        inner = [one for one in ast.walk(node) if one is not node]
        kept = {a.arg for one in ast.walk(node) if isinstance(one, ast.arguments) for a in one.args}
        kept |= {
            n for one in inner if isinstance(one, ast.Global | ast.Nonlocal) for n in one.names
        }
        names = {one.id for one in inner if isinstance(one, ast.Name) and _is_bound(one)} - kept
        for one in inner:
            if isinstance(one, ast.Name) and one.id in names:
                one.id = f"my_{one.id}"
        return node


def _is_bound(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


class _OtherOrder(ast.NodeTransformer):
    """Gives products their factors in another order."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Mult):
            node.left, node.right = node.right, node.left
        return node


class _Loops(ast.NodeTransformer):
    """Puts loops in the place of matrix products."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.MatMult):
            return node
        return ast.Call(ast.Name("_product", ast.Load()), [node.left, node.right], [])
