"""What a homework's notebook needs beside NumPy.

- `hw_support.checks`: the language of test cells, for any course
- `hw_support.figures`: facts of the figures that a notebook draws
- `hw_support.student`: the commands ``doctor``, ``check``, ``pdf`` and ``zip``, also as functions
- `hw_support.homeworks`: data, networks, training, plots and runs of this repository's homeworks.
  Its names are found here too. A student's folder has it only if the homework uses it.
- `hw_support.submission`: reads a notebook and compares it with the released one

Importing this package is quick, and needs Python alone: what a name needs is imported when it is
read for the first time. So the commands can say what is missing.
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from .student.in_notebook import check as check
from .student.in_notebook import doctor as doctor
from .student.in_notebook import pdf as pdf
from .student.in_notebook import zip as zip

if TYPE_CHECKING:
    from .checks import *  # noqa: F403
    from .figures import expect_figure as expect_figure
    from .homeworks import *  # noqa: F403


def __getattr__(name: str) -> Any:
    """Find a module, or a name of `checks`, `figures`, or `homeworks`, which a folder may lack."""
    if importlib.util.find_spec(f"{__name__}.{name}"):
        return importlib.import_module(f"{__name__}.{name}")
    if not name.startswith("_"):
        for place in ("checks", "figures", "homeworks"):
            whole = f"{__name__}.{place}"
            if importlib.util.find_spec(whole):
                found = importlib.import_module(whole)
                if hasattr(found, name):
                    return getattr(found, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
