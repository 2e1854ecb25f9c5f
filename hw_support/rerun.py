"""Run an answer again: what a student's cells give when the functions that they call are others."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any


def rerun(
    namespace: Mapping[str, Any], names: Sequence[str], given: Sequence[str] = ()
) -> list[Any]:
    """Run those cells again that bind `names` or `given`, in a copy of the notebook's names.

    Parameters
    ----------
    namespace
        The notebook's names. ``In``, which IPython keeps, holds the cells that were run; only what
        stands at the top level of a cell counts as bound there.
    names
        What is wanted.
    given
        What the instructor's cells bind for it. The answer may have changed it since.

    Returns
    -------
    list
        What the names mean afterwards. The notebook's own names mean what they meant before.

    Raises
    ------
    NameError
        No cell binds one of the names before it raises an exception: a cell that does ends there.
    """
    scope = {name: value for name, value in namespace.items() if name not in names}
    for source in namespace.get("In", ()):
        if isinstance(source, str) and _binds(source) & {*names, *given}:
            with contextlib.suppress(Exception, SystemExit):
                exec(compile(source, "<answer>", "exec"), scope)
    missing = [name for name in names if name not in scope]
    if missing:
        raise NameError(f"name {missing[0]!r} is not defined")
    return [scope[name] for name in names]


def _binds(source: str) -> set[str]:
    """Return the names that a cell binds at its top level."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    inner = {
        id(node)
        for scope in ast.walk(tree)
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)
        for node in ast.walk(scope)
    }
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in inner
    }
