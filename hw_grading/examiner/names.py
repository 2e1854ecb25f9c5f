"""The names that a test cell sees: its own and the instructor's first, then the student's."""

import builtins
import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from hw_grading.examiner.session import Session
from hw_grading.sandbox.processes import MOST_TIMES
from hw_support.notebook_access import Notebook
from hw_support.time_limit import time_limit


class StudentNames(dict[str, Any]):
    """The namespace in which a test cell runs.

    A name is looked up first among those that the test and the instructor's locked cells (`own`)
    have bound, then among Python's builtins, and only then in the student's notebook. So a student
    cannot replace the test's `len` or `np`. Names in `instructors` are never looked up in the
    notebook, even if the cell that binds a name has failed. Names that the test binds stay in this
    namespace; `notebook` replaces names of the student.
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
        """Return the value of a name, or `default` if the name is not defined."""
        try:
            return self[name]
        except KeyError:
            return default


class RemoteNotebook(Notebook):
    """What a test cell may do to the notebook, which is in another process."""

    def __init__(self, names: StudentNames, session: Session) -> None:
        super().__init__(names)
        self._session = session

    def put(self, values: Mapping[str, Any]) -> Any:
        """Bind names to other values, for the test and in the notebook."""
        return super().put(values), self._session.put(
            {name: None if value is self.MISSING else (value,) for name, value in values.items()}
        )

    def put_back(self, before: Any) -> None:
        """Bind names again as they were before `put`."""
        here, there = before
        super().put_back(here)
        self._session.put_back(there)

    def own(self, name: str) -> Any:
        """Return the value of a name in the notebook; None if the name is not defined."""
        try:
            return self._session.get(name)
        except KeyError:
            return None

    def unreturned(self, error: BaseException, but: str) -> str:
        """Return the last function that a time limit has ended, as the session has recorded it."""
        return next(reversed(self._session.hung), "")

    def end_part(self) -> None:
        """Disable the functions that were passed to the notebook in this part."""
        self._session.end_part()

    @contextlib.contextmanager
    def limited(self, cpu_seconds: float, wall_seconds: float) -> Iterator[None]:
        """Limit the time of a block, including computing in the notebook's process.

        Time that this process has waited for the processor does not count, but has its own limit.
        """
        outer = self._session.time_left.limits
        self._session.time_left.limit(cpu_seconds, wall_seconds)
        try:
            with time_limit(cpu_seconds, MOST_TIMES * wall_seconds):
                yield
        finally:
            self._session.time_left.limits = outer
