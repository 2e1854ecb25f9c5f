"""What tests never vary: facts that all calls of a function have in common, in a few words."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from hw_support.source import tree_of

_ENTRIES = "entry", "entries"
_SIZED = (list, tuple, str, dict, set, frozenset, np.ndarray)


def facts_of(
    function: Callable[..., Any], calls: Sequence[Any], sources: Sequence[str]
) -> dict[str, Any]:
    """Return facts on a function, as plain data; `calls` are those that tests make.

    These are "table", what its calls have in common, a line for each argument; "arguments", name,
    whether it is optional, its sizes, and whether it is a number; "types" of the results.
    `sources` are those of cells, where the statements that raise are looked up.
    """
    table, arguments = [], []
    for place, one in enumerate(inspect.signature(function).parameters.values()):
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            continue
        values = [
            call.named[one.name] if one.name in call.named else call.given[place]
            for call in calls
            if one.name in call.named or place < len(call.given)
        ]
        if common := "; ".join(_common(values)) if values or not calls else "never passed":
            table.append(f"{one.name}: {common}")
        sizes = sorted({len(value) for value in values if _has_size(value)})
        is_number = any(type(value) in (int, float) for value in values)
        arguments.append([one.name, one.default is not one.empty, sizes, is_number])
    reached = {kind.__name__ for call in calls for kind in type(call.came).__mro__}
    raised = dict.fromkeys(_raised_by(function.__name__, sources))
    table += [f"raise {name}: no test reaches it" for name in raised if name not in reached]
    types = {type(call.came).__name__ for call in calls}
    return {"table": table, "arguments": arguments, "types": sorted(types)}


def _has_size(value: Any) -> bool:
    return isinstance(value, _SIZED) and not (isinstance(value, np.ndarray) and value.ndim == 0)


_OF_TEXTS: dict[str, Callable[[str], bool]] = {
    "capital letter": str.isupper,
    "digit": str.isdigit,
    "other sign": lambda sign: not sign.isalnum() and not sign.isspace(),
}


def _common(values: Sequence[Any]) -> Iterator[str]:
    """Yield what all values of an argument have in common."""
    sized: list[Any] = [value for value in values if _has_size(value)]
    arrays = [one.shape for one in sized if isinstance(one, np.ndarray) and one.ndim > 1]
    if arrays and len(arrays) == len(values):
        shapes = sorted({*arrays})
        if len(shapes) == 1:
            yield f"always of shape {shapes[0]}"
        elif all(len({*shape}) == 1 for shape in shapes):
            yield f"always square, {len(shapes)} sizes"
    elif sized:
        sizes = sorted(map(len, sized))
        least, most = sizes[0], sizes[-1]
        what = "characters" if isinstance(sized[0], str) else _ENTRIES[most != 1]
        yield f"always {most} {what}" if least == most else f"{least} to {most} {what}"
        if least:
            yield "never empty"
        yield from _of_entries([one for one in sized if len(one) > 1])
    if numbers := [number for value in values for number in _numbers_in(value)]:
        low, high = min(numbers), max(numbers)
        span = f"from {low:.3g} to {high:.3g}" if low < high else f"always {high:.3g}"
        yield f"numbers {span}" + (", none negative" if low >= 0 else "")
    if texts := "".join(value for value in values if isinstance(value, str)):
        missing = [kind for kind, is_one in _OF_TEXTS.items() if not any(map(is_one, texts))]
        if missing:
            yield f"no {', no '.join(missing)}"


def _of_entries(those: Sequence[Any]) -> Iterator[str]:
    """Yield what lists and arrays of several entries have in common."""
    lists: list[list[Any]] = [
        one.tolist() if isinstance(one, np.ndarray) else [*one]
        for one in those
        if isinstance(one, list | tuple | np.ndarray)
    ]
    try:
        if lists and all(one == sorted(one) for one in lists):
            yield "always sorted"
        if lists and all(len({*one}) == len(one) for one in lists):
            yield "no value twice"
    except (TypeError, ValueError):  # entries that have no order, or are lists, or arrays
        return


def _numbers_in(value: Any) -> Iterator[float]:
    """Yield the numbers in a value; of an array, the least and the largest."""
    if isinstance(value, dict):
        value = [*value.values()]
    if isinstance(value, list | tuple | set):
        for entry in value:
            yield from _numbers_in(entry)
    elif isinstance(value, np.ndarray | np.number | int | float) and not isinstance(value, bool):
        array = np.asarray(value)
        if array.dtype.kind in "iuf" and (finite := array[np.isfinite(array)]).size:
            yield from (float(finite.min()), float(finite.max()))


def _raised_by(function: str, sources: Sequence[str]) -> Iterator[str]:
    """Yield the exceptions that the text of a function raises, by name."""
    for node in (node for source in sources for node in tree_of(source).body):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            for one in ast.walk(node):
                match one:
                    case ast.Raise(ast.Name(name) | ast.Call(ast.Name(name))):
                        yield name
