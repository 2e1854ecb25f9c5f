"""Proxies for objects of the student's notebook, and exceptions in place of its exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from hw_grading.inside.wire import Theirs
from hw_support.compare import Mismatch
from hw_support.failures import one_line, plain_name

if TYPE_CHECKING:
    from hw_grading.examiner.session import Session

_LONGEST_NAME, _LONGEST_TEXT = 100, 2000  # characters of an exception's name and text

# Types that a RemoteError also has if the student's exception has their name. Python and tests rely
# on them: for example, a TypeError means that an object has no len().
_ALSO: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        *(ArithmeticError, AssertionError, AttributeError, FloatingPointError, IndexError),
        *(NotImplementedError, OverflowError, RuntimeError, TypeError, ValueError),
        ZeroDivisionError,
    )
}


class Gone(Mismatch):
    """The notebook cannot be asked any more."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the notebook stopped answering: {one_line(why)}")


class RemoteError(Exception):
    """The student's code raised an exception. `named` makes an error of the same name."""

    raised_by, raised_in_line = "", 0  # for messages; see hw_support.failures

    @classmethod
    def named(cls, name: str, text: str, where: str, line: int = 0) -> RemoteError:
        """Return an error whose class has the same name as the student's exception."""
        bases = (cls, _ALSO[name]) if name in _ALSO else (cls,)
        short = name[:_LONGEST_NAME]
        made: Any = type(short if short.isidentifier() else "Exception", bases, {})
        error: RemoteError = made(one_line(text, _LONGEST_TEXT))
        error.raised_by, error.raised_in_line = where[:_LONGEST_NAME], line
        return error


class Remote:
    """A proxy for an object that stays in the notebook.

    A test can pass it back, turn it into an array, iterate over it, and read its length, entries
    and attributes. Each of these is a question to the notebook.
    """

    def __init__(self, session: Session, reference: Theirs) -> None:
        self._session, self._number = session, reference.number
        self._type_name = plain_name(reference.type_name, "something")

    def __repr__(self) -> str:
        return f"<{self._type_name} in the notebook>"

    def __copy__(self) -> Remote:
        return self

    def __deepcopy__(self, memo: Any) -> Remote:
        return self

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        array = self._session.ask("array", self)
        if not isinstance(array, np.ndarray):
            raise TypeError("the notebook returned no array")
        return array if dtype is None else array.astype(dtype)

    def __len__(self) -> int:
        length = self._session.ask("length", self)
        if type(length) is not int or not 0 <= length < 2**62:
            raise TypeError("the notebook returned no length")
        return length

    def __bool__(self) -> bool:
        return self._session.ask("bool", self) is True

    def __getitem__(self, key: Any) -> Any:
        return self._session.ask("entry", self, key)

    def __iter__(self) -> Iterator[Any]:
        iterator = self._session.ask("iterator", self)
        at_once = 1
        while True:
            entries = self._session.ask("next", iterator, at_once)
            if type(entries) is not list or len(entries) > at_once:
                raise TypeError("the notebook returned no entries")
            yield from entries
            if len(entries) < at_once:
                return

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(
                f"{self._type_name!r} stays in the notebook; tests cannot read its {name!r}"
            )
        return self._session.ask("attribute", self, name)


class RemoteFunction(Remote):
    """A proxy for a function of the notebook: each call is a question."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Return what the function returns; repeat its changes to its arguments here."""
        return self._session.call(self, arguments, named)
