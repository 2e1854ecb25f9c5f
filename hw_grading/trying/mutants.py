"""Mutants: an instructor's solution with one node of the syntax tree changed.

Mutants with the same text count once. A mutant's name is the changed line as it reads in the
mutant, with a number where the same line comes about in several ways. Operands are not exchanged:
`a * b` and `b * a` are the same. What is only printed has no mutants, nor has what is raised.
"""

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hw_support.source import parsed

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


@dataclass(frozen=True)
class Mutant:
    """A changed solution."""

    name: str  # the changed line
    instead: str  # of this line
    source: str
    is_concept: bool = False  # whether it is a mistake of `concepts`: the name says which


def mutants_of(source: str) -> list[Mutant]:
    """Return all distinct mutants of a cell, in the order of its lines; may raise SyntaxError."""
    tree = parsed(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            del node.body[0]
            node.body = node.body or [ast.Pass()]
    before = ast.unparse(tree)
    lines: dict[str, tuple[int, str, str]] = {}  # number, old and new line, by source
    told = [one for one in ast.walk(tree) if _prints(one) or isinstance(one, ast.Raise)]
    printed = {node for one in told for node in ast.walk(one)}
    for number, part in enumerate(ast.walk(tree)):
        for new in _changes(part) if part not in printed else ():
            if (source := at_number(tree, number, new)) != before:
                lines.setdefault(source, _changed_line(before, source))
    possible, used = Counter(new for _, _, new in lines.values()), Counter[str]()
    mutants = []
    for source, (_, old, line) in sorted(lines.items(), key=lambda one: one[1][0]):
        used[line] += 1
        name = f"{line}  # {used[line]}" if possible[line] > 1 else line
        mutants.append(Mutant(name, old, source))
    return mutants


def _prints(node: ast.AST) -> bool:
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and ast.unparse(call.func) == "print"


def at_number(tree: ast.Module, number: int, new: ast.AST) -> str:
    """Return the source with another node in the place of that with this number in `ast.walk`."""
    copied = copy.deepcopy(tree)
    old = list(ast.walk(copied))[number]

    class Replace(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return copy.deepcopy(new) if node is old else self.generic_visit(node)

    return ast.unparse(ast.fix_missing_locations(Replace().visit(copied)))


def _changed_line(before: str, after: str) -> tuple[int, str, str]:
    """Return the number of the first line that differs, as it was and as it is."""
    old, new = [*before.split("\n"), ""], [*after.split("\n"), ""]
    at = next(i for i, (one, other) in enumerate(zip(old, new, strict=False)) if one != other)
    was, now = old[at].strip(), new[at].strip()
    return at, was, f"pass  # {was}" if now == "pass" else now


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in the place of a node."""
    match node:
        case ast.BinOp():
            for other in _ARITHMETIC.get(type(node.op), ()):
                yield with_fields(node, op=other())
            yield from (node.left, node.right)
            yield ast.UnaryOp(ast.USub(), node)
        case ast.UnaryOp():
            yield node.operand
        case ast.Compare():
            yield from _of_comparison(node)
        case ast.Constant():
            yield from _of_constant(node)
        case ast.Call():
            yield from _of_call(node)
        case ast.Tuple() | ast.List():
            yield from _of_elements(node)
        case ast.Subscript(ctx=ast.Load()):
            yield node.value
            if isinstance(node.slice, ast.Slice):
                yield with_fields(node, slice=ast.Slice(node.slice.upper, node.slice.lower))
                yield with_fields(node, slice=ast.Slice(None, None, expression("-1")))
        case ast.For() | ast.comprehension():
            over = ast.unparse(node.iter)
            turned = f"list({over})[::-1]"
            if over.startswith("reversed("):
                turned = over.removeprefix("reversed(")[:-1]
            for text in (turned, f"list({over})[1:]", f"list({over})[:-1]"):
                yield with_fields(node, iter=expression(text))
        case ast.Attribute(ctx=ast.Load()) if node.attr != "shape":
            yield node.value
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Return | ast.For | ast.Expr):
        yield ast.Pass()


def _of_comparison(node: ast.Compare) -> Iterator[ast.AST]:
    for other in _COMPARISONS.get(type(node.ops[0]), ()):
        yield with_fields(node, ops=[other()])
    to = node.comparators[0]
    if isinstance(to, ast.Constant) and isinstance(to.value, int | float):
        yield with_fields(node, comparators=[ast.Constant(to.value + 0.1)])


def _of_constant(node: ast.Constant) -> Iterator[ast.AST]:
    number = node.value
    if number is None:
        yield ast.Constant(0)
    elif isinstance(number, int | float):
        for value in (number + 1, -number, 2 * number, number - 1):
            if value != number:
                yield ast.Constant(value)


def _of_call(node: ast.Call) -> Iterator[ast.AST]:
    """Yield another function, the first argument alone, and swapped and dropped arguments."""
    yield ast.UnaryOp(ast.USub(), node)
    if isinstance(node.func, ast.Attribute):
        for other in _CALLS.get(node.func.attr, ()):
            yield with_fields(node, func=with_fields(node.func, attr=other))
        if ast.unparse(node.func.value) not in ("np", "rng"):
            yield node.func.value  # x for x.astype(float)
    yield from node.args[:1]
    for args in (*_swapped(node.args), *_dropped(node.args)):
        yield with_fields(node, args=args)
    for keywords in _dropped(node.keywords):
        yield with_fields(node, keywords=keywords)


def _of_elements(node: ast.Tuple | ast.List) -> Iterator[ast.AST]:
    dropped = _dropped(node.elts) if isinstance(node.ctx, ast.Load) else []
    for entries in (*_swapped(node.elts), *dropped):
        yield with_fields(node, elts=entries)


def _swapped(entries: list[Any]) -> list[list[Any]]:
    pairs = range(len(entries) - 1)
    return [[*entries[:i], entries[i + 1], entries[i], *entries[i + 2 :]] for i in pairs]


def _dropped(entries: list[Any]) -> list[list[Any]]:
    return [entries[:i] + entries[i + 1 :] for i in range(len(entries))]


def with_fields(node: ast.AST, **fields: object) -> ast.AST:
    """Return a node with other fields."""
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def expression(text: str) -> ast.expr:
    """Parse an expression."""
    return ast.parse(text, mode="eval").body
