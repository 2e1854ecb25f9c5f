"""What tests ask of a solution's functions: their calls, found by running both here.

The instructor's code runs in this process, which is one of the workers.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hw_grading.examiner.cells import Fault, run_cell
from hw_grading.examiner.reference import Reference, run_solutions
from hw_grading.homework.homework import Homework
from hw_grading.homework.layout import FILES, lay_out
from hw_grading.trying.forms import key_of
from hw_grading.trying.variety import facts_of
from hw_support.checks.notebook_access import Notebook

_CPU_SECONDS_OF_SOLUTIONS = 60.0
_MOST_CALLS = 300  # that are recorded of a function

Cells = Sequence[tuple[str, str, str]]  # kind, grade id, source
Tests = Sequence[tuple[str, str]]  # grade id, source
Recorded = dict[str, dict[str, Any]]  # facts by function; see `recorded`


@dataclass(frozen=True)
class Call:
    """A call that a test has made: copies of the arguments, the result, or the exception."""

    given: list[Any]
    named: dict[str, Any]
    came: Any


class _Names(dict[str, Any]):
    """The names of a notebook whose tests draw fresh cases, as in grading."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        super().__init__(names)
        self.notebook = Notebook(self)


def recorded(
    cells: Cells, tests: Tests, functions: Sequence[str], homework: Homework, fresh: bool
) -> Recorded:
    """Run the solutions and these test cells, and return what they ask of each function.

    These are the "kinds" of results, the "keys" of inputs, and what all calls have in common (see
    `hw_grading.trying.variety`). With `fresh`, tests draw fresh cases.
    """
    with beside(homework):
        names = solved(cells)
        calls = calls_of(names, tests, functions, homework if fresh else None)
    found: Recorded = {}
    for name, those in calls.items():
        if inspect.isfunction(names.get(name)):
            sources = [source for _, _, source in cells if name in source]
            found[name] = {
                "kinds": sorted({kind for one in those for kind in _kinds(one.came)}),
                "keys": sorted({key_of(one.given) for one in those if not one.named}),
                **facts_of(names[name], those, sources),
            }
    return found


def solved(cells: Cells) -> dict[str, Any]:
    """Return what the solutions bind."""
    with quiet():
        return run_solutions(cells, _CPU_SECONDS_OF_SOLUTIONS).names


def calls_of(
    names: dict[str, Any],
    tests: Tests,
    functions: Sequence[str],
    homework: Homework | None = None,
) -> dict[str, list[Call]]:
    """Return the calls of functions while test cells run, with fresh cases if `homework` is given.

    `names` are those of the solutions; functions and tests bind theirs among them.
    """
    calls: dict[str, list[Call]] = {name: [] for name in functions}

    def watched(name: str, right: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(right)  # tests read its signature
        def call(*given: Any, **named: Any) -> Any:
            kept = None
            if len(calls[name]) < _MOST_CALLS:
                with contextlib.suppress(Exception):
                    kept = Call(*copy.deepcopy((list(given), named)), None)
            came: Any = None
            try:
                came = right(*given, **named)
            except Exception as error:
                came = error
                raise
            finally:
                calls[name] += [replace(kept, came=came)] if kept else []
            return came

        return call

    for name in functions:
        if inspect.isfunction(names.get(name)):
            names[name] = watched(name, names[name])
    with quiet():
        reference = Reference(lay_out(homework)) if homework else None
        known = _Names(names)
        for name, source in tests:
            if reference:
                known.notebook.reference = reference.at(name, source)
            with contextlib.suppress(Fault):
                run_cell(source, "test", known, locked=True)
    return calls


@contextlib.contextmanager
def beside(homework: Homework) -> Iterator[None]:
    """Run code in a folder with the files of a homework, as notebooks do, and with its staff code.

    The modules that it imports stay: a worker ends with its call.
    """
    os.environ.setdefault("MPLBACKEND", "Agg")
    code, path = lay_out(homework), [*sys.path]
    with tempfile.TemporaryDirectory(prefix="hw-try-") as folder, contextlib.chdir(folder):
        if (code / FILES).is_dir():
            shutil.copytree(code / FILES, folder, dirs_exist_ok=True)
        sys.path[:] = [str(code), *path, folder]
        try:
            yield
        finally:
            sys.path[:] = path


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Drop what is printed, and warnings about numbers."""
    streams = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    with streams[0], streams[1], np.errstate(all="ignore"):
        yield


def _kinds(value: Any) -> Iterator[str]:
    """Yield of what kinds a result and its entries are."""
    yield type(value).__name__
    if isinstance(value, np.ndarray):
        yield "array"
        yield from ["float array"] * (value.dtype == float)
        yield from ["flat array"] * (value.ndim == 1)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _kinds(entry)
