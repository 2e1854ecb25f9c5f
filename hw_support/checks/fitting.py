"""Whether the texts and cases of a test fit the functions that they are for.

When a homework is released, its solutions run. What does not fit then is the author's mistake, and
each sentence here says which.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hw_support.checks.compare import shown


class StaffError(BaseException):
    """The homework's staff code, or the test, failed. This is no mistake of the student's.

    It is no `Exception`, so that ``except Exception`` in a test does not hide it.
    """


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


def wrong_case(
    number: int, case: Any, inputs: int, results: int, arguments: Arguments, returns: str
) -> str:
    """Say that a case, the `number`-th, does not fit a function with these arguments; or "".

    Its first entries are that many `inputs`. At least so many `results` have to follow, of those
    that `returns` names.
    """
    if not isinstance(case, tuple):
        return f"case {number} is {shown(case)}, expected a tuple such as ([1.0], 2)"
    fits = arguments.needed <= inputs and (inputs <= len(arguments.names) or arguments.has_more)
    if fits and results <= len(case) - inputs and not arguments.needs_names:
        return ""
    said = f"case {number} has {_counted(len(case))}, expected the inputs ({arguments}) and the "
    said += f"results ({returns})"
    if arguments.by_name:
        by_name = ", ".join(arguments.by_name)
        said += f". A case cannot give {by_name} by name: let a function of the test do it, as in "
        said += "function=lambda x, n: f(x, n=n)"
    return said


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


def _counted(count: int) -> str:
    return f"{count} value{'' if count == 1 else 's'}"
