"""Run an answer again: what a student's cells give when the functions that they call are others."""

from __future__ import annotations

import contextlib
import re
import symtable
from collections.abc import Mapping, Sequence
from typing import Any

_TEST = re.compile(r"^\w+ = Checks\(", re.MULTILINE)


def rerun(
    namespace: Mapping[str, Any], names: Sequence[str], given: Sequence[str] = ()
) -> list[Any]:
    """Run those cells again that bind `names` or `given`, in a copy of the notebook's names.

    Parameters
    ----------
    namespace
        The notebook's names. ``In``, which IPython keeps, holds the cells that were run; only what
        stands at the top level of a cell counts as bound there. Test cells are left out: one of
        them is running.
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
        bound = bound_by(source) if isinstance(source, str) else []
        if {*names, *given}.intersection(bound) and not _TEST.search(source):
            with contextlib.suppress(Exception, SystemExit):
                exec(compile(source, "<answer>", "exec"), scope)
    return values_of(scope, names)


def bound_by(source: str) -> list[str]:
    """Return the names that code binds at its top level; none where it is no Python."""
    try:
        symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [s.get_name() for s in symbols if s.is_assigned() or s.is_imported()]


def values_of(scope: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    """Return what names mean; NameError, as Python says it, for the first that means nothing."""
    missing = [name for name in names if name not in scope]
    if missing:
        raise NameError(f"name {missing[0]!r} is not defined")
    return [scope[name] for name in names]
