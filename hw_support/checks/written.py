"""How a test cell writes a function or a call, so that students can repeat what a message names.

IPython keeps the source of cells for tracebacks, in `linecache`; a grader puts it there too.
"""

import ast
import linecache
import sys
from types import CodeType
from typing import Any

from hw_support.source import tree_of

_LONGEST = 120  # characters of a function or a call; a longer one is not shown
# Packages of which a test passes functions, by the names that notebooks have for them.
_PACKAGES = {"np": "numpy", "hw_support": "hw_support", "math": "math"}


def function_as_written(function: Any) -> str:
    """Return a function as a test cell names it: ``np.sin``, ``lambda x: x**2``; or "a function".

    A lambda is shown as its source; only one that stands in a cell or file that is known has one.
    """
    name = str(getattr(function, "__name__", "a function"))
    if name == "<lambda>":
        return _source_of_lambda(function.__code__) or "a function"
    packages = (known for known, package in _PACKAGES.items() if _has(package, name, function))
    return ".".join([*packages, name])


def _has(package: str, name: str, function: Any) -> bool:
    return getattr(sys.modules.get(package), name, None) is function


def _source_of_lambda(code: CodeType) -> str:
    source = _source(code)
    places = {place for place in code.co_positions() if place[0] is not None}
    found = [
        ast.get_source_segment(source, node) or ""
        for node in ast.walk(tree_of(source))
        if isinstance(node, ast.Lambda) and _place(node.body) in places
    ]
    text = " ".join(found[-1].split()) if found else ""
    return text if len(text) <= _LONGEST else ""


def last_call(code: CodeType, line: int, name: str) -> str | None:
    """Return the last call of the function `name` that a part's function makes up to a line.

    It is None if there is none, or if its inputs come from the arguments of the part's function:
    these are the case, which a message shows. It is "" if another function makes the call, or if
    it uses variables of the part's function: then nobody can repeat it.
    """
    source = _source(code)
    for function in ast.walk(tree_of(source)):
        if isinstance(function, ast.FunctionDef) and _first_line(function) == code.co_firstlineno:
            calls = [
                call
                for call in ast.walk(function)
                if isinstance(call, ast.Call) and call.lineno <= line and name in _called_by(call)
            ]
            if calls:
                last = max(calls, key=lambda call: (call.lineno, -call.col_offset))
                if not _names_in(last).isdisjoint(_from_arguments(function)):
                    return None
                own = {*code.co_varnames, *code.co_cellvars}
                is_direct = isinstance(last.func, ast.Name) and last.func.id == name
                is_direct = is_direct and _names_in(last).isdisjoint(own)
                text = " ".join((ast.get_source_segment(source, last) or "").split())
                return text if is_direct and len(text) <= _LONGEST else ""
    return None


def _from_arguments(function: ast.FunctionDef) -> set[str]:
    """Return the names of the arguments, and of the variables that are computed from them."""
    found = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
    for node in ast.walk(function):  # the outer statements first, as they are written
        match node:
            case ast.Assign(targets, value):
                given = _names_in(value)
            case ast.For(target, value) | ast.comprehension(target, value):
                targets, given = [target], _names_in(value)
            case ast.FunctionDef(bound) if node is not function:
                targets, given = [ast.Name(bound)], _names_in(node)
            case _:
                continue
        if not found.isdisjoint(given):
            found.update(*map(_names_in, targets))
    return found


def _names_in(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _called_by(call: ast.Call) -> set[str]:
    """Return the functions that a call may call: its own, and those that are passed to it."""
    return {node.id for node in (call.func, *call.args) if isinstance(node, ast.Name)}


def _first_line(function: ast.FunctionDef) -> int:
    return min([function.lineno, *(one.lineno for one in function.decorator_list)])


def _place(node: ast.expr) -> tuple[int, int | None, int, int | None]:
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset


def _source(code: CodeType) -> str:
    return "".join(linecache.getlines(code.co_filename))
