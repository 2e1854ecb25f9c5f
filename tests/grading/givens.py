"""What the instructor's locked cells give to answers and test cells: data, and names of packages.

Data count by their values. If code that reads a file changes but gives the same numbers, cached
verdicts stay valid, and the pages stay current.
"""

import functools
import inspect
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from cells import Notebook
from harness import fresh_namespace
from settings import ROOT
from sources import as_run, digest, modules_of, package_of


@functools.cache
def given_to(notebook: Notebook) -> tuple[str, frozenset[Path]]:
    """Return a digest of the locked cells' code and values, and the modules whose names they give.

    The values are those that they bind in the instructor's own notebook.
    """
    cells = [notebook.cells[name] for name in (*notebook.shared, *notebook.given)]
    with mock.patch.dict(os.environ):  # restores it
        names = fresh_namespace(notebook)
    bound = {name: value for name, value in names.items() if not name.startswith("_")}
    plain = {name: _plain(value) for name, value in bound.items()}
    modules = frozenset[Path]().union(*map(_modules_behind, bound.values()))
    sources = [(cell.id, as_run(cell.source)) for cell in cells]
    values = sorted((name, value) for name, value in plain.items() if value is not None)
    return digest(sources, values), modules


def _plain(value: Any) -> str | None:
    """Return a digest of numbers, texts, arrays, and lists of such; None for anything else."""
    if isinstance(value, bool | int | float | str | bytes | None):
        return repr(value)
    if isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
        array = np.asarray(value)
        return digest(array.dtype.str, array.shape, array.tobytes())
    if isinstance(value, list | tuple):
        return digest([_plain(one) for one in value])
    if isinstance(value, Mapping):
        return digest([(str(key), _plain(one)) for key, one in value.items()])
    return None


def _modules_behind(value: Any) -> frozenset[Path]:
    """Return the first-party module that defines a function, a class or an object, and its own."""
    if inspect.ismodule(value):  # the cell that uses the module says what it uses
        return frozenset()
    owner = value if callable(value) and hasattr(value, "__module__") else type(value)
    if owner.__module__ == "__main__":  # of a cell, whose source counts; not of this program
        return frozenset()
    module = sys.modules.get(str(owner.__module__))
    file = Path(getattr(module, "__file__", None) or "/")
    if not file.is_relative_to(ROOT) or any(part.startswith(".venv") for part in file.parts):
        return frozenset()
    return modules_of(file.read_text(encoding="utf-8"), package_of(file)) | {file}
