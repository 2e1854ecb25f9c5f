"""Group the kept wrong answers of hw0 and hw2, in several forms, and count what is together.

Each answer has one mistake. Its forms are the answer with other names of variables, with the
factors of products in another order, and with loops in the place of matrix products. Four functions
of hw2 are also tested as in any nbgrader course, by asserts without `Checks`.
"""

import ast
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import nbformat

from hw_grading.homework.course import REPOSITORY, Course, released_copy, scratch_course
from hw_grading.homework.layout import STAFF
from hw_grading.mistakes.groups import key_of
from hw_grading.trying import kept
from hw_grading.trying.answers import tests_of
from hw_grading.trying.submitting import Grading
from hw_support.checks.fingerprint import is_of_results
from hw_support.submission.cells import grade_id_of

_KINDS = "messages", "results"
_PLAIN = {  # test cells by grade id
    "test_sigmoid_activation": """\
out, grad = sigmoid_activation(np.array([-2.0, 0.5, 3.0]))
assert np.allclose(out, [0.11920292, 0.62245933, 0.95257413])
assert np.allclose(grad, [0.10499359, 0.23500371, 0.04517666])
assert np.isfinite(sigmoid_activation(np.array([-800.0, 800.0]))[0]).all()
assert sigmoid_activation(np.zeros((2, 3)))[1].shape == (2, 3)
""",
    "test_logistic_loss": """\
loss, slope = logistic_loss(np.array([[0.2], [0.9]]), np.array([1, 0]))
assert np.allclose(np.ravel(loss), [1.60943791, 2.30258509])
assert np.allclose(np.ravel(slope), [-5, 10])
""",
    "test_relu_activation": """\
out, grad = relu_activation(np.array([[-2.0, 0.5], [100.0, -0.25]]))
assert np.allclose(out, [[0, 0.5], [100, 0]])
assert np.allclose(grad, [[0, 1], [1, 0]])
""",
    "test_layer_forward": """\
x, W, b = np.array([[1.0, -2.0]]), np.array([[0.5, 1.0, 2.0], [0.25, -1.0, 1.0]]), np.ones((1, 3))
out, cache = layer_forward(x, W, b, lambda s: (2 * s, np.full_like(s, 2)))
assert np.allclose(out, [[2, 8, 2]])
""",
}
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
    with tempfile.TemporaryDirectory() as folder:
        plain = scratch_course(Path(folder) / "plain")
        path = plain.source("hw2") / "hw2.ipynb"
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            cell.source = _PLAIN.get(grade_id_of(cell) or "", cell.source)
        nbformat.write(notebook, path)
        own = Course(REPOSITORY)
        _tell("with Checks", [grouped(own, name) for name in ("hw0", "hw2")])
        _tell("by asserts", [grouped(plain, "hw2", only=_PLAIN)])


def _tell(tested: str, homeworks: Iterable[Mapping[tuple[str, ...], list[Form]]]) -> None:
    alone, answers = dict.fromkeys(_KINDS, 0), dict.fromkeys(_KINDS, 0)
    together = mistakes = 0
    for groups in homeworks:
        of = defaultdict[str, set[tuple[str, ...]]](set)
        for key, members in groups.items():
            names = {member.mistake for member in members}
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
    for kind in filter(answers.get, _KINDS):
        share = f"{alone[kind]} of {answers[kind]}, {alone[kind] / answers[kind]:.1%}"
        print(f"{tested}, grouped by {kind}: in a group of their mistake alone {share}")
    share = f"{together} of {mistakes}, {together / mistakes:.1%}"
    print(f"{tested}: mistakes that have all of their forms in one group {share}")


def grouped(
    course: Course, assignment: str, only: Collection[str] = ()
) -> dict[tuple[str, ...], list[Form]]:
    """Grade all forms; return those that lose points in their own test, by test and key.

    `only` are the tests that count; none means all.
    """
    kept_in = Course(REPOSITORY).root / STAFF / assignment / kept.FOLDER
    wrong = kept.answers(kept_in, "wrong")
    groups = defaultdict[tuple[str, ...], list[Form]](list)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        scratch = released_copy(course, assignment, Path(folder) / "course")
        grading = Grading(scratch, assignment, Path(folder) / "kept", False, stack)
        asked = []
        for one in wrong:
            counting = [
                (plan, [test for test in tests_of(plan, one.of) if not only or test in only])
                for plan in grading.plans
            ]
            tests = [test for _, found in counting for test in found]
            for kind, cells in forms_of(one) if tests else ():
                usable = [(plan, grading.usable(plan, found), cells) for plan, found in counting]
                asked.append(((tests, Form(str(one), kind)), usable))
        for (tests, form), result in grading.graded(asked):
            for test in tests:
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
