"""Fills a fork server's caches, so that forks need not. This does not change later results."""

import contextlib
import inspect
import io
import platform
import sys
from collections.abc import Sequence


def fill(modules: Sequence[str]) -> None:
    """Fill the caches of tracebacks and plots; call ``preload()`` of the imported modules."""
    platform.processor()  # starts a program, once
    inspect.getmodule(compile("", "of no module", "exec"))  # caches the files of all modules
    with contextlib.suppress(ImportError):
        _draw_a_first_figure()
    for name in modules:
        with contextlib.suppress(Exception):  # code that needs it later raises the error again
            if preload := getattr(sys.modules.get(name), "preload", None):
                preload()


def _draw_a_first_figure() -> None:
    # matplotlib prepares each kind of element at its first use
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained")
    figure.suptitle("$1$")
    curves, image, bars = figure.subplots(1, 3)
    curves.plot([1, 2], label="1")
    curves.set(xlabel="1", ylabel="1", title="1", yscale="log")
    curves.legend()
    curves.grid(True)
    image.imshow([[0, 1], [1, 0]], cmap="gray")
    image.set_axis_off()
    bars.bar([1, 2], [1, 2])
    bars.text(1, 1, "1")
    FigureCanvasAgg(figure).print_figure(io.BytesIO(), bbox_inches="tight", format="png")
