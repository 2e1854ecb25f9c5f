"""Names to which a student's cell and a test cell give different meanings.

In grading test cells have names of their own. In the student's notebook a test fails that needs a
name of the student's, or whose own variable has the name of a function of the student's. The
message does not tell why.
"""

import ast
import builtins
import linecache
import sys
from collections.abc import Iterator, Mapping
from types import CodeType, ModuleType
from typing import Any

from hw_support.failures import steps_of
from hw_support.tally import Tally

_NUMPY = ("np", "numpy")
# IPython itself binds these in notebooks.
_OF_IPYTHON = ("open", "exit", "quit", "input", "display")
_UNBOUND = object()


def overwritten(names: Mapping[str, Any], cell: CodeType) -> Iterator[str]:
    """Yield a sentence about each overwritten name that a test cell uses.

    `names` are those of the notebook, and `cell` is the code that is running. Python's built-in
    names count, and those that a notebook imports from `hw_support`.
    """
    for name in sorted(_used(cell)):
        value = names.get(name, _UNBOUND)
        if value is _UNBOUND or name.startswith("_"):
            continue
        what = f"One of your cells has given `{name}` another meaning."
        if name not in _OF_IPYTHON and hasattr(builtins, name):
            if value is not getattr(builtins, name):
                yield f"{what} Run `del {name}`, and rename it there."
        elif (right := _imported(name)) is not None and value is not right:
            yield f"{what} Rename it there, and run the cell that imports hw_support again."


def taken(functions: Mapping[str, object], names: Mapping[str, Any], error: object) -> str:
    """Say that a student's function was not found: a variable of the test cell has its name.

    `functions` are those of the notebook before the test cell, `names` are those of the notebook
    when the error was raised. "" if that is not the reason.
    """
    steps = list(steps_of(error)) if isinstance(error, TypeError) else []
    for name in steps[-1].tb_frame.f_code.co_names if steps else ():
        now = names.get(name)
        if name in functions and (not callable(now) or isinstance(now, Tally)):
            return f"This test has a variable `{name}` too. Give your function another name"
    return ""


def _imported(name: str) -> object:
    """Return what a name means in notebooks that import it; None if it is no such name."""
    if name in _NUMPY:
        return sys.modules.get("numpy")
    found = getattr(sys.modules["hw_support"], name, None)
    return None if isinstance(found, ModuleType) else found


def _used(cell: CodeType) -> set[str]:
    """Return the names that a cell reads, and neither binds nor has as parameters."""
    source = "".join(linecache.getlines(cell.co_filename))
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    read = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    bound = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return read - bound - {n.arg for n in nodes if isinstance(n, ast.arg)}
