"""Handles: what a test cell gets for an object of the notebook that is not plain data.

A handle can be passed back to the notebook. A function can be called, and of an object with entries
a copy of them can be looked at. No value is known of anything else. So a test that compares a
handle, prints it, or asks for its type or an attribute, would score by chance. `NotPlainData` fails
its part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from hw_support.checks.compare import Mismatch, NotPlainData
from hw_support.checks.failures import plain_name
from hw_support.checks.notebook_access import Remote

_REFUSED = (
    *("eq", "ne", "lt", "le", "gt", "ge", "bool", "len", "iter", "contains", "getitem"),
    *("int", "float", "complex", "index", "round", "abs", "neg", "array", "str", "repr", "format"),
    *(f"{side}{name}" for side in ("", "r") for name in ("add", "sub", "mul", "matmul", "truediv")),
    *(f"{side}{name}" for side in ("", "r") for name in ("floordiv", "mod", "pow", "and", "or")),
)


class Handle(Remote):
    """An object that stays in the notebook."""

    __slots__ = ("_number", "_of_try", "_type_name", "name")

    def __init__(self, number: int, type_name: str, _: Any = None, *, of_try: int = 1) -> None:
        self._number, self._type_name = number, plain_name(type_name, "something")
        self._of_try, self.name = of_try, ""  # its name in the notebook, if it was read by one

    __hash__ = object.__hash__  # it may be a key of a dict

    def __getattribute__(self, name: str) -> Any:
        if name != "__deepcopy__":  # test cells copy their cases
            raise NotPlainData(_expected_plain_data(self))
        return object.__getattribute__(self, name)

    def __deepcopy__(self, memo: Any) -> Handle:
        return self

    @staticmethod
    def looked_at(handle: Handle) -> Any:
        """Raise `Mismatch`: the object has no entries."""
        raise Mismatch(_expected_plain_data(handle))

    @staticmethod
    def watched(handle: Handle, _: Any) -> list[Callable[[], Any]]:
        """Raise `NotPlainData`: the object is no function."""
        raise NotPlainData(_expected_plain_data(handle))


class SeenHandle(Handle):
    """An object that stays in the notebook, and came with a copy of its entries or numbers."""

    __slots__ = ("_view",)

    def __init__(self, number: int, type_name: str, view: Any, *, of_try: int = 1) -> None:
        super().__init__(number, type_name, of_try=of_try)
        self._view = view

    @staticmethod
    def looked_at(handle: Handle) -> Any:
        """Return the copy."""
        return object.__getattribute__(handle, "_view")

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__array"):  # by which NumPy finds the copy
            return object.__getattribute__(self, name)
        return super().__getattribute__(name)

    def __len__(self) -> int:
        return len(SeenHandle.looked_at(self))

    def __iter__(self) -> Iterator[Any]:
        return iter(SeenHandle.looked_at(self))

    def __getitem__(self, key: Any) -> Any:
        return SeenHandle.looked_at(self)[key]

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(SeenHandle.looked_at(self), dtype=dtype)


class FunctionHandle(Handle):
    """A function of the notebook."""

    __slots__ = ("_call",)

    def __init__(
        self, number: int, type_name: str, call: Callable[..., Any], *, of_try: int = 1
    ) -> None:
        super().__init__(number, type_name, of_try=of_try)
        self._call = call

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call it in the notebook."""
        (result,) = object.__getattribute__(self, "_call")(self, [(arguments, named)], whole=False)
        return result()

    @staticmethod
    def watched(handle: Handle, inputs: Sequence[Sequence[Any]]) -> list[Callable[[], Any]]:
        """Call it with each of the inputs."""
        calls: list[Callable[[], Any]] = object.__getattribute__(handle, "_call")(
            handle, [(one, {}) for one in inputs], whole=True
        )
        return calls


def is_handle(value: Any) -> bool:
    """Whether a value is a handle; `isinstance` would ask some handles for their type."""
    return issubclass(type(value), Handle)


class _Type:
    """Python's `type`, for test cells: it does not tell the type of a handle."""

    def __call__(self, *given: Any, **named: Any) -> Any:
        if len(given) == 1 and is_handle(given[0]):
            raise NotPlainData(_expected_plain_data(given[0]))
        return type(*given, **named)

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, type)

    def __mro_entries__(self, _: Any) -> tuple[type]:
        return (type,)


type_of = _Type()


def known_as(handle: Handle) -> tuple[int, int, str]:
    """Return an object's number, the try in which it has this number, and its name or ""."""
    number, of_try, name = (
        object.__getattribute__(handle, slot) for slot in ("_number", "_of_try", "name")
    )
    return number, of_try, name


def _expected_plain_data(handle: Handle) -> str:
    type_name = object.__getattribute__(handle, "_type_name")
    return f"expected numbers, or lists and arrays of them, got an object of type {type_name}"


def _refuse(self: Handle, *_: Any, **__: Any) -> Any:
    raise NotPlainData(_expected_plain_data(self))


for _name in _REFUSED:
    setattr(Handle, f"__{_name}__", _refuse)
