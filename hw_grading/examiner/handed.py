"""The functions that a test cell has passed to the notebook, and the exceptions they raised."""

from collections.abc import Callable, Iterator
from typing import Any

from hw_grading.examiner.remote import RemoteError
from hw_grading.inside.wire import WireError

_MOST_RAISED = 5  # exceptions that are kept


class HandedOver:
    """Functions of a test, by the number under which the notebook calls them.

    A function runs here, in the test's process. A disabled one keeps its number: if the notebook
    still calls it, an exception is raised.
    """

    def __init__(self) -> None:
        self._functions: dict[int, Callable[..., Any] | None] = {}  # None if disabled
        self._number_of: dict[int, int] = {}  # by the id of the function
        self._raised: dict[int, BaseException] = {}
        self._count_raised = 0

    def number(self, function: Callable[..., Any]) -> int:
        """Return the number of a function; hand it over if it is new."""
        number = self._number_of.setdefault(id(function), len(self._functions))
        # Keep it alive, so that no other object gets its id.
        self._functions[number] = function
        return number

    def function(self, number: int) -> Callable[..., Any]:
        """Return a function that was handed over; raise WireError if none has this number."""
        if number not in self._functions:
            raise WireError("a function that the test did not pass")
        function = self._functions[number]
        return _of_a_test_that_has_ended if function is None else function

    def keep_only(self, values: Any) -> None:
        """Disable all functions except those in a nested list or tuple."""
        staying = {id(function) for function in _functions_in(values)}
        for number, function in self._functions.items():
            if function is not None and id(function) not in staying:
                self._functions[number] = None
                self._number_of.pop(id(function), None)

    def end_test(self) -> None:
        """Disable all functions, and forget what they have raised."""
        self._functions = dict.fromkeys(self._functions)
        self._number_of.clear()
        self._raised.clear()

    def note_error(self, error: BaseException) -> int:
        """Keep an exception that a function has raised; return the exception's number."""
        number = self._count_raised
        self._count_raised += 1
        # The frames would keep the arguments alive. Keep only the newest exceptions.
        self._raised[number] = error.with_traceback(None)
        self._raised.pop(number - _MOST_RAISED, None)
        return number

    def error(self, number: int) -> BaseException:
        """Return the exception with this number, or a substitute if it was dropped."""
        if not 0 <= number < self._count_raised:
            raise WireError("an exception that no function of the test has raised")
        long_ago = RemoteError.named("Exception", "of an earlier callback", "")
        return self._raised.get(number, long_ago)


def _functions_in(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for entry in value:
            yield from _functions_in(entry)
    elif callable(value):
        yield value


def _of_a_test_that_has_ended(*_: Any, **__: Any) -> None:
    raise RuntimeError("the part of the test that passed this function has ended")
