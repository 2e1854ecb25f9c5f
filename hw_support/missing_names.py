"""Say why a name is missing or an import failed: a package may not be installed."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping
from typing import Any

from hw_support.failures import plain_name

_MOST_CELLS = 500  # whose text is searched for imports
# Packages that homeworks may want; those that are installed are named when another one is missing.
_USUAL = ("matplotlib", "numpy", "pandas", "scipy", "sklearn", "torch")


def why_missing(name: str, names: Mapping[str, Any]) -> str:
    """Say that a name is missing for want of a package; "" where nothing is known of it.

    Parameters
    ----------
    name
        The name that means nothing.
    names
        The names of the notebook; what its cells said is taken from IPython's `In`.
    """
    cells = names.get("In")
    if type(cells) is not list or not name.isidentifier():
        return ""
    for cell in reversed(cells[-_MOST_CELLS:]):
        if type(cell) is not str or name not in cell:
            continue
        for line, package in _imports(cell):
            if is_installed(package):
                continue
            if re.search(rf"\b{name}\b", line):
                return f"{name} comes from {package}, which is not installed here{_installed()}"
            if re.search(rf"^\s*(?:def|class)\s+{name}\b|^\s*{name}\s*=", cell, re.M):
                return f"Its cell imports {package}, which is not installed here{_installed()}"
    return ""


def _imports(cell: str) -> Iterator[tuple[str, str]]:
    """Yield the statements that import something, and the package."""
    pattern = r"^[ \t]*(?:from|import)[ \t]+([A-Za-z_]\w{0,60})(?:[^\n(]*\([^)]*\)|[^\n]*)"
    for found in re.finditer(pattern, cell, re.M):
        yield found[0], found[1]


def is_installed(package: str) -> bool:
    """Whether a package could be imported here."""
    try:
        return importlib.util.find_spec(package) is not None
    except Exception:
        return False


def why_not_imported(error: BaseException) -> str:
    """Say which packages there are, for an import that failed; "" for other exceptions."""
    package = getattr(error, "name", None)
    if not isinstance(error, ModuleNotFoundError) or not isinstance(package, str):
        return ""
    return f"{plain_name(package)} is not installed here{_installed()}"


def _installed() -> str:
    there = [package for package in _USUAL if is_installed(package)]
    if not there:
        return ""
    return f"; {' and '.join([', '.join(there[:-1]), there[-1]] if there[1:] else there)} are"
