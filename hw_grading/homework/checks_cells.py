"""What a release can know of test cells with `Checks` before they run.

A name that students can change, a hidden part, a last line that is not a score: each would cost
right answers their points, or give wrong ones full marks. Here each is a line and a sentence. What
does not fit, such as a case and its function, the run of the solutions finds
(`hw_support.checks.fitting`).
"""

import ast
import builtins
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from nbformat import NotebookNode
from nbgrader.utils import is_solution

from hw_grading.homework.notebook import as_released, is_test, is_trusted
from hw_support.source import (
    bound_by,
    imported_alone_by,
    named_checks_in,
    read_by,
    tree_of,
)
from hw_support.submission.problems import quoted

_Wrong = tuple[int, str]  # a line of a cell, and a sentence
_BUILTINS = frozenset(dir(builtins))
_SEMICOLON = re.compile(r";[ \t]*(?:#.*)?\s*\Z")  # with it, IPython shows no result


@dataclass
class Above:
    """What the cells above a test cell bind."""

    locked: set[str] = field(default_factory=set)
    answers: set[str] = field(default_factory=set)  # other than by imports
    imported: set[str] = field(default_factory=set)  # by cells that students can change
    other: dict[str, str] = field(default_factory=dict)  # by such cells that are not answers: which
    has_star: bool = False  # whether a locked cell imports names that its text does not tell

    def add(self, cell: NotebookNode, name: str) -> None:
        """Add a cell; test cells leave no names to those below."""
        if cell.cell_type != "code" or is_test(cell):
            return
        bound, imported = {*bound_by(cell.source)}, {*imported_alone_by(cell.source)}
        if is_trusted(cell):
            self.locked |= bound
            self.has_star |= _has_star(cell.source)
            return
        self.imported |= imported
        if is_solution(cell):
            self.answers |= bound - imported
        else:
            self.other |= dict.fromkeys(bound - imported, name)


def wrong_in(source: str, above: Above) -> list[_Wrong]:
    """Return the mistakes in a test cell with `Checks`, which has to be Python, by line."""
    tree = ast.parse(source)
    return sorted(
        [*_unbound(source, tree, above), *_without_score(source, tree), *_hidden(source, tree)]
    )


# -- names


def _unbound(source: str, tree: ast.Module, above: Above) -> Iterator[_Wrong]:
    """Yield the names that a cell uses, and that students can change or that nothing binds."""
    released = as_released(source)
    shown, own = {*read_by(released)}, {*bound_by(released)}
    hidden = {*bound_by(source)} - own
    uses = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    hidden_lines = _hidden_lines(source)
    uses.sort(key=lambda node: (node.lineno not in hidden_lines, -node.lineno))
    lines = {node.id: node.lineno for node in uses}  # the first one that students see
    for name in {*read_by(source)} - own - above.locked - above.answers - _BUILTINS:
        line = lines.get(name, 1)
        if name in hidden:
            if name in shown:
                yield line, f"students do not have {name!r}, which a hidden line binds."
        elif name in above.imported:
            yield (
                line,
                f"{name!r} is imported by a cell that students can change. Import it in this cell, "
                "or in a locked cell above.",
            )
        elif name in above.other:
            yield (
                line,
                f"{name!r} is bound by cell {above.other[name]}, which students can change and "
                "which is not an answer. Lock that cell, or bind the name in this one.",
            )
        elif not above.has_star and not _has_star(source):
            yield (
                line,
                f"{name!r} is bound neither in this cell nor in an answer or a locked cell above. "
                "Correct the name, or define or import it in this cell.",
            )


def _without_score(source: str, tree: ast.Module) -> Iterator[_Wrong]:
    """Yield the last line of a cell, if it is not the score."""
    scores = {f"{name}.score()" for name in named_checks_in(tree)}
    last = ast.unparse(tree.body[-1]) if tree.body else ""
    if last not in scores or _SEMICOLON.search(source):
        found = quoted(source.rstrip().rpartition("\n")[2])
        yield (
            tree.body[-1].lineno if tree.body else 1,
            f"the last line has to be {min(scores, default='checks.score()')}, which gives the "
            f"cell its points, found {found}. Otherwise every answer would get full marks.",
        )


# -- hidden lines


def _hidden(source: str, tree: ast.Module) -> Iterator[_Wrong]:
    """Yield hidden lines that are more than fresh cases, and visible ones that draw some."""
    draws = {f"{name}.fresh" for name in named_checks_in(tree)}
    lines, hidden = source.splitlines(), _hidden_lines(source)
    for one in tree.body:
        first = min(node.lineno for node in (one, *getattr(one, "decorator_list", ())))
        inside = hidden & {*range(first, (one.end_lineno or first) + 1)}
        if inside and (first not in hidden or not _is_for_drawing(one, draws)):
            yield (
                min(inside),
                f"the hidden line {quoted(lines[min(inside) - 1].strip())} is not allowed, because "
                "students see every part. Hidden lines may import, define functions and call "
                "checks.fresh(...).",
            )
    for node in ast.walk(tree):
        is_drawing = isinstance(node, ast.Attribute) and ast.unparse(node) in draws
        if is_drawing and (line := getattr(node, "lineno", 0)) not in hidden:
            yield (
                line,
                f"students would read {quoted(lines[line - 1].strip())}. Put it between BEGIN "
                "HIDDEN TESTS and END HIDDEN TESTS.",
            )


def _hidden_lines(source: str) -> set[int]:
    """Return the numbers of the lines between the two that hide them."""
    found, is_hidden = set(), False
    for number, line in enumerate(source.splitlines(), 1):
        is_hidden = is_hidden and "END HIDDEN TESTS" not in line
        found |= {number} if is_hidden else set()
        is_hidden = is_hidden or "BEGIN HIDDEN TESTS" in line
    return found


def _is_for_drawing(statement: ast.stmt, draws: Collection[str]) -> bool:
    """Whether a statement imports, defines a function, or asks for fresh cases."""
    match statement:
        case ast.Import() | ast.ImportFrom():
            return True
        case ast.FunctionDef():
            decorators = [getattr(one, "func", one) for one in statement.decorator_list]
            return {*map(ast.unparse, decorators)} <= {*draws}
        case ast.Expr(value=ast.Call(func=called)):
            return ast.unparse(called) in draws
    return False


def _has_star(source: str) -> bool:
    imports = [node for node in ast.walk(tree_of(source)) if isinstance(node, ast.ImportFrom)]
    return any(alias.name == "*" for node in imports for alias in node.names)
