"""What a process does only once, done ahead by one that is forked often; none of it shows later."""

from __future__ import annotations

import contextlib
import inspect
import io
import platform
import sys
from collections.abc import Sequence


def fill(modules: Sequence[str]) -> None:
    """Make a first traceback and a first plot, and let modules do what they do once.

    Parameters
    ----------
    modules
        Modules that may have a function ``preload()``; those that were not imported are left out.
    """
    platform.processor()  # asks a program
    inspect.getmodule(compile("", "of no module", "exec"))  # looks for the files of all modules
    with contextlib.suppress(ImportError):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure()
        figure.add_subplot(title="$1$").plot([1, 2])
        FigureCanvasAgg(figure).print_png(io.BytesIO())
    for name in modules:
        preload = getattr(sys.modules.get(name), "preload", None)
        with contextlib.suppress(Exception):  # who asks for it later is told what is wrong
            if preload:
                preload()
