"""Lets an ``assert`` without a message say what it compared: "double(4) == 8, double(4) is 16".

Of a call, such as ``np.allclose(out, [1, 2])``, it says the first two arguments.

The rewritten statement computes nothing twice, and fails for the same values as before.
"""

import ast
import re
import reprlib
from typing import Any

_MOST = 80  # characters of a value or of the condition
_SHORT = reprlib.Repr()  # of a large list, it shows the first entries only
_SHORT.maxstring = _SHORT.maxother = _MOST
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # differs in each run
_NAMES = "_hw_left", "_hw_right"  # a leading underscore: IPython does not list them


class Told(ast.NodeTransformer):
    """Gives each ``assert`` a message, as `IPython.core.interactiveshell` applies it to cells."""

    def visit(self, node: ast.AST) -> Any:
        """Visit a node. What is nested too deep stays as it is: IPython would print a warning."""
        try:
            return super().visit(node)
        except RecursionError:
            return node

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        """Return the statement with a message, or as it is if it has one."""
        if node.msg:
            return node
        said: list[ast.expr] = [ast.Constant(_cut(ast.unparse(node.test)))]
        test = node.test
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            left, right = _told(said, [test.left, test.comparators[0]])
            test = ast.Compare(left, test.ops, [right])
        elif isinstance(test, ast.Call) and not any(isinstance(a, ast.Starred) for a in test.args):
            test = ast.Call(test.func, _told(said, test.args), test.keywords)
        told = ast.Assert(test, ast.JoinedStr(said))
        return ast.fix_missing_locations(ast.copy_location(told, node))


def _told(said: list[ast.expr], given: list[ast.expr]) -> list[ast.expr]:
    """Return the operands or arguments, of which the first two keep their values to be said."""
    kept = list(given)
    for name, (number, one) in zip(_NAMES, enumerate(given), strict=False):
        if not (_is_literal(one) or isinstance(one, ast.GeneratorExp)):
            said += [ast.Constant(f", {_cut(ast.unparse(one))} is "), _value(name)]
            kept[number] = ast.NamedExpr(ast.Name(name, ast.Store()), one)
    return kept


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def shown(value: object) -> str:
    """Return a value in few characters, whatever its repr does."""
    try:
        return _cut(_ADDRESS.sub("", _SHORT.repr(value)))
    except Exception:
        return f"a {type(value).__name__}"


def _value(name: str) -> ast.FormattedValue:
    """Return the part of an f-string that shows a name's value, by `shown`."""
    call = ast.parse(f"__import__('answering.asserts').asserts.shown({name})", mode="eval").body
    return ast.FormattedValue(call, -1)


def _cut(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"
