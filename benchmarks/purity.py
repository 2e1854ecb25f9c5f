"""Group kept wrong answers by their fingerprints, and count those that are among their like.

Each kept wrong answer of hw0 and hw2, apart from those to the training, is handed in by three
students: with other names of variables; with terms and factors in another order; and with loops in
the place of products, or as it is kept if it has none. A form has to give the same results as the
kept answer, up to 1e-9, in the visible cases; otherwise the kept answer stands in its place. All
are graded as a class is, and grouped as on the page of mistakes.

Two kept answers are one mistake if the reader of `mistakes.toml` has said so by one ``likely``. A
second figure takes those for one mistake too whose calls all give the same in the visible cases.
"""

import ast
import contextlib
import copy
import functools
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.mistakes import TABLE, Finished
from hw_grading.homework.course import REPOSITORY, Course, released_copy
from hw_grading.homework.homework import STAFF
from hw_grading.mistakes.groups import key_of
from hw_grading.outcome import PartResult
from hw_grading.trying.kept import Answer, answers
from hw_grading.trying.submitting import Grading
from hw_support.checks.notebook_access import Notebook

HOMEWORKS, _TRAINING = ("hw0", "hw2"), "train"
_SAME = 1e-9


@dataclass(frozen=True)
class Form:
    """One form of a kept answer, and its group."""

    answer: str
    mistake: str
    seen_as: str  # the first answer that gives the same in all visible cases
    group: tuple[str, ...]


def run() -> None:
    """Print the shares, and the answers that are not in a group of their own mistake alone."""
    report([form for assignment in HOMEWORKS for form in graded(assignment)])


def report(handed_in: Sequence[Form]) -> None:
    """Print the shares of answers in pure groups, and of mistakes whose forms are together."""
    mistakes, seen, forms = (defaultdict[Any, set[Any]](set) for _ in range(3))
    for form in handed_in:
        mistakes[form.group].add(form.mistake)
        seen[form.group].add(form.seen_as)
        forms[form.answer].add(form.group)
    alone = sum(len(mistakes[form.group]) == 1 for form in handed_in)
    told_apart = sum(1 in (len(mistakes[one.group]), len(seen[one.group])) for one in handed_in)
    together = sum(len(groups) == 1 for groups in forms.values())
    for count, of, what in (
        (alone, handed_in, "answers are in a group of their mistake alone"),
        (told_apart, handed_in, "are, if those that no visible case tells apart are one mistake"),
        (together, forms, "mistakes have all forms in one group"),
    ):
        print(f"{count} of {len(of)} {what} ({count / len(of):.1%})")
    for group, those in mistakes.items():
        if len(those) > 1:
            why = "the same in all visible cases" if len(seen[group]) == 1 else "told apart"
            print(f"\nOne group ({why}): {'; '.join(sorted(those))}\n    {' | '.join(group)}")
    for answer, groups in forms.items():
        if len(groups) > 1:
            print(f"\nSeveral groups: {answer}")
            print(*(f"    {' | '.join(group)}" for group in sorted(groups)), sep="\n")


def graded(assignment: str) -> list[Form]:
    """Grade the forms of a homework's kept wrong answers; leave out those that lose nothing."""
    course = Course(REPOSITORY)
    folder = course.root / STAFF / assignment / "answers"
    kept = [one for one in answers(folder, "wrong") if one.of != _TRAINING]
    finished, same = Finished(assignment), one_mistake(assignment)
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        scratch = released_copy(course, assignment, Path(place) / "course")
        grading = Grading(scratch, assignment, Path(place), False, stack)
        asked, kept_as_is = [], 0
        seen: list[tuple[str, str, list[Any]]] = []
        for answer in kept:
            came = results_of(answer.cells, finished)
            alike = [first for of, first, its in seen if of == answer.of and _agree(came, its)]
            first = alike[0] if alike else str(answer)
            seen += [] if alike else [(answer.of, first, came)]
            for cells in forms_of(answer, came, finished):
                kept_as_is += cells == answer.cells
                tests = [(plan, grading.usable(plan, _own(plan, answer))) for plan in grading.plans]
                submitted = [(plan, those, cells) for plan, those in tests]
                asked.append(((answer, first), submitted))
        found, unseen = list[Form](), set()
        for (answer, first), result in grading.graded(asked):
            failed: defaultdict[str, list[PartResult]] = defaultdict(list)
            for part in result.parts:
                if not part.passed:
                    failed[part.cell].append(part)
            mistake = f"{answer.of}: {same.get((answer.of, answer.name), answer.name)}"
            key = [f"{test}: {one}" for test, those in failed.items() for one in key_of(those)]
            if failed:
                found.append(Form(f"{assignment} {answer}", mistake, first, tuple(key)))
            else:
                unseen.add(str(answer))
    print(f"{assignment}: {len(kept)} kept answers, {len(asked)} handed in", end=" ")
    print(f"({kept_as_is} as they are kept); {len(unseen)} lose no point", flush=True)
    return found


def _own(plan: Any, answer: Answer) -> Sequence[str]:
    tests: Sequence[str] = plan.tests_of(answer.of) if answer.of in plan.answers else ()
    return tests


def one_mistake(assignment: str) -> dict[tuple[str, str], str]:
    """Return what a reader has said of kept answers: the mistake, by function and answer."""
    cells = tomllib.loads(TABLE.read_text(encoding="utf-8"))[assignment]
    return {
        (cell, entry["mistake"]): entry["likely"]
        for cell, entries in cells.items()
        for entry in entries
        if "likely" in entry
    }


# -- forms


def forms_of(
    answer: Answer, expected: Sequence[Any], finished: Finished
) -> Iterator[Mapping[str, str]]:
    """Yield the cells of three students with this answer, whose calls give what is expected."""
    for change in (other_names, other_order, loops):
        cells = {name: change(source) for name, source in answer.cells.items()}
        same = _agree(results_of(cells, finished), expected) if cells != answer.cells else True
        yield cells if same else answer.cells


def results_of(cells: Mapping[str, str], finished: Finished) -> list[Any]:
    """Return what all calls of the visible tests give: arrays, or the type of an exception."""
    came: list[Any] = []
    own = Notebook.calls

    def calls(self: Any, function: Any, inputs: Any, *, whole: bool) -> list[Callable[[], Any]]:
        def noted(call: Callable[[], Any]) -> Any:
            try:
                value = call()
            except Exception as error:
                came.append(type(error).__name__)
                raise
            came.append(copy.deepcopy(value.result if whole else value))
            return value

        return [functools.partial(noted, one) for one in own(self, function, inputs, whole=whole)]

    Notebook.calls = calls  # type: ignore[method-assign]
    try:
        finished.told_of(cells)
    finally:
        Notebook.calls = own  # type: ignore[method-assign]
    return came


def _agree(came: Any, expected: Any) -> bool:
    if isinstance(expected, list | tuple):
        if not isinstance(came, list | tuple) or len(came) != len(expected):
            return False
        return all(map(_agree, came, expected))
    if type(came) is not type(expected):
        return False
    with contextlib.suppress(TypeError, ValueError):
        array, due = np.asarray(came, dtype=float), np.asarray(expected, dtype=float)
        return array.shape == due.shape and np.allclose(array, due, _SAME, _SAME, equal_nan=True)
    return isinstance(came, str) is False or bool(came == expected)


def other_names(source: str) -> str:
    """Return code with other names of the variables that its functions bind."""
    tree = ast.parse(source)
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        inside = [*ast.walk(function)]
        arguments = {node.arg for node in inside if isinstance(node, ast.arg)}
        kept = {
            n for node in inside if isinstance(node, ast.Global | ast.Nonlocal) for n in node.names
        }
        names = [node for node in inside if isinstance(node, ast.Name)]
        bound = {node.id for node in names if isinstance(node.ctx, ast.Store)} - arguments - kept
        for node in names:
            if node.id in bound:
                node.id = f"my_{node.id}"
    return ast.unparse(tree)


def other_order(source: str) -> str:
    """Return code with the terms of sums and the factors of products in another order."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mult):
            node.left, node.right = node.right, node.left
    return ast.unparse(tree)


class _Loops(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return _looped(node.left, node.right) if isinstance(node.op, ast.MatMult) else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        is_product = ast.unparse(node.func) in ("np.dot", "np.matmul") and len(node.args) == 2
        return _looped(*node.args) if is_product else node


def _looped(left: ast.expr, right: ast.expr) -> ast.expr:
    entries = "np.array([[sum(a * b for a, b in zip(row, column)) for column in (RIGHT).T]"
    text = f"{entries} for row in (LEFT)])".replace("RIGHT", ast.unparse(right))
    return ast.parse(text.replace("LEFT", ast.unparse(left)), mode="eval").body


def loops(source: str) -> str:
    """Return code with loops in the place of products of matrices."""
    return ast.unparse(_Loops().visit(ast.parse(source)))
