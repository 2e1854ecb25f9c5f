"""The names of a notebook that a test cell replaces until its end."""

import functools

from hw_support.compare import Mismatch
from hw_support.notebook_access import Notebook
from hw_support.tally import Tally


class Replacements:
    """Replaces functions and other values of the notebook, and restores them."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook, self._names = notebook, notebook.names
        self._replaced: set[str] = set()
        self._before: list[object] = []
        # The student's functions that did not return within a time limit, by name. In the
        # notebook, a function that refuses calls has replaced each of them.
        self.blocked: dict[str, object] = {}

    def replace(self, **values: object) -> None:
        """Bind names to other values until `put_back`."""
        self._replaced |= values.keys()
        self._before.append(self._notebook.put(values))

    def block(self, name: str) -> None:
        """Refuse calls of a function that did not return; do nothing for "" and replaced names."""
        if name and name not in self._replaced:
            self.blocked[name] = self._names[name]
            self.replace(**{name: functools.partial(_refuse, name)})

    def put_back(self) -> None:
        """Restore the names that were replaced."""
        while self._before:
            self._notebook.put_back(self._before.pop())
        self._replaced.clear()

    def functions(self) -> dict[str, object]:
        """Return the notebook's functions by name, without those that test cells define."""
        return {
            name: value
            for name, value in dict(self._names).items()
            if callable(value) and not isinstance(value, Tally) and not name.startswith("_test_")
        }

    def put_functions_back(self, functions: dict[str, object]) -> None:
        """Restore the notebook's functions whose names the test cell has bound too.

        After a test's ``loss, dL_dg = ...``, for example, a student's helper ``loss`` is restored.
        """
        for name, function in functions.items():
            if self._names.get(name) is not function and name not in self._replaced:
                self._names[name] = function


def _refuse(name: str, *_: object, **__: object) -> None:
    why = f"`{name}` is not called again: it did not return within the time limit of another part"
    raise Mismatch(why)
