"""Runs a test cell again as the grader does, if the notebook changes names that the test uses.

In grading a name is looked up first among the test's names and those of the instructor's locked
cells, then in Python's builtins, and last in the notebook. So some notebooks fail tests only on
the student's machine: those with a variable `max`, with another `np`, or with a setting that makes
NumPy raise an error. With another `assert_close`, some may pass tests only there.
"""

import ast
import builtins
import contextlib
import functools
import io
import warnings
from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import Any

import numpy as np

from hw_support.checks import Checks
from hw_support.failures import text_of
from hw_support.notebook_access import Notebook, RandomState

_OF_JUPYTER = {"exit", "open", "quit"}  # Jupyter puts its own into every notebook


class Judge:
    """Keeps the values that the instructor's cells bind, and notices changes."""

    def __init__(self, theirs: dict[str, Any]) -> None:
        self._theirs = theirs  # the notebook's names
        self._own: dict[str, Any] = {}
        self._settings = _Settings()

    def keep(self, names: list[str]) -> None:
        """Keep the values of names that a locked cell has just bound.

        Names that begin with _, as in ``out, _ = ...``, are skipped: no test relies on them.
        """
        kept = [name for name in names if name in self._theirs and not name.startswith("_")]
        self._own |= {name: self._theirs[name] for name in kept}

    def rebound(self) -> list[str]:
        """Return the instructor's and Python's names that now have another value."""
        nothing = object()
        theirs = [n for n, value in self._own.items() if self._theirs.get(n, nothing) is not value]
        pythons = {n for n in self._theirs if not n.startswith("_") and hasattr(builtins, n)}
        return sorted({*theirs, *(pythons - _OF_JUPYTER - set(self._own))})

    def may_differ(self) -> bool:
        """Whether a test cell may see other values here than in grading."""
        return bool(self.rebound()) or self._settings.that_matter != _Settings().that_matter

    def examine(self, source: str) -> tuple[Checks | None, str]:
        """Run a test cell with the grader's names; return its checks, and the error outside them.

        The notebook's names and random generators are restored afterwards.
        """
        before, random = dict(self._theirs), RandomState(self._theirs)
        names = _GradersNames(self._own, self._theirs, _Settings())
        printed, raised = io.StringIO(), ""
        try:
            with (
                self._settings.in_force(),
                contextlib.redirect_stdout(printed),
                contextlib.redirect_stderr(printed),
            ):
                exec(compile(ast.parse(source), "<test>", "exec"), names)
        except Exception as error:
            raised = f"{type(error).__name__}: {text_of(error)}".removesuffix(": ")
        finally:
            random.put_back()
            for name in self._theirs.keys() - before.keys():
                del self._theirs[name]
            self._theirs.update(before)
        checks = dict.get(names, "checks")
        return (checks if isinstance(checks, Checks) else None), raised


class _Settings:
    """NumPy's settings for errors such as 1/0, and Python's for warnings, at one moment."""

    def __init__(self) -> None:
        self.numpy: Any = np.geterr()
        self.all = list(warnings.filters)
        # Libraries add filters on import. Only filters that raise matter.
        self.that_matter = self.numpy, [entry for entry in warnings.filters if entry[0] == "error"]

    @contextlib.contextmanager
    def in_force(self) -> Iterator[None]:
        """Apply these settings in a block."""
        with np.errstate(**self.numpy), warnings.catch_warnings():
            warnings.filters[:] = self.all  # type: ignore[index]
            yield


class _GradersNames(dict[str, Any]):
    """The names of a test cell, as in the grader's process."""

    def __init__(self, own: dict[str, Any], theirs: dict[str, Any], settings: _Settings) -> None:
        super().__init__()
        self._theirs, self._settings = theirs, settings
        self.update({name: self._moved(value) for name, value in own.items()})
        self["__builtins__"], self["__name__"] = builtins, "__main__"
        self.notebook = _NotebookBehind(self, theirs)

    def _moved(self, value: Any) -> Any:
        """Return a copy of a locked cell's function that uses these names, not the notebook's."""
        if not isinstance(value, FunctionType) or value.__globals__ is not self._theirs:
            return value
        made = FunctionType(
            value.__code__, self, value.__name__, value.__defaults__, value.__closure__
        )
        made.__kwdefaults__ = value.__kwdefaults__
        made.__dict__.update(value.__dict__)
        return made

    def __missing__(self, name: str) -> Any:
        if hasattr(builtins, name) or name.startswith("__"):
            raise KeyError(name)
        return self._called_as_there(self._theirs[name])

    def _called_as_there(self, value: Any) -> Any:
        """Return a student's function wrapped to run under the student's settings."""
        if not isinstance(value, FunctionType):
            return value

        @functools.wraps(value)
        def called(*arguments: Any, **named: Any) -> Any:
            with self._settings.in_force():
                return value(*arguments, **named)

        return called

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (
            name in self._theirs and not hasattr(builtins, str(name))
        )

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a name, or `default` if the name is not defined."""
        try:
            return self[name]
        except KeyError:
            return default


class _NotebookBehind(Notebook):
    """Replaces names of the notebook, and those of the test cell that is run again."""

    def __init__(self, names: _GradersNames, theirs: dict[str, Any]) -> None:
        super().__init__(names)
        self._theirs = Notebook(theirs)

    def put(self, values: Mapping[str, object]) -> object:
        """Bind names to other values, in the test and in the notebook."""
        return super().put(values), self._theirs.put(values)

    def put_back(self, before: Any) -> None:
        """Bind names again as they were before `put`."""
        here, there = before
        super().put_back(here)
        self._theirs.put_back(there)
