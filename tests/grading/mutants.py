"""Automatic mutants: the instructor's functions with one thing changed in the syntax tree.

An operator takes a node and yields possible replacements. Mutants with the same text count once. A
mutant's key is its function and the change, ``old -> new``, with a number where the same change is
possible in several places: it stays the same as long as that piece of the solution does.

    python tests/grading/mutants.py homework [function]    the mutants that no test cell notices
"""

import ast
import copy
import functools
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from cells import Notebook, equivalent_of, notebook_of

Change = Iterator[ast.AST]


@dataclass(frozen=True)
class Mutant:
    """The instructor's function with one change."""

    function: str
    key: str
    operator: str
    source: str

    @property
    def cells(self) -> dict[str, str]:
        """The cell that is replaced."""
        return {self.function: self.source}


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


# -- operators

_ARITHMETIC = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult, ast.Sub),
    ast.Pow: (ast.Mult, ast.Add),
    ast.MatMult: (ast.Mult, ast.Add),
}
_COMPARISONS = {
    ast.Gt: (ast.Lt, ast.GtE, ast.Eq),
    ast.GtE: (ast.Lt, ast.Gt, ast.Eq),
    ast.Eq: (ast.NotEq, ast.Gt, ast.Lt),
}
_CALLS = {
    "abs": ("negative", "square", "sign"),
    "append": ("extend",),
    "clip": ("add",),
    "empty": ("ones", "zeros"),
    "exp": ("log", "expm1", "exp2"),
    "log": ("exp", "log2", "log10", "log1p"),
    "maximum": ("minimum", "add", "multiply"),
    "normal": ("uniform", "laplace", "logistic"),
    "ravel": ("mean", "sum", "sort", "abs"),
    "where": ("minimum",),
}


def arithmetic(node: ast.AST) -> Change:
    """+ for -, / for * and the like."""
    if isinstance(node, ast.BinOp):
        for other in _ARITHMETIC.get(type(node.op), ()):
            yield _with(node, op=other())


def operands(node: ast.AST) -> Change:
    """b - a for a - b; a or b alone."""
    if isinstance(node, ast.BinOp):
        yield _with(node, left=node.right, right=node.left)
        yield from (node.left, node.right)


def comparison(node: ast.AST) -> Change:
    """< for > and the like."""
    if isinstance(node, ast.Compare):
        for other in _COMPARISONS.get(type(node.ops[0]), ()):
            yield _with(node, ops=[other()])


def threshold(node: ast.AST) -> Change:
    """A comparison with a number that is a little larger."""
    if isinstance(node, ast.Compare):
        (to,) = node.comparators
        if isinstance(to, ast.Constant) and isinstance(to.value, int | float):
            yield _with(node, comparators=[ast.Constant(to.value + 0.1)])


def constant(node: ast.AST) -> Change:
    """Another number; 0 for None."""
    if not isinstance(node, ast.Constant) or isinstance(node.value, str):
        return
    if node.value is None:
        yield ast.Constant(0)
    elif isinstance(node.value, int | float):
        for value in (node.value + 1, -node.value, 2 * node.value, node.value - 1):
            if value != node.value:
                yield ast.Constant(value)


def sign(node: ast.AST) -> Change:
    """Add or remove a minus sign."""
    if isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.BinOp | ast.Call):
        yield ast.UnaryOp(ast.USub(), node)


def call(node: ast.AST) -> Change:
    """Another function of NumPy, or the first argument without a call."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute):
            for other in _CALLS.get(node.func.attr, ()):
                yield _with(node, func=_with(node.func, attr=other))
            if ast.unparse(node.func.value) not in ("np", "rng"):
                yield node.func.value  # x for x.astype(float)
        if node.args:
            yield node.args[0]


def arguments(node: ast.AST) -> Change:
    """Two arguments swapped, or one dropped."""
    if isinstance(node, ast.Call):
        for i in range(len(node.args) - 1):
            swapped = [*node.args[:i], node.args[i + 1], node.args[i], *node.args[i + 2 :]]
            yield _with(node, args=swapped)
        for i in range(len(node.args)):
            yield _with(node, args=node.args[:i] + node.args[i + 1 :])
        for i in range(len(node.keywords)):
            yield _with(node, keywords=node.keywords[:i] + node.keywords[i + 1 :])


def elements(node: ast.AST) -> Change:
    """Two elements of a tuple or list swapped, or one dropped."""
    if isinstance(node, ast.Tuple | ast.List):
        for i in range(len(node.elts) - 1):
            swapped = [*node.elts[:i], node.elts[i + 1], node.elts[i], *node.elts[i + 2 :]]
            yield _with(node, elts=swapped)
        if isinstance(node.ctx, ast.Load):
            for i in range(len(node.elts)):
                yield _with(node, elts=node.elts[:i] + node.elts[i + 1 :])


def subscript(node: ast.AST) -> Change:
    """No subscript, or other limits of a slice."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield node.value
        if isinstance(node.slice, ast.Slice):
            limits = node.slice
            yield _with(node, slice=ast.Slice(limits.upper, limits.lower))
            yield _with(node, slice=ast.Slice(None, None, _expression("-1")))


def iteration(node: ast.AST) -> Change:
    """The other direction, or all but the first or the last."""
    if isinstance(node, ast.For | ast.comprehension):
        over = ast.unparse(node.iter)
        backwards = isinstance(node.iter, ast.Call) and ast.unparse(node.iter.func) == "reversed"
        turned = over[len("reversed(") : -1] if backwards else f"list({over})[::-1]"
        for text in (turned, f"list({over})[1:]", f"list({over})[:-1]"):
            yield _with(node, iter=_expression(text))


def attribute(node: ast.AST) -> Change:
    """W for W.T."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node.attr != "shape":
        yield node.value


def assignment(node: ast.AST) -> Change:
    """-= for += and the like."""
    if isinstance(node, ast.AugAssign):
        for other in _ARITHMETIC.get(type(node.op), ()):
            yield _with(node, op=other())


def statement(node: ast.AST) -> Change:
    """A statement dropped."""
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Return | ast.For | ast.Expr):
        yield ast.Pass()


OPERATORS: tuple[Callable[[ast.AST], Change], ...] = (
    arithmetic,
    operands,
    comparison,
    threshold,
    constant,
    sign,
    call,
    arguments,
    elements,
    subscript,
    iteration,
    attribute,
    assignment,
    statement,
)


# -- from changes to mutants


class _Replace(ast.NodeTransformer):
    """Replace a node, which is found by identity, by another one."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)


def _changed(tree: ast.Module, number: int, new: ast.AST) -> str:
    """Return the source with another node in place of the one with this number."""
    copied = copy.deepcopy(tree)
    old = list(ast.walk(copied))[number]
    return ast.unparse(ast.fix_missing_locations(_Replace(old, copy.deepcopy(new)).visit(copied)))


def _key(before: str, after: str) -> str:
    """Return the changed line in its new form; for a dropped line, the line before it."""
    old, new = before.split("\n"), after.split("\n")
    at = next(i for i, (one, other) in enumerate(zip(old, new, strict=False)) if one != other)
    return f"pass  # {old[at].strip()}" if new[at].strip() == "pass" else new[at].strip()


@functools.cache
def mutants_of(notebook: Notebook, function: str) -> tuple[Mutant, ...]:
    """Return all distinct mutants of the instructor's function."""
    tree = ast.parse(notebook.cells[function].source)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node):
            del node.body[0]
    before = ast.unparse(tree)
    found = {before: ("", "")}  # source: operator and key
    for number, node in enumerate(ast.walk(tree)):
        for change in OPERATORS:
            for new in change(node):
                source = _changed(tree, number, new)
                if source not in found:
                    found[source] = change.__name__, _key(before, source)
    del found[before]
    possible, used = Counter(key for _, key in found.values()), Counter[str]()
    mutants = []
    for source, (operator, key) in found.items():
        used[key] += 1
        numbered = f"{key}  # {used[key]}" if possible[key] > 1 else key
        mutants.append(Mutant(function, numbered, operator, source))
    return tuple(mutants)


def all_mutants(notebook: Notebook, functions: Iterable[str] = ()) -> list[Mutant]:
    """Return the mutants of these functions, of all graded ones by default."""
    names = list(functions) or notebook.functions
    return [mutant for function in names for mutant in mutants_of(notebook, function)]


def main(homework: str, functions: Sequence[str]) -> None:
    """Print the mutants that keep all points and are not known to be right answers."""
    from guarded import judge

    notebook, equivalent = notebook_of(homework), equivalent_of(homework)
    chosen = all_mutants(notebook, functions)
    survivors = 0
    for mutant, verdict in judge(notebook, chosen, tests="own"):
        if not verdict.caught and mutant.key not in equivalent.get(mutant.function, {}):
            survivors += 1
            print(f"{mutant.function} ({mutant.operator}): {mutant.key}")
    print(f"{len(chosen)} mutants, {survivors} survive and are not known to be equivalent")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
