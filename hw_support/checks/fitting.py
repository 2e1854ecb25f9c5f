"""Whether the texts and cases of a test fit the functions that they are for.

When a homework is released, its solutions run. What does not fit then is the author's mistake, and
each sentence here says which.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hw_support.checks.compare import shown


@dataclass(frozen=True)
class Arguments:
    """The arguments of a function: the names of those by place, and how many have no default."""

    names: Sequence[str]
    needed: int
    by_name: Sequence[str] = ()  # those that can only be given by name
    needs_names: bool = False  # whether some of these have no default
    has_more: bool = False  # whether it takes any number of them: ``*args``

    def __str__(self) -> str:
        names = [*self.names[: self.needed]]
        names += [f"{name} (optional)" for name in self.names[self.needed :]]
        return ", ".join([*names, *["any number more"] * self.has_more])


def arguments_of(function: Callable[..., Any]) -> Arguments | None:
    """Return the arguments of a function; None if nobody can tell."""
    try:
        every = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    by_place = [one for one in every if one.kind < one.VAR_POSITIONAL]
    by_name = [one for one in every if one.kind is one.KEYWORD_ONLY]
    return Arguments(
        [one.name for one in by_place],
        sum(one.default is one.empty for one in by_place),
        [one.name for one in by_name],
        any(one.default is one.empty for one in by_name),
        any(one.kind is one.VAR_POSITIONAL for one in every),
    )


def wrong_inputs(given: Sequence[str], arguments: Arguments, name: str) -> str:
    """Say that `inputs` names other arguments than the function `name` has; or ""."""
    names = arguments.names
    if arguments.has_more or (len(given) >= arguments.needed and given == names[: len(given)]):
        return ""
    return (
        f"`inputs` names {', '.join(given)}, but the arguments of {name} are {arguments}. Leave "
        "`inputs` out: they are read from the function"
    )


def wrong_call(arguments: Arguments, name: str, cases: Sequence[Any]) -> str:
    """Say that cases cannot tell a function which arguments they have; or ""."""
    if arguments.needs_names:
        return _by_name(arguments, name)
    sizes = sorted({len(case) for case in cases})
    if arguments.has_more and len(sizes) > 1:
        return (
            f"{name} takes any number of arguments, so all cases need equally many values, found "
            f"{sizes[0]} and {sizes[-1]}. For inputs of any number give a list of them: add "
            f"function=lambda inputs: {name}(*inputs) to Checks"
        )
    return ""


def wrong_case(
    number: int,
    case: Any,
    inputs: int,
    results: int,
    arguments: Arguments,
    name: str,
    returns: str,
) -> str:
    """Say that a case, the `number`-th, does not fit the function `name`; or "".

    Its first entries are that many `inputs`. At least so many `results` have to follow, of those
    that `returns` names.
    """
    if not isinstance(case, tuple):
        return f"case {number} is {shown(case)}, expected a tuple such as ([1.0], 2)"
    most, given = len(arguments.names), len(case) - inputs
    fits = arguments.needed <= inputs and (inputs <= most or arguments.has_more)
    if fits and results <= given:
        return ""
    by_name = f". {_by_name(arguments, name)}" if arguments.by_name else ""
    expected = f"the inputs ({arguments}) and the results ({returns})"
    return f"case {number} has {_counted(len(case))}, expected {expected}{by_name}"


def wrong_part(function: Callable[..., Any], cases: Sequence[Any]) -> str:
    """Say that a case does not fit the function of a part; or ""."""
    if (arguments := arguments_of(function)) is None:
        return ""
    for number, case in enumerate(cases, 1):
        try:
            inspect.signature(function).bind(*case)
        except TypeError:
            taken = str(arguments) or "nothing"
            once = "" if str(arguments) else ". To call it once, without a case, add cases=[()]"
            found = _counted(len(case)) if isinstance(case, tuple) else shown(case)
            return f"the function of this part takes {taken}, but case {number} has {found}{once}"
    return ""


def wrong_results(names: Sequence[str], came: Any) -> str:
    """Say that the solution returns another number of results than a test names."""
    count = str(len(came)) if isinstance(came, list | tuple) else "one"
    named = f"{len(names)} result{'s' if len(names) > 1 else ''} ({', '.join(names)})"
    return (
        f"`returns` names {named}, but the solution returns "
        f"{count}, {shown(came)}. Correct `returns`, or the solution"
    )


def _by_name(arguments: Arguments, name: str) -> str:
    named = ", ".join(arguments.by_name)
    places = ", ".join([*arguments.names, *arguments.by_name])
    given = ", ".join([*arguments.names, *(f"{one}={one}" for one in arguments.by_name)])
    return (
        f"{named} of {name} can only be given by name, which a case does not do. Let the test call "
        f"it: add function=lambda {places}: {name}({given}) to Checks"
    )


def _counted(count: int) -> str:
    return f"{count} value{'' if count == 1 else 's'}"
