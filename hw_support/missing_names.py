"""Say why a name is missing or an import failed: a package may not be installed."""

import importlib.util
import re
from collections.abc import Mapping
from typing import Any

from hw_support.failures import plain_name

_MOST_CELLS = 500  # search the text of so many cells for imports
# An import statement and its package.
_IMPORT = re.compile(
    r"^[ \t]*(?:from|import)[ \t]+([A-Za-z_]\w{0,60})(?:[^\n(]*\([^)]*\)|[^\n]*)", re.M
)
# Packages that homeworks may use. A message about a missing package names the installed ones.
_USUAL = ("matplotlib", "numpy", "pandas", "scipy", "sklearn", "torch")


def why_missing(name: str, names: Mapping[str, Any]) -> str:
    """Say that a name is missing because its package is not installed; "" for other reasons.

    The text of the notebook's cells comes from IPython's `In` among its names.
    """
    cells = names.get("In")
    if type(cells) is not list or not name.isidentifier():
        return ""
    for cell in reversed(cells[-_MOST_CELLS:]):
        if type(cell) is not str or name not in cell:
            continue
        for found in _IMPORT.finditer(cell):
            line, package = found[0], found[1]
            if is_installed(package):
                continue
            if re.search(rf"\b{name}\b", line):
                return f"{name} comes from {package}, which is not installed here{_installed()}"
            if re.search(rf"^\s*(?:def|class)\s+{name}\b|^\s*{name}\s*=", cell, re.M):
                return f"Its cell imports {package}, which is not installed here{_installed()}"
    return ""


def is_installed(package: str) -> bool:
    """Whether a package is installed here."""
    try:
        return importlib.util.find_spec(package) is not None
    except Exception:
        return False


def why_not_imported(error: BaseException) -> str:
    """Name the installed packages if an import failed; "" for other exceptions."""
    package = getattr(error, "name", None)
    if not isinstance(error, ModuleNotFoundError) or not isinstance(package, str):
        return ""
    return f"{plain_name(package)} is not installed here{_installed()}"


def _installed() -> str:
    there = list(filter(is_installed, _USUAL))
    listed = " and ".join(filter(None, [", ".join(there[:-1]), *there[-1:]]))
    return f"; {listed} are" if there else ""
