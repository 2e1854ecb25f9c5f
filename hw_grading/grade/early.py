"""Does first what takes longest in the grading of one notebook: imports, in several processes.

The fork servers start before the course is read, and this process imports nbgrader meanwhile. They
get the homework as soon as it is known.
"""

import gc
import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from hw_grading.examiner import client as examiner
from hw_grading.run.settings import RunSettings
from hw_grading.sandbox import kernel_process

_EXTENSIONS = "nbgrader.server_extensions"
_OBJECTS = 50_000  # that are made before Python looks for garbage; imports make few that is garbage


def begin() -> None:
    """Start this process's fork servers, for a course that has the default settings.

    A fork server that does not suit the course is ended, and another one started.
    """
    gc.set_threshold(_OBJECTS)
    if sys.platform == "linux":
        examiner.begin_early()
        kernel_process.begin_early(RunSettings().blas_threads)
    _import_nbgrader()


def _import_nbgrader() -> None:
    """Import nbgrader without its extensions of Jupyter Server, which its own import imports.

    With them come the exchange, nbconvert and the server: a third of the time of all imports. What
    needs them later imports them. Their functions in `nbgrader` itself, which only a server calls,
    are missing in this process.
    """
    if "nbgrader" in sys.modules:
        return
    stand_ins = _StandIns()
    sys.meta_path.insert(0, stand_ins)
    try:
        nbgrader = importlib.import_module("nbgrader")
    finally:
        sys.meta_path.remove(stand_ins)
        for name in [name for name in sys.modules if name.startswith(_EXTENSIONS)]:
            del sys.modules[name]
    vars(nbgrader).pop(_EXTENSIONS.partition(".")[2], None)


class _StandIns(MetaPathFinder, Loader):
    """Finds an empty module for each extension."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load an extension; None for any other module."""
        return ModuleSpec(name, self, is_package=True) if name.startswith(_EXTENSIONS) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return a module."""
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Run nothing."""


class _StandIn(ModuleType):
    """A module in which every name is None."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None
