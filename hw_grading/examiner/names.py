"""The names that a test cell sees: its own and the instructor's, and behind them the student's."""

from __future__ import annotations

import builtins
import contextlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from hw_grading.examiner.session import RemoteError, RemoteFunction, Session
from hw_grading.sandbox.share import MOST_TIMES
from hw_support.checks import Attempt, Notebook
from hw_support.time_limit import time_limit


class StudentNames(dict[str, Any]):
    """The namespace in which a test cell runs.

    What the test and the instructor's locked cells have bound comes first, then Python's own names,
    and only then is the student's notebook asked: a student cannot put another `len` or `np` in the
    place of the test's. Binding a name stays here; `notebook` is the way to replace a student's.

    Parameters
    ----------
    own
        Names bound by the instructor's cells; copied.
    session
        To ask the notebook.
    instructors
        Names that the instructor's cells bind. The notebook is never asked for them, also where a
        cell that binds one has failed.
    """

    def __init__(
        self, own: dict[str, Any], session: Session, instructors: Collection[str] = ()
    ) -> None:
        super().__init__(own)
        self._session, self._instructors = session, instructors
        self.notebook = RemoteNotebook(self, session)

    def __missing__(self, name: str) -> Any:
        if hasattr(builtins, name) or name.startswith("__") or name in self._instructors:
            raise KeyError(name)
        return self._session.get(name)

    def __contains__(self, name: object) -> bool:
        if super().__contains__(name):
            return True
        try:
            self[str(name)]
        except KeyError:
            return False
        return True

    def get(self, name: str, default: Any = None) -> Any:
        """Return what a name means; `default` where it means nothing."""
        try:
            return self[name]
        except KeyError:
            return default


class RemoteNotebook(Notebook):
    """What a test cell may do to the notebook, where that is in another process."""

    def __init__(self, names: StudentNames, session: Session) -> None:
        super().__init__(names)
        self._session = session

    def put(self, name: str, value: Any) -> None:
        """Let a name mean something else, for the test and in the notebook."""
        super().put(name, value)
        self._session.put(name, value)

    def put_back(self, name: str, original: Any) -> None:
        """Let a name mean again what it meant before `put`."""
        if original is self.MISSING or isinstance(original, RemoteFunction):
            self.names.pop(name, None)
        else:
            super().put_back(name, original)
        if original is self.MISSING:
            self._session.put_back(name)
        else:
            self._session.put(name, original)

    def own(self, name: str) -> Any:
        """Return what a name means in the notebook; None where it means nothing."""
        try:
            return self._session.get(name)
        except KeyError:
            return None

    def unreturned(self, error: BaseException, but: str) -> str:
        """Return the function that a time limit has ended last; the notebook's frames are there."""
        return next(reversed(self._session.hung), "")

    def rerun(self, names: Sequence[str], given: Sequence[str]) -> list[Any]:
        """Run the cells again that bind `names` or `given`; return what `names` mean then."""
        return self._session.rerun(names, given)

    def why(self, error: BaseException) -> str:
        """Say why a name is missing or an import failed, as the notebook has told it."""
        if isinstance(error, RemoteError):
            return error.why
        return self._session.why_missing.get(getattr(error, "name", None) or "", "")

    def undoing(self, function: Any, *arguments: Any) -> Any:
        """Call a function, and undo what it did to its arguments at the notebook's end too."""
        if isinstance(function, RemoteFunction):
            return function.undoing(*arguments)
        return super().undoing(function, *arguments)

    def tried(self, attempt: Attempt, error: BaseException | None) -> None:
        """Tell how one try of a part ended, while its names are still there."""
        self._session.tried(attempt, error, self.names)

    def end_part(self) -> None:
        """Let functions that were handed over in this part give nothing any more."""
        self._session.end_part()

    @contextlib.contextmanager
    def limited(self, cpu_seconds: float, wall_seconds: float) -> Iterator[None]:
        """Limit the time of a block, computing in the notebook's process counted.

        What that waited for the processor does not count, but has a limit too.
        """
        outer = self._session.limits
        self._session.limit(cpu_seconds, wall_seconds)
        try:
            with time_limit(cpu_seconds, MOST_TIMES * wall_seconds):
                yield
        finally:
            self._session.limits = outer
