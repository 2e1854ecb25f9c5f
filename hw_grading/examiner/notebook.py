"""What a test cell sees of the student's notebook: its names, and what may be done to it."""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import marshal
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import CodeType, FunctionType
from typing import Any

from hw_grading.examiner.handles import FunctionHandle, type_of
from hw_grading.examiner.session import Session
from hw_grading.sandbox.processes import MAX_TIMES
from hw_support.checks import StaffError
from hw_support.checks.notebook_access import CPU_SECONDS, WALL_SECONDS, Notebook
from hw_support.checks.time_limit import time_limit
from hw_support.source import read_by, tree_of

Cell = tuple[str, str]  # name, source


class StudentNames(dict[str, Any]):
    """The namespace in which a test cell runs.

    A name is looked up first among those that the test and the instructor's locked cells (`own`)
    have bound, then among Python's builtins, and only then in the student's notebook. So a student
    cannot replace the test's `len` or `np`. Names in `instructors` are never looked up in the
    notebook, even if the cell that binds a name has failed. Names that the test binds stay in this
    namespace; `notebook` replaces names of the student.
    """

    def __init__(
        self,
        own: dict[str, Any],
        session: Session,
        instructors: Collection[str] = (),
    ) -> None:
        super().__init__(own)
        self._own, self._session, self._instructors = own, session, instructors
        self._kept: dict[str, Any] = {}  # values of the notebook from before the cell's first call
        self.notebook = RemoteNotebook(self, session)

    def __missing__(self, name: str) -> Any:
        if name == "type":
            return type_of
        if hasattr(builtins, name) or name.startswith("__") or name in self._instructors:
            raise KeyError(name)
        for value in self.of_notebook([name])[0]:
            return value
        raise KeyError(name)

    def bound(self) -> dict[str, Any]:
        """Return the names that the test itself has bound."""
        own = self._own
        return {n: v for n, v in self.items() if n not in own or own[n] is not v}

    def keep(self, names: Collection[str]) -> None:
        """Read the values of names that the cell judges, before it calls any student code.

        So a call cannot change them any more. Functions are looked up again each time.
        """
        asked = sorted(name for name in names if name not in self and not hasattr(builtins, name))
        found: list[list[Any]] = []
        with contextlib.suppress(Exception):  # if one cannot be sent, all are read when used
            found = self._session.get(asked)
        for name, values in zip(asked, found, strict=False):
            if values and type(values[0]) is not FunctionHandle:
                self._kept[name] = values[0]

    def of_notebook(self, names: Sequence[str]) -> list[list[Any]]:
        """Return the values of names of the notebook, each in a list, empty if not defined."""
        if all(name in self._kept for name in names):
            return [[self._kept[name]] for name in names]
        asked = self._session.get(names)
        return [
            [self._kept[name]] if name in self._kept else values
            for name, values in zip(names, asked, strict=True)
        ]

    def code_of(self, function: Callable[..., Any]) -> bytes | None:
        """Return the code of a function of the test cell that can run in the notebook, else None.

        It can if it needs nothing that the test cell has bound; what replaces names of the
        notebook is bound there too. Its code is not secret: the only lines of a test with `Checks`
        that students do not get say how fresh cases are drawn.
        """
        if type(function) is not FunctionType or function.__globals__ is not self:
            return None
        if function.__closure__ or function.__defaults__ or function.__kwdefaults__:
            return None
        used = {name for code in _codes(function.__code__) for name in code.co_names}
        used -= self._session.replaced_names()
        if any(self.get(name) is not self._own.get(name) for name in used):
            return None
        return marshal.dumps(function.__code__)


def names_read(source: str) -> set[str]:
    """Return the names that a cell reads, also those of values that `Checks.shows` names."""
    read = {*read_by(source)}
    for call in ast.walk(tree_of(source)):
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") in ("shows", "shown"):
            given = [*call.args, *(keyword.value for keyword in call.keywords)]
            texts = [str(one.value) for one in given if isinstance(one, ast.Constant)]
            read.update(name for text in texts for name in text.split(", ") if name.isidentifier())
    return read


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


class RemoteNotebook(Notebook):
    """What a test cell may do to the notebook, which is in another process."""

    keeps_results = True

    def __init__(self, names: StudentNames, session: Session) -> None:
        super().__init__(names)
        self._names, self._session = names, session

    def put(self, values: Mapping[str, Any]) -> Any:
        """Bind names to other values, for the test and in the notebook."""
        there = {n: [] if value is self.MISSING else [value] for n, value in values.items()}
        before = super().put(values)
        self._session.put(there)
        return before

    def put_back(self, before: Any) -> None:
        """Bind names again as they were before the last `put`."""
        super().put_back(before)
        self._session.put_back()

    def own(self, *names: str) -> Any:
        """Return the value of a name in the notebook, or a list of several; None if not defined."""
        values = [one[0] if one else None for one in self._names.of_notebook(names)]
        return values[0] if len(names) == 1 else values

    def calls(
        self, function: Any, inputs: Sequence[Sequence[Any]], *, whole: bool
    ) -> list[Callable[[], Any]]:
        """Return functions that give the results of calls. One question asks for all of them.

        A function of the test cell runs in the notebook too, if it can: then what it calls needs no
        questions. With right functions in the place of the notebook's own it runs here, where
        student code cannot change what they return. Only for `whole` it has to run in the notebook.
        """
        there: Any = function
        if type(function) is not FunctionHandle:
            there = self._names.code_of(function)
            if there is None and whole:
                name = getattr(function, "__name__", "a function")
                raise StaffError(
                    f"what {name} changes can only be seen if it uses names of the notebook alone, "
                    "and has no default values: bind what it needs inside of it"
                )
            if there is None or (self._session.replaced_names() and not whole):
                return [functools.cache(functools.partial(function, *one)) for one in inputs]
        return self._session.call(there, [(one, {}) for one in inputs], whole=whole)

    def call_there(self, function: Any, *arguments: Any) -> Any:
        """Call a function of hw_support in the notebook, which has it too."""
        [called] = self._session.call(function, [(arguments, {})], whole=False)
        return called()

    def end_part(self) -> None:
        """Disable the functions that were passed to the notebook in this part."""
        self._session.end_part()

    def limited(self) -> contextlib.AbstractContextManager[None]:
        """Limit what is computed here; the notebook limits each question itself."""
        return time_limit(CPU_SECONDS, MAX_TIMES * WALL_SECONDS)
