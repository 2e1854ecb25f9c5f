"""Stand-ins that can be called as the student's own function can."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_ANY_ARGUMENTS, _ANY_NAMES = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD


class Parameter(NamedTuple):
    """A parameter of a function of the student's."""

    name: str
    kind: int  # as in `inspect.Parameter`
    default: tuple[Any, ...] = ()  # the default value, if there is one


def parameters_of(function: Any) -> list[Parameter] | None:
    """Return the parameters of a function; None if it is no function or they are not known."""
    try:
        found = inspect.signature(function).parameters.values()
        return [Parameter(p.name, int(p.kind), _default(p)) for p in found]
    except Exception:
        return None


def _default(parameter: inspect.Parameter) -> tuple[Any, ...]:
    return () if parameter.default is parameter.empty else (parameter.default,)


def fitted(stand_in: Callable[..., Any], own: Sequence[Parameter] | None) -> Callable[..., Any]:
    """Return a stand-in that takes the names, options and defaults of the student's own function.

    The stand-in has the parameters of the docstring, to which those of the student's function
    belong in this order, whatever their names. Its other parameters are options: they are dropped.
    Names of the docstring are taken too. If `own` is None, everything else is dropped.
    """
    try:
        parameters = inspect.signature(stand_in).parameters.values()
    except (TypeError, ValueError):
        return stand_in
    if any(p.kind not in _POSITIONAL for p in parameters):
        return stand_in
    documented = [p.name for p in parameters]
    kinds = {_ANY_ARGUMENTS, _ANY_NAMES} if own is None else {p.kind for p in own}
    names = {p.name for p in own or () if p.kind not in (_ANY_ARGUMENTS, _ANY_NAMES)}
    in_order = [p for p in own or () if p.kind in _POSITIONAL]
    means = {p.name: name for p, name in zip(in_order, documented, strict=False)}

    @functools.wraps(stand_in)
    def called(*arguments: Any, **named: Any) -> Any:
        if len(arguments) > max(len(in_order), len(documented)) and _ANY_ARGUMENTS not in kinds:
            raise TypeError(f"it takes {len(in_order)} arguments, and {len(arguments)} were given")
        values = dict(zip(documented, arguments, strict=False))
        for name, value in named.items():
            meant = means.get(name, "" if name in names else name)
            if meant in values:
                raise TypeError(f"it got multiple values for argument {name!r}")
            if meant in documented:
                values[meant] = value
            elif name not in names and _ANY_NAMES not in kinds:
                raise TypeError(f"it got an unexpected keyword argument {name!r}")
        for parameter, name in zip(in_order, documented, strict=False):
            if parameter.default:
                values.setdefault(name, parameter.default[0])
        return stand_in(**values)

    return called
